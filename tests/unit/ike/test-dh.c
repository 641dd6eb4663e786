/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diffie-Hellman: the primes are what their standards compute them from, known keys give known
 * secrets, and no value that a group does not have is taken for a peer's. The source is part of
 * this file, so that a pair can be given a known private value.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/dh.c"

#include "core-kit.h"
#include "vectors/core.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- primes ---- */

/* [2^bits arctan(1/x)] by its series, in fixed point. */
static BIGNUM *arctan_inverse(unsigned long x, int bits)
{
    BIGNUM *power = BN_new(), *sum = BN_new(), *term = BN_new();

    assert_int_equal(BN_set_bit(power, bits), 1);
    assert_int_not_equal(BN_div_word(power, x), (BN_ULONG)-1);
    BN_copy(sum, power);
    for (unsigned long n = 3; !BN_is_zero(power); n += 2) {
        BN_div_word(power, x * x);
        BN_copy(term, power);
        BN_div_word(term, n);
        assert_int_equal(n % 4 == 3 ? BN_sub(sum, sum, term) : BN_add(sum, sum, term), 1);
    }
    BN_free(power);
    BN_free(term);
    return sum;
}

/* [2^bits pi], by Machin's formula with bits to spare. */
static BIGNUM *pi_times_power(int bits)
{
    enum { SPARE = 64 };
    BIGNUM *a = arctan_inverse(5, bits + SPARE), *b = arctan_inverse(239, bits + SPARE);

    assert_int_equal(BN_mul_word(a, 16) & BN_mul_word(b, 4), 1);
    assert_int_equal(BN_sub(a, a, b), 1);
    assert_int_equal(BN_rshift(a, a, SPARE), 1);
    BN_free(b);
    return a;
}

static BIGNUM *prime_by_formula(const PrimeVector *v)
{
    BIGNUM *p = pi_times_power(v->bits - 130), *power = BN_new();

    assert_int_equal(BN_add_word(p, v->k), 1);
    assert_int_equal(BN_lshift(p, p, 64), 1);
    assert_int_equal(BN_set_bit(power, v->bits), 1);
    assert_int_equal(BN_add(p, p, power), 1);
    BN_zero(power);
    assert_int_equal(BN_set_bit(power, v->bits - 64), 1);
    assert_int_equal(BN_sub(p, p, power), 1);
    assert_int_equal(BN_sub_word(p, 1), 1);
    BN_free(power);
    return p;
}

static IkeDh *pair_of(const char *name)
{
    IkeDh *dh = NULL;
    const IkeGroup *group = ike_group_by_name(name);

    assert_non_null(group);
    assert_int_equal(ike_dh_new(&dh, group), 0);
    assert_ptr_equal(ike_dh_group(dh), group);
    assert_int_equal(ike_dh_public(dh).n, group->ke_size);
    return dh;
}

static void test_primes_are_what_the_standards_compute_them_from(void **state)
{
    for (size_t i = 0; i < COUNT(PRIME_VECTORS); i++) {
        BIGNUM *p = prime_by_formula(&PRIME_VECTORS[i]), *g = NULL;
        IkeDh *dh = pair_of(PRIME_VECTORS[i].group);

        assert_int_equal(BN_cmp(dh->prime, p), 0);
        assert_int_equal(BN_num_bits(p), PRIME_VECTORS[i].bits);
        assert_int_equal(EVP_PKEY_get_bn_param(dh->key, OSSL_PKEY_PARAM_FFC_G, &g), 1);
        assert_true(BN_is_word(g, 2));
        BN_free(g);
        BN_free(p);
        ike_dh_free(dh);
    }
}

/* ---- known keys ---- */

static EVP_PKEY *known_key(const IkeGroup *group, const KitBytes *private, const KitBytes *public)
{
    if (group->number == IKE_GROUP_CURVE25519)
        return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private->bytes, private->n);
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *d = BN_bin2bn(private->bytes, (int)private->n, NULL);
    uint8_t point[IKE_DH_MAX + 1] = {4};
    memcpy(point + 1, public->bytes, public->n);
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group->openssl, 0);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, public->n + 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(d);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void test_known_keys_give_the_published_secrets(void **state)
{
    for (size_t i = 0; i < 2 * COUNT(DH_VECTORS); i++) {
        const DhVector *v = &DH_VECTORS[i / 2];
        const IkeGroup *group = ike_group_by_name(v->group);
        bool initiator = i % 2 == 0;
        KitBytes private, public, peer, secret;
        uint8_t derived[IKE_DH_MAX];
        IkeDh *dh = pair_of(v->group);

        kit_unhex(initiator ? v->private_i : v->private_r, &private);
        kit_unhex(initiator ? v->public_i : v->public_r, &public);
        kit_unhex(initiator ? v->public_r : v->public_i, &peer);
        kit_unhex(v->secret, &secret);
        EVP_PKEY_free(dh->key);
        dh->key = known_key(group, &private, &public);
        assert_non_null(dh->key);
        assert_int_equal(export_public(dh), 0);
        assert_memory_equal(ike_dh_public(dh).bytes, public.bytes, public.n);
        assert_int_equal(secret.n, group->secret_size);
        assert_int_equal(ike_dh_derive(dh, kit_slice(&peer), derived), 0);
        assert_memory_equal(derived, secret.bytes, secret.n);
        ike_dh_free(dh);
    }
}

static void test_both_sides_of_every_group_agree(void **state)
{
    for (size_t i = 0; ike_alg_name(IKE_ALG_GROUP, i) != NULL; i++) {
        IkeDh *a = pair_of(ike_alg_name(IKE_ALG_GROUP, i));
        IkeDh *b = pair_of(ike_alg_name(IKE_ALG_GROUP, i));
        uint8_t x[IKE_DH_MAX] = {0}, y[IKE_DH_MAX] = {1};

        assert_int_equal(ike_dh_derive(a, ike_dh_public(b), x), 0);
        assert_int_equal(ike_dh_derive(b, ike_dh_public(a), y), 0);
        assert_memory_equal(x, y, ike_dh_group(a)->secret_size);
        assert_memory_not_equal(ike_dh_public(a).bytes, ike_dh_public(b).bytes,
                                ike_dh_group(a)->ke_size);
        ike_dh_free(a);
        ike_dh_free(b);
    }
}

/* RFC 2409, 5: the secret keeps its leading zeros, or one exchange in 256 fails. */
static void test_secrets_keep_their_leading_zeros(void **state)
{
    const IkeGroup *group = ike_group_by_name("modp768");
    bool seen = false;

    for (int i = 0; i < 4000 && !seen; i++) {
        IkeDh *a = NULL, *b = NULL;
        uint8_t x[IKE_DH_MAX], y[IKE_DH_MAX];

        assert_int_equal(ike_dh_new(&a, group), 0);
        assert_int_equal(ike_dh_new(&b, group), 0);
        memset(x, 0xee, sizeof(x));
        assert_int_equal(ike_dh_derive(a, ike_dh_public(b), x), 0);
        assert_int_equal(ike_dh_derive(b, ike_dh_public(a), y), 0);
        assert_memory_equal(x, y, group->secret_size);
        assert_int_equal(x[group->secret_size], 0xee);
        seen = x[0] == 0;
        ike_dh_free(a);
        ike_dh_free(b);
    }
    assert_true(seen);
}

/* ---- A15, A16, C8: what is not of the group ---- */

static int derive_from(const IkeDh *dh, const uint8_t *bytes, size_t n)
{
    uint8_t *copy = kit_exact(bytes, n);
    uint8_t secret[IKE_DH_MAX];
    int r = ike_dh_derive(dh, (IkeSlice){copy, n}, secret);

    free(copy);
    return r;
}

static void test_a15_c7_values_at_the_edges_of_a_modp_group_are_refused(void **state)
{
    for (size_t i = 0; i < COUNT(PRIME_VECTORS); i++) {
        IkeDh *dh = pair_of(PRIME_VECTORS[i].group);
        const size_t n = ike_dh_group(dh)->ke_size;
        uint8_t bytes[IKE_DH_MAX] = {0}, prime[IKE_DH_MAX];

        assert_int_equal(BN_bn2binpad(dh->prime, prime, (int)n), n);
        assert_int_equal(derive_from(dh, bytes, n), IKE_DH_BAD_PEER); /* 0 */
        bytes[n - 1] = 1;
        assert_int_equal(derive_from(dh, bytes, n), IKE_DH_BAD_PEER); /* 1 */
        bytes[n - 1] = 2;
        assert_int_equal(derive_from(dh, bytes, n), 0);
        assert_int_equal(derive_from(dh, prime, n), IKE_DH_BAD_PEER); /* p */
        memcpy(bytes, prime, n);
        bytes[n - 1]--;
        assert_int_equal(derive_from(dh, bytes, n), IKE_DH_BAD_PEER); /* p - 1 */
        bytes[n - 1]--;
        assert_int_equal(derive_from(dh, bytes, n), 0); /* p - 2 */
        BIGNUM *more = BN_dup(dh->prime);
        assert_int_equal(BN_add_word(more, 1), 1);
        assert_int_equal(BN_bn2binpad(more, bytes, (int)n), n);
        assert_int_equal(derive_from(dh, bytes, n), IKE_DH_BAD_PEER); /* p + 1 */
        BN_free(more);
        memset(bytes, 0xff, n);
        assert_int_equal(derive_from(dh, bytes, n), IKE_DH_BAD_PEER);
        ike_dh_free(dh);
    }
}

/* libcrypto's own check computes y^q mod p, which takes many times as long as the secret itself:
 * p - 2 would fail it in every safe-prime group, for 2 is a square there and -1 is none. */
static void test_c9_of_a_safe_prime_only_the_range_is_checked(void **state)
{
    for (size_t i = 0; i < COUNT(PRIME_VECTORS); i++) {
        IkeDh *dh = pair_of(PRIME_VECTORS[i].group);
        const size_t n = ike_dh_group(dh)->ke_size;
        BIGNUM *y = BN_dup(dh->prime), *q = BN_dup(dh->prime), *power = BN_new();
        BN_CTX *context = BN_CTX_new();
        uint8_t bytes[IKE_DH_MAX];

        assert_int_equal(BN_sub_word(y, 2), 1);
        assert_int_equal(BN_rshift1(q, q), 1);
        assert_int_equal(BN_mod_exp(power, y, q, dh->prime, context), 1);
        assert_false(BN_is_one(power));
        assert_int_equal(BN_bn2binpad(y, bytes, (int)n), n);
        assert_int_equal(derive_from(dh, bytes, n), 0);
        BN_CTX_free(context);
        BN_free(power);
        BN_free(q);
        BN_free(y);
        ike_dh_free(dh);
    }
}

static void test_a16_a_value_of_another_length_is_refused(void **state)
{
    uint8_t bytes[IKE_DH_MAX + 2];

    memset(bytes, 0x42, sizeof(bytes));
    for (size_t i = 0; ike_alg_name(IKE_ALG_GROUP, i) != NULL; i++) {
        IkeDh *dh = pair_of(ike_alg_name(IKE_ALG_GROUP, i));
        const size_t n = ike_dh_group(dh)->ke_size;
        const size_t sizes[] = {0, 1, n / 2, n - 1, n + 1, sizeof(bytes)};

        for (size_t j = 0; j < COUNT(sizes); j++)
            if (sizes[j] != n)
                assert_int_equal(derive_from(dh, bytes, sizes[j]), IKE_DH_BAD_PEER);
        ike_dh_free(dh);
    }
}

static void test_c8_points_off_the_curve_and_infinity_are_refused(void **state)
{
    static const char *const curves[] = {"ecp256", "ecp384", "ecp521"};

    for (size_t i = 0; i < COUNT(curves); i++) {
        IkeDh *dh = pair_of(curves[i]), *other = pair_of(curves[i]);
        const size_t n = ike_dh_group(dh)->ke_size;
        uint8_t point[IKE_DH_MAX] = {0};

        assert_int_equal(derive_from(dh, point, n), IKE_DH_BAD_PEER); /* x = y = 0 */
        memset(point, 0xff, n);
        assert_int_equal(derive_from(dh, point, n), IKE_DH_BAD_PEER);
        for (size_t bit = 0; bit < 8 * n; bit += 37) {
            memcpy(point, ike_dh_public(other).bytes, n);
            point[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(derive_from(dh, point, n), IKE_DH_BAD_PEER);
        }
        memcpy(point, ike_dh_public(other).bytes, n);
        memset(point + n / 2, 0, n / 2); /* y = 0 */
        assert_int_equal(derive_from(dh, point, n), IKE_DH_BAD_PEER);
        memcpy(point, ike_dh_public(other).bytes + n / 2, n / 2); /* y | x */
        memcpy(point + n / 2, ike_dh_public(other).bytes, n / 2);
        assert_int_equal(derive_from(dh, point, n), IKE_DH_BAD_PEER);
        ike_dh_free(dh);
        ike_dh_free(other);
    }
}

/* RFC 7748, 6.1: the all-zero secret comes of points of small order. */
static void test_a15_points_of_small_order_on_curve25519_are_refused(void **state)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    };
    IkeDh *dh = pair_of("curve25519");

    for (size_t i = 0; i < COUNT(points); i++) {
        KitBytes point;
        kit_unhex(points[i], &point);
        assert_int_equal(derive_from(dh, point.bytes, point.n), IKE_DH_BAD_PEER);
    }
    ike_dh_free(dh);
}

static void test_c8_groups_with_an_order_of_their_own_do_not_exist(void **state)
{
    static const uint16_t refused[] = {0, 3, 4, 22, 23, 24, 25, 26, 32, 65535};

    for (size_t i = 0; i < COUNT(refused); i++)
        assert_null(ike_group_by_number(refused[i]));
}

static void test_freeing_nothing_is_nothing(void **state)
{
    assert_null(ike_dh_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_primes_are_what_the_standards_compute_them_from),
        cmocka_unit_test(test_known_keys_give_the_published_secrets),
        cmocka_unit_test(test_both_sides_of_every_group_agree),
        cmocka_unit_test(test_secrets_keep_their_leading_zeros),
        cmocka_unit_test(test_a15_c7_values_at_the_edges_of_a_modp_group_are_refused),
        cmocka_unit_test(test_c9_of_a_safe_prime_only_the_range_is_checked),
        cmocka_unit_test(test_a16_a_value_of_another_length_is_refused),
        cmocka_unit_test(test_c8_points_off_the_curve_and_infinity_are_refused),
        cmocka_unit_test(test_a15_points_of_small_order_on_curve25519_are_refused),
        cmocka_unit_test(test_c8_groups_with_an_order_of_their_own_do_not_exist),
        cmocka_unit_test(test_freeing_nothing_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

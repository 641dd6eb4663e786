/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IKE needs of libcrypto: published values, limits, and each call of libcrypto failing in turn
 * with 0 and with -1 (the linker puts functions here in their place). Only 1 is success.
 */
#undef NDEBUG
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "ike/crypto.h"
#include "ike/dh.h"

#include "core-kit.h"
#include "vectors/core.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int fault_at, fault_value, calls;

static bool faulty(void)
{
    return ++calls == fault_at;
}

static void fail_at(int call, int value)
{
    calls = 0;
    fault_at = call;
    fault_value = value;
}

/* A function of libcrypto that may fail, by number (0 or -1) or by NULL. */
#define WRAP_INT(name, parameters, arguments)                                                      \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return faulty() ? fault_value : __real_##name arguments;                                   \
    }
#define WRAP_POINTER(type, name, parameters, arguments)                                            \
    type *__real_##name parameters;                                                                \
    type *__wrap_##name parameters;                                                                \
    type *__wrap_##name parameters                                                                 \
    {                                                                                              \
        return faulty() ? NULL : __real_##name arguments;                                          \
    }

WRAP_POINTER(EVP_MD, EVP_MD_fetch, (OSSL_LIB_CTX * c, const char *n, const char *p), (c, n, p))
WRAP_POINTER(EVP_MAC, EVP_MAC_fetch, (OSSL_LIB_CTX * c, const char *n, const char *p), (c, n, p))
WRAP_POINTER(EVP_CIPHER, EVP_CIPHER_fetch, (OSSL_LIB_CTX * c, const char *n, const char *p),
             (c, n, p))
WRAP_POINTER(EVP_MD_CTX, EVP_MD_CTX_new, (void), ())
WRAP_POINTER(EVP_MAC_CTX, EVP_MAC_CTX_new, (EVP_MAC * m), (m))
WRAP_POINTER(EVP_CIPHER_CTX, EVP_CIPHER_CTX_new, (void), ())
WRAP_INT(EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *m, const OSSL_PARAM *p), (c, m, p))
WRAP_INT(EVP_DigestUpdate, (EVP_MD_CTX * c, const void *d, size_t n), (c, d, n))
WRAP_INT(EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *o, unsigned *n), (c, o, n))
WRAP_INT(EVP_MAC_init, (EVP_MAC_CTX * c, const unsigned char *k, size_t n, const OSSL_PARAM *p),
         (c, k, n, p))
WRAP_INT(EVP_MAC_update, (EVP_MAC_CTX * c, const unsigned char *d, size_t n), (c, d, n))
WRAP_INT(EVP_MAC_final, (EVP_MAC_CTX * c, unsigned char *o, size_t *n, size_t size),
         (c, o, n, size))
WRAP_INT(EVP_CipherInit_ex2,
         (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, const unsigned char *k, const unsigned char *i,
          int e, const OSSL_PARAM *p),
         (c, t, k, i, e, p))
WRAP_INT(EVP_CIPHER_CTX_set_padding, (EVP_CIPHER_CTX * c, int p), (c, p))
WRAP_INT(EVP_CipherUpdate,
         (EVP_CIPHER_CTX * c, unsigned char *o, int *n, const unsigned char *d, int size),
         (c, o, n, d, size))
WRAP_INT(EVP_CipherFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *o, int *n), (c, o, n))
WRAP_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_name,
             (OSSL_LIB_CTX * c, const char *n, const char *p), (c, n, p))
WRAP_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_pkey,
             (OSSL_LIB_CTX * c, EVP_PKEY *k, const char *p), (c, k, p))
WRAP_POINTER(EVP_PKEY, EVP_PKEY_new, (void), ())
WRAP_POINTER(BIGNUM, BN_dup, (const BIGNUM *b), (b))
WRAP_POINTER(BIGNUM, BN_bin2bn, (const unsigned char *b, int n, BIGNUM *o), (b, n, o))
WRAP_INT(BN_sub_word, (BIGNUM * b, BN_ULONG w), (b, w))
WRAP_INT(EVP_PKEY_keygen_init, (EVP_PKEY_CTX * c), (c))
WRAP_INT(EVP_PKEY_generate, (EVP_PKEY_CTX * c, EVP_PKEY **k), (c, k))
WRAP_INT(EVP_PKEY_CTX_set_params, (EVP_PKEY_CTX * c, const OSSL_PARAM *p), (c, p))
WRAP_INT(EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * c), (c))
WRAP_INT(EVP_PKEY_fromdata, (EVP_PKEY_CTX * c, EVP_PKEY **k, int s, OSSL_PARAM *p), (c, k, s, p))
WRAP_INT(EVP_PKEY_get_bn_param, (const EVP_PKEY *k, const char *n, BIGNUM **b), (k, n, b))
WRAP_INT(EVP_PKEY_get_octet_string_param,
         (const EVP_PKEY *k, const char *n, unsigned char *b, size_t m, size_t *o), (k, n, b, m, o))
WRAP_INT(EVP_PKEY_copy_parameters, (EVP_PKEY * t, const EVP_PKEY *f), (t, f))
WRAP_INT(EVP_PKEY_set1_encoded_public_key, (EVP_PKEY * k, const unsigned char *b, size_t n),
         (k, b, n))
WRAP_INT(EVP_PKEY_derive_init, (EVP_PKEY_CTX * c), (c))
WRAP_INT(EVP_PKEY_derive_set_peer_ex, (EVP_PKEY_CTX * c, EVP_PKEY *p, int v), (c, p, v))
WRAP_INT(EVP_PKEY_derive, (EVP_PKEY_CTX * c, unsigned char *o, size_t *n), (c, o, n))

/* ---- published values ---- */

static void test_prf_gives_the_published_values(void **state)
{
    for (size_t i = 0; i < COUNT(PRF_VECTORS); i++) {
        const IkeHash *hash = ike_hash_by_name(PRF_VECTORS[i].hash);
        KitBytes key, data, mac;
        uint8_t out[IKE_HASH_MAX];

        kit_unhex(PRF_VECTORS[i].key, &key);
        kit_unhex(PRF_VECTORS[i].data, &data);
        kit_unhex(PRF_VECTORS[i].mac, &mac);
        assert_int_equal(mac.n, hash->size);
        for (size_t cut = 0; cut <= data.n; cut++) {
            const IkeSlice parts[] = {
                {data.bytes, cut}, {NULL, 0}, {data.bytes + cut, data.n - cut}};
            assert_int_equal(ike_prf(hash, kit_slice(&key), parts, 3, out), 0);
            assert_memory_equal(out, mac.bytes, mac.n);
        }
    }
}

static void test_hash_gives_the_published_values(void **state)
{
    static const uint8_t abc[] = "abc";

    for (size_t i = 0; i < COUNT(HASH_VECTORS); i++) {
        const IkeHash *hash = ike_hash_by_name(HASH_VECTORS[i].hash);
        const IkeSlice parts[] = {{abc, 1}, {NULL, 0}, {abc + 1, 2}};
        KitBytes digest;
        uint8_t *out = malloc(hash->size);

        kit_unhex(HASH_VECTORS[i].digest, &digest);
        assert_int_equal(ike_hash(hash, parts, 3, out), 0);
        assert_memory_equal(out, digest.bytes, digest.n);
        free(out);
    }
}

/* To libcrypto, no key is "the key as before": a prf with an empty key must still be HMAC. */
static void test_an_empty_key_is_a_key(void **state)
{
    /* HMAC-SHA256 of nothing with an empty key. */
    static const char expected[] =
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    const IkeSlice nothing = {NULL, 0};
    KitBytes mac;
    uint8_t out[32];

    kit_unhex(expected, &mac);
    assert_int_equal(ike_prf(ike_hash_by_name("sha256"), nothing, &nothing, 1, out), 0);
    assert_memory_equal(out, mac.bytes, 32);
    assert_int_equal(ike_prf(ike_hash_by_name("sha256"), nothing, NULL, 0, out), 0);
    assert_memory_equal(out, mac.bytes, 32);
}

/* ---- CBC ---- */

static void test_cbc_comes_back_and_moves_the_iv_on(void **state)
{
    for (size_t i = 0; ike_alg_name(IKE_ALG_CIPHER, i) != NULL; i++) {
        const IkeCipher *cipher = ike_cipher_by_name(ike_alg_name(IKE_ALG_CIPHER, i));
        uint8_t key[IKE_KEY_MAX], iv[16] = "0123456789abcde", back[16], data[64], plain[64];

        if (cipher->phase1 == 0)
            continue;
        for (size_t j = 0; j < sizeof(key); j++)
            key[j] = (uint8_t)(37 * j + 11);
        memset(data, 0x41, sizeof(data));
        memcpy(plain, data, sizeof(data));
        memcpy(back, iv, 16);
        assert_int_equal(ike_cbc_encrypt(cipher, key, iv, data, 48), 0);
        assert_memory_equal(iv, data + 48 - cipher->block_size, cipher->block_size);
        assert_memory_equal(data + 48, plain + 48, 16); /* nothing behind the end */
        assert_int_equal(ike_cbc_decrypt(cipher, key, back, data, 48), 0);
        assert_memory_equal(data, plain, 64);
        assert_memory_equal(back, iv, cipher->block_size);
    }
}

static void test_cbc_takes_whole_blocks_only(void **state)
{
    const IkeCipher *cipher = ike_cipher_by_name("aes128");
    uint8_t key[16] = {0}, iv[16] = {7};

    for (size_t n = 0; n < 40; n++) {
        uint8_t *data = calloc(1, n);
        int wanted = n > 0 && n % 16 == 0 ? 0 : -EINVAL;
        assert_int_equal(ike_cbc_encrypt(cipher, key, iv, data, n), wanted);
        assert_int_equal(ike_cbc_decrypt(cipher, key, iv, data, n), wanted);
        free(data);
    }
}

static void test_b10_equality_looks_at_every_byte(void **state)
{
    uint8_t a[64] = {0}, b[64] = {0};

    assert_true(ike_equal(a, b, 64));
    assert_true(ike_equal(NULL, NULL, 0));
    for (size_t i = 0; i < 64; i++) {
        for (int bit = 0; bit < 8; bit++) {
            b[i] = (uint8_t)(1 << bit);
            assert_false(ike_equal(a, b, 64));
            assert_int_equal(ike_equal(a, b, i), true);
        }
        b[i] = 0;
    }
    ike_wipe(memset(a, 5, sizeof(a)), sizeof(a));
    assert_true(ike_equal(a, b, 64));
}

/* ---- C3, B7 ---- */

static int do_hash(void)
{
    const IkeSlice part = {(const uint8_t *)"abc", 3};
    uint8_t out[IKE_HASH_MAX];

    return ike_hash(ike_hash_by_name("sha1"), &part, 1, out);
}

static int do_prf(void)
{
    const IkeSlice part = {(const uint8_t *)"abc", 3};
    uint8_t out[IKE_HASH_MAX];

    return ike_prf(ike_hash_by_name("sha1"), part, &part, 1, out);
}

static int do_cbc(void)
{
    uint8_t key[32] = {0}, iv[16] = {0}, data[32] = {0};
    int r = ike_cbc_encrypt(ike_cipher_by_name("aes256"), key, iv, data, 32);

    return r != 0 ? r : ike_cbc_decrypt(ike_cipher_by_name("aes256"), key, iv, data, 32);
}

static int do_dh(const char *name)
{
    static uint8_t peer[IKE_DH_MAX];
    static const char *peer_of;
    uint8_t secret[IKE_DH_MAX];
    IkeDh *dh = NULL;
    int r = ike_dh_new(&dh, ike_group_by_name(name));

    if (r == 0 && peer_of != name) {
        memcpy(peer, ike_dh_public(dh).bytes, ike_dh_public(dh).n);
        peer_of = name;
    }
    if (r == 0)
        r = ike_dh_derive(dh, (IkeSlice){peer, ike_dh_group(dh)->ke_size}, secret);
    ike_dh_free(dh);
    return r;
}

static int do_ecp(void)
{
    return do_dh("ecp256");
}

static int do_named_modp(void)
{
    return do_dh("modp1536");
}

static int do_oakley(void)
{
    return do_dh("modp768");
}

static int do_x25519(void)
{
    return do_dh("curve25519");
}

static void test_c3_no_failure_of_libcrypto_is_a_success(void **state)
{
    static int (*const operations[])(void) = {do_hash,   do_prf,        do_cbc,   do_ecp,
                                              do_x25519, do_named_modp, do_oakley};

    for (size_t i = 0; i < COUNT(operations); i++) {
        fail_at(0, 0);
        assert_int_equal(operations[i](), 0);
        int total = calls;
        assert_true(total >= 4);
        for (int call = 1; call <= total; call++) {
            for (int value = -1; value <= 0; value++) {
                fail_at(call, value);
                assert_int_not_equal(operations[i](), 0);
            }
        }
        fail_at(0, 0);
        assert_int_equal(operations[i](), 0);
    }
}

/* The first half of do_dh() is our own pair: its failures, and those of a value that was checked,
 * are this machine's. Only what may as well be the gateway's fault is called that. */
static void test_c3_a_fault_of_libcrypto_is_not_called_the_gateway_s(void **state)
{
    static int (*const operations[])(void) = {do_named_modp, do_oakley, do_ecp, do_x25519};
    /* ECP: the decoding of the point and its check; X25519: its check and the result. */
    static const int doubtful[] = {0, 0, 2, 2};

    for (size_t i = 0; i < COUNT(operations); i++) {
        int blamed = 0;

        fail_at(0, 0);
        assert_int_equal(operations[i](), 0);
        int total = calls;
        for (int call = 1; call <= total; call++) {
            fail_at(call, 0);
            int r = operations[i]();
            assert_true(r < 0 || r == IKE_DH_BAD_PEER);
            blamed += r == IKE_DH_BAD_PEER;
        }
        assert_int_equal(blamed, doubtful[i]);
    }
    fail_at(0, 0);
}

static void test_b7_what_libcrypto_lacks_is_named_and_not_crashed_on(void **state)
{
    IkeHash hash = *ike_hash_by_name("md5");
    IkeCipher cipher = *ike_cipher_by_name("des");
    IkeGroup group = *ike_group_by_name("modp2048"), curve = *ike_group_by_name("ecp256");
    const IkeSlice part = {(const uint8_t *)"abc", 3};
    uint8_t bytes[64] = {0}, iv[16] = {0};
    IkeDh *dh = NULL;

    fail_at(0, 0);
    hash.openssl = cipher.openssl = group.openssl = curve.openssl = "NO-SUCH-THING";
    assert_int_equal(ike_hash(&hash, &part, 1, bytes), -ENOTSUP);
    assert_int_equal(ike_prf(&hash, part, &part, 1, bytes), -ENOTSUP);
    assert_int_equal(ike_cbc_encrypt(&cipher, bytes, iv, bytes, 16), -ENOTSUP);
    assert_int_equal(ike_cbc_decrypt(&cipher, bytes, iv, bytes, 16), -ENOTSUP);
    assert_int_equal(ike_dh_new(&dh, &group), -ENOTSUP);
    assert_int_equal(ike_dh_new(&dh, &curve), -ENOTSUP);
    assert_null(dh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prf_gives_the_published_values),
        cmocka_unit_test(test_hash_gives_the_published_values),
        cmocka_unit_test(test_an_empty_key_is_a_key),
        cmocka_unit_test(test_cbc_comes_back_and_moves_the_iv_on),
        cmocka_unit_test(test_cbc_takes_whole_blocks_only),
        cmocka_unit_test(test_b10_equality_looks_at_every_byte),
        cmocka_unit_test(test_c3_no_failure_of_libcrypto_is_a_success),
        cmocka_unit_test(test_c3_a_fault_of_libcrypto_is_not_called_the_gateway_s),
        cmocka_unit_test(test_b7_what_libcrypto_lacks_is_named_and_not_crashed_on),
    };

    /* DES is in the legacy provider. */
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
    OSSL_PROVIDER *normal = OSSL_PROVIDER_load(NULL, "default");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(normal);
    return legacy == NULL || normal == NULL ? 1 : failed;
}

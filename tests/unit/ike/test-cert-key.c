/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of Phase 1 and the keys that make them: each way to forge or to break one is refused.
 */
#include "ike/cert-key.h"

#include "cert-kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 256, HASH = 32 };

static const uint8_t HASHED[HASH] = "a hash that both sides computed";

typedef struct Fixture {
    KitCert *rsa, *p256, *p384, *p521;
    KitBytes signature;
} Fixture;

static int setup(void **state)
{
    static Fixture f;

    f.rsa = kit_leaf_new(NULL, "DNS:gw.example.com", "rsa2048");
    f.p256 = kit_leaf_new(NULL, "DNS:gw.example.com", "p256");
    f.p384 = kit_leaf_new(NULL, "DNS:gw.example.com", "p384");
    f.p521 = kit_leaf_new(NULL, "DNS:gw.example.com", "p521");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;

    kit_cert_free(f->rsa);
    kit_cert_free(f->p256);
    kit_cert_free(f->p384);
    kit_cert_free(f->p521);
    return 0;
}

static bool verifies(const KitCert *cert, const uint8_t *hash, size_t n, const KitBytes *signature)
{
    uint8_t *exact = kit_exact(signature->bytes, signature->n);
    bool yes = ike_key_verifies(cert->key, (IkeSlice){hash, n}, (IkeSlice){exact, signature->n});

    free(exact);
    return yes;
}

/* 00 01 ff.. 00 HASH, to be spoilt. */
static void encode(uint8_t *block)
{
    memset(block, 0xff, SIZE);
    block[0] = 0;
    block[1] = 1;
    block[SIZE - HASH - 1] = 0;
    memcpy(block + SIZE - HASH, HASHED, HASH);
}

static bool block_verifies(Fixture *f, const uint8_t *block)
{
    kit_rsa_raw(f->rsa->key, block, SIZE, &f->signature);
    return verifies(f->rsa, HASHED, HASH, &f->signature);
}

static void a_right_rsa_signature_is_taken(void **state)
{
    Fixture *f = *state;
    uint8_t block[SIZE];

    kit_sign(f->rsa->key, HASHED, HASH, &f->signature);
    assert_true(verifies(f->rsa, HASHED, HASH, &f->signature));
    encode(block);
    assert_true(block_verifies(f, block));
}

/* CVE-2018-16151, CVE-2026-50721: whoever skips over the padding instead of comparing it can be
 * given a number whose cube root he takes for a signature. */
static void c1_laxly_padded_rsa_signature_is_refused(void **state)
{
    Fixture *f = *state;
    uint8_t block[SIZE];

    for (size_t i = 0; i < SIZE - HASH; i++) {
        encode(block);
        block[i] ^= 0x01;
        if (i == 0)
            continue; /* larger than the modulus can be */
        assert_false(block_verifies(f, block));
    }
    /* Short padding, and rubbish behind the hash. */
    memset(block, 0x5a, SIZE);
    block[0] = 0;
    block[1] = 1;
    memset(block + 2, 0xff, 8);
    block[10] = 0;
    memcpy(block + 11, HASHED, HASH);
    assert_false(block_verifies(f, block));
}

static void c1_a_digest_info_around_the_hash_is_refused(void **state)
{
    static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    Fixture *f = *state;
    uint8_t block[SIZE];

    encode(block);
    memcpy(block + SIZE - HASH - sizeof(info), info, sizeof(info));
    block[SIZE - HASH - sizeof(info) - 1] = 0;
    assert_false(block_verifies(f, block));
}

static void c1_a_hash_of_another_length_is_refused(void **state)
{
    Fixture *f = *state;

    for (size_t n = 0; n < HASH; n++) {
        kit_sign(f->rsa->key, HASHED, HASH, &f->signature);
        assert_false(verifies(f->rsa, HASHED, n, &f->signature));
    }
    kit_sign(f->rsa->key, HASHED, HASH - 1, &f->signature);
    assert_false(verifies(f->rsa, HASHED, HASH, &f->signature));
}

static void c1_a_signature_of_another_length_is_refused(void **state)
{
    Fixture *f = *state;

    kit_sign(f->rsa->key, HASHED, HASH, &f->signature);
    for (size_t n = 0; n < SIZE; n++) {
        f->signature.n = n;
        assert_false(verifies(f->rsa, HASHED, HASH, &f->signature));
    }
    /* The same number with a zero before or behind it. */
    f->signature.n = SIZE + 1;
    f->signature.bytes[SIZE] = 0;
    assert_false(verifies(f->rsa, HASHED, HASH, &f->signature));
    memmove(f->signature.bytes + 1, f->signature.bytes, SIZE);
    f->signature.bytes[0] = 0;
    assert_false(verifies(f->rsa, HASHED, HASH, &f->signature));
}

static void c1_a_number_above_the_modulus_is_refused(void **state)
{
    Fixture *f = *state;

    f->signature.n = SIZE;
    memset(f->signature.bytes, 0xff, SIZE);
    assert_false(verifies(f->rsa, HASHED, HASH, &f->signature));
    memset(f->signature.bytes, 0, SIZE);
    assert_false(verifies(f->rsa, HASHED, HASH, &f->signature));
}

static void b10_each_wrong_byte_of_the_hash_is_seen(void **state)
{
    Fixture *f = *state;
    uint8_t other[HASH];

    kit_sign(f->rsa->key, HASHED, HASH, &f->signature);
    for (size_t i = 0; i < HASH; i++) {
        memcpy(other, HASHED, HASH);
        other[i] ^= 0x80;
        assert_false(verifies(f->rsa, other, HASH, &f->signature));
    }
}

static void c1_keys_that_are_easily_forged_are_refused(void **state)
{
    static const char *const kinds[] = {"rsa1024", "rsa-e3", "p224", "ed25519"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        KitCert *weak = kit_leaf_new(NULL, NULL, kinds[i]);
        KitBytes signature = {0};
        if (strcmp(kinds[i], "ed25519") != 0)
            kit_sign(weak->key, HASHED, 20, &signature);
        assert_int_equal(ike_key_kind(weak->key), IKE_KEY_NONE);
        assert_false(verifies(weak, HASHED, 20, &signature));
        kit_cert_free(weak);
    }
}

typedef struct CurveRow {
    size_t hash, half;
    IkeKeyKind kind;
} CurveRow;

static void ecdsa_signatures_are_r_and_s_of_the_curve_s_length(void **state)
{
    static const CurveRow rows[] = {
        {32, 32, IKE_KEY_P256}, {48, 48, IKE_KEY_P384}, {64, 66, IKE_KEY_P521}};
    static const uint8_t hash[64] = "what HASH_I is with the hash that is tied to the curve, of it";
    Fixture *f = *state;
    const KitCert *certs[] = {f->p256, f->p384, f->p521};

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ike_key_kind(certs[i]->key), rows[i].kind);
        kit_sign(certs[i]->key, hash, rows[i].hash, &f->signature);
        assert_int_equal(f->signature.n, 2 * rows[i].half);
        assert_true(verifies(certs[i], hash, rows[i].hash, &f->signature));
        assert_false(verifies(certs[(i + 1) % 3], hash, rows[i].hash, &f->signature));
        f->signature.bytes[rows[i].half] ^= 1;
        assert_false(verifies(certs[i], hash, rows[i].hash, &f->signature));
    }
}

/* CVE-2013-2944: a libcrypto that said -1 was taken for one that said yes. */
static void c3_an_empty_or_zero_ecdsa_signature_is_refused(void **state)
{
    Fixture *f = *state;

    f->signature.n = 0;
    assert_false(verifies(f->p256, HASHED, HASH, &f->signature));
    f->signature.n = 64;
    memset(f->signature.bytes, 0, 64);
    assert_false(verifies(f->p256, HASHED, HASH, &f->signature));
    memset(f->signature.bytes, 0xff, 64);
    assert_false(verifies(f->p256, HASHED, HASH, &f->signature));
    for (size_t n = 1; n < 80; n++) {
        kit_sign(f->p256->key, HASHED, HASH, &f->signature);
        f->signature.n = n;
        assert_int_equal(verifies(f->p256, HASHED, HASH, &f->signature), n == 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c1_laxly_padded_rsa_signature_is_refused),
        cmocka_unit_test(c1_a_digest_info_around_the_hash_is_refused),
        cmocka_unit_test(c1_a_hash_of_another_length_is_refused),
        cmocka_unit_test(c1_a_signature_of_another_length_is_refused),
        cmocka_unit_test(c1_a_number_above_the_modulus_is_refused),
        cmocka_unit_test(c1_keys_that_are_easily_forged_are_refused),
        cmocka_unit_test(b10_each_wrong_byte_of_the_hash_is_seen),
        cmocka_unit_test(c3_an_empty_or_zero_ecdsa_signature_is_refused),
        cmocka_unit_test(ecdsa_signatures_are_r_and_s_of_the_curve_s_length),
        cmocka_unit_test(a_right_rsa_signature_is_taken),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When libcrypto fails in the middle of a check: nothing but its clear yes, 1, lets anybody in. The
 * linker puts these functions in the place of libcrypto's.
 */
#include "ike/cert-key.h"
#include "ike/constants.h"

#include "cert-kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

/* The function that fails, and what it says then. */
static struct {
    const char *name;
    int answer;
    unsigned calls;
} fault;

static bool fails(const char *name)
{
    if (fault.name == NULL || strcmp(fault.name, name) != 0)
        return false;
    fault.calls++;
    return true;
}

#define WRAP_INT(name, parameters, arguments)                                                      \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return fails(#name) ? fault.answer : __real_##name arguments;                              \
    }

#define WRAP_POINTER(type, name, parameters, arguments)                                            \
    type *__real_##name parameters;                                                                \
    type *__wrap_##name parameters;                                                                \
    type *__wrap_##name parameters                                                                 \
    {                                                                                              \
        return fails(#name) ? NULL : __real_##name arguments;                                      \
    }

WRAP_INT(EVP_PKEY_verify_recover_init, (EVP_PKEY_CTX * c), (c))
WRAP_INT(EVP_PKEY_verify_recover,
         (EVP_PKEY_CTX * c, unsigned char *o, size_t *n, const unsigned char *s, size_t sn),
         (c, o, n, s, sn))
WRAP_INT(EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * c, int p), (c, p))
WRAP_INT(EVP_PKEY_verify_init, (EVP_PKEY_CTX * c), (c))
WRAP_INT(EVP_PKEY_verify,
         (EVP_PKEY_CTX * c, const unsigned char *s, size_t sn, const unsigned char *h, size_t hn),
         (c, s, sn, h, hn))
WRAP_INT(EVP_PKEY_get_bn_param, (const EVP_PKEY *k, const char *n, BIGNUM **b), (k, n, b))
WRAP_INT(EVP_PKEY_get_group_name, (const EVP_PKEY *k, char *g, size_t n, size_t *l), (k, g, n, l))
WRAP_INT(EVP_PKEY_get_bits, (const EVP_PKEY *k), (k))
WRAP_INT(EVP_PKEY_get_security_bits, (const EVP_PKEY *k), (k))
WRAP_INT(ECDSA_SIG_set0, (ECDSA_SIG * s, BIGNUM *r, BIGNUM *t), (s, r, t))
WRAP_INT(i2d_ECDSA_SIG, (const ECDSA_SIG *s, unsigned char **o), (s, o))
WRAP_INT(X509_verify_cert, (X509_STORE_CTX * c), (c))
WRAP_INT(X509_STORE_CTX_init, (X509_STORE_CTX * c, X509_STORE *s, X509 *x, STACK_OF(X509) * u),
         (c, s, x, u))
WRAP_INT(X509_get_signature_info, (X509 * x, int *m, int *p, int *b, uint32_t *f), (x, m, p, b, f))
WRAP_INT(X509_digest, (const X509 *x, const EVP_MD *m, unsigned char *o, unsigned *n), (x, m, o, n))
WRAP_INT(EVP_PKEY_up_ref, (EVP_PKEY * k), (k))
WRAP_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_pkey,
             (OSSL_LIB_CTX * l, EVP_PKEY *k, const char *p), (l, k, p))
WRAP_POINTER(ECDSA_SIG, ECDSA_SIG_new, (void), ())
WRAP_POINTER(BIGNUM, BN_bin2bn, (const unsigned char *b, int n, BIGNUM *r), (b, n, r))
WRAP_POINTER(X509_STORE_CTX, X509_STORE_CTX_new, (void), ())
WRAP_POINTER(EVP_PKEY, X509_get0_pubkey, (const X509 *x), (x))
WRAP_POINTER(X509, d2i_X509, (X509 * *x, const unsigned char **p, long n), (x, p, n))

static const int ANSWERS[] = {-1, 0, -2};

static const uint8_t HASHED[32] = "a hash that both sides computed";

static void c3_no_signature_holds_unless_libcrypto_says_one(void **state)
{
    static const struct {
        const char *kind, *function;
    } rows[] = {
        {"rsa2048", "EVP_PKEY_verify_recover_init"},
        {"rsa2048", "EVP_PKEY_verify_recover"},
        {"rsa2048", "EVP_PKEY_CTX_set_rsa_padding"},
        {"rsa2048", "EVP_PKEY_get_bn_param"},
        {"rsa2048", "EVP_PKEY_get_bits"},
        {"rsa2048", "EVP_PKEY_CTX_new_from_pkey"},
        {"p256", "EVP_PKEY_verify_init"},
        {"p256", "EVP_PKEY_verify"},
        {"p256", "EVP_PKEY_get_group_name"},
        {"p256", "EVP_PKEY_get_bits"},
        {"p256", "ECDSA_SIG_set0"},
        {"p256", "i2d_ECDSA_SIG"},
        {"p256", "ECDSA_SIG_new"},
        {"p256", "BN_bin2bn"},
        {"p256", "EVP_PKEY_CTX_new_from_pkey"},
    };

    for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
        KitCert *cert = kit_leaf_new(NULL, NULL, rows[i / 3].kind);
        KitBytes signature;
        kit_sign(cert->key, HASHED, sizeof(HASHED), &signature);
        const IkeSlice hash = {HASHED, sizeof(HASHED)};
        assert_true(ike_key_verifies(cert->key, hash, kit_slice(&signature)));
        fault.name = rows[i / 3].function;
        fault.answer = ANSWERS[i % 3];
        fault.calls = 0;
        bool held = ike_key_verifies(cert->key, hash, kit_slice(&signature));
        fault.name = NULL;
        assert_true(fault.calls > 0);
        assert_false(held);
        kit_cert_free(cert);
    }
}

static void c3_no_chain_holds_unless_libcrypto_says_one(void **state)
{
    static const char *const functions[] = {
        "X509_verify_cert",
        "X509_STORE_CTX_init",
        "X509_STORE_CTX_new",
        "X509_get_signature_info",
        "X509_digest",
        "EVP_PKEY_up_ref",
        "X509_get0_pubkey",
        "d2i_X509",
        "EVP_PKEY_get_security_bits",
        "EVP_PKEY_get_group_name",
    };
    const IkeIdentity expected = {.type = IKE_ID_FQDN, .n = 14, .bytes = "gw.example.com"};
    KitCert *root = kit_ca_new(NULL, "root", "p256");
    KitCert *leaf = kit_leaf_new(root, "DNS:gw.example.com", "p384");
    const IkeBlob anchor = {root->der.bytes, root->der.n};
    const IkeCredentials credentials = {
        .anchors = &anchor, .anchors_n = 1, .wall_offset = KIT_WALL};
    const IkeCertPayload payload = {IKE_CERT_X509_SIGNATURE, kit_slice(&leaf->der)};
    IkeTrust *trust = NULL;
    IkePeer peer;

    assert_int_equal(ike_trust_new(&trust, &credentials, &expected), 0);
    assert_int_equal(ike_trust_check(trust, &payload, 1, 0, &peer), IKE_DETAIL_NONE);
    ike_peer_clear(&peer);
    for (size_t i = 0; i < 3 * sizeof(functions) / sizeof(functions[0]); i++) {
        fault.name = functions[i / 3];
        fault.answer = ANSWERS[i % 3];
        fault.calls = 0;
        int r = ike_trust_check(trust, &payload, 1, 0, &peer);
        fault.name = NULL;
        assert_true(fault.calls > 0);
        assert_int_not_equal(r, IKE_DETAIL_NONE);
        assert_null(peer.key);
    }
    ike_trust_free(trust);
    kit_cert_free(leaf);
    kit_cert_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c3_no_signature_holds_unless_libcrypto_says_one),
        cmocka_unit_test(c3_no_chain_holds_unless_libcrypto_says_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

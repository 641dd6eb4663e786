/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signatures of IKE, verified by what libcrypto says about them from the other side, and the
 * requests that must not be signed: whoever asks has read what the network sent. */
#include "credential-kit.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <string.h>

typedef struct Signer {
    KitPair pair;
    DialtoneCredential *credential;
} Signer;

static Signer signer_new(const char *kind)
{
    Signer signer = {.pair = kit_pair(kind, "alice", "email:alice@example.com", NULL)};
    X509 *const certificates[] = {signer.pair.certificate, NULL};
    g_autofree char *path = kit_write_pem("a.pem", signer.pair.key, certificates, NULL);
    g_autofree char *line = g_strdup_printf("Certificate=file:%s", path);
    g_autoptr(DialtoneProfile) profile = kit_profile(path, line);
    const DialtoneCredentialAccess access = kit_access();
    signer.credential = kit_expect_loaded(profile, &access);
    return signer;
}

static void signer_clear(Signer *signer)
{
    dialtone_credential_free(signer->credential);
    kit_pair_clear(&signer->pair);
}

static DialtoneDigest digest_of(bool ecdsa, gsize n)
{
    DialtoneDigest digest = {.ecdsa = ecdsa, .n = n};
    for (gsize i = 0; i < sizeof(digest.bytes); i++)
        digest.bytes[i] = (guint8)(i * 7 + 1);
    return digest;
}

static GBytes *sign(const Signer *signer, const DialtoneDigest *digest)
{
    g_autoptr(GError) error = NULL;
    GBytes *signature = dialtone_credential_sign(signer->credential, digest, &error);
    assert_true((signature == NULL) == (error != NULL));
    return signature;
}

/* RFC 2409, 5.1: 00 01 FF .. FF 00 and the hash itself, without an algorithm's name before it. */
static void rsa_signs_the_hash_without_a_digest_info(void **state)
{
    Signer signer = signer_new("rsa2048");
    const DialtoneDigest digest = digest_of(false, 20);
    g_autoptr(GBytes) signature = sign(&signer, &digest);
    guint8 block[256], expected[256];
    size_t n = sizeof(block), signature_n = 0;
    const guint8 *bytes = g_bytes_get_data(signature, &signature_n);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer.pair.key, NULL);
    assert_int_equal(EVP_PKEY_verify_recover_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_verify_recover(context, block, &n, bytes, signature_n), 1);
    EVP_PKEY_CTX_free(context);
    memset(expected, 0xff, sizeof(expected));
    expected[0] = 0;
    expected[1] = 1;
    expected[sizeof(expected) - 21] = 0;
    memcpy(expected + sizeof(expected) - 20, digest.bytes, 20);
    assert_int_equal(n, sizeof(expected));
    assert_memory_equal(block, expected, sizeof(expected));
    signer_clear(&signer);
}

static void every_length_of_a_hash_is_signed_and_no_other(void **state)
{
    Signer signer = signer_new("rsa2048");
    for (gsize n = 0; n <= 64; n++) {
        const DialtoneDigest digest = digest_of(false, n);
        g_autoptr(GBytes) signature = sign(&signer, &digest);
        bool is_hash = n == 16 || n == 20 || n == 32 || n == 48 || n == 64;
        assert_true((signature != NULL) == is_hash);
    }
    signer_clear(&signer);
}

/* RFC 4754: r and s side by side, each as long as the curve's order. */
static void ecdsa_gives_r_and_s_in_full_length(void **state)
{
    static const struct {
        const char *curve;
        gsize n, half;
    } curves[] = {{"P-256", 32, 32}, {"P-384", 48, 48}, {"P-521", 64, 66}};
    for (gsize i = 0; i < G_N_ELEMENTS(curves); i++) {
        Signer signer = signer_new(curves[i].curve);
        /* Often enough that an r or s with zeros in front is among them. */
        for (int round = 0; round < 300; round++) {
            const DialtoneDigest digest = digest_of(true, curves[i].n);
            g_autoptr(GBytes) signature = sign(&signer, &digest);
            gsize n = 0;
            const guint8 *bytes = g_bytes_get_data(signature, &n);
            assert_int_equal(n, 2 * curves[i].half);
            ECDSA_SIG *pair = ECDSA_SIG_new();
            ECDSA_SIG_set0(pair, BN_bin2bn(bytes, (int)curves[i].half, NULL),
                           BN_bin2bn(bytes + curves[i].half, (int)curves[i].half, NULL));
            guint8 *der = NULL;
            int der_n = i2d_ECDSA_SIG(pair, &der);
            EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer.pair.key, NULL);
            assert_int_equal(EVP_PKEY_verify_init(context), 1);
            assert_int_equal(EVP_PKEY_verify(context, der, (size_t)der_n, digest.bytes, digest.n),
                             1);
            EVP_PKEY_CTX_free(context);
            OPENSSL_free(der);
            ECDSA_SIG_free(pair);
        }
        signer_clear(&signer);
    }
}

static void a_key_does_not_sign_for_the_other_kind(void **state)
{
    Signer rsa = signer_new("rsa2048"), ec = signer_new("P-256");
    const DialtoneDigest for_ec = digest_of(true, 32), for_rsa = digest_of(false, 32);
    assert_null(sign(&rsa, &for_ec));
    assert_null(sign(&ec, &for_rsa));
    signer_clear(&rsa);
    signer_clear(&ec);
}

static void four_thousand_bits_fit(void **state)
{
    Signer signer = signer_new("rsa4096");
    const DialtoneDigest digest = digest_of(false, 64);
    g_autoptr(GBytes) signature = sign(&signer, &digest);
    assert_int_equal(g_bytes_get_size(signature), 512);
    signer_clear(&signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rsa_signs_the_hash_without_a_digest_info, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(every_length_of_a_hash_is_signed_and_no_other, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(ecdsa_gives_r_and_s_in_full_length, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_key_does_not_sign_for_the_other_kind, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(four_thousand_bits_fit, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys and the signatures of Phase 1.
 *
 * An RSA signature is never parsed: what it must look like is encoded anew and compared with it,
 * over the whole length of the modulus. A parser that is lenient about padding is all that forging
 * signatures of keys with a small exponent takes, so small exponents are refused, too.
 */
#include "ike/cert-key.h"

#include "ike/crypto.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_EXPONENT_MIN = 65537,
    EC_SECURITY_MIN = 128, /* bits: a curve of 256 */
    RSA_PADDING_MIN = 11,  /* 00 01, eight of ff, 00 (RFC 8017, 9.2) */
    POINT_MAX = 66,        /* bytes of a coordinate of P-521 */
    ECDSA_DER_MAX = 2 * (POINT_MAX + 4) + 4,
};

static bool exponent_is_large(EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) == 1 &&
              (BN_num_bits(e) > 32 || BN_get_word(e) >= RSA_EXPONENT_MIN);

    BN_free(e);
    return ok;
}

static bool rsa_is_strong(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);

    return bits >= RSA_BITS_MIN && bits <= 8 * IKE_SIGNATURE_MAX && exponent_is_large(key);
}

static IkeKeyKind curve_of(EVP_PKEY *key)
{
    static const struct {
        const char *name;
        IkeKeyKind kind;
    } curves[] = {
        {SN_X9_62_prime256v1, IKE_KEY_P256},
        {SN_secp384r1, IKE_KEY_P384},
        {SN_secp521r1, IKE_KEY_P521},
    };
    char name[32];
    size_t n = 0;

    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &n) != 1)
        return IKE_KEY_NONE;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(name, curves[i].name) == 0)
            return curves[i].kind;
    return IKE_KEY_NONE;
}

IkeKeyKind ike_key_kind(EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        return rsa_is_strong(key) ? IKE_KEY_RSA : IKE_KEY_NONE;
    return EVP_PKEY_is_a(key, "EC") == 1 ? curve_of(key) : IKE_KEY_NONE;
}

bool ike_key_is_strong(EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1)
        return rsa_is_strong(key);
    bool elliptic = EVP_PKEY_is_a(key, "EC") == 1 || EVP_PKEY_is_a(key, "ED25519") == 1 ||
                    EVP_PKEY_is_a(key, "ED448") == 1;
    return elliptic && EVP_PKEY_get_security_bits(key) >= EC_SECURITY_MIN;
}

/* What the signature was made of: 00 01 ff ... ff 00 and the hash. */
static void encode(IkeSlice hash, uint8_t *out, size_t n)
{
    memset(out, 0xff, n);
    out[0] = 0;
    out[1] = 1;
    out[n - hash.n - 1] = 0;
    memcpy(out + n - hash.n, hash.bytes, hash.n);
}

static bool recover(EVP_PKEY *key, IkeSlice signature, uint8_t *out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t n = signature.n;
    bool ok = context != NULL && EVP_PKEY_verify_recover_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_verify_recover(context, out, &n, signature.bytes, signature.n) == 1 &&
              n == signature.n;

    EVP_PKEY_CTX_free(context);
    return ok;
}

static bool rsa_verifies(EVP_PKEY *key, IkeSlice hash, IkeSlice signature)
{
    uint8_t expected[IKE_SIGNATURE_MAX], found[IKE_SIGNATURE_MAX];
    int bits = EVP_PKEY_get_bits(key);
    size_t size = bits > 0 ? ((size_t)bits + 7) / 8 : 0;

    if (size > sizeof(expected) || size < hash.n + RSA_PADDING_MIN || signature.n != size)
        return false;
    encode(hash, expected, size);
    return recover(key, signature, found) && ike_equal(expected, found, size);
}

/* r | s as the DER that libcrypto wants; its length, or 0. */
static size_t ecdsa_der(IkeSlice signature, uint8_t *out)
{
    const int half = (int)(signature.n / 2);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature.bytes, half, NULL);
    BIGNUM *s = BN_bin2bn(signature.bytes + half, half, NULL);
    int n = 0;

    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        n = i2d_ECDSA_SIG(pair, NULL);
        n = n > 0 && n <= ECDSA_DER_MAX ? i2d_ECDSA_SIG(pair, &out) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return n > 0 ? (size_t)n : 0;
}

static bool ecdsa_verifies(EVP_PKEY *key, IkeSlice hash, IkeSlice signature)
{
    uint8_t der[ECDSA_DER_MAX];
    int bits = EVP_PKEY_get_bits(key);
    size_t size = bits > 0 ? ((size_t)bits + 7) / 8 : 0;

    if (size == 0 || size > POINT_MAX || signature.n != 2 * size)
        return false;
    size_t n = ecdsa_der(signature, der);
    if (n == 0)
        return false;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
              EVP_PKEY_verify(context, der, n, hash.bytes, hash.n) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

bool ike_key_verifies(EVP_PKEY *key, IkeSlice hash, IkeSlice signature)
{
    if (ike_key_kind(key) == IKE_KEY_NONE)
        return false;
    return EVP_PKEY_is_a(key, "RSA") == 1 ? rsa_verifies(key, hash, signature)
                                          : ecdsa_verifies(key, hash, signature);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of IKE with a key in memory. Every return value of libcrypto is compared with 1: some
 * of its functions say -1 for an error, which is true.
 */
#include "client/credential/private.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

gsize credential_curve_bytes(const char *curve)
{
    static const struct {
        const char *name;
        gsize bytes;
    } curves[] = {{"prime256v1", 32}, {"secp384r1", 48}, {"secp521r1", 66}};

    for (gsize i = 0; i < G_N_ELEMENTS(curves); i++)
        if (strcmp(curve, curves[i].name) == 0)
            return curves[i].bytes;
    return 0;
}

/* libcrypto gives r and s as DER, IKE wants them side by side in full length (RFC 4754, 3). */
static GBytes *side_by_side(EVP_PKEY *key, const guint8 *der, gsize n)
{
    char curve[64] = "";
    guint8 halves[2 * 66];
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)n);
    gsize size = EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1
                     ? credential_curve_bytes(curve)
                     : 0;
    bool ok = signature != NULL && size > 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_r(signature), halves, (int)size) == (int)size &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature), halves + size, (int)size) == (int)size;

    ECDSA_SIG_free(signature);
    return ok ? g_bytes_new(halves, 2 * size) : NULL;
}

/* Padding without a digest's name is type 1 around the bytes as they are. */
static bool prepare(EVP_PKEY_CTX *context, const DialtoneDigest *digest)
{
    if (context == NULL || EVP_PKEY_sign_init(context) != 1)
        return false;
    return digest->ecdsa || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
}

GBytes *credential_sign_with_key(OSSL_LIB_CTX *library, EVP_PKEY *key, const DialtoneDigest *digest)
{
    guint8 signature[DIALTONE_SIGNATURE_MAX];
    size_t n = sizeof(signature);
    bool fits = EVP_PKEY_is_a(key, digest->ecdsa ? "EC" : "RSA") == 1 &&
                EVP_PKEY_get_size(key) <= (int)sizeof(signature);
    EVP_PKEY_CTX *context = fits ? EVP_PKEY_CTX_new_from_pkey(library, key, NULL) : NULL;
    bool ok = prepare(context, digest) &&
              EVP_PKEY_sign(context, signature, &n, digest->bytes, digest->n) == 1;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    if (!ok)
        return NULL;
    return digest->ecdsa ? side_by_side(key, signature, n) : g_bytes_new(signature, n);
}

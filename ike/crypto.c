/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto's symmetric half. Every return value is compared with 1 (an OpenSSL function may well
 * answer -1), algorithms are fetched by name, so that a missing provider is told as -ENOTSUP and
 * not by a crash, and each function has a single way out that frees what it made.
 */
#include "ike/crypto.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static int hash_parts(EVP_MD_CTX *context, const EVP_MD *md, const IkeSlice *parts, size_t parts_n,
                      uint8_t *out)
{
    if (EVP_DigestInit_ex2(context, md, NULL) != 1)
        return -EIO;
    for (size_t i = 0; i < parts_n; i++)
        if (parts[i].n > 0 && EVP_DigestUpdate(context, parts[i].bytes, parts[i].n) != 1)
            return -EIO;
    return EVP_DigestFinal_ex(context, out, NULL) == 1 ? 0 : -EIO;
}

int ike_hash(const IkeHash *hash, const IkeSlice *parts, size_t parts_n, uint8_t *out)
{
    EVP_MD *md = EVP_MD_fetch(NULL, hash->openssl, NULL);
    EVP_MD_CTX *context = md != NULL ? EVP_MD_CTX_new() : NULL;
    int r = md == NULL ? -ENOTSUP : -ENOMEM;

    if (context != NULL)
        r = hash_parts(context, md, parts, parts_n, out);
    EVP_MD_CTX_free(context);
    EVP_MD_free(md);
    return r;
}

static int prf_parts(EVP_MAC_CTX *context, const char *digest, IkeSlice key, const IkeSlice *parts,
                     size_t parts_n)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };
    /* An empty key is a key to HMAC, but a NULL one means "as before" to OpenSSL. */
    const uint8_t *bytes = key.n > 0 ? key.bytes : (const uint8_t *)"";

    if (EVP_MAC_init(context, bytes, key.n, params) != 1)
        return -ENOTSUP;
    for (size_t i = 0; i < parts_n; i++)
        if (parts[i].n > 0 && EVP_MAC_update(context, parts[i].bytes, parts[i].n) != 1)
            return -EIO;
    return 0;
}

int ike_prf(const IkeHash *hash, IkeSlice key, const IkeSlice *parts, size_t parts_n, uint8_t *out)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    int r = mac == NULL ? -ENOTSUP : -ENOMEM;

    if (context != NULL)
        r = prf_parts(context, hash->openssl, key, parts, parts_n);
    if (r == 0) {
        size_t n = 0;
        if (EVP_MAC_final(context, out, &n, hash->size) != 1 || n != hash->size)
            r = -EIO;
    }
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return r;
}

static int cbc(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const uint8_t *key,
               const uint8_t *iv, int encrypt)
{
    if (EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL) != 1)
        return -EIO;
    return EVP_CIPHER_CTX_set_padding(context, 0) == 1 ? 0 : -EIO;
}

/* Bytes that are changed in place. */
typedef struct Blocks {
    uint8_t *bytes;
    size_t n;
} Blocks;

static int cbc_run(const IkeCipher *cipher, const uint8_t *key, const uint8_t *iv, Blocks data,
                   int encrypt)
{
    EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, cipher->openssl, NULL);
    EVP_CIPHER_CTX *context = evp != NULL ? EVP_CIPHER_CTX_new() : NULL;
    int r = evp == NULL ? -ENOTSUP : -ENOMEM;
    int n = 0, tail = 0;

    if (data.n == 0 || data.n % cipher->block_size != 0 || data.n > INT32_MAX)
        r = -EINVAL;
    else if (context != NULL)
        r = cbc(context, evp, key, iv, encrypt);
    if (r == 0 &&
        (EVP_CipherUpdate(context, data.bytes, &n, data.bytes, (int)data.n) != 1 ||
         EVP_CipherFinal_ex(context, data.bytes + n, &tail) != 1 || (size_t)(n + tail) != data.n))
        r = -EIO;
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(evp);
    return r;
}

static void copy_block(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

int ike_cbc_encrypt(const IkeCipher *cipher, const uint8_t *key, uint8_t *iv, uint8_t *data,
                    size_t n)
{
    int r = cbc_run(cipher, key, iv, (Blocks){data, n}, 1);

    if (r == 0)
        copy_block(iv, data + n - cipher->block_size, cipher->block_size);
    return r;
}

int ike_cbc_decrypt(const IkeCipher *cipher, const uint8_t *key, uint8_t *iv, uint8_t *data,
                    size_t n)
{
    uint8_t last[IKE_BLOCK_MAX];

    if (n < cipher->block_size)
        return -EINVAL;
    copy_block(last, data + n - cipher->block_size, cipher->block_size);
    int r = cbc_run(cipher, key, iv, (Blocks){data, n}, 0);
    if (r == 0)
        copy_block(iv, last, cipher->block_size);
    return r;
}

bool ike_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

void ike_wipe(void *bytes, size_t n)
{
    OPENSSL_cleanse(bytes, n);
}

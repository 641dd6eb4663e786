/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto for ESP. What costs time in libcrypto 3 is not the cipher but what stands around it:
 * re-keying, fetching, duplicating contexts. So everything is fetched and keyed once an SA.
 *
 * - CBC is one endless chain a context: each packet begins with a block of its own, the IV field,
 *   so no call sets an IV. Encrypting, the chain makes E(nonce ^ last block) of that field, which
 *   nobody can foretell (NIST SP 800-38A, appendix C; RFC 3602, 3). Decrypting, the chain runs
 *   over the IV field too; the block it yields there means nothing and is dropped.
 * - HMAC goes through the hashes' own functions, not EVP: the states after the inner and the outer
 *   pad are copied as plain structs. EVP_MAC and EVP_MD_CTX allocate twice a packet for the same.
 * - GCM takes a new IV, never a new key. Its tag goes through parameters that were made once; the
 *   older control calls make them anew each time (30 ns of 300).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ike/crypto-bulk.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

typedef union HashState {
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
} HashState;

typedef struct HashFunctions {
    const char *name;
    size_t block;
    size_t size; /* of what has to be copied */
    void (*begin)(HashState *state);
    void (*update)(HashState *state, const void *bytes, size_t n);
    void (*finish)(HashState *state, uint8_t *digest);
} HashFunctions;

struct IkeBulk {
    EVP_CIPHER_CTX *cipher;
    OSSL_PARAM tag[2];
    const HashFunctions *hash;
    uint8_t digest_size;
    HashState inner, outer;
};

/* They return 1 always: no memory, no provider, nothing that could fail. */
#define HASH_FUNCTIONS(name, member, prefix)                                                       \
    static void name##_begin(HashState *state)                                                     \
    {                                                                                              \
        (void)prefix##_Init(&state->member);                                                       \
    }                                                                                              \
    static void name##_update(HashState *state, const void *bytes, size_t n)                       \
    {                                                                                              \
        (void)prefix##_Update(&state->member, bytes, n);                                           \
    }                                                                                              \
    static void name##_finish(HashState *state, uint8_t *digest)                                   \
    {                                                                                              \
        (void)prefix##_Final(digest, &state->member);                                              \
    }

HASH_FUNCTIONS(md5, md5, MD5)
HASH_FUNCTIONS(sha1, sha1, SHA1)
HASH_FUNCTIONS(sha256, sha256, SHA256)
HASH_FUNCTIONS(sha384, sha512, SHA384)
HASH_FUNCTIONS(sha512, sha512, SHA512)

static const HashFunctions HASH_FUNCTIONS_OF[] = {
    {"MD5", MD5_CBLOCK, sizeof(MD5_CTX), md5_begin, md5_update, md5_finish},
    {"SHA1", SHA_CBLOCK, sizeof(SHA_CTX), sha1_begin, sha1_update, sha1_finish},
    {"SHA256", SHA256_CBLOCK, sizeof(SHA256_CTX), sha256_begin, sha256_update, sha256_finish},
    {"SHA384", SHA512_CBLOCK, sizeof(SHA512_CTX), sha384_begin, sha384_update, sha384_finish},
    {"SHA512", SHA512_CBLOCK, sizeof(SHA512_CTX), sha512_begin, sha512_update, sha512_finish},
};

/* NULL also where libcrypto's configuration (FIPS) leaves the hash out, though its code is there.
 */
static const HashFunctions *find_hash(const IkeHash *hash)
{
    EVP_MD *md = EVP_MD_fetch(NULL, hash->openssl, NULL);

    if (md == NULL)
        return NULL;
    EVP_MD_free(md);
    for (size_t i = 0; i < sizeof(HASH_FUNCTIONS_OF) / sizeof(HASH_FUNCTIONS_OF[0]); i++)
        if (strcmp(HASH_FUNCTIONS_OF[i].name, hash->openssl) == 0)
            return &HASH_FUNCTIONS_OF[i];
    return NULL;
}

/* The state after one block of the key XORed with a byte (RFC 2104). */
static void absorb_pad(const IkeBulk *bulk, HashState *state, const IkeBulkKeys *keys, uint8_t pad)
{
    uint8_t block[SHA512_CBLOCK];

    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < keys->hash->size; i++)
        block[i] = pad ^ keys->hash_key[i];
    bulk->hash->begin(state);
    bulk->hash->update(state, block, bulk->hash->block);
    OPENSSL_cleanse(block, sizeof(block));
}

static int key_hash(IkeBulk *bulk, const IkeBulkKeys *keys)
{
    bulk->hash = find_hash(keys->hash);
    if (bulk->hash == NULL)
        return -ENOTSUP;
    bulk->digest_size = keys->hash->size;
    absorb_pad(bulk, &bulk->inner, keys, 0x36);
    absorb_pad(bulk, &bulk->outer, keys, 0x5c);
    return 0;
}

static int key_cipher(IkeBulk *bulk, const IkeBulkKeys *keys)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, keys->cipher->openssl, NULL);
    uint8_t iv[IKE_BLOCK_MAX] = {0};
    int keyed;

    if (cipher == NULL)
        return -ENOTSUP;
    bulk->cipher = EVP_CIPHER_CTX_new();
    bulk->tag[0] =
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, IKE_BULK_TAG);
    bulk->tag[1] = OSSL_PARAM_construct_end();
    /* The IV is no packet's: a CBC chain only has to begin somewhere, GCM gets one a packet. */
    keyed = bulk->cipher == NULL ? 0
                                 : EVP_CipherInit_ex2(bulk->cipher, cipher, keys->cipher_key, iv,
                                                      keys->encrypt ? 1 : 0, NULL);
    EVP_CIPHER_free(cipher);
    if (keyed != 1)
        return -ENOMEM;
    /* Not for GCM: it has no padding, and libcrypto would repeat the setting with each new IV. */
    if (!ike_cipher_is_aead(keys->cipher) && EVP_CIPHER_CTX_set_padding(bulk->cipher, 0) != 1)
        return -ENOMEM;
    return 0;
}

int ike_bulk_new(IkeBulk **bulkp, const IkeBulkKeys *keys)
{
    IkeBulk *bulk = calloc(1, sizeof(*bulk));
    int error;

    if (bulk == NULL)
        return -ENOMEM;
    error = key_cipher(bulk, keys);
    if (error == 0 && keys->hash != NULL)
        error = key_hash(bulk, keys);
    if (error != 0) {
        ike_bulk_free(bulk);
        return error;
    }
    *bulkp = bulk;
    return 0;
}

IkeBulk *ike_bulk_free(IkeBulk *bulk)
{
    if (bulk == NULL)
        return NULL;
    EVP_CIPHER_CTX_free(bulk->cipher);
    OPENSSL_cleanse(bulk, sizeof(*bulk));
    free(bulk);
    return NULL;
}

bool ike_bulk_cbc(IkeBulk *bulk, uint8_t *iv_and_data, size_t n)
{
    int out = 0;

    return EVP_CipherUpdate(bulk->cipher, iv_and_data, &out, iv_and_data, (int)n) == 1 &&
           (size_t)out == n;
}

void ike_bulk_hmac(const IkeBulk *bulk, const uint8_t *bytes, size_t n, uint8_t *mac)
{
    HashState state;

    memcpy(&state, &bulk->inner, bulk->hash->size);
    bulk->hash->update(&state, bytes, n);
    bulk->hash->finish(&state, mac);
    memcpy(&state, &bulk->outer, bulk->hash->size);
    bulk->hash->update(&state, mac, bulk->digest_size);
    bulk->hash->finish(&state, mac);
}

/* Sets nonce and AAD, and runs the cipher over the data. */
static bool gcm_run(IkeBulk *bulk, const uint8_t *nonce, const uint8_t *aad, uint8_t *data,
                    size_t n)
{
    int out = 0;

    return EVP_CipherInit_ex2(bulk->cipher, NULL, NULL, nonce, -1, NULL) == 1 &&
           EVP_CipherUpdate(bulk->cipher, NULL, &out, aad, IKE_BULK_AAD) == 1 &&
           EVP_CipherUpdate(bulk->cipher, data, &out, data, (int)n) == 1 && (size_t)out == n;
}

bool ike_bulk_gcm_seal(IkeBulk *bulk, const uint8_t *nonce, const uint8_t *aad, uint8_t *data,
                       size_t n)
{
    int out = 0;

    bulk->tag[0].data = data + n;
    return gcm_run(bulk, nonce, aad, data, n) &&
           EVP_CipherFinal_ex(bulk->cipher, data + n, &out) == 1 && out == 0 &&
           EVP_CIPHER_CTX_get_params(bulk->cipher, bulk->tag) == 1;
}

IkeBulkOpened ike_bulk_gcm_open(IkeBulk *bulk, const uint8_t *nonce, const uint8_t *aad,
                                uint8_t *data, size_t n)
{
    int out = 0;

    bulk->tag[0].data = data + n;
    if (!gcm_run(bulk, nonce, aad, data, n) ||
        EVP_CIPHER_CTX_set_params(bulk->cipher, bulk->tag) != 1)
        return IKE_BULK_FAULT;
    return EVP_CipherFinal_ex(bulk->cipher, data, &out) == 1 ? IKE_BULK_OK : IKE_BULK_FORGED;
}

bool ike_bulk_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

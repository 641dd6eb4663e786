/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto for ESP. What costs time in libcrypto 3 is not the cipher but what stands around it:
 * re-keying, fetching, duplicating contexts. So everything is fetched and keyed once an SA.
 *
 * - CBC is one endless chain a context: each packet begins with a block of its own, the IV field,
 *   so no call sets an IV. Encrypting, the nonce in that field is XORed with the block that the
 *   chain stands at, and comes out as E(nonce). Decrypting, the block that the field yields means
 *   nothing and is dropped.
 * - HMAC goes through the hashes' own functions, not EVP: the states after the inner and the outer
 *   pad are copied as plain structs. EVP_MAC and EVP_MD_CTX allocate twice a packet for the same.
 * - GCM takes a new IV, never a new key. Its tag goes through parameters that were made once; the
 *   older control calls make them anew each time (30 ns of 300).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ike/crypto-bulk-provider.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { GCM_NONCE = 12, GCM_TAG = 16 };

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

typedef struct Openssl {
    EVP_CIPHER_CTX *cipher;
    OSSL_PARAM tag[2];
    const HashFunctions *hash;
    uint8_t digest_size, iv_size, icv_size;
    uint8_t nonce[GCM_NONCE];    /* salt, and the IV of the packet that is worked on */
    uint8_t last[IKE_BLOCK_MAX]; /* block of ciphertext that the chain of CBC stands at */
    HashState inner, outer;
} Openssl;

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
static void absorb_pad(const Openssl *self, HashState *state, const IkeBulkKeys *keys, uint8_t pad)
{
    const uint8_t *key = ike_bulk_hash_key(keys);
    uint8_t block[SHA512_CBLOCK];

    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < keys->hash->size; i++)
        block[i] = pad ^ key[i];
    self->hash->begin(state);
    self->hash->update(state, block, self->hash->block);
    OPENSSL_cleanse(block, sizeof(block));
}

static int key_hash(Openssl *self, const IkeBulkKeys *keys)
{
    self->hash = find_hash(keys->hash);
    if (self->hash == NULL)
        return -ENOTSUP;
    self->digest_size = keys->hash->size;
    absorb_pad(self, &self->inner, keys, 0x36);
    absorb_pad(self, &self->outer, keys, 0x5c);
    return 0;
}

static int key_cipher(Openssl *self, const IkeBulkKeys *keys)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, keys->cipher->openssl, NULL);
    int keyed;

    if (cipher == NULL)
        return -ENOTSUP;
    self->cipher = EVP_CIPHER_CTX_new();
    self->tag[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, GCM_TAG);
    self->tag[1] = OSSL_PARAM_construct_end();
    /* The IV is no packet's: a CBC chain only has to begin somewhere, GCM gets one a packet. */
    keyed = self->cipher == NULL ? 0
                                 : EVP_CipherInit_ex2(self->cipher, cipher, keys->keymat,
                                                      self->last, keys->encrypt ? 1 : 0, NULL);
    EVP_CIPHER_free(cipher);
    if (keyed != 1)
        return -ENOMEM;
    /* Not for GCM: it has no padding, and libcrypto would repeat the setting with each new IV. */
    if (!ike_cipher_is_aead(keys->cipher) && EVP_CIPHER_CTX_set_padding(self->cipher, 0) != 1)
        return -ENOMEM;
    return 0;
}

static void openssl_free(void *data)
{
    Openssl *self = data;

    if (self == NULL)
        return;
    EVP_CIPHER_CTX_free(self->cipher);
    OPENSSL_cleanse(self, sizeof(*self));
    free(self);
}

static int openssl_make(void **selfp, const IkeBulkKeys *keys)
{
    Openssl *self = calloc(1, sizeof(*self));
    int error;

    if (self == NULL)
        return -ENOMEM;
    self->iv_size = keys->cipher->iv_size;
    self->icv_size = keys->icv_size;
    memcpy(self->nonce, ike_bulk_salt(keys), keys->cipher->salt_size);
    error = key_cipher(self, keys);
    if (error == 0 && keys->hash != NULL)
        error = key_hash(self, keys);
    if (error != 0) {
        openssl_free(self);
        return error;
    }
    *selfp = self;
    return 0;
}

/* ---- CBC and HMAC ---- */

static void hmac(const Openssl *self, const uint8_t *bytes, size_t n, uint8_t *mac)
{
    HashState state;

    memcpy(&state, &self->inner, self->hash->size);
    self->hash->update(&state, bytes, n);
    self->hash->finish(&state, mac);
    memcpy(&state, &self->outer, self->hash->size);
    self->hash->update(&state, mac, self->digest_size);
    self->hash->finish(&state, mac);
}

/* Over the IV field and what follows it. */
static bool cbc(Openssl *self, uint8_t *iv_and_data, size_t n)
{
    int out = 0;

    return EVP_CipherUpdate(self->cipher, iv_and_data, &out, iv_and_data, (int)n) == 1 &&
           (size_t)out == n;
}

static IkeBulkResult seal_cbc(Openssl *self, const IkeBulkPacket *packet)
{
    uint8_t *iv = packet->esp + IKE_BULK_HEADER, mac[IKE_HASH_MAX];
    size_t n = self->iv_size + packet->n;

    for (size_t i = 0; i < self->iv_size; i++)
        iv[i] ^= self->last[i];
    if (!cbc(self, iv, n))
        return IKE_BULK_FAULT;
    memcpy(self->last, iv + n - self->iv_size, self->iv_size);
    hmac(self, packet->esp, IKE_BULK_HEADER + n, mac);
    memcpy(iv + n, mac, self->icv_size);
    return IKE_BULK_OK;
}

static IkeBulkResult open_cbc(Openssl *self, const IkeBulkPacket *packet)
{
    uint8_t *iv = packet->esp + IKE_BULK_HEADER, mac[IKE_HASH_MAX];
    size_t n = self->iv_size + packet->n;

    hmac(self, packet->esp, IKE_BULK_HEADER + n, mac);
    if (!ike_bulk_equal(mac, iv + n, self->icv_size))
        return IKE_BULK_FORGED;
    return cbc(self, iv, n) ? IKE_BULK_OK : IKE_BULK_FAULT;
}

/* ---- GCM ---- */

/* Sets IV and AAD, and runs the cipher over the data. Returns where the tag is, NULL: a fault. */
static uint8_t *gcm_run(Openssl *self, const IkeBulkPacket *packet)
{
    uint8_t *iv = packet->esp + IKE_BULK_HEADER, *data = iv + self->iv_size;
    int n = (int)packet->n, out = 0;

    memcpy(self->nonce + GCM_NONCE - self->iv_size, iv, self->iv_size);
    if (EVP_CipherInit_ex2(self->cipher, NULL, NULL, self->nonce, -1, NULL) != 1 ||
        EVP_CipherUpdate(self->cipher, NULL, &out, packet->esp, IKE_BULK_HEADER) != 1 ||
        EVP_CipherUpdate(self->cipher, data, &out, data, n) != 1 || out != n)
        return NULL;
    return data + n;
}

static IkeBulkResult seal_gcm(Openssl *self, const IkeBulkPacket *packet)
{
    uint8_t *tag = gcm_run(self, packet);
    int out = 0;

    self->tag[0].data = tag;
    if (tag == NULL || EVP_CipherFinal_ex(self->cipher, tag, &out) != 1 || out != 0 ||
        EVP_CIPHER_CTX_get_params(self->cipher, self->tag) != 1)
        return IKE_BULK_FAULT;
    return IKE_BULK_OK;
}

static IkeBulkResult open_gcm(Openssl *self, const IkeBulkPacket *packet)
{
    uint8_t *tag = gcm_run(self, packet);
    int out = 0;

    self->tag[0].data = tag;
    if (tag == NULL || EVP_CIPHER_CTX_set_params(self->cipher, self->tag) != 1)
        return IKE_BULK_FAULT;
    return EVP_CipherFinal_ex(self->cipher, tag, &out) == 1 ? IKE_BULK_OK : IKE_BULK_FORGED;
}

/* ---- the provider ---- */

static void openssl_seal(void *data, IkeBulkPacket *packets, size_t n)
{
    Openssl *self = data;

    for (size_t i = 0; i < n; i++)
        packets[i].result =
            self->hash != NULL ? seal_cbc(self, &packets[i]) : seal_gcm(self, &packets[i]);
}

static void openssl_open(void *data, IkeBulkPacket *packets, size_t n)
{
    Openssl *self = data;

    for (size_t i = 0; i < n; i++)
        packets[i].result =
            self->hash != NULL ? open_cbc(self, &packets[i]) : open_gcm(self, &packets[i]);
}

const IkeBulkProvider ike_bulk_openssl = {
    .name = "OpenSSL",
    .make = openssl_make,
    .free = openssl_free,
    .seal = openssl_seal,
    .open = openssl_open,
};

static bool is_own(const OSSL_PROVIDER *provider)
{
    const char *name = provider != NULL ? OSSL_PROVIDER_get0_name(provider) : "";

    return strcmp(name, "default") == 0 || strcmp(name, "legacy") == 0;
}

bool ike_bulk_openssl_is_free(const IkeBulkKeys *keys)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, keys->cipher->openssl, NULL);
    EVP_MD *md = keys->hash != NULL ? EVP_MD_fetch(NULL, keys->hash->openssl, NULL) : NULL;
    bool own = cipher != NULL && is_own(EVP_CIPHER_get0_provider(cipher));

    if (keys->hash != NULL)
        own = own && md != NULL && is_own(EVP_MD_get0_provider(md));
    EVP_CIPHER_free(cipher);
    EVP_MD_free(md);
    return own;
}

bool ike_bulk_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

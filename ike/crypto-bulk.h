/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyed ciphers of one ESP SA in one direction. Keyed once; nothing here allocates afterwards.
 * Functions return false where libcrypto failed.
 */
#ifndef IKE_CRYPTO_BULK_H
#define IKE_CRYPTO_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/algs.h"

typedef struct IkeBulk IkeBulk;

enum { IKE_BULK_NONCE = 12, IKE_BULK_TAG = 16, IKE_BULK_AAD = 8 };

typedef struct IkeBulkKeys {
    const IkeCipher *cipher;
    const uint8_t *cipher_key; /* cipher->key_size bytes */
    const IkeHash *hash;       /* NULL with an AEAD */
    const uint8_t *hash_key;   /* hash->size bytes */
    bool encrypt;
} IkeBulkKeys;

/* 0, -ENOTSUP where libcrypto lacks an algorithm, or another negative errno. */
int ike_bulk_new(IkeBulk **bulkp, const IkeBulkKeys *keys);
IkeBulk *ike_bulk_free(IkeBulk *bulk);

/* CBC in place over an IV field and what follows it, n bytes in whole blocks.
 * Encrypting turns the nonce in the IV field into the packet's IV; decrypting leaves the IV field
 * with bytes that mean nothing. */
bool ike_bulk_cbc(IkeBulk *bulk, uint8_t *iv_and_data, size_t n);

/* HMAC of n bytes; mac has room for hash->size. */
void ike_bulk_hmac(const IkeBulk *bulk, const uint8_t *bytes, size_t n, uint8_t *mac);

/* GCM in place. */
bool ike_bulk_gcm_seal(IkeBulk *bulk, const uint8_t *nonce, const uint8_t *aad, uint8_t *data,
                       size_t n); /* the tag goes behind data[n - 1] */

typedef enum IkeBulkOpened { IKE_BULK_OK, IKE_BULK_FORGED, IKE_BULK_FAULT } IkeBulkOpened;
IkeBulkOpened ike_bulk_gcm_open(IkeBulk *bulk, const uint8_t *nonce, const uint8_t *aad,
                                uint8_t *data, size_t n); /* the tag is behind data[n - 1] */

/* Equal, in a time that does not depend on where they differ. */
bool ike_bulk_equal(const uint8_t *a, const uint8_t *b, size_t n);

#endif

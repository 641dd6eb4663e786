/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyed ciphers of one ESP SA in one direction, for batches of packets. Keyed once; no packet
 * allocates.
 */
#ifndef IKE_CRYPTO_BULK_H
#define IKE_CRYPTO_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/algs.h"

typedef struct IkeBulk IkeBulk;

enum {
    IKE_BULK_HEADER = 8, /* SPI and sequence number: before the IV field, and the AAD of GCM */
    IKE_BULK_BATCH = 64, /* packets of one call, at the most */
};

typedef struct IkeBulkKeys {
    const IkeCipher *cipher;
    const IkeHash *hash;   /* NULL with an AEAD */
    const uint8_t *keymat; /* cipher key, salt, integrity key, one behind the other */
    uint8_t icv_size;      /* bytes of the tag on the wire, at most those of the row */
    bool encrypt;
    bool plain; /* libcrypto alone */
} IkeBulkKeys;

/* 0, -ENOTSUP where libcrypto lacks an algorithm, or another negative errno. Copies the keys. */
int ike_bulk_new(IkeBulk **bulkp, const IkeBulkKeys *keys);
IkeBulk *ike_bulk_free(IkeBulk *bulk);

/* Whose ciphers these are now, a constant string. Readable from any thread. */
const char *ike_bulk_provider(const IkeBulk *bulk);

typedef enum IkeBulkResult { IKE_BULK_OK, IKE_BULK_FORGED, IKE_BULK_FAULT } IkeBulkResult;

/* An ESP packet, in place: header, IV field, n bytes of data in whole blocks, tag. */
typedef struct IkeBulkPacket {
    uint8_t *esp;
    size_t n;
    IkeBulkResult result;
} IkeBulkPacket;

/* Encrypts the data and writes the tag. For GCM the IV field stands already; for CBC it holds a
 * nonce, and leaves as the nonce's encryption. */
void ike_bulk_seal(IkeBulk *bulk, IkeBulkPacket *packets, size_t n);
/* Compares the tag and decrypts the data. What is left of a packet whose result is not IKE_BULK_OK
 * means nothing; nor do the bytes of a CBC packet's IV field. */
void ike_bulk_open(IkeBulk *bulk, IkeBulkPacket *packets, size_t n);

#endif

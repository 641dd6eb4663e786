/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a library has to offer to do the work of crypto-bulk.h. All of them leave the same bytes on
 * the wire for the same packets, so one may take over from another between two batches.
 */
#ifndef IKE_CRYPTO_BULK_PROVIDER_H
#define IKE_CRYPTO_BULK_PROVIDER_H

#include "ike/crypto-bulk.h"

typedef struct IkeBulkProvider {
    const char *name;
    /* 0, -ENOTSUP for what this library or this processor does not do well, or another errno. */
    int (*make)(void **selfp, const IkeBulkKeys *keys);
    void (*free)(void *self); /* wipes; takes NULL */
    /* As ike_bulk_seal() and ike_bulk_open(); at most IKE_BULK_BATCH packets. */
    void (*seal)(void *self, IkeBulkPacket *packets, size_t n);
    void (*open)(void *self, IkeBulkPacket *packets, size_t n);
} IkeBulkProvider;

extern const IkeBulkProvider ike_bulk_openssl;
extern const IkeBulkProvider ike_bulk_multi;

/* Whether libcrypto does these algorithms by code of its own, as it came, and not by a provider
 * that somebody has put in their place: FIPS, hardware. */
bool ike_bulk_openssl_is_free(const IkeBulkKeys *keys);

static inline const uint8_t *ike_bulk_salt(const IkeBulkKeys *keys)
{
    return keys->keymat + keys->cipher->key_size;
}

static inline const uint8_t *ike_bulk_hash_key(const IkeBulkKeys *keys)
{
    return ike_bulk_salt(keys) + keys->cipher->salt_size;
}

/* Equal, in a time that does not depend on where they differ. */
bool ike_bulk_equal(const uint8_t *a, const uint8_t *b, size_t n);

#endif

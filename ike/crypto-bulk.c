/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who does the work of a batch. libcrypto begins with every SA: it is there, keyed in microseconds,
 * and the quicker one for a packet alone. The multi-buffer library works on as many CBC packets
 * side by side as a vector has lanes, which pays from some packets on; its GCM is the quicker one
 * for each packet. It costs 0.4 ms and 200 kB an SA to have it ready, so it is not asked before the
 * first batch that is large: an idle tunnel never is.
 *
 * Where an administrator has told libcrypto whose code to use (FIPS, hardware), no other code does
 * the work.
 */
#include "ike/crypto-bulk.h"

#include "ike/crypto-bulk-provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGE = 8, /* packets; below, libcrypto is the quicker one */
    KEYMAT_MAX = IKE_KEY_MAX + IKE_HASH_MAX,
};

struct IkeBulk {
    IkeBulkKeys keys;
    uint8_t keymat[KEYMAT_MAX]; /* until the multi-buffer library has been asked */
    void *openssl, *multi;
    bool unasked;                /* the multi-buffer library has not been asked yet, and may be */
    const IkeBulkProvider *best; /* read by other threads */
};

static size_t keymat_size(const IkeBulkKeys *keys)
{
    size_t hash = keys->hash != NULL ? keys->hash->size : 0u;

    return keys->cipher->key_size + (size_t)keys->cipher->salt_size + hash;
}

static void forget_keys(IkeBulk *bulk)
{
    explicit_bzero(bulk->keymat, sizeof(bulk->keymat));
    bulk->unasked = false;
}

int ike_bulk_new(IkeBulk **bulkp, const IkeBulkKeys *keys)
{
    IkeBulk *bulk;
    int error;

    if (keymat_size(keys) > KEYMAT_MAX)
        return -EINVAL;
    bulk = calloc(1, sizeof(*bulk));
    if (bulk == NULL)
        return -ENOMEM;
    memcpy(bulk->keymat, keys->keymat, keymat_size(keys));
    bulk->keys = *keys;
    bulk->keys.keymat = bulk->keymat;
    bulk->best = &ike_bulk_openssl;
    error = ike_bulk_openssl.make(&bulk->openssl, &bulk->keys);
    if (error != 0) {
        ike_bulk_free(bulk);
        return error;
    }
    bulk->unasked = !keys->plain;
    if (!bulk->unasked)
        forget_keys(bulk);
    *bulkp = bulk;
    return 0;
}

IkeBulk *ike_bulk_free(IkeBulk *bulk)
{
    if (bulk == NULL)
        return NULL;
    ike_bulk_openssl.free(bulk->openssl);
    ike_bulk_multi.free(bulk->multi);
    explicit_bzero(bulk, sizeof(*bulk));
    free(bulk);
    return NULL;
}

const char *ike_bulk_provider(const IkeBulk *bulk)
{
    return __atomic_load_n(&bulk->best, __ATOMIC_RELAXED)->name;
}

/* Once an SA; whatever comes in the way, libcrypto goes on. */
static void ask_multi(IkeBulk *bulk)
{
    if (ike_bulk_openssl_is_free(&bulk->keys) &&
        ike_bulk_multi.make(&bulk->multi, &bulk->keys) == 0)
        __atomic_store_n(&bulk->best, &ike_bulk_multi, __ATOMIC_RELAXED);
    forget_keys(bulk);
}

static bool multi_does(IkeBulk *bulk, size_t n)
{
    if (n >= LARGE && bulk->unasked)
        ask_multi(bulk);
    return bulk->multi != NULL && (n >= LARGE || ike_cipher_is_aead(bulk->keys.cipher));
}

void ike_bulk_seal(IkeBulk *bulk, IkeBulkPacket *packets, size_t n)
{
    if (multi_does(bulk, n))
        ike_bulk_multi.seal(bulk->multi, packets, n);
    else
        ike_bulk_openssl.seal(bulk->openssl, packets, n);
}

void ike_bulk_open(IkeBulk *bulk, IkeBulkPacket *packets, size_t n)
{
    if (multi_does(bulk, n))
        ike_bulk_multi.open(bulk->multi, packets, n);
    else
        ike_bulk_openssl.open(bulk->openssl, packets, n);
}

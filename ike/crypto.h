/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IKE needs of libcrypto: hash, prf, CBC, comparison and wiping. All of them return 0, or
 * -ENOTSUP where libcrypto lacks the algorithm (FIPS, no legacy provider), or -EIO.
 */
#ifndef IKE_CRYPTO_H
#define IKE_CRYPTO_H

#include "ike/algs.h"
#include "ike/reader.h"

/* Hash of the parts in order; `out` takes hash->size bytes. */
int ike_hash(const IkeHash *hash, const IkeSlice *parts, size_t parts_n, uint8_t *out);
/* HMAC of the parts in order (RFC 2409, 4: the prf); `out` takes hash->size bytes. */
int ike_prf(const IkeHash *hash, IkeSlice key, const IkeSlice *parts, size_t parts_n, uint8_t *out);
/* Whole blocks in place; `iv` is read and becomes the last block of ciphertext. */
int ike_cbc_encrypt(const IkeCipher *cipher, const uint8_t *key, uint8_t *iv, uint8_t *data,
                    size_t n);
int ike_cbc_decrypt(const IkeCipher *cipher, const uint8_t *key, uint8_t *iv, uint8_t *data,
                    size_t n);
/* Constant time. */
bool ike_equal(const uint8_t *a, const uint8_t *b, size_t n);
/* Overwrites in a way that no compiler removes. */
void ike_wipe(void *bytes, size_t n);

#endif

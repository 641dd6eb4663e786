/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encryption of messages. Decryption authenticates nothing: the caller reads the payloads and
 * verifies a HASH before anything is believed.
 */
#include "ike/message-crypt.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FLAGS_OFFSET = 19 };

int ike_message_encrypt(const IkeKeys *keys, uint8_t *iv, IkeBuilder *builder)
{
    IkeWriter *w = &builder->writer;
    size_t block = keys->cipher->block_size;
    size_t over = (w->n - IKE_HEADER_SIZE) % block;

    if (over != 0)
        (void)ike_writer_room(w, block - over);
    ike_writer_put_u8(w, FLAGS_OFFSET, IKE_FLAG_ENCRYPTION);
    ike_builder_end(builder);
    if (!ike_writer_ok(w))
        return -EMSGSIZE;
    return ike_cbc_encrypt(keys->cipher, keys->key, iv, w->bytes + IKE_HEADER_SIZE,
                           w->n - IKE_HEADER_SIZE);
}

int ike_message_decrypt(const IkeKeys *keys, uint8_t *iv, uint8_t *bytes, size_t n)
{
    if (n == 0 || n % keys->cipher->block_size != 0)
        return IKE_MESSAGE_MALFORMED;
    return ike_cbc_decrypt(keys->cipher, keys->key, iv, bytes, n);
}

int ike_message_hash(const IkeKeys *keys, const IkeMessageHash *parts, uint8_t *out)
{
    static const uint8_t zero = 0;
    const uint8_t id[4] = {
        (uint8_t)(parts->message_id >> 24),
        (uint8_t)(parts->message_id >> 16),
        (uint8_t)(parts->message_id >> 8),
        (uint8_t)parts->message_id,
    };
    const IkeSlice slices[] = {
        {&zero, parts->zero ? 1 : 0}, {id, sizeof(id)}, parts->nonce_i, parts->nonce_r, parts->rest,
    };

    return ike_prf(keys->hash, (IkeSlice){keys->skeyid_a, keys->hash->size}, slices, COUNT(slices),
                   out);
}

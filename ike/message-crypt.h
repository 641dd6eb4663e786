/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encryption of messages with their chain of IVs (RFC 2409, appendix B), and the three HASHes that
 * authenticate messages under an ISAKMP SA (RFC 2409, 5.5 and 5.7).
 */
#ifndef IKE_MESSAGE_CRYPT_H
#define IKE_MESSAGE_CRYPT_H

#include "ike/keymat.h"
#include "ike/message.h"

/* Pads and encrypts what stands behind the header, sets the flag and the length; `iv` moves on.
 * 0 or a negative errno. */
int ike_message_encrypt(const IkeKeys *keys, uint8_t *iv, IkeBuilder *builder);
/* Decrypts in place; `iv` moves on. 0, IKE_MESSAGE_MALFORMED, or a negative errno. */
int ike_message_decrypt(const IkeKeys *keys, uint8_t *iv, uint8_t *bytes, size_t n);

/* What a HASH covers beside the message. */
typedef struct IkeMessageHash {
    uint32_t message_id;
    bool zero;                 /* HASH(3) begins with a zero byte */
    IkeSlice nonce_i, nonce_r; /* empty where they are not covered */
    IkeSlice rest;             /* all payloads behind the HASH, without padding */
} IkeMessageHash;

int ike_message_hash(const IkeKeys *keys, const IkeMessageHash *parts, uint8_t *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of an ISAKMP SA and of its children (RFC 2409, 5 and appendix B), and the hashes that
 * authenticate. All functions return 0 or a negative errno.
 */
#ifndef IKE_KEYMAT_H
#define IKE_KEYMAT_H

#include "ike/crypto.h"

typedef struct IkeKeys {
    const IkeCipher *cipher;
    const IkeHash *hash; /* of the SA; its HMAC is the prf */
    uint8_t skeyid[IKE_HASH_MAX];
    uint8_t skeyid_d[IKE_HASH_MAX];
    uint8_t skeyid_a[IKE_HASH_MAX];
    uint8_t skeyid_e[IKE_HASH_MAX];
    uint8_t key[IKE_KEY_MAX];
    uint8_t iv[IKE_BLOCK_MAX]; /* last block of Phase 1, so far */
} IkeKeys;

/* What Phase 1 has exchanged; all slices belong to the caller. */
typedef struct IkePhase1Material {
    IkeSlice cookie_i, cookie_r;
    IkeSlice public_i, public_r; /* g^xi, g^xr as in the KE payloads */
    IkeSlice nonce_i, nonce_r;   /* bodies of the NONCE payloads */
    IkeSlice sa_i;               /* SAi_b: body of the initiator's SA payload */
    IkeSlice id_i, id_r;         /* bodies of the ID payloads */
    IkeSlice secret;             /* g^xy */
    IkeSlice psk;
    bool by_signature;        /* SKEYID comes of the nonces and g^xy, not of the psk */
    const IkeHash *auth_hash; /* HASH_I and HASH_R are made with; NULL: the SA's */
} IkePhase1Material;

/* SKEYID and its three children, the cipher's key, and the first IV. */
int ike_keys_derive(IkeKeys *keys, const IkePhase1Material *material);
/* HASH_I and HASH_R; as many bytes as their hash has. */
int ike_auth_hash_i(const IkeKeys *keys, const IkePhase1Material *material, uint8_t *out);
int ike_auth_hash_r(const IkeKeys *keys, const IkePhase1Material *material, uint8_t *out);
/* The IV that a new message ID begins with (RFC 2409, appendix B). */
int ike_keys_message_iv(const IkeKeys *keys, uint32_t message_id, uint8_t *iv);

typedef struct IkeChildMaterial {
    uint8_t protocol;
    uint32_t spi;
    IkeSlice secret; /* g(qm)^xy, empty without PFS */
    IkeSlice nonce_i, nonce_r;
} IkeChildMaterial;

/* KEYMAT of one direction: the SPI is the one its receiver chose (RFC 2409, 5.5). */
int ike_keys_child(const IkeKeys *keys, const IkeChildMaterial *material, uint8_t *out, size_t n);

#endif

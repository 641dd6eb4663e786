/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every algorithm, one row each: how a profile spells it, its numbers on the wire in both phases,
 * its sizes in bytes, and the name OpenSSL knows it by. No other file switches on an algorithm.
 */
#ifndef IKE_ALGS_H
#define IKE_ALGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest sizes of any row, in bytes; tests compare them with the rows. */
enum {
    IKE_KEY_MAX = 64,
    IKE_BLOCK_MAX = 16,
    IKE_HASH_MAX = 64,
    IKE_DH_MAX = 512,
};

typedef enum IkeAlgKind { IKE_ALG_CIPHER, IKE_ALG_HASH, IKE_ALG_GROUP } IkeAlgKind;

typedef struct IkeCipher {
    const char *name;   /* "aes256" */
    uint16_t phase1;    /* IKE_ENC_*, 0: not in Phase 1 */
    uint16_t esp;       /* IKE_ESP_* */
    uint16_t key_bits;  /* the KEY_LENGTH attribute, 0: none is sent */
    uint8_t key_size;   /* bytes */
    uint8_t block_size; /* bytes of the CBC block; 4 for an AEAD (RFC 4106, 3.2: ESP alignment) */
    uint8_t iv_size;    /* bytes on the wire in ESP */
    uint8_t salt_size;  /* bytes of KEYMAT behind the key; nonzero: an AEAD */
    uint8_t icv_size;   /* bytes of an AEAD's tag, else 0 */
    bool weak;
    const char *openssl; /* EVP_CIPHER name */
} IkeCipher;

typedef struct IkeHash {
    const char *name;   /* "sha256" */
    uint16_t phase1;    /* IKE_HASH_* */
    uint16_t integrity; /* IKE_INTEGRITY_* */
    uint8_t size;       /* bytes of hash, prf output, and ESP integrity key (RFC 4868) */
    uint8_t icv_size;   /* bytes of the truncated ESP tag */
    bool weak;
    const char *openssl; /* EVP_MD name */
} IkeHash;

typedef struct IkeGroup {
    const char *name;     /* "modp2048" */
    uint16_t number;      /* IKE_GROUP_* */
    uint16_t ke_size;     /* bytes of the KE payload: p, or x | y (RFC 5903), or x */
    uint16_t secret_size; /* bytes of the shared secret: p, or x alone */
    uint16_t strength;    /* comparable bits of security, to order groups */
    bool elliptic;
    bool weak;
    const char *openssl; /* group name for EVP_PKEY */
} IkeGroup;

/* Look-ups return NULL when there is no such row. Rows are constant and live for ever. */
const IkeCipher *ike_cipher_by_name(const char *name);
const IkeCipher *ike_cipher_by_phase1(uint16_t number, uint16_t key_bits);
const IkeCipher *ike_cipher_by_esp(uint16_t number, uint16_t key_bits);
const IkeHash *ike_hash_by_name(const char *name);
const IkeHash *ike_hash_by_phase1(uint16_t number);
const IkeHash *ike_hash_by_integrity(uint16_t number);
const IkeGroup *ike_group_by_name(const char *name);
const IkeGroup *ike_group_by_number(uint16_t number);

/* For lists and help: row i of a kind's names, NULL behind the last. */
const char *ike_alg_name(IkeAlgKind kind, size_t i);

static inline bool ike_cipher_is_aead(const IkeCipher *cipher)
{
    return cipher->salt_size != 0;
}

#endif

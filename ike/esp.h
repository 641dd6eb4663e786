/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP in tunnel mode (RFC 4303, RFC 2406): one SA, one direction. No allocation a packet, no lock:
 * an SA belongs to one thread at a time. Its counters alone may be read from another thread.
 */
#ifndef IKE_ESP_H
#define IKE_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/algs.h"

typedef struct EspSa EspSa;

enum {
    ESP_HEADER_SIZE = 8,         /* SPI and sequence number */
    ESP_HEAD_ROOM = 8 + 16,      /* what sealing writes before the inner packet, at the most */
    ESP_TAIL_ROOM = 16 + 2 + 32, /* and behind it: padding, trailer, tag */
    ESP_REPLAY_WINDOW = 1024,
    ESP_KEYMAT_MAX = 32 + 64,
};

/* What became of a packet. ESP_OK is 0; the others are reasons to drop it. */
typedef enum EspVerdict {
    ESP_OK = 0,
    ESP_MALFORMED, /* too short, not aligned, wrong SPI, padding or inner packet no good */
    ESP_REPLAYED,  /* seen, or left of the window */
    ESP_FORGED,    /* the tag does not fit */
    ESP_DUMMY,     /* next header 59: a packet that carries nothing (RFC 4303, 2.6) */
    ESP_EXHAUSTED, /* no sequence number is left; the SA is dead (B8: it never wraps) */
    ESP_FAULT,     /* libcrypto failed */
} EspVerdict;

typedef struct EspParameters {
    uint32_t spi; /* host order */
    const IkeCipher *cipher;
    const IkeHash *integrity; /* NULL with an AEAD */
    bool sha256_truncation;   /* 96 bits of HMAC-SHA2-256, for some old gateways */
    const uint8_t *keymat;    /* esp_keymat_size() bytes: cipher key, salt, integrity key */
    uint64_t iv_seed[2];      /* random; start of the IV sequence of CBC */
    bool plain_crypto;        /* libcrypto alone, whatever else this machine has */
} EspParameters;

/* Bytes of KEYMAT for one direction (RFC 2409, 5.5; RFC 4106, 8.1). */
size_t esp_keymat_size(const IkeCipher *cipher, const IkeHash *integrity);

/* Both copy the key. 0, -ENOTSUP where libcrypto lacks the algorithm, else a negative errno. */
int esp_seal_new(EspSa **sap, const EspParameters *parameters);
int esp_open_new(EspSa **sap, const EspParameters *parameters);
EspSa *esp_sa_free(EspSa *sa);

uint32_t esp_sa_spi(const EspSa *sa);
/* Whose ciphers work for it, a constant string: "OpenSSL", or from the first large batch on
 * "ipsec-mb" where this machine has that. Readable from any thread. */
const char *esp_sa_provider(const EspSa *sa);

/* A packet in a buffer of the caller's. Sealing needs ESP_HEAD_ROOM free bytes before `data` and
 * ESP_TAIL_ROOM behind data + n; both directions work in place and move data and n. */
typedef struct EspPacket {
    uint8_t *data;
    size_t n;
    EspVerdict verdict;
    uint8_t next_header; /* 4: IPv4, 41: IPv6 */
} EspPacket;

/* Inner packets to ESP packets, and back. Each packet gets its verdict; the number of ESP_OK is
 * returned. Opening checks the window for the whole batch before it decrypts, and moves it after.
 */
size_t esp_seal(EspSa *sa, EspPacket *packets, size_t n);
size_t esp_open(EspSa *sa, EspPacket *packets, size_t n);

/* What sealing adds to a packet, for whoever no longer has the SA. */
typedef struct EspShape {
    uint8_t fixed, alignment; /* header, IV and tag; and what padding rounds up to, 0: no SA's */
} EspShape;
EspShape esp_sa_shape(const EspSa *sa);

/* Largest inner packet whose ESP packet is at most `limit` bytes, so that full segments are
 * equal; 0 when none fits. */
size_t esp_shape_inner_mtu(EspShape shape, size_t limit);
size_t esp_sa_inner_mtu(const EspSa *sa, size_t limit);

/* Sealing and opening say once, by esp_sa_wants_renewal(), that a soft limit has been passed. */
void esp_sa_set_soft_limit(EspSa *sa, uint64_t bytes, uint64_t packets);
bool esp_sa_wants_renewal(EspSa *sa);

/* Readable from any thread. */
typedef struct EspCounters {
    uint64_t packets, bytes, replayed, forged, malformed;
} EspCounters;
EspCounters esp_sa_counters(const EspSa *sa);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of ESP share: every suite, and an ESP of their own to compare with. */
#ifndef TESTS_UNIT_IKE_ESP_KIT_H
#define TESTS_UNIT_IKE_ESP_KIT_H

#include "ike/esp.h"

enum {
    KIT_SUITES_MAX = 64,
    KIT_SPI = 0x1badcafe,
    KIT_ROOM = 2048, /* enough for any packet of these tests and its rooms */
};

typedef struct KitSuite {
    const IkeCipher *cipher;
    const IkeHash *hash;
    bool truncated;
    char name[48];
} KitSuite;

/* Each cipher with each hash, SHA2-256 in both lengths of its tag, each AEAD alone. */
size_t kit_suites(KitSuite *suites);
size_t kit_icv_size(const KitSuite *suite);

/* For a group of tests: DES is in libcrypto's legacy provider, and once one is loaded by name the
 * default one must be, too. 0, or -1 where either is not there. */
int kit_load_providers(void);
int kit_unload_providers(void **state);

EspSa *kit_seal_sa(const KitSuite *suite);
EspSa *kit_open_sa(const KitSuite *suite);

/* An IPv4 or IPv6 packet of n bytes in all, with bytes that tell their place. */
void kit_ipv4(uint8_t *packet, size_t n);
void kit_ipv6(uint8_t *packet, size_t n);

/* A plaintext with its trailer. */
typedef struct KitPlain {
    uint8_t bytes[KIT_ROOM];
    size_t n;
} KitPlain;

/* Inner bytes with the padding that a suite asks for. */
void kit_plain(KitPlain *plain, const KitSuite *suite, const uint8_t *inner, size_t n);

/* The ESP packet of a plaintext by libcrypto's one-shot functions; returns its size. */
size_t kit_forge(const KitSuite *suite, uint32_t sequence, const KitPlain *plain, uint8_t *packet);
/* The plaintext of an ESP packet, or false where its tag does not fit. */
bool kit_read(const KitSuite *suite, const uint8_t *packet, size_t n, KitPlain *plain);

/* One packet into an SA from a heap buffer of exactly its size, so that a sanitizer sees every
 * byte too far. `out`, where not NULL, gets the inner packet. */
EspVerdict kit_open(EspSa *sa, const uint8_t *packet, size_t n, KitPlain *out);
/* Likewise sealing; returns the size of the ESP packet, 0 where the verdict is not ESP_OK. */
size_t kit_seal(EspSa *sa, const uint8_t *inner, size_t n, uint8_t *packet);

#endif

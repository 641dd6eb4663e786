/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the protocol core share: bytes at the edge of their buffer, hex, a profile,
 * repeatable dice, and the exchanges that were captured from other software. */
#ifndef TESTS_UNIT_IKE_CORE_KIT_H
#define TESTS_UNIT_IKE_CORE_KIT_H

#include "ike/ike.h"
#include "ike/reader.h"

enum { KIT_BYTES_MAX = 8192 };

typedef struct KitBytes {
    size_t n;
    uint8_t bytes[KIT_BYTES_MAX];
} KitBytes;

static inline IkeSlice kit_slice(const KitBytes *b)
{
    return (IkeSlice){b->bytes, b->n};
}

/* A copy on the heap of exactly n bytes, so that a sanitizer sees the first byte too far. */
uint8_t *kit_exact(const uint8_t *bytes, size_t n);
void kit_unhex(const char *hex, KitBytes *out);
void kit_append(KitBytes *b, const void *bytes, size_t n);
void kit_append_u8(KitBytes *b, unsigned value);
void kit_append_u16(KitBytes *b, unsigned value);
void kit_append_u32(KitBytes *b, uint32_t value);

/* Dice with a seed, for what a session draws at random. `fail_at` counts calls; 0: never. */
typedef struct KitDice {
    uint64_t state;
    unsigned calls, fail_at;
} KitDice;

int kit_random(void *dice, uint8_t *bytes, size_t n);

/* An ordinary profile: email ID, preshared key, one proposal of each kind, no address by gateway.
 */
IkeConfig kit_config(void);
void kit_secret(IkeSecret *secret, const char *text);
IkePhase1Proposal kit_p1(const char *cipher, const char *hash, const char *group);
IkePhase2Proposal kit_p2(const char *cipher, const char *hash, const char *group);

/* vectors/aggressive-captured.txt */
enum { KIT_CAPTURED_MAX = 8 };
size_t kit_captured_cases(char names[KIT_CAPTURED_MAX][64]);
/* The nth value (from 0) of a key in a case, as bytes; false where there is none. */
bool kit_captured(const char *name, const char *key, size_t nth, KitBytes *out);

#endif

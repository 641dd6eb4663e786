/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The anti-replay window as RFC 6479 lays it out: a ring of words that is larger than the window,
 * so that moving on clears whole words and never shifts bits. What is older than the window is
 * refused by its number, whatever its bit says; the words behind it may hold old bits until the
 * ring comes round and clears them.
 *
 * Numbers are plain 32 bits without extension (RFC 4304 is not negotiated) and never wrap: the
 * peer must renew the SA before (RFC 4303, 3.3.3), hence all comparisons are of plain integers.
 */
#include "ike/replay.h"

#include <string.h>

static uint64_t bit_of(uint32_t sequence)
{
    return UINT64_C(1) << (sequence % 64);
}

static uint32_t word_of(uint32_t sequence)
{
    return sequence / 64 % IKE_REPLAY_WORDS;
}

bool ike_replay_check(const IkeReplay *window, uint32_t sequence)
{
    /* The first packet of an SA has number 1 (RFC 4303, 3.3.3). */
    if (sequence == 0)
        return false;
    if (sequence > window->last)
        return true;
    if (window->last - sequence >= IKE_REPLAY_WINDOW)
        return false;
    return !(window->bits[word_of(sequence)] & bit_of(sequence));
}

/* Clears the words between the last one that holds numbers and the one that is to hold `sequence`.
 */
static void move_to(IkeReplay *window, uint32_t sequence)
{
    uint32_t words = sequence / 64 - window->last / 64;

    if (words >= IKE_REPLAY_WORDS) {
        memset(window->bits, 0, sizeof(window->bits));
    } else {
        for (uint32_t i = 1; i <= words; i++)
            window->bits[(window->last / 64 + i) % IKE_REPLAY_WORDS] = 0;
    }
    window->last = sequence;
}

bool ike_replay_take(IkeReplay *window, uint32_t sequence)
{
    if (sequence > window->last)
        move_to(window, sequence);
    else if (!ike_replay_check(window, sequence))
        return false;
    window->bits[word_of(sequence)] |= bit_of(sequence);
    return true;
}

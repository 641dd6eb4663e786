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

void ike_replay_clear(IkeReplay *window, uint32_t sequence)
{
    uint32_t words = sequence / 64 - window->last / 64;

    if (words >= IKE_REPLAY_WORDS) {
        memset(window->bits, 0, sizeof(window->bits));
        return;
    }
    for (uint32_t i = 1; i <= words; i++)
        window->bits[ike_replay_word(window->last + 64 * i)] = 0;
}

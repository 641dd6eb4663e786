/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window of sequence numbers that an inbound SA has taken (RFC 4303, 3.4.3; RFC 6479). */
#ifndef IKE_REPLAY_H
#define IKE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    IKE_REPLAY_WINDOW = 1024,
    IKE_REPLAY_WORDS = 2 * IKE_REPLAY_WINDOW / 64, /* a power of two, more than the window needs */
};

/* All zero is the state of a new SA. */
typedef struct IkeReplay {
    uint32_t last; /* the highest number taken; 0: none yet */
    uint64_t bits[IKE_REPLAY_WORDS];
} IkeReplay;

/* Clears the words between the last one that holds numbers and the one that is to hold `sequence`,
 * which is higher. */
void ike_replay_clear(IkeReplay *window, uint32_t sequence);

static inline uint32_t ike_replay_word(uint32_t sequence)
{
    return sequence / 64 % IKE_REPLAY_WORDS;
}

static inline uint64_t ike_replay_bit(uint32_t sequence)
{
    return UINT64_C(1) << (sequence % 64);
}

/* Whether the number may still be taken. It changes nothing, for nothing is authentic yet. Here,
 * as the next is, because each packet asks both. */
static inline bool ike_replay_check(const IkeReplay *window, uint32_t sequence)
{
    /* The first packet of an SA has number 1 (RFC 4303, 3.3.3). */
    if (sequence == 0)
        return false;
    if (sequence > window->last)
        return true;
    if (window->last - sequence >= IKE_REPLAY_WINDOW)
        return false;
    return !(window->bits[ike_replay_word(sequence)] & ike_replay_bit(sequence));
}

/* Takes the number of an authentic packet; false: it was taken already, or is too old. */
static inline bool ike_replay_take(IkeReplay *window, uint32_t sequence)
{
    if (!ike_replay_check(window, sequence))
        return false;
    if (sequence / 64 > window->last / 64)
        ike_replay_clear(window, sequence);
    if (sequence > window->last)
        window->last = sequence;
    window->bits[ike_replay_word(sequence)] |= ike_replay_bit(sequence);
    return true;
}

#endif

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

/* Whether the number may still be taken. It changes nothing, for nothing is authentic yet. */
bool ike_replay_check(const IkeReplay *window, uint32_t sequence);

/* Takes the number of an authentic packet; false: it was taken already, or is too old. */
bool ike_replay_take(IkeReplay *window, uint32_t sequence);

#endif

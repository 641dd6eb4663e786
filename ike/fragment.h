/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE fragmentation for IKEv1, as Microsoft and Cisco began it: payload 132 carries a slice of a
 * whole ISAKMP message, behind a copy of that message's header and not encrypted.
 *
 *   next payload 1, reserved 1, length 2, fragment ID 2, index 1 (from 1), flags 1, slice
 *
 * Nothing proves where a fragment comes from. What is put together is looked at as any datagram is,
 * and putting it together is bounded in bytes, fragments, messages and time.
 */
#ifndef IKE_FRAGMENT_H
#define IKE_FRAGMENT_H

#include "ike/message.h"

enum {
    /* The longest message that goes out whole. Each path carries IP packets of 1,280 bytes (RFC
     * 8200, 5): the headers of IPv6 and UDP and the non-ESP marker are taken off. Those of IPv4
     * would leave 20 bytes more; one limit is simpler than two. */
    IKE_WHOLE_MAX = 1280 - 40 - 8 - IKE_NON_ESP_MARKER_SIZE,
    IKE_FRAGMENT_SLICE_MAX = IKE_WHOLE_MAX - IKE_HEADER_SIZE - IKE_FRAGMENT_HEADER_SIZE,
    /* Of one message; racoon's of 552 bytes need 32 for the longest. */
    IKE_FRAGMENTS_MAX = 64,
    /* Messages of one peer at once: racoon gives a repetition another ID, and fragments of both may
     * be on their way. */
    IKE_REASSEMBLIES_MAX = 2,
};

/* ---- sending ---- */

/* How many fragments a message needs. */
size_t ike_fragment_count(size_t message_n);
/* Fragment number `index` (from 1) of a message, as a datagram of at most IKE_WHOLE_MAX bytes,
 * whose number is returned. `id` tells its fragments from those of other messages. */
size_t ike_fragment_write(uint8_t *out, IkeSlice message, uint16_t id, size_t index);

/* ---- receiving ---- */

/* What one peer's fragments have come to; its size is fixed. */
typedef struct IkeReassembly IkeReassembly;

enum { _IKE_REASSEMBLY_WHOLE, IKE_REASSEMBLY_WAITING, IKE_REASSEMBLY_REFUSED };

IkeReassembly *ike_reassembly_new(void); /* NULL: no memory */
IkeReassembly *ike_reassembly_free(IkeReassembly *reassembly);
/* A datagram whose header says that a fragment follows. 0: `wholep` is the message, until the next
 * call; IKE_REASSEMBLY_WAITING: others are missing; IKE_REASSEMBLY_REFUSED: it changed nothing, or
 * what was put together is no message. */
int ike_reassembly_take(IkeReassembly *reassembly, const IkeHeader *header, IkeSlice datagram,
                        uint64_t now, IkeSlice *wholep);

#endif

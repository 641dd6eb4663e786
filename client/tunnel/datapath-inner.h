/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the data path does to inner packets: segment sizes, and answers to those too large. */
#ifndef CLIENT_TUNNEL_DATAPATH_INNER_H
#define CLIENT_TUNNEL_DATAPATH_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INNER_ANSWER_MAX = 1280 };

/* One's complement sum of n bytes in network order, folded to 16 bits, onto `sum`. */
uint32_t inner_sum(const uint8_t *bytes, size_t n, uint32_t sum);
/* The sum of addresses, protocol and length that TCP, UDP and ICMPv6 put before theirs. `packet`
 * has a whole IP header. */
uint32_t inner_pseudo_sum(const uint8_t *packet, uint8_t protocol, size_t n);

/* Lowers the MSS option of a TCP SYN to what fits `mtu`. With a `whole` checksum in the packet it
 * is corrected; else it only covers the pseudo header yet. */
void inner_clamp_mss(uint8_t *packet, size_t n, unsigned mtu, bool whole);

/* Writes "fragmentation needed" (RFC 1191) or "packet too big" (RFC 8201) for a packet into
 * `answer`, INNER_ANSWER_MAX bytes; returns its size, 0 where no answer is due. */
size_t inner_too_big(const uint8_t *packet, size_t n, unsigned mtu, uint8_t *answer);

/* What the outer packet of this one is marked with: its DSCP (RFC 4301, 5.1.2.1), and Not-ECT. For
 * ECN on the way both ends have to agree (RFC 3168, 9.2.1), for which IKEv1's gateways have no word
 * in common: without, RFC 6040, 4.1 demands its compatibility mode. `packet` has a whole IP header.
 */
uint8_t inner_outer_class(const uint8_t *packet);
/* Brings the ECN of the outer packet into this one (RFC 6040, 4.2); false: it is to be dropped. */
bool inner_combine_ecn(uint8_t *packet, unsigned outer);

#endif

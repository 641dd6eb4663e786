/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an SA may carry: packets between two networks, compared a packet at a time. */
#ifndef CLIENT_TUNNEL_SELECTORS_H
#define CLIENT_TUNNEL_SELECTORS_H

#include "ike/ike.h"

typedef struct Selector {
    uint8_t family, prefix;
    uint64_t mask[2], value[2]; /* as the bytes stand in a packet; IPv4 in the first four bytes */
} Selector;

typedef struct Selectors {
    Selector local, remote;
} Selectors;

typedef struct PacketAddresses {
    uint8_t family;
    const uint8_t *source, *destination;
} PacketAddresses;

void selectors_init(Selectors *selectors, const IkeNetwork *local, const IkeNetwork *remote);
bool selectors_equal(const Selectors *a, const Selectors *b);
/* Below 0 where `a` is to be asked first: the most specific remote network, then local one. */
int selectors_order(const Selectors *a, const Selectors *b);

/* False where the packet is no IPv4 or IPv6 packet with a whole header. */
bool selectors_read(const uint8_t *packet, size_t n, PacketAddresses *addresses);

/* From local to remote; from remote to local. */
bool selectors_cover_out(const Selectors *selectors, const PacketAddresses *addresses);
bool selectors_cover_in(const Selectors *selectors, const PacketAddresses *addresses);

#endif

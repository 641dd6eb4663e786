/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A data path between a socketpair in place of TUN and a gateway on the loopback, whose ESP is the
 * real one with the directions swapped.
 */
#ifndef TESTS_UNIT_CLIENT_DATAPATH_KIT_H
#define TESTS_UNIT_CLIENT_DATAPATH_KIT_H

#include "client/tunnel/datapath.h"

enum {
    KIT_MTU = 1500,
    KIT_SPI_IN = 0x11110000,  /* what the gateway sends to */
    KIT_SPI_OUT = 0x22220000, /* what the data path sends to */
    KIT_ROOM = 70000,
};

/* Both directions of one SA: the data path's ends, and the gateway's. */
typedef struct KitPair {
    IkeSaInfo info;
    EspSa *in, *out;                    /* for the data path; it takes them */
    EspSa *gateway_seal, *gateway_open; /* the gateway's; kit_pair_clear() frees them */
} KitPair;

typedef struct Kit {
    Datapath *path;
    int tun;                /* our end of the interface */
    int tun_inside;         /* the data path's end, -1 when it has been handed over */
    int gateway, elsewhere; /* UDP sockets on the loopback */
    IkeAddress gateway_at, path_at, elsewhere_at;
} Kit;

void kit_start(Kit *kit);
void kit_start_without(Kit *kit, unsigned offloads);
void kit_attach_tun(Kit *kit);
void kit_stop(Kit *kit);

/* Networks as text, "10.0.0.0/8"; the cipher by name, with sha1 where it is no AEAD. `number`
 * makes SPIs and keys differ. */
IkeNetwork kit_network(const char *text);
void kit_pair(KitPair *pair, unsigned number, const char *local, const char *remote);
void kit_pair_clear(KitPair *pair);
/* Hands both directions to the data path. */
void kit_use(Kit *kit, KitPair *pair);

/* An IPv4 packet of n bytes with addresses as text, UDP by protocol, checksum of its header right.
 */
void kit_packet(uint8_t *packet, size_t n, const char *from, const char *to);

/* The gateway sends an inner packet; from its own socket, or from `fd`. */
void kit_gateway_sends(Kit *kit, KitPair *pair, int fd, const uint8_t *inner, size_t n);
/* The next datagram at the gateway, opened; 0: none within two seconds, or it did not open. */
size_t kit_gateway_gets(Kit *kit, KitPair *pair, uint8_t *inner);

/* A whole datagram or packet from a descriptor; 0: none within two seconds. */
size_t kit_get(int fd, uint8_t *bytes, size_t room);
bool kit_silent(int fd);
void kit_send_raw(Kit *kit, int fd, const void *bytes, size_t n);

/* Waits until a drop counter has reached n. */
bool kit_dropped(Kit *kit, DatapathDrop drop, uint64_t n);
/* The next event of a type; others are skipped. False: none within two seconds. */
bool kit_event(Kit *kit, DatapathEventType type, DatapathEvent *event);
DatapathStats kit_stats(Kit *kit);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP segments that follow each other and UDP datagrams of one flow, joined into one large packet
 * for TUN. */
#ifndef CLIENT_TUNNEL_DATAPATH_JOIN_H
#define CLIENT_TUNNEL_DATAPATH_JOIN_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    JOIN_FLOWS = 8,      /* that can be open at a time */
    JOIN_SEGMENTS = 128, /* of one flow */
    JOIN_UDP_L4 = 5,     /* VIRTIO_NET_HDR_GSO_UDP_L4, which older headers of the kernel lack */
};

typedef struct JoinFlow {
    uint8_t *first; /* the packet that the others are joined to; NULL: no flow */
    uint8_t protocol;
    size_t first_n, transport, headers;
    size_t segment_size, payload;
    uint32_t next; /* sequence number */
    bool push;     /* the last segment pushed */
    bool closed;   /* a shorter segment or a push ends it */
    bool verified; /* the first packet's checksums fit; looked at when a second one comes */
    size_t segments;
    struct iovec parts[JOIN_SEGMENTS + 2]; /* header, first packet, payloads */
    struct virtio_net_hdr header;
} JoinFlow;

/* What one batch has opened. Packets stay where they are until join_flush() has written them. */
typedef struct Join {
    JoinFlow flows[JOIN_FLOWS];
    size_t turn; /* the flow to give up when all are taken */
    bool udp;    /* TUN takes UDP so, too */
    /* Writes what a flow has become: `segments` packets in `parts`. */
    void (*write)(void *context, const struct iovec *parts, size_t n, size_t segments);
    void *context;
} Join;

/* Takes a packet: keeps it, or writes it at once. Packets of one flow keep their order. */
void join_packet(Join *join, uint8_t *packet, size_t n);
/* Writes all that is kept: at the end of each batch, for nothing waits for more to come. */
void join_flush(Join *join);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that TUN hands over before the kernel has finished them: without a checksum, or as one
 * large packet that stands for many. */
#ifndef CLIENT_TUNNEL_DATAPATH_SPLIT_H
#define CLIENT_TUNNEL_DATAPATH_SPLIT_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPLIT_VNET_HEADER = 10, /* struct virtio_net_hdr, which precedes each packet */
    SPLIT_SUPER_MAX = 65535 + SPLIT_VNET_HEADER,
};

typedef struct Split {
    const uint8_t *packet;
    size_t n;
    size_t transport;    /* where TCP or UDP begins */
    size_t headers;      /* where its payload begins */
    size_t segment_size; /* payload of each packet but the last */
    size_t at;           /* the next packet's payload begins here; n: done */
    unsigned number;
    bool tcp;
    bool whole; /* not to be cut, only copied */
} Split;

/* Bytes as read from TUN, with the header. It is the kernel that wrote them, and still each field
 * is compared with the packet; false: they do not fit, drop it. */
bool split_begin(Split *split, const uint8_t *bytes, size_t n);

static inline bool split_done(const Split *split)
{
    return split->at >= split->n;
}

/* How many bytes the next packet has. */
size_t split_size(const Split *split);
/* Writes the next packet, checksums and all. */
void split_next(Split *split, uint8_t *packet);

#endif

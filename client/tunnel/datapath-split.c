/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segmentation as a network card does it (TSO, USO): a TUN with IFF_VNET_HDR hands over up to
 * 64 KiB at once, and the headers of the packets in it are made here.
 *
 * hdr_len of the virtio header is not believed: for forwarded packets it is the size of what came
 * as one buffer. Headers are measured in the packet itself.
 */
#include "client/tunnel/datapath-split.h"

#include <string.h>

#include "client/tunnel/datapath-inner.h"

enum {
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    TCP_FIN = 1,
    TCP_PSH = 8,
    TCP_CWR = 128,
    TCP_CHECKSUM_AT = 16,
    UDP_CHECKSUM_AT = 6,
    TYPE_UDP_L4 = 5, /* VIRTIO_NET_HDR_GSO_UDP_L4, which older headers of the kernel lack */
};

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static bool is_ipv4(const uint8_t *packet)
{
    return packet[0] >> 4 == 4;
}

/* The end of the IP header where `protocol` follows it at once, else 0. */
static size_t transport_of(const uint8_t *packet, size_t n, uint8_t protocol)
{
    size_t header;

    if (n >= 20 && is_ipv4(packet)) {
        header = (size_t)(packet[0] & 15) * 4;
        return header >= 20 && header <= n && packet[9] == protocol ? header : 0;
    }
    return n >= 40 && packet[0] >> 4 == 6 && packet[6] == protocol ? 40 : 0;
}

/* The end of the TCP or UDP header, 0 where it is not whole. */
static size_t headers_of(const Split *split)
{
    size_t left = split->n - split->transport, header;

    if (!split->tcp)
        return left >= UDP_HEADER ? split->transport + UDP_HEADER : 0;
    if (left < TCP_HEADER)
        return 0;
    header = (size_t)(split->packet[split->transport + 12] >> 4) * 4;
    return header >= TCP_HEADER && header <= left ? split->transport + header : 0;
}

static bool begin_segments(Split *split, const struct virtio_net_hdr *header)
{
    unsigned type = header->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;

    split->tcp = type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6;
    if (!split->tcp && type != TYPE_UDP_L4)
        return false;
    split->transport =
        transport_of(split->packet, split->n, split->tcp ? PROTOCOL_TCP : PROTOCOL_UDP);
    if (split->transport == 0 || header->csum_start != split->transport)
        return false;
    split->headers = headers_of(split);
    split->segment_size = header->gso_size;
    split->at = split->headers;
    return split->headers != 0 && split->headers < split->n && split->segment_size > 0;
}

/* One packet: all of it is copied, and the checksum is finished where the kernel left that to us.
 */
static bool begin_whole(Split *split, const struct virtio_net_hdr *header)
{
    size_t checksum = (size_t)header->csum_start + header->csum_offset;

    split->whole = true;
    split->at = 0;
    split->segment_size = split->n;
    if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return true;
    split->transport = header->csum_start;
    split->headers = checksum;
    return header->csum_start >= 20 && split->n >= 2 && checksum <= split->n - 2;
}

bool split_begin(Split *split, const uint8_t *bytes, size_t n)
{
    struct virtio_net_hdr header;

    memset(split, 0, sizeof(*split));
    if (n <= SPLIT_VNET_HEADER)
        return false;
    memcpy(&header, bytes, SPLIT_VNET_HEADER);
    split->packet = bytes + SPLIT_VNET_HEADER;
    split->n = n - SPLIT_VNET_HEADER;
    if (header.gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return begin_whole(split, &header);
    return begin_segments(split, &header);
}

static size_t payload_size(const Split *split)
{
    size_t left = split->n - split->at;

    return left < split->segment_size ? left : split->segment_size;
}

size_t split_size(const Split *split)
{
    return split->whole ? split->n : split->headers + payload_size(split);
}

static void finish_whole(const Split *split, uint8_t *packet)
{
    unsigned sum;

    if (split->transport == 0)
        return;
    /* The field holds the sum of the pseudo header and is summed with the rest. */
    sum = ~inner_sum(packet + split->transport, split->n - split->transport, 0) & 0xffff;
    put16(packet + split->headers, sum == 0 ? 0xffff : sum);
}

static void finish_ip(const Split *split, uint8_t *packet, size_t n)
{
    if (!is_ipv4(packet)) {
        put16(packet + 4, (unsigned)(n - 40));
        return;
    }
    put16(packet + 2, (unsigned)n);
    put16(packet + 4, get16(packet + 4) + split->number);
    put16(packet + 10, 0);
    put16(packet + 10, ~inner_sum(packet, split->transport, 0) & 0xffff);
}

static void finish_tcp(const Split *split, uint8_t *tcp, bool last)
{
    uint32_t sequence = get32(tcp + 4) + (uint32_t)(split->number * split->segment_size);

    put16(tcp + 4, sequence >> 16);
    put16(tcp + 6, sequence & 0xffff);
    if (!last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (split->number > 0)
        tcp[13] &= (uint8_t)~TCP_CWR;
}

static void finish_segment(const Split *split, uint8_t *packet, size_t n, bool last)
{
    uint8_t *transport = packet + split->transport;
    uint8_t *checksum = transport + (split->tcp ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT);
    size_t size = n - split->transport;
    unsigned sum;

    finish_ip(split, packet, n);
    if (split->tcp)
        finish_tcp(split, transport, last);
    else
        put16(transport + 4, (unsigned)size);
    put16(checksum, 0);
    sum = inner_pseudo_sum(packet, split->tcp ? PROTOCOL_TCP : PROTOCOL_UDP, size);
    sum = ~inner_sum(transport, size, sum) & 0xffff;
    put16(checksum, sum == 0 ? 0xffff : sum); /* in UDP zero would mean "none" (RFC 768) */
}

void split_next(Split *split, uint8_t *packet)
{
    size_t payload = payload_size(split), n = split->headers + payload;

    if (split->whole) {
        memcpy(packet, split->packet, split->n);
        finish_whole(split, packet);
        split->at = split->n;
        return;
    }
    memcpy(packet, split->packet, split->headers);
    memcpy(packet + split->headers, split->packet + split->at, payload);
    split->at += payload;
    finish_segment(split, packet, n, split_done(split));
    split->number++;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reverse of segmentation (GRO in software): TCP segments of one flow that stand in order in
 * one batch become one write, and the kernel takes them as one packet. So do UDP datagrams of one
 * flow, which keep their bounds: where the receiver does not ask for trains the kernel parts them.
 *
 * Joined segments claim a correct checksum (NEEDS_CSUM), so each one's is verified before; what
 * stays alone is written as it came, and the kernel judges it. Joined are only segments that
 * segmentation could have made: equal but for length, sequence number, IP identification, PSH of
 * the last, and checksums.
 */
#include "client/tunnel/datapath-join.h"

#include <string.h>

#include "client/tunnel/datapath-inner.h"

enum {
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_CHECKSUM_AT = 16,
    UDP_CHECKSUM_AT = 6,
    VNET_HEADER = 10,
    TOTAL_MAX = 65535,
    DATAGRAMS_MAX = 64, /* of UDP in one packet, as the kernel itself makes them */
};

/* A TCP segment or a UDP datagram in its packet. */
typedef struct Segment {
    uint8_t *packet;
    uint8_t protocol;
    size_t n, transport, headers, payload;
    uint32_t sequence; /* TCP's */
} Segment;

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
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

/* Where TCP or UDP begins, 0 in packets that have options or are fragments. */
static size_t transport_of(const uint8_t *packet, size_t n, uint8_t *protocolp)
{
    if (n >= 20 && packet[0] == 0x45) {
        *protocolp = packet[9];
        return (get16(packet + 6) & 0x3fff) == 0 && get16(packet + 2) == n ? 20 : 0;
    }
    if (n >= 40 && packet[0] >> 4 == 6) {
        *protocolp = packet[6];
        return get16(packet + 4) + 40u == n ? 40 : 0;
    }
    return 0;
}

static bool read_tcp(Segment *segment)
{
    const uint8_t *tcp = segment->packet + segment->transport;

    if (segment->n < segment->transport + TCP_HEADER)
        return false;
    segment->headers = segment->transport + (size_t)(tcp[12] >> 4) * 4;
    if (segment->headers < segment->transport + TCP_HEADER || segment->headers > segment->n)
        return false;
    segment->sequence = (uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6);
    return true;
}

static bool read_udp(Segment *segment)
{
    segment->headers = segment->transport + UDP_HEADER;
    segment->sequence = 0;
    return segment->n >= segment->headers &&
           get16(segment->packet + segment->transport + 4) == segment->n - segment->transport;
}

static bool read_segment(Segment *segment, uint8_t *packet, size_t n, bool udp)
{
    segment->packet = packet;
    segment->n = n;
    segment->transport = transport_of(packet, n, &segment->protocol);
    if (segment->transport == 0)
        return false;
    if (segment->protocol == PROTOCOL_TCP
            ? !read_tcp(segment)
            : segment->protocol != PROTOCOL_UDP || !udp || !read_udp(segment))
        return false;
    segment->payload = n - segment->headers;
    return true;
}

/* Data of an established connection, nothing else; or a datagram with data and a checksum. */
static bool is_plain(const Segment *segment)
{
    const uint8_t *at = segment->packet + segment->transport;

    if (segment->protocol == PROTOCOL_UDP)
        return segment->payload > 0 && get16(at + UDP_CHECKSUM_AT) != 0;
    return segment->payload > 0 && (at[12] & 15) == 0 && (at[13] & ~TCP_PSH) == TCP_ACK &&
           get16(at + 18) == 0;
}

static bool pushes(const Segment *segment)
{
    return segment->protocol == PROTOCOL_TCP &&
           (segment->packet[segment->transport + 13] & TCP_PSH) != 0;
}

static bool checksums_fit(const uint8_t *packet, size_t n, size_t transport, uint8_t protocol)
{
    uint32_t sum;

    if (is_ipv4(packet) && inner_sum(packet, 20, 0) != 0xffff)
        return false;
    sum = inner_pseudo_sum(packet, protocol, n - transport);
    return inner_sum(packet + transport, n - transport, sum) == 0xffff;
}

static bool same_flow(const JoinFlow *flow, const Segment *segment)
{
    size_t addresses = segment->transport == 20 ? 12 : 8;

    /* Addresses and ports stand next to each other. */
    return flow->first != NULL && flow->protocol == segment->protocol &&
           flow->transport == segment->transport &&
           memcmp(flow->first + addresses, segment->packet + addresses,
                  segment->transport + 4 - addresses) == 0;
}

/* What segmentation copies to each segment: type of service, DF, hop limit; acknowledgement,
 * window, options. */
static bool same_headers(const JoinFlow *flow, const Segment *segment)
{
    const uint8_t *a = flow->first, *b = segment->packet;
    const uint8_t *tcp_a = a + flow->transport, *tcp_b = b + segment->transport;

    if (flow->headers != segment->headers)
        return false;
    if (is_ipv4(a) ? a[1] != b[1] || a[6] != b[6] || a[8] != b[8]
                   : memcmp(a, b, 4) != 0 || a[7] != b[7])
        return false;
    if (flow->protocol == PROTOCOL_UDP)
        return true;
    return memcmp(tcp_a + 8, tcp_b + 8, 4) == 0 && memcmp(tcp_a + 14, tcp_b + 14, 2) == 0 &&
           memcmp(tcp_a + TCP_HEADER, tcp_b + TCP_HEADER,
                  flow->headers - flow->transport - TCP_HEADER) == 0;
}

static bool fits(const JoinFlow *flow, const Segment *segment)
{
    bool follows = flow->protocol == PROTOCOL_UDP
                       ? flow->segments < DATAGRAMS_MAX
                       : flow->segments < JOIN_SEGMENTS && segment->sequence == flow->next;

    return !flow->closed && follows && segment->payload <= flow->segment_size &&
           flow->first_n + flow->payload + segment->payload <= TOTAL_MAX;
}

static bool all_verified(JoinFlow *flow, const Segment *segment)
{
    if (!flow->verified)
        flow->verified = checksums_fit(flow->first, flow->first_n, flow->transport, flow->protocol);
    return flow->verified &&
           checksums_fit(segment->packet, segment->n, segment->transport, segment->protocol);
}

/* ---- flows ---- */

/* Headers that speak for all segments, and a sum of the pseudo header for the kernel to go on
 * from. */
static void unite(JoinFlow *flow)
{
    size_t n = flow->first_n + flow->payload, size = n - flow->transport;
    uint8_t *packet = flow->first, *at = packet + flow->transport;
    bool udp = flow->protocol == PROTOCOL_UDP;
    unsigned checksum = udp ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT;

    if (is_ipv4(packet)) {
        put16(packet + 2, (unsigned)n);
        put16(packet + 10, 0);
        put16(packet + 10, ~inner_sum(packet, 20, 0) & 0xffff);
    } else {
        put16(packet + 4, (unsigned)(n - 40));
    }
    if (udp)
        put16(at + 4, (unsigned)size);
    else if (flow->push)
        at[13] |= TCP_PSH;
    put16(at + checksum, inner_pseudo_sum(packet, flow->protocol, size));
    flow->header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    flow->header.gso_type = udp               ? JOIN_UDP_L4
                            : is_ipv4(packet) ? VIRTIO_NET_HDR_GSO_TCPV4
                                              : VIRTIO_NET_HDR_GSO_TCPV6;
    flow->header.hdr_len = (uint16_t)flow->headers;
    flow->header.gso_size = (uint16_t)flow->segment_size;
    flow->header.csum_start = (uint16_t)flow->transport;
    flow->header.csum_offset = (uint16_t)checksum;
}

static void write_flow(Join *join, JoinFlow *flow)
{
    if (flow->first == NULL)
        return;
    if (flow->segments > 1)
        unite(flow);
    join->write(join->context, flow->parts, flow->segments + 1, flow->segments);
    flow->first = NULL;
}

static void write_one(Join *join, uint8_t *packet, size_t n)
{
    struct virtio_net_hdr header = {0};
    struct iovec parts[2] = {{&header, VNET_HEADER}, {packet, n}};

    join->write(join->context, parts, 2, 1);
}

static void open_flow(JoinFlow *flow, const Segment *segment)
{
    flow->first = segment->packet;
    flow->first_n = segment->n;
    flow->protocol = segment->protocol;
    flow->transport = segment->transport;
    flow->headers = segment->headers;
    flow->segment_size = segment->payload;
    flow->payload = 0;
    flow->next = segment->sequence + (uint32_t)segment->payload;
    flow->segments = 1;
    flow->push = pushes(segment);
    flow->closed = flow->push;
    flow->verified = false;
    memset(&flow->header, 0, sizeof(flow->header));
    flow->parts[0] = (struct iovec){&flow->header, VNET_HEADER};
    flow->parts[1] = (struct iovec){segment->packet, segment->n};
}

static void append(JoinFlow *flow, const Segment *segment)
{
    flow->segments++;
    flow->parts[flow->segments] =
        (struct iovec){segment->packet + segment->headers, segment->payload};
    flow->payload += segment->payload;
    flow->next += (uint32_t)segment->payload;
    flow->push = pushes(segment);
    flow->closed = flow->push || segment->payload < flow->segment_size;
}

static JoinFlow *find_flow(Join *join, const Segment *segment)
{
    for (size_t i = 0; i < JOIN_FLOWS; i++)
        if (same_flow(&join->flows[i], segment))
            return &join->flows[i];
    return NULL;
}

/* A flow that is free, or is made so. */
static JoinFlow *free_flow(Join *join)
{
    JoinFlow *flow = &join->flows[join->turn];

    for (size_t i = 0; i < JOIN_FLOWS; i++)
        if (join->flows[i].first == NULL)
            return &join->flows[i];
    join->turn = (join->turn + 1) % JOIN_FLOWS;
    write_flow(join, flow);
    return flow;
}

void join_packet(Join *join, uint8_t *packet, size_t n)
{
    Segment segment;
    JoinFlow *flow;
    bool plain;

    if (!read_segment(&segment, packet, n, join->udp)) {
        write_one(join, packet, n);
        return;
    }
    flow = find_flow(join, &segment);
    plain = is_plain(&segment);
    if (plain && flow != NULL && fits(flow, &segment) && same_headers(flow, &segment) &&
        all_verified(flow, &segment)) {
        append(flow, &segment);
        return;
    }
    if (flow != NULL)
        write_flow(join, flow);
    if (plain)
        open_flow(free_flow(join), &segment);
    else
        write_one(join, packet, n);
}

void join_flush(Join *join)
{
    for (size_t i = 0; i < JOIN_FLOWS; i++)
        write_flow(join, &join->flows[i]);
}

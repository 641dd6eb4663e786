/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inner packets. ESP makes packets grow, and many paths lose the messages that would tell a sender
 * so; hence TCP is told at its SYN (both ways), and everything else by an ICMP message that seems
 * to come from the destination.
 *
 * Packets from TUN are the kernel's and packets from an SA are a gateway's: both may be cut short
 * anywhere, so every field is preceded by its length check.
 */
#include "client/tunnel/datapath-inner.h"

#include <string.h>

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_ICMPV6 = 58,
    TCP_HEADER = 20,
    TCP_SYN = 2,
    TCP_CHECKSUM_AT = 16,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
};

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

/* Four 32-bit words, in lanes of 64 bits that no packet can overflow. */
typedef uint64_t Pair __attribute__((vector_size(16)));

/* The sum does not depend on the byte order in which it is made (RFC 1071): native words are
 * added, and only the result is turned. Where whole lanes are added their sum loses its carries and
 * that of their upper halves does not, so the lower halves' is what remains of the difference. */
uint32_t inner_sum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    Pair words[4], all[2] = {{0}}, upper[2] = {{0}}, lower;
    uint64_t total, word;
    uint8_t result[2];
    uint16_t native;

    for (; n >= sizeof(words); bytes += sizeof(words), n -= sizeof(words)) {
        memcpy(words, bytes, sizeof(words));
        all[0] += words[0] + words[2];
        all[1] += words[1] + words[3];
        upper[0] += (words[0] >> 32) + (words[2] >> 32);
        upper[1] += (words[1] >> 32) + (words[3] >> 32);
    }
    upper[0] += upper[1];
    lower = all[0] + all[1] - (upper[0] << 32);
    total = upper[0][0] + upper[0][1] + lower[0] + lower[1];
    for (; n >= sizeof(word); bytes += sizeof(word), n -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        total += (word & UINT32_MAX) + (word >> 32);
    }
    if (n > 0) {
        word = 0;
        memcpy(&word, bytes, n);
        total += (word & UINT32_MAX) + (word >> 32);
    }
    native = (uint16_t)fold(total);
    memcpy(result, &native, 2);
    return fold((uint64_t)sum + get16(result));
}

uint32_t inner_pseudo_sum(const uint8_t *packet, uint8_t protocol, size_t n)
{
    uint32_t sum = (uint32_t)protocol + fold(n);

    if (packet[0] >> 4 == 4)
        return inner_sum(packet + 12, 8, sum);
    return inner_sum(packet + 8, 32, sum);
}

/* ---- traffic class ---- */

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, ECN_BITS = 3 };

static unsigned class_of(const uint8_t *packet)
{
    if (packet[0] >> 4 == 4)
        return packet[1];
    return (get16(packet) >> 4) & 0xff;
}

uint8_t inner_outer_class(const uint8_t *packet)
{
    return (uint8_t)(class_of(packet) & ~(unsigned)ECN_BITS);
}

/* RFC 1624, equation 3; the word of IPv4 that changes is the first. */
static void set_ecn(uint8_t *packet, unsigned ecn)
{
    unsigned before = get16(packet), checksum;

    if (packet[0] >> 4 == 6) {
        packet[1] = (uint8_t)((packet[1] & ~(ECN_BITS << 4)) | ecn << 4);
        return;
    }
    packet[1] = (uint8_t)((packet[1] & ~ECN_BITS) | ecn);
    checksum = fold((uint64_t)(~get16(packet + 10) & 0xffff) + (~before & 0xffff) + get16(packet));
    put16(packet + 10, ~checksum & 0xffff);
}

/* The table of RFC 6040, 4.2: a mark goes on to who understands it, and is a drop for who doesn't.
 */
bool inner_combine_ecn(uint8_t *packet, unsigned outer)
{
    unsigned inner = class_of(packet) & ECN_BITS;

    outer &= ECN_BITS;
    if (outer == CE && inner == NOT_ECT)
        return false;
    if ((outer == CE && inner != CE) || (outer == ECT_1 && inner == ECT_0))
        set_ecn(packet, outer);
    return true;
}

/* ---- segment size ---- */

/* The TCP header of a packet that begins one, NULL for everything else. IPv6 extension headers
 * are not followed: what a SYN carries there is not worth the code. */
static uint8_t *tcp_of(uint8_t *packet, size_t n)
{
    size_t header;

    if (n >= 20 && packet[0] >> 4 == 4) {
        header = (size_t)(packet[0] & 15) * 4;
        if (packet[9] != PROTOCOL_TCP || (get16(packet + 6) & 0x1fff) != 0)
            return NULL;
    } else if (n >= 40 && packet[0] >> 4 == 6) {
        header = 40;
        if (packet[6] != PROTOCOL_TCP)
            return NULL;
    } else {
        return NULL;
    }
    return header >= 20 && n >= header + TCP_HEADER ? packet + header : NULL;
}

/* The two bytes of the MSS option, or NULL. */
static uint8_t *mss_of(uint8_t *tcp, size_t n)
{
    size_t end = (size_t)(tcp[12] >> 4) * 4, at = TCP_HEADER;

    if (end > n)
        end = n;
    while (at < end && tcp[at] != OPTION_END) {
        if (tcp[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > end - at)
            return NULL;
        if (tcp[at] == OPTION_MSS)
            return tcp[at + 1] == 4 ? tcp + at + 2 : NULL;
        at += tcp[at + 1];
    }
    return NULL;
}

/* RFC 1624, equation 3, for a field at an even or odd place in the segment. */
static void correct_checksum(uint8_t *tcp, const uint8_t *field, unsigned before, unsigned after)
{
    unsigned checksum = get16(tcp + TCP_CHECKSUM_AT);

    if ((field - tcp) % 2 != 0) {
        before = (before & 255) << 8 | before >> 8;
        after = (after & 255) << 8 | after >> 8;
    }
    checksum = fold((uint64_t)(~checksum & 0xffff) + (~before & 0xffff) + after);
    put16(tcp + TCP_CHECKSUM_AT, ~checksum & 0xffff);
}

void inner_clamp_mss(uint8_t *packet, size_t n, unsigned mtu, bool whole)
{
    uint8_t *tcp = tcp_of(packet, n), *field;
    unsigned headers, before;

    if (tcp == NULL || !(tcp[13] & TCP_SYN))
        return;
    headers = (packet[0] >> 4 == 4 ? 20 : 40) + TCP_HEADER;
    if (mtu <= headers)
        return;
    field = mss_of(tcp, n - (size_t)(tcp - packet));
    if (field == NULL)
        return;
    before = get16(field);
    if (before <= mtu - headers)
        return;
    put16(field, mtu - headers);
    if (whole)
        correct_checksum(tcp, field, before, mtu - headers);
}

/* ---- too big ---- */

/* No error about an error, about a fragment but the first, or about what went to more than one
 * host (RFC 1122, 3.2.2). */
static bool ipv4_may_be_answered(const uint8_t *packet, size_t n)
{
    size_t header = (size_t)(packet[0] & 15) * 4;

    if ((get16(packet + 6) & 0x1fff) != 0 || packet[16] >= 224)
        return false;
    if (packet[9] != PROTOCOL_ICMP)
        return true;
    /* Echo and its like are questions. */
    return n > header && (packet[header] == 0 || packet[header] == 8 || packet[header] > 12);
}

static size_t too_big_ipv4(const uint8_t *packet, size_t n, unsigned mtu, uint8_t *answer)
{
    size_t quoted = n < 548 ? n : 548, total = 20 + 8 + quoted;
    uint8_t *icmp = answer + 20;

    if (!ipv4_may_be_answered(packet, n))
        return 0;
    memset(answer, 0, 28);
    answer[0] = 0x45;
    put16(answer + 2, (unsigned)total);
    answer[8] = 64;
    answer[9] = PROTOCOL_ICMP;
    memcpy(answer + 12, packet + 16, 4);
    memcpy(answer + 16, packet + 12, 4);
    put16(answer + 10, ~inner_sum(answer, 20, 0) & 0xffff);
    icmp[0] = 3;
    icmp[1] = 4;
    put16(icmp + 6, mtu);
    memcpy(icmp + 8, packet, quoted);
    put16(icmp + 2, ~inner_sum(icmp, 8 + quoted, 0) & 0xffff);
    return total;
}

static size_t too_big_ipv6(const uint8_t *packet, size_t n, unsigned mtu, uint8_t *answer)
{
    size_t quoted = n < INNER_ANSWER_MAX - 48 ? n : INNER_ANSWER_MAX - 48;
    uint8_t *icmp = answer + 40;

    if (packet[6] == PROTOCOL_ICMPV6 && n > 40 && packet[40] < 128)
        return 0; /* no error about an error (RFC 4443, 2.4) */
    memset(answer, 0, 48);
    answer[0] = 0x60;
    put16(answer + 4, (unsigned)(8 + quoted));
    answer[6] = PROTOCOL_ICMPV6;
    answer[7] = 64;
    memcpy(answer + 8, packet + 24, 16);
    memcpy(answer + 24, packet + 8, 16);
    icmp[0] = 2;
    put16(icmp + 6, mtu);
    memcpy(icmp + 8, packet, quoted);
    put16(icmp + 2,
          ~inner_sum(icmp, 8 + quoted, inner_pseudo_sum(answer, PROTOCOL_ICMPV6, 8 + quoted)) &
              0xffff);
    return 48 + quoted;
}

size_t inner_too_big(const uint8_t *packet, size_t n, unsigned mtu, uint8_t *answer)
{
    if (n >= 20 && packet[0] >> 4 == 4)
        return too_big_ipv4(packet, n, mtu, answer);
    if (n >= 40 && packet[0] >> 4 == 6)
        return too_big_ipv6(packet, n, mtu < 1280 ? 1280 : mtu, answer);
    return 0;
}

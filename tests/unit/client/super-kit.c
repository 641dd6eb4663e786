/* SPDX-License-Identifier: GPL-2.0-or-later */
#undef NDEBUG
#include "super-kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

unsigned at16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

void set16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

uint32_t at32(const uint8_t *at)
{
    return (uint32_t)at16(at) << 16 | at16(at + 2);
}

unsigned long sum_of(const uint8_t *bytes, size_t n, unsigned long sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? bytes[i] : (unsigned long)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

unsigned long pseudo(const uint8_t *packet, size_t size)
{
    bool four = packet[0] >> 4 == 4;

    return sum_of(packet + (four ? 12 : 8), four ? 8 : 32, packet[four ? 9 : 6] + size);
}

size_t transport_of(const uint8_t *packet)
{
    return packet[0] >> 4 == 4 ? (size_t)(packet[0] & 15) * 4 : 40;
}

void make(Super *super, unsigned type, size_t payload, unsigned size, uint8_t flags)
{
    bool six = type == TCP6, udp = type == UDP;
    uint8_t *packet = super->bytes + VNET, *at;
    struct virtio_net_hdr header = {.flags = 1, .gso_type = (uint8_t)type};

    memset(super->bytes, 0, 200);
    super->transport = six ? 40 : 20;
    super->headers = super->transport + (udp ? 8 : 32);
    super->n = VNET + super->headers + payload;
    header.gso_size = (uint16_t)size;
    header.hdr_len = 9999; /* it lies */
    header.csum_start = (uint16_t)super->transport;
    header.csum_offset = udp ? 6 : 16;
    memcpy(super->bytes, &header, VNET);
    packet[0] = six ? 0x60 : 0x45;
    packet[six ? 6 : 9] = udp ? 17 : 6;
    packet[six ? 7 : 8] = 61;
    set16(packet + (six ? 4 : 2), (unsigned)(super->n - VNET - (six ? 40 : 0)));
    if (!six) {
        set16(packet + 4, 0xfffe); /* the identification wraps on its way */
        packet[6] = 0x40;
    }
    memcpy(packet + (six ? 8 : 12), (uint8_t[]){10, 1, 0, 1, 192, 168, 3, 4}, 8);
    at = packet + super->transport;
    memcpy(at, (uint8_t[]){0x30, 0x39, 0, 80, 0xff, 0xff, 0xf0, 0, 1, 2, 3, 4, 0x80}, 13);
    if (udp) {
        set16(at + 4, (unsigned)(8 + payload));
    } else {
        at[13] = flags;
        set16(at + 14, 0x7210);
        memcpy(at + 20, (uint8_t[]){1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 12);
    }
    set16(at + header.csum_offset, (unsigned)pseudo(packet, super->n - VNET - super->transport));
    for (size_t i = 0; i < payload; i++)
        packet[super->headers + i] = (uint8_t)(i * 31 + i / 256);
}

void cut(Segments *to, const Super *super)
{
    Split split;

    assert_true(split_begin(&split, super->bytes, super->n));
    for (to->count = 0; !split_done(&split); to->count++) {
        to->n[to->count] = split_size(&split);
        split_next(&split, to->bytes[to->count]);
    }
}

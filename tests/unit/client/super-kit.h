/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large packets as TUN hands them over, and what they are cut into. */
#ifndef TESTS_UNIT_CLIENT_SUPER_KIT_H
#define TESTS_UNIT_CLIENT_SUPER_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/tunnel/datapath-split.h"

enum { TCP4 = 1, TCP6 = 4, UDP = 5, VNET = SPLIT_VNET_HEADER };

unsigned at16(const uint8_t *at);
void set16(uint8_t *at, unsigned value);
uint32_t at32(const uint8_t *at);

/* RFC 1071 as it is written. */
unsigned long sum_of(const uint8_t *bytes, size_t n, unsigned long sum);
unsigned long pseudo(const uint8_t *packet, size_t size);
size_t transport_of(const uint8_t *packet);

typedef struct Super {
    uint8_t bytes[70000];
    size_t n, transport, headers;
} Super;

/* `payload` bytes behind TCP with 12 bytes of options, or behind UDP, in packets of `size`. */
void make(Super *super, unsigned type, size_t payload, unsigned size, uint8_t flags);

typedef struct Segments {
    uint8_t bytes[64][1500];
    size_t n[64], count;
} Segments;

void cut(Segments *to, const Super *super);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and networks of both families as plain values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

enum { PLATFORM_ADDRESS_TEXT = 64 };

typedef struct PlatformAddress {
    uint8_t family;    /* AF_INET or AF_INET6 */
    uint8_t bytes[16]; /* network order; the rest is zero */
} PlatformAddress;

typedef struct PlatformPrefix {
    PlatformAddress address;
    uint8_t length;
} PlatformPrefix;

/* 4 or 16; 0 for any other family. */
size_t platform_address_size(uint8_t family);
/* Takes exactly 4 or 16 bytes. */
bool platform_address_from_bytes(const void *bytes, size_t n, PlatformAddress *addressp);
/* Takes dotted quads and RFC 4291 text, without zone, brackets or white space. */
bool platform_address_parse(const char *text, PlatformAddress *addressp);
/* Writes to and returns the buffer. */
const char *platform_address_format(const PlatformAddress *address,
                                    char text[PLATFORM_ADDRESS_TEXT]);
bool platform_address_equal(const PlatformAddress *a, const PlatformAddress *b);
/* Loopback, multicast, unspecified, broadcast and link-local addresses are not usable as a peer. */
bool platform_address_is_unicast(const PlatformAddress *address);
socklen_t platform_address_to_sockaddr(const PlatformAddress *address, uint16_t port,
                                       struct sockaddr_storage *storagep);
bool platform_address_from_sockaddr(const struct sockaddr_storage *storage,
                                    PlatformAddress *addressp, uint16_t *portp);

/* "10.0.0.0/8"; without a slash it is one host. */
bool platform_prefix_parse(const char *text, PlatformPrefix *prefixp);
const char *platform_prefix_format(const PlatformPrefix *prefix, char text[PLATFORM_ADDRESS_TEXT]);
bool platform_prefix_equal(const PlatformPrefix *a, const PlatformPrefix *b);
/* No bit is set behind the prefix length. */
bool platform_prefix_is_canonical(const PlatformPrefix *prefix);
bool platform_prefix_contains(const PlatformPrefix *prefix, const PlatformAddress *address);
bool platform_prefix_overlaps(const PlatformPrefix *a, const PlatformPrefix *b);

// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and networks as values of both families.
 *
 * Text is taken by inet_pton() alone, which knows neither octal parts nor short forms, so that
 * "010.1" can't mean two things to two readers. Bytes behind an IPv4 address are always zero: two
 * equal addresses are equal as memory.
 */
#include "platform/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t platform_address_size(uint8_t family)
{
    if (family == AF_INET)
        return 4;
    return family == AF_INET6 ? 16 : 0;
}

bool platform_address_from_bytes(const void *bytes, size_t n, PlatformAddress *addressp)
{
    if (n != 4 && n != 16)
        return false;
    *addressp = (PlatformAddress){.family = n == 4 ? AF_INET : AF_INET6};
    memcpy(addressp->bytes, bytes, n);
    return true;
}

bool platform_address_parse(const char *text, PlatformAddress *addressp)
{
    PlatformAddress address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

    if (inet_pton(address.family, text, address.bytes) != 1)
        return false;
    *addressp = address;
    return true;
}

const char *platform_address_format(const PlatformAddress *address,
                                    char text[PLATFORM_ADDRESS_TEXT])
{
    if (!inet_ntop(address->family, address->bytes, text, PLATFORM_ADDRESS_TEXT))
        text[0] = '\0';
    return text;
}

bool platform_address_equal(const PlatformAddress *a, const PlatformAddress *b)
{
    return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static bool is_unicast4(const uint8_t *b)
{
    if (b[0] == 0 || b[0] == 127 || b[0] >= 224)
        return false;
    return !(b[0] == 169 && b[1] == 254);
}

static bool is_unicast6(const uint8_t *b)
{
    static const uint8_t zero[15];

    if (!memcmp(b, zero, sizeof zero) && b[15] <= 1)
        return false;
    return b[0] != 0xff && !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

bool platform_address_is_unicast(const PlatformAddress *address)
{
    if (address->family == AF_INET)
        return is_unicast4(address->bytes);
    return address->family == AF_INET6 && is_unicast6(address->bytes);
}

socklen_t platform_address_to_sockaddr(const PlatformAddress *address, uint16_t port,
                                       struct sockaddr_storage *storagep)
{
    memset(storagep, 0, sizeof *storagep);
    if (address->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)storagep;

        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storagep;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, address->bytes, 16);
    return sizeof *in6;
}

bool platform_address_from_sockaddr(const struct sockaddr_storage *storage,
                                    PlatformAddress *addressp, uint16_t *portp)
{
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)storage;

        *portp = ntohs(in->sin_port);
        return platform_address_from_bytes(&in->sin_addr, 4, addressp);
    }
    if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;

        *portp = ntohs(in6->sin6_port);
        return platform_address_from_bytes(&in6->sin6_addr, 16, addressp);
    }
    return false;
}

/* One to three digits and nothing else: strtoul() would take blanks and signs. */
static bool parse_length(const char *text, unsigned max, uint8_t *lengthp)
{
    unsigned value = 0;
    size_t n = strlen(text);

    if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
    }
    if (value > max)
        return false;
    *lengthp = (uint8_t)value;
    return true;
}

bool platform_prefix_parse(const char *text, PlatformPrefix *prefixp)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    char address[PLATFORM_ADDRESS_TEXT];
    PlatformPrefix prefix = {0};

    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    if (!platform_address_parse(address, &prefix.address))
        return false;
    unsigned bits = 8 * (unsigned)platform_address_size(prefix.address.family);

    prefix.length = (uint8_t)bits;
    if (slash && !parse_length(slash + 1, bits, &prefix.length))
        return false;
    *prefixp = prefix;
    return true;
}

const char *platform_prefix_format(const PlatformPrefix *prefix, char text[PLATFORM_ADDRESS_TEXT])
{
    char address[PLATFORM_ADDRESS_TEXT];

    snprintf(text, PLATFORM_ADDRESS_TEXT, "%.50s/%u",
             platform_address_format(&prefix->address, address), prefix->length);
    return text;
}

bool platform_prefix_equal(const PlatformPrefix *a, const PlatformPrefix *b)
{
    return a->length == b->length && platform_address_equal(&a->address, &b->address);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8))
        return false;
    if (bits % 8 == 0)
        return true;
    return !((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8));
}

bool platform_prefix_is_canonical(const PlatformPrefix *prefix)
{
    unsigned bits = 8 * (unsigned)platform_address_size(prefix->address.family);
    const uint8_t *bytes = prefix->address.bytes;

    if (bits == 0 || prefix->length > bits)
        return false;
    for (unsigned i = prefix->length; i < bits; i++) {
        if (bytes[i / 8] & (0x80 >> i % 8))
            return false;
    }
    return true;
}

bool platform_prefix_contains(const PlatformPrefix *prefix, const PlatformAddress *address)
{
    return prefix->address.family == address->family &&
           same_bits(prefix->address.bytes, address->bytes, prefix->length);
}

bool platform_prefix_overlaps(const PlatformPrefix *a, const PlatformPrefix *b)
{
    unsigned bits = a->length < b->length ? a->length : b->length;

    return a->address.family == b->address.family &&
           same_bits(a->address.bytes, b->address.bytes, bits);
}

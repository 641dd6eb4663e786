/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities and the networks that Quick Mode writes as identities. No part of a value is touched
 * before its length was found right for its type.
 */
#include "ike/payload-id.h"

#include <string.h>

static size_t address_size(uint8_t family)
{
    return family == 4 ? 4 : 16;
}

void ike_id_write(IkeWriter *writer, const IkeIdentity *id, uint8_t protocol, uint16_t port)
{
    ike_write_u8(writer, (uint8_t)id->type);
    ike_write_u8(writer, protocol);
    ike_write_u16(writer, port);
    ike_write_bytes(writer, id->bytes, id->n);
}

/* The length a type demands; 0 where it is free. */
static size_t size_of_type(uint8_t type)
{
    switch (type) {
    case IKE_ID_IPV4:
        return 4;
    case IKE_ID_IPV4_SUBNET:
    case IKE_ID_IPV4_RANGE:
        return 8;
    case IKE_ID_IPV6:
        return 16;
    case IKE_ID_IPV6_SUBNET:
        return 32;
    default:
        return 0;
    }
}

bool ike_id_read(IkeSlice body, IkeIdentity *id, uint8_t *protocol, uint16_t *port)
{
    IkeReader r = ike_reader_of(body);
    uint8_t type = ike_read_u8(&r);

    *protocol = ike_read_u8(&r);
    *port = ike_read_u16(&r);
    IkeSlice value = ike_reader_rest(&r);
    size_t wanted = size_of_type(type);
    if (!ike_reader_ok(&r) || type == IKE_ID_ANY || value.n == 0 || value.n > IKE_ID_MAX ||
        (wanted != 0 && value.n != wanted))
        return false;
    id->type = (IkeIdType)type;
    id->n = (uint16_t)value.n;
    memcpy(id->bytes, value.bytes, value.n);
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool ike_id_equal(const IkeIdentity *a, const IkeIdentity *b)
{
    if (a->type != b->type || a->n != b->n)
        return false;
    bool names = a->type == IKE_ID_FQDN || a->type == IKE_ID_USER_FQDN;
    for (size_t i = 0; i < a->n; i++)
        if (names ? lower(a->bytes[i]) != lower(b->bytes[i]) : a->bytes[i] != b->bytes[i])
            return false;
    return true;
}

/* Text is appended by hand: the core does no formatted output. */
typedef struct Text {
    char *bytes;
    size_t n, size;
} Text;

static void put_char(Text *text, char c)
{
    if (text->n + 1 < text->size)
        text->bytes[text->n++] = c;
    if (text->size > 0)
        text->bytes[text->n] = '\0';
}

static void put_string(Text *text, const char *s)
{
    for (; *s != '\0'; s++)
        put_char(text, *s);
}

static void put_number(Text *text, unsigned n)
{
    if (n >= 10)
        put_number(text, n / 10);
    put_char(text, (char)('0' + n % 10));
}

static void put_hex(Text *text, unsigned n, bool pad)
{
    static const char digits[] = "0123456789abcdef";

    if (n >= 16 || pad)
        put_hex(text, n / 16, false);
    put_char(text, digits[n % 16]);
}

static void put_ipv4(Text *text, const uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            put_char(text, '.');
        put_number(text, bytes[i]);
    }
}

static void put_ipv6(Text *text, const uint8_t *bytes)
{
    for (int i = 0; i < 16; i += 2) {
        if (i > 0)
            put_char(text, ':');
        put_hex(text, (unsigned)bytes[i] << 8 | bytes[i + 1], false);
    }
}

static void put_bytes(Text *text, const uint8_t *bytes, size_t n, bool printable)
{
    for (size_t i = 0; i < n; i++) {
        if (!printable)
            put_hex(text, bytes[i], true);
        else
            put_char(text, bytes[i] > ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '?');
    }
}

static bool all_printable(const IkeIdentity *id)
{
    for (size_t i = 0; i < id->n; i++)
        if (id->bytes[i] <= ' ' || id->bytes[i] >= 0x7f)
            return false;
    return true;
}

void ike_id_format(const IkeIdentity *id, char *bytes, size_t size)
{
    Text text = {bytes, 0, size};

    if (size > 0)
        bytes[0] = '\0';
    switch (id->type) {
    case IKE_ID_ANY:
        put_string(&text, "any");
        return;
    case IKE_ID_IPV4:
        put_string(&text, "ip:");
        put_ipv4(&text, id->bytes);
        return;
    case IKE_ID_IPV6:
        put_string(&text, "ip:");
        put_ipv6(&text, id->bytes);
        return;
    case IKE_ID_FQDN:
        put_string(&text, "fqdn:");
        put_bytes(&text, id->bytes, id->n, true);
        return;
    case IKE_ID_USER_FQDN:
        put_string(&text, "email:");
        put_bytes(&text, id->bytes, id->n, true);
        return;
    case IKE_ID_KEY_ID:
        put_string(&text, "keyid:");
        put_bytes(&text, id->bytes, id->n, all_printable(id));
        return;
    case IKE_ID_DER_ASN1_DN:
        put_string(&text, "dn:");
        put_bytes(&text, id->bytes, id->n, false);
        return;
    case IKE_ID_IPV4_SUBNET:
    case IKE_ID_IPV6_SUBNET:
    case IKE_ID_IPV4_RANGE:
        put_string(&text, "network:");
        put_bytes(&text, id->bytes, id->n, false);
        return;
    }
}

/* The network mask of a prefix, one byte of it. */
static uint8_t mask_byte(uint8_t prefix, size_t i)
{
    size_t bits = prefix > 8 * i ? prefix - 8 * i : 0;

    return bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
}

void ike_network_write_id(IkeWriter *writer, const IkeNetwork *network)
{
    size_t n = address_size(network->family);
    bool host = network->prefix == 8 * n;
    bool v4 = network->family == 4;

    ike_write_u8(writer, v4 ? (host ? IKE_ID_IPV4 : IKE_ID_IPV4_SUBNET)
                            : (host ? IKE_ID_IPV6 : IKE_ID_IPV6_SUBNET));
    ike_write_u8(writer, 0);
    ike_write_u16(writer, 0);
    ike_write_bytes(writer, network->bytes, n);
    for (size_t i = 0; !host && i < n; i++)
        ike_write_u8(writer, mask_byte(network->prefix, i));
}

/* The prefix of a mask; false where its ones are not contiguous. */
static bool prefix_of_mask(const uint8_t *mask, size_t n, uint8_t *prefix)
{
    uint8_t bits = 0;

    while (bits < 8 * n && (mask[bits / 8] & (0x80 >> bits % 8)) != 0)
        bits++;
    for (size_t i = 0; i < n; i++)
        if (mask[i] != mask_byte(bits, i))
            return false;
    *prefix = bits;
    return true;
}

/* first-last as a mask; false where the range is not all of a subnet. */
static bool mask_of_range(const uint8_t *range, uint8_t mask[4])
{
    for (int i = 0; i < 4; i++) {
        uint8_t host = range[i] ^ range[4 + i];
        mask[i] = (uint8_t)~host;
        if ((range[i] & host) != 0)
            return false;
    }
    return true;
}

bool ike_network_read_id(IkeSlice body, IkeNetwork *network)
{
    IkeIdentity id;
    uint8_t protocol, mask[4];
    uint16_t port;

    if (!ike_id_read(body, &id, &protocol, &port))
        return false;
    *network = (IkeNetwork){.family = id.n == 4 || id.n == 8 ? 4 : 6};
    size_t n = address_size(network->family);
    if (size_of_type((uint8_t)id.type) == 0)
        return false;
    memcpy(network->bytes, id.bytes, n);
    if (id.n == n) {
        network->prefix = (uint8_t)(8 * n);
        return true;
    }
    if (id.type == IKE_ID_IPV4_RANGE && !mask_of_range(id.bytes, mask))
        return false;
    if (id.type == IKE_ID_IPV4_SUBNET)
        memcpy(mask, id.bytes + 4, 4);
    if (!prefix_of_mask(network->family == 4 ? mask : id.bytes + n, n, &network->prefix))
        return false;
    for (size_t i = 0; i < n; i++)
        network->bytes[i] &= mask_byte(network->prefix, i);
    return true;
}

bool ike_network_contains(const IkeNetwork *outer, const IkeNetwork *inner)
{
    if (outer->family != inner->family || outer->prefix > inner->prefix)
        return false;
    for (size_t i = 0; i < address_size(outer->family); i++)
        if (((outer->bytes[i] ^ inner->bytes[i]) & mask_byte(outer->prefix, i)) != 0)
            return false;
    return true;
}

bool ike_network_equal(const IkeNetwork *a, const IkeNetwork *b)
{
    return a->prefix == b->prefix && ike_network_contains(a, b);
}

void ike_network_format(const IkeNetwork *network, char *bytes, size_t size)
{
    Text text = {bytes, 0, size};

    if (network->family == 4)
        put_ipv4(&text, network->bytes);
    else
        put_ipv6(&text, network->bytes);
    put_char(&text, '/');
    put_number(&text, network->prefix);
}

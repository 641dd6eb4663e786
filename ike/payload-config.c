/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config attributes, both ways. Text from the gateway stays hostile text here: it is bounded
 * and terminated, and whoever shows it cleans it for where it is shown.
 */
#include "ike/payload-config.h"

#include "ike/payload-id.h"

#include <string.h>

enum { NETWORK_ENTRY = 14 }; /* address, mask, and six bytes of protocol and ports */

bool ike_config_read(IkeSlice body, IkeConfigMessage *message)
{
    IkeReader r = ike_reader_of(body);

    message->type = ike_read_u8(&r);
    (void)ike_read_u8(&r); /* reserved */
    message->identifier = ike_read_u16(&r);
    message->attributes = r;
    return ike_reader_ok(&r) && message->type >= IKE_CONFIG_REQUEST &&
           message->type <= IKE_CONFIG_ACK;
}

static bool only_padding(const IkeReader *r)
{
    for (size_t i = 0; i < r->left; i++)
        if (r->bytes[i] != 0)
            return false;
    return r->left < 4;
}

bool ike_config_attribute_read(IkeReader *attributes, IkeAttribute *attribute)
{
    if (ike_reader_ok(attributes) && only_padding(attributes)) {
        (void)ike_reader_rest(attributes);
        return false;
    }
    return ike_attribute_read(attributes, attribute);
}

bool ike_config_well_formed(const IkeConfigMessage *message)
{
    IkeReader r = message->attributes;
    IkeAttribute attribute;

    while (ike_config_attribute_read(&r, &attribute)) {
    }
    return ike_reader_done(&r);
}

size_t ike_config_open(IkeBuilder *builder, uint8_t type, uint16_t identifier)
{
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_ATTRIBUTES);

    ike_write_u8(&builder->writer, type);
    ike_write_u8(&builder->writer, 0);
    ike_write_u16(&builder->writer, identifier);
    return start;
}

void ike_text_copy(char *text, size_t size, IkeSlice bytes)
{
    size_t n = bytes.n < size - 1 ? bytes.n : size - 1;

    for (size_t i = 0; i < n; i++)
        text[i] = bytes.bytes[i] != 0 ? (char)bytes.bytes[i] : ' ';
    text[n] = '\0';
    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
}

/* No "this network", loopback, multicast or reserved address (RFC 6890) is a host's here. */
static bool is_host(const uint8_t *bytes)
{
    return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
}

void ike_address_take(IkeAddress *address, IkeSlice value)
{
    if (value.n != 4 || !is_host(value.bytes))
        return;
    *address = (IkeAddress){.family = 4};
    memcpy(address->bytes, value.bytes, 4);
}

/* Loopback, link-local and multicast addresses (RFC 4291, 2.4) are no host's here, nor is ::. */
static bool is_host6(const uint8_t *bytes)
{
    static const uint8_t zeros[15] = {0};

    return (memcmp(bytes, zeros, sizeof(zeros)) != 0 || bytes[15] > 1) && bytes[0] != 0xff &&
           (bytes[0] != 0xfe || (bytes[1] & 0xc0) != 0x80);
}

/* 16 bytes, and in IKEv2's form a prefix behind them. */
static void take_address6(IkeAddress *address, IkeSlice value)
{
    if ((value.n != 16 && value.n != 17) || !is_host6(value.bytes))
        return;
    *address = (IkeAddress){.family = 6};
    memcpy(address->bytes, value.bytes, 16);
}

static bool has_dns(const IkeInnerConfig *inner, const IkeAddress *server)
{
    for (size_t i = 0; i < inner->dns_n; i++)
        if (inner->dns[i].family == server->family &&
            memcmp(inner->dns[i].bytes, server->bytes, sizeof(server->bytes)) == 0)
            return true;
    return false;
}

/* Some gateways put several servers into one attribute. */
static void take_dns(IkeInnerConfig *inner, IkeSlice value, size_t size)
{
    for (IkeReader r = ike_reader_of(value); r.left >= size && inner->dns_n < IKE_DNS_MAX;) {
        IkeAddress server = {0};
        (size == 4 ? ike_address_take : take_address6)(&server, ike_reader_take(&r, size));
        if (server.family != 0 && !has_dns(inner, &server))
            inner->dns[inner->dns_n++] = server;
    }
}

/* Contiguous masks only; the number of ones, or -1. */
static int mask_prefix(const uint8_t *mask)
{
    uint32_t m =
        (uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3];
    int prefix = 0;

    while (prefix < 32 && (m & (UINT32_C(1) << (31 - prefix))) != 0)
        prefix++;
    return prefix == 32 || (m << prefix) == 0 ? prefix : -1;
}

static bool has_network(const IkeNetwork *networks, size_t n, const IkeNetwork *network)
{
    for (size_t i = 0; i < n; i++)
        if (ike_network_equal(&networks[i], network))
            return true;
    return false;
}

static void add_network(IkeInnerConfig *inner, const IkeNetwork *network)
{
    if (has_network(inner->networks, inner->networks_n, network))
        return;
    if (inner->networks_n < IKE_NETWORKS_MAX)
        inner->networks[inner->networks_n++] = *network;
    else
        inner->networks_cut = true;
}

static void add_local_lan(IkeInnerConfig *inner, const IkeNetwork *network)
{
    if (!has_network(inner->local_lans, inner->local_lans_n, network) &&
        inner->local_lans_n < IKE_LOCAL_LANS_MAX)
        inner->local_lans[inner->local_lans_n++] = *network;
}

typedef void (*AddNetwork)(IkeInnerConfig *inner, const IkeNetwork *network);

static void take_network(IkeInnerConfig *inner, const uint8_t *entry, AddNetwork add)
{
    int prefix = mask_prefix(entry + 4);
    IkeNetwork network = {.family = 4, .prefix = (uint8_t)prefix};

    for (int i = 0; i < 4; i++)
        network.bytes[i] = entry[i] & entry[4 + i];
    if (prefix >= 0)
        add(inner, &network);
}

/* Address and prefix; bits behind the prefix are nobody's. */
static void take_network6(IkeInnerConfig *inner, IkeSlice value)
{
    IkeNetwork network = {.family = 6};

    if (value.n != 17 || value.bytes[16] > 128)
        return;
    network.prefix = value.bytes[16];
    for (unsigned bit = 0; bit < network.prefix; bit++)
        network.bytes[bit / 8] |= value.bytes[bit / 8] & (uint8_t)(0x80 >> bit % 8);
    add_network(inner, &network);
}

/* Entries of 14 bytes; some gateways send 8 (address and mask alone). */
static void take_networks(IkeInnerConfig *inner, IkeSlice value, AddNetwork add)
{
    bool short_entries = value.n % NETWORK_ENTRY != 0 && value.n % 8 == 0;
    size_t step = short_entries ? 8 : NETWORK_ENTRY;

    for (IkeReader r = ike_reader_of(value); r.left >= step;)
        take_network(inner, ike_reader_take(&r, step).bytes, add);
}

IkeNetwork ike_inner_host(const IkeInnerConfig *inner, uint8_t family)
{
    const IkeAddress *address =
        inner->address.family == family ? &inner->address : &inner->address6;
    IkeNetwork host = {0};

    if (family == 0 || address->family != family)
        return host;
    host = (IkeNetwork){.family = family, .prefix = family == 4 ? 32 : 128};
    memcpy(host.bytes, address->bytes, sizeof(host.bytes));
    return host;
}

bool ike_inner_has_address(const IkeInnerConfig *inner)
{
    return inner->address.family != 0 || inner->address6.family != 0;
}

bool ike_inner_config_take(IkeInnerConfig *inner, const IkeAttribute *attribute)
{
    uint32_t number = 0;

    switch ((int)attribute->type) {
    case IKE_CONFIG_IP4_ADDRESS:
        ike_address_take(&inner->address, attribute->value);
        inner->prefix = 32;
        return true;
    case IKE_CONFIG_IP4_NETMASK:
        return true; /* the tunnel interface is point to point: its address is a host's */
    case IKE_CONFIG_IP4_DNS:
        take_dns(inner, attribute->value, 4);
        return true;
    case IKE_CONFIG_IP6_ADDRESS:
        take_address6(&inner->address6, attribute->value);
        return true;
    case IKE_CONFIG_IP6_NETMASK:
        return true;
    case IKE_CONFIG_IP6_DNS:
        take_dns(inner, attribute->value, 16);
        return true;
    case IKE_CONFIG_IP6_SUBNET:
        take_network6(inner, attribute->value);
        return true;
    case IKE_CONFIG_ADDRESS_EXPIRY:
        if (ike_attribute_number(attribute, &number))
            inner->expires = number;
        return true;
    case IKE_CONFIG_IP4_SUBNET:
        if (attribute->value.n == 8)
            take_network(inner, attribute->value.bytes, add_network);
        return true;
    case IKE_UNITY_BANNER:
        ike_text_copy(inner->banner, sizeof(inner->banner), attribute->value);
        return true;
    case IKE_UNITY_DEFAULT_DOMAIN:
        ike_text_copy(inner->domain, sizeof(inner->domain), attribute->value);
        return true;
    case IKE_UNITY_SPLIT_DNS:
        ike_text_copy(inner->split_dns, sizeof(inner->split_dns), attribute->value);
        return true;
    case IKE_UNITY_SAVE_PASSWORD:
        if (ike_attribute_number(attribute, &number))
            inner->password_unkept = number == 0;
        return true;
    case IKE_UNITY_BACKUP_SERVERS:
        ike_text_copy(inner->backup_servers, sizeof(inner->backup_servers), attribute->value);
        return true;
    case IKE_UNITY_SPLIT_INCLUDE:
        take_networks(inner, attribute->value, add_network);
        return true;
    case IKE_UNITY_LOCAL_LAN:
        take_networks(inner, attribute->value, add_local_lan);
        return true;
    default:
        return false;
    }
}

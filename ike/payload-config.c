/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config attributes, both ways. Text from the gateway stays hostile text here: it is bounded
 * and terminated, and whoever shows it cleans it for where it is shown.
 */
#include "ike/payload-config.h"

#include "ike/payload-id.h"

#include <string.h>

enum { SPLIT_INCLUDE_ENTRY = 14 }; /* address, mask, and six bytes of protocol and ports */

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

static void take_address(IkeAddress *address, IkeSlice value)
{
    if (value.n != 4 || !is_host(value.bytes))
        return;
    *address = (IkeAddress){.family = 4};
    memcpy(address->bytes, value.bytes, 4);
}

static bool has_dns(const IkeInnerConfig *inner, const IkeAddress *server)
{
    for (size_t i = 0; i < inner->dns_n; i++)
        if (inner->dns[i].family == server->family &&
            memcmp(inner->dns[i].bytes, server->bytes, sizeof(server->bytes)) == 0)
            return true;
    return false;
}

static void take_dns(IkeInnerConfig *inner, IkeSlice value)
{
    /* Some gateways put several servers into one attribute. */
    for (IkeReader r = ike_reader_of(value); r.left >= 4 && inner->dns_n < IKE_DNS_MAX;) {
        IkeAddress server = {0};
        take_address(&server, ike_reader_take(&r, 4));
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

static bool has_network(const IkeInnerConfig *inner, const IkeNetwork *network)
{
    for (size_t i = 0; i < inner->networks_n; i++)
        if (ike_network_equal(&inner->networks[i], network))
            return true;
    return false;
}

static void take_network(IkeInnerConfig *inner, const uint8_t *entry)
{
    int prefix = mask_prefix(entry + 4);
    IkeNetwork network = {.family = 4, .prefix = (uint8_t)prefix};

    for (int i = 0; i < 4; i++)
        network.bytes[i] = entry[i] & entry[4 + i];
    if (prefix < 0 || has_network(inner, &network))
        return;
    if (inner->networks_n < IKE_NETWORKS_MAX)
        inner->networks[inner->networks_n++] = network;
    else
        inner->networks_cut = true;
}

/* Entries of 14 bytes; some gateways send 8 (address and mask alone). */
static void take_split_include(IkeInnerConfig *inner, IkeSlice value)
{
    bool short_entries = value.n % SPLIT_INCLUDE_ENTRY != 0 && value.n % 8 == 0;
    size_t step = short_entries ? 8 : SPLIT_INCLUDE_ENTRY;

    for (IkeReader r = ike_reader_of(value); r.left >= step;)
        take_network(inner, ike_reader_take(&r, step).bytes);
}

bool ike_inner_config_take(IkeInnerConfig *inner, const IkeAttribute *attribute)
{
    uint32_t number = 0;

    switch ((int)attribute->type) {
    case IKE_CONFIG_IP4_ADDRESS:
        take_address(&inner->address, attribute->value);
        inner->prefix = 32;
        return true;
    case IKE_CONFIG_IP4_NETMASK:
        return true; /* the tunnel interface is point to point: its address is a host's */
    case IKE_CONFIG_IP4_DNS:
        take_dns(inner, attribute->value);
        return true;
    case IKE_CONFIG_ADDRESS_EXPIRY:
        if (ike_attribute_number(attribute, &number))
            inner->expires = number;
        return true;
    case IKE_CONFIG_IP4_SUBNET:
        if (attribute->value.n == 8)
            take_network(inner, attribute->value.bytes);
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
    case IKE_UNITY_SPLIT_INCLUDE:
        take_split_include(inner, attribute->value);
        return true;
    default:
        return false;
    }
}

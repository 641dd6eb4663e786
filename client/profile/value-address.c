/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, networks, and gateways with their ports. Addresses are read by inet_pton() alone:
 * no resolver, no octal, no "10.1" for 10.0.0.1. A network whose address has bits behind its
 * prefix is refused and the right one named, for which of the two was meant can't be known.
 */
#include "client/profile/value.h"

#include <arpa/inet.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/parse.h"

enum {
    IKE_PORT = 500,
    HOST_MAX = 253, /* RFC 1035, 2.3.4, without the root's dot */
    LABEL_MAX = 63,
};

static guint family_bits(int family)
{
    return family == AF_INET ? 32 : 128;
}

/* The prefix is that of a single host. */
static bool read_address(const char *text, DialtoneNetwork *network)
{
    DialtoneNetwork read = {.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET};

    if (inet_pton(read.family, text, read.bytes) != 1)
        return false;
    read.prefix = (guint8)family_bits(read.family);
    *network = read;
    return true;
}

static char *address_text(const DialtoneNetwork *network)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(network->family, network->bytes, text, sizeof(text));
    return g_strdup(text);
}

char *dialtone_network_to_text(const DialtoneNetwork *network)
{
    g_autofree char *address = address_text(network);

    return g_strdup_printf("%s/%u", address, network->prefix);
}

static void append_item(GString *normal, const char *item)
{
    if (normal->len > 0)
        g_string_append_c(normal, ';');
    g_string_append(normal, item);
}

/* ---- gateways ---- */

static bool is_label(const char *label)
{
    gsize n = strlen(label);

    if (n == 0 || n > LABEL_MAX || label[0] == '-' || label[n - 1] == '-')
        return false;
    for (gsize i = 0; i < n; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

/* RFC 952 and 1123, and underscores, which exist in the wild. */
static bool is_host_name(const char *name)
{
    g_auto(GStrv) labels = NULL;
    gsize n = strlen(name);

    if (n == 0 || n > HOST_MAX)
        return false;
    labels = g_strsplit(name, ".", -1);
    guint count = g_strv_length(labels);
    if (count > 1 && *labels[count - 1] == '\0')
        count--; /* the root's dot */
    for (guint i = 0; i < count; i++)
        if (!is_label(labels[i]))
            return false;
    /* What ends in a number was meant to be an address, and is none. */
    return strspn(labels[count - 1], "0123456789") != strlen(labels[count - 1]);
}

static bool is_usable_address(const DialtoneNetwork *address)
{
    static const guint8 zero[16] = {0};

    if (memcmp(address->bytes, zero, sizeof(zero)) == 0)
        return false;
    if (address->family == AF_INET)
        return address->bytes[0] < 224; /* neither multicast nor reserved */
    return address->bytes[0] != 0xff;
}

static bool read_host(DialtoneValue *value, const char *host, DialtoneEndpoint *endpoint)
{
    DialtoneNetwork address;
    g_autofree char *quoted = dialtone_value_quote(host);

    if (read_address(host, &address)) {
        if (!is_usable_address(&address))
            return dialtone_value_error(value, _("%s is no address of a gateway"), quoted);
        endpoint->is_ip = true;
        endpoint->host = address_text(&address);
        return true;
    }
    g_autofree char *ascii = g_hostname_to_ascii(host);
    if (ascii == NULL || !is_host_name(ascii))
        return dialtone_value_error(
            value,
            _("%s is neither a host name nor an address; write vpn.example.com, 192.0.2.1, "
              "192.0.2.1:500 or [2001:db8::1]:500"),
            quoted);
    endpoint->host = g_steal_pointer(&ascii);
    return true;
}

static bool read_port(DialtoneValue *value, const char *text, DialtoneEndpoint *endpoint)
{
    guint64 port = 0;

    if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL)) {
        g_autofree char *quoted = dialtone_value_quote(text);
        return dialtone_value_error(value, _("%s is no port; write 1 to 65535"), quoted);
    }
    endpoint->port = (guint16)port;
    endpoint->port_set = true;
    return true;
}

/* host, host:port, 192.0.2.1:port, 2001:db8::1, [2001:db8::1], [2001:db8::1]:port */
static bool read_endpoint(DialtoneValue *value, const char *item, DialtoneEndpoint *endpoint)
{
    g_autofree char *host = NULL;
    const char *port = NULL;
    const char *colon = strchr(item, ':');

    if (strstr(item, "://") != NULL)
        return dialtone_value_error(value, "%s",
                                    _("it is a web address; write the host's name alone, as in "
                                      "vpn.example.com"));
    if (*item == '[') {
        const char *close = strchr(item, ']');
        if (close == NULL || (close[1] != '\0' && close[1] != ':'))
            return dialtone_value_error(value, "%s",
                                        _("an IPv6 address with a port is written "
                                          "[2001:db8::1]:500"));
        host = g_strndup(item + 1, (gsize)(close - item - 1));
        port = close[1] == ':' ? close + 2 : NULL;
        if (strchr(host, ':') == NULL)
            return dialtone_value_error(value, "%s", _("only an IPv6 address stands in brackets"));
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        host = g_strndup(item, (gsize)(colon - item));
        port = colon + 1;
    } else {
        host = g_strdup(item);
    }
    endpoint->port = IKE_PORT;
    if (port != NULL && !read_port(value, port, endpoint))
        return false;
    return read_host(value, host, endpoint);
}

static void append_endpoint(GString *normal, const DialtoneEndpoint *endpoint)
{
    bool bracket = endpoint->port_set && strchr(endpoint->host, ':') != NULL;
    g_autofree char *port =
        endpoint->port_set ? g_strdup_printf(":%u", endpoint->port) : g_strdup("");
    g_autofree char *item =
        g_strdup_printf("%s%s%s%s", bracket ? "[" : "", endpoint->host, bracket ? "]" : "", port);

    append_item(normal, item);
}

bool dialtone_value_gateways(DialtoneValue *value, const char *text)
{
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_GATEWAYS_MAX);
    bool good = items != NULL;

    for (guint i = 0; items != NULL && items[i] != NULL; i++) {
        DialtoneEndpoint endpoint = {0};
        if (!read_endpoint(value, items[i], &endpoint)) {
            good = false;
            continue;
        }
        append_endpoint(value->normal, &endpoint);
        g_array_append_val(value->profile->gateways, endpoint);
    }
    return good;
}

/* ---- networks ---- */

static bool has_host_bits(const DialtoneNetwork *network, DialtoneNetwork *maskedp)
{
    DialtoneNetwork masked = *network;

    for (guint bit = network->prefix; bit < family_bits(network->family); bit++)
        masked.bytes[bit / 8] &= (guint8) ~(0x80u >> (bit % 8));
    *maskedp = masked;
    return memcmp(masked.bytes, network->bytes, sizeof(masked.bytes)) != 0;
}

/* "255.255.0.0" is 16; 0 when it is no netmask. */
static guint netmask_prefix(const char *text)
{
    guint8 mask[4];
    guint prefix = 0;

    if (inet_pton(AF_INET, text, mask) != 1)
        return 0;
    while (prefix < 32 && (mask[prefix / 8] & (0x80u >> (prefix % 8))) != 0)
        prefix++;
    for (guint bit = prefix; bit < 32; bit++)
        if ((mask[bit / 8] & (0x80u >> (bit % 8))) != 0)
            return 0;
    return prefix;
}

static bool read_prefix(DialtoneValue *value, const char *item, const char *text,
                        DialtoneNetwork *network)
{
    guint64 prefix = 0;
    guint bits = family_bits(network->family);
    guint netmask = network->family == AF_INET ? netmask_prefix(text) : 0;

    if (netmask != 0) {
        g_autofree char *address = address_text(network);
        return dialtone_value_error(value, _("%s has a netmask; write %s/%u"), item, address,
                                    netmask);
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, bits, &prefix, NULL) ||
        (text[0] == '0' && text[1] != '\0')) {
        g_autofree char *quoted = dialtone_value_quote(item);
        return dialtone_value_error(value, _("%s has no prefix from 0 to %u behind the `/`"),
                                    quoted, bits);
    }
    network->prefix = (guint8)prefix;
    return true;
}

/* An address and its prefix, which is a single host's where none is written. */
static bool read_network(DialtoneValue *value, const char *item, DialtoneNetwork *network,
                         bool *prefix_setp)
{
    const char *slash = strchr(item, '/');
    g_autofree char *address =
        slash != NULL ? g_strndup(item, (gsize)(slash - item)) : g_strdup(item);

    if (!read_address(address, network)) {
        g_autofree char *quoted = dialtone_value_quote(item);
        return dialtone_value_error(value, _("%s is no address or network; write %s"), quoted,
                                    _(value->row->syntax));
    }
    *prefix_setp = slash != NULL;
    return slash == NULL || read_prefix(value, item, slash + 1, network);
}

static bool check_network(DialtoneValue *value, const char *item, const DialtoneNetwork *network,
                          bool prefix_set)
{
    DialtoneNetwork masked;

    if (!prefix_set)
        return dialtone_value_error(value,
                                    _("%s has no prefix; write %s/%u for this address alone, or "
                                      "the prefix of its network"),
                                    item, item, family_bits(network->family));
    if (has_host_bits(network, &masked)) {
        g_autofree char *right = dialtone_network_to_text(&masked);
        g_autofree char *address = address_text(network);
        return dialtone_value_error(value,
                                    _("%s has bits behind its prefix; write %s, or %s/%u for the "
                                      "address alone"),
                                    item, right, address, family_bits(network->family));
    }
    if (network->prefix < value->row->min)
        return dialtone_value_error(value, _("%s would be all addresses; leave it out"), item);
    return true;
}

bool dialtone_value_networks(DialtoneValue *value, const char *text)
{
    GArray **networks = G_STRUCT_MEMBER_P(value->profile, value->row->offset);
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_NETWORKS_MAX);
    bool good = items != NULL;

    for (guint i = 0; items != NULL && items[i] != NULL; i++) {
        DialtoneNetwork network = {0};
        bool prefix_set = false;
        if (!read_network(value, items[i], &network, &prefix_set) ||
            !check_network(value, items[i], &network, prefix_set)) {
            good = false;
            continue;
        }
        g_autofree char *normal = dialtone_network_to_text(&network);
        append_item(value->normal, normal);
        g_array_append_val(*networks, network);
    }
    return good;
}

/* ---- single addresses ---- */

bool dialtone_value_addresses(DialtoneValue *value, const char *text)
{
    GArray *addresses = value->profile->addresses;
    g_auto(GStrv) items = dialtone_value_items(value, text, 2);

    for (guint i = 0; items != NULL && items[i] != NULL; i++) {
        DialtoneNetwork network = {0};
        bool prefix_set = false;
        if (!read_network(value, items[i], &network, &prefix_set))
            return false;
        if (!is_usable_address(&network) || network.prefix == 0)
            return dialtone_value_error(value, _("%s can't be the address of this computer"),
                                        items[i]);
        if (i == 1 && g_array_index(addresses, DialtoneNetwork, 0).family == network.family)
            return dialtone_value_error(
                value, "%s", _("two addresses of one family; write one IPv4 and one IPv6 address"));
        g_autofree char *normal = dialtone_network_to_text(&network);
        append_item(value->normal, normal);
        g_array_append_val(addresses, network);
    }
    return items != NULL;
}

bool dialtone_value_dns(DialtoneValue *value, const char *text)
{
    DialtoneProfile *profile = value->profile;

    if (strcmp(text, "auto") == 0 || strcmp(text, "none") == 0) {
        profile->dns_mode = *text == 'a' ? DIALTONE_DNS_AUTO : DIALTONE_DNS_NONE;
        g_string_append(value->normal, text);
        return true;
    }
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_DNS_MAX);
    profile->dns_mode = DIALTONE_DNS_LIST;
    for (guint i = 0; items != NULL && items[i] != NULL; i++) {
        DialtoneNetwork server;
        if (!read_address(items[i], &server) || !is_usable_address(&server)) {
            g_autofree char *quoted = dialtone_value_quote(items[i]);
            return dialtone_value_error(value, _("%s is no address of a name server; write %s"),
                                        quoted, _(value->row->syntax));
        }
        g_autofree char *normal = address_text(&server);
        append_item(value->normal, normal);
        g_ptr_array_add(profile->dns, g_steal_pointer(&normal));
    }
    return items != NULL;
}

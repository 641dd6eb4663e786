// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules of a kill switch.
 *
 * They look at what is about to leave by a link that is no tunnel of ours, whether it comes from
 * this machine or is passed on by it: another tunnel is no way out, for no two carry the same
 * networks, and its own packets are those of its mark, which takes a privilege to set. May leave:
 * the tunnel's own packets, told by the mark of its sockets and by address, protocol and port of
 * its gateway, and its questions for the gateway's name, for else an open gateway would be a way
 * out for everybody; what a link needs to be one (DHCP, neighbour discovery); and what is not the
 * tunnel's. Of a network and a part of it the part counts, as for routes, so longer prefixes are
 * asked first.
 */
#include "platform/killswitch.h"

#include "platform/address-variant.h"
#include "platform/slot.h"

#include <string.h>

enum { NATT_PORT = 4500, DNS_PORT = 53 };

/* RFC 2131 section 4.1; RFC 8415 sections 7.1 and 7.2; RFC 4861 section 7.1: such messages were not
   forwarded; RFC 3810 section 5: switches have to hear of the groups that neighbour discovery asks.
 */
static const char *const link_rules[] = {
    "udp sport 68 udp dport 67 accept",
    "ip6 daddr { fe80::/10, ff02::1:2 } udp sport 546 udp dport 547 accept",
    "ip6 hoplimit 255 icmpv6 type { 133, 135, 136 } accept",
    "ip6 daddr ff02::/16 ip6 hoplimit 1 icmpv6 type { 131, 132, 143 } accept",
};

/* ---- the value ---- */

PlatformKillSwitch *platform_kill_switch_new(void)
{
    PlatformKillSwitch *self = g_new0(PlatformKillSwitch, 1);

    self->gateways = g_array_new(FALSE, TRUE, sizeof(PlatformEndpoint));
    self->networks = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    self->exclude = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    return self;
}

void platform_kill_switch_free(PlatformKillSwitch *self)
{
    if (!self)
        return;
    g_array_unref(self->gateways);
    g_array_unref(self->networks);
    g_array_unref(self->exclude);
    g_free(self);
}

/* ---- arguments ---- */

static GVariant *gateways_variant(const GArray *gateways)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayq)"));
    for (guint i = 0; i < gateways->len; i++) {
        const PlatformEndpoint *gateway = &g_array_index(gateways, PlatformEndpoint, i);

        g_variant_builder_add(&builder, "(@ayq)", platform_address_to_variant(&gateway->address),
                              gateway->port);
    }
    return g_variant_builder_end(&builder);
}

PlatformKillSwitchArguments platform_kill_switch_to_arguments(const PlatformKillSwitch *self)
{
    GVariantBuilder options;

    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (self->persistent)
        g_variant_builder_add(&options, "{sv}", "persistent", g_variant_new_boolean(TRUE));
    return (PlatformKillSwitchArguments){
        .gateways = gateways_variant(self->gateways),
        .networks = platform_prefixes_to_variant(self->networks),
        .exclude = platform_prefixes_to_variant(self->exclude),
        .options = g_variant_builder_end(&options),
    };
}

static bool read_address(GVariant *bytes, PlatformAddress *addressp)
{
    gsize n;
    gconstpointer data = g_variant_get_fixed_array(bytes, &n, 1);

    return platform_address_from_bytes(data, n, addressp);
}

static bool read_gateways(GVariant *list, GArray *gateways)
{
    gsize n = g_variant_n_children(list);

    if (n > PLATFORM_KILL_SWITCH_GATEWAYS)
        return false;
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) bytes = NULL;
        PlatformEndpoint gateway = {0};

        g_variant_get_child(list, i, "(@ayq)", &bytes, &gateway.port);
        if (!read_address(bytes, &gateway.address) || gateway.port == 0 ||
            !platform_address_is_unicast(&gateway.address))
            return false;
        g_array_append_val(gateways, gateway);
    }
    return true;
}

static bool read_networks(GVariant *list, gsize max, GArray *networks)
{
    gsize n = g_variant_n_children(list);

    if (n > max)
        return false;
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) bytes = NULL;
        PlatformPrefix prefix = {0};
        guint32 length;

        g_variant_get_child(list, i, "(@ayu)", &bytes, &length);
        if (!read_address(bytes, &prefix.address) ||
            length > 8 * platform_address_size(prefix.address.family))
            return false;
        prefix.length = (uint8_t)length;
        if (!platform_prefix_is_canonical(&prefix))
            return false;
        g_array_append_val(networks, prefix);
    }
    return true;
}

static bool read_options(GVariant *options, PlatformKillSwitch *self)
{
    gsize known = g_variant_lookup(options, "persistent", "b", &self->persistent) ? 1 : 0;

    return g_variant_n_children(options) == known;
}

PlatformKillSwitch *
platform_kill_switch_from_arguments(const PlatformKillSwitchArguments *arguments, const char **whyp)
{
    g_autoptr(PlatformKillSwitch) self = platform_kill_switch_new();
    const char *why = NULL;

    if (!read_gateways(arguments->gateways, self->gateways))
        why = "gateways: too many, or one that has no address of a host, or no port";
    else if (!read_networks(arguments->networks, PLATFORM_KILL_SWITCH_NETWORKS, self->networks))
        why = "networks: too many, or one with bits behind its prefix";
    else if (!read_networks(arguments->exclude, PLATFORM_KILL_SWITCH_EXCLUDE, self->exclude))
        why = "exclude: too many, or one with bits behind its prefix";
    else if (!read_options(arguments->options, self))
        why = "options: unknown";
    if (why) {
        *whyp = why;
        return NULL;
    }
    return g_steal_pointer(&self);
}

/* ---- rules ---- */

typedef struct Ruled {
    PlatformPrefix prefix;
    bool may_leave;
} Ruled;

/* A family at a time, longer prefixes first; of equal ones what may leave, as for routes. */
static gint compare(gconstpointer a, gconstpointer b)
{
    const Ruled *x = a, *y = b;

    if (x->prefix.address.family != y->prefix.address.family)
        return x->prefix.address.family < y->prefix.address.family ? -1 : 1;
    if (x->prefix.length != y->prefix.length)
        return x->prefix.length > y->prefix.length ? -1 : 1;
    return (int)y->may_leave - (int)x->may_leave;
}

static void add_ruled(GArray *list, const GArray *prefixes, bool may_leave)
{
    for (guint i = 0; i < prefixes->len; i++) {
        const Ruled ruled = {g_array_index(prefixes, PlatformPrefix, i), may_leave};

        g_array_append_val(list, ruled);
    }
}

static bool means_ipv6_too(const GArray *networks)
{
    bool all = false;

    for (guint i = 0; i < networks->len; i++) {
        const PlatformPrefix *network = &g_array_index(networks, PlatformPrefix, i);

        if (network->address.family == AF_INET6)
            return false;
        all = all || network->length == 0;
    }
    return all;
}

static GArray *ruled_networks(const PlatformKillSwitch *self)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Ruled));

    add_ruled(list, self->exclude, true);
    add_ruled(list, self->networks, false);
    if (means_ipv6_too(self->networks)) {
        const Ruled all = {{{.family = AF_INET6}, 0}, false};

        g_array_append_val(list, all);
    }
    g_array_sort(list, compare);
    return list;
}

static bool goes_with(const Ruled *a, const Ruled *b)
{
    return a->prefix.address.family == b->prefix.address.family && a->may_leave == b->may_leave;
}

/* A rule for each run of networks with the same fate. */
static void add_network_rules(GString *text, const char *table, const GArray *list)
{
    for (guint i = 0, end; i < list->len; i = end) {
        const Ruled *first = &g_array_index(list, Ruled, i);

        g_string_append_printf(text, "add rule inet %s beside %s daddr {", table,
                               first->prefix.address.family == AF_INET ? "ip" : "ip6");
        for (end = i; end < list->len && goes_with(first, &g_array_index(list, Ruled, end));
             end++) {
            char network[PLATFORM_ADDRESS_TEXT];

            platform_prefix_format(&g_array_index(list, Ruled, end).prefix, network);
            g_string_append_printf(text, "%s %s", end == i ? "" : ",", network);
        }
        g_string_append_printf(text, " } %s\n", first->may_leave ? "accept" : "drop");
    }
}

static void add_own_rules(GString *text, const char *table, uint32_t mark, const GArray *gateways)
{
    for (guint i = 0; i < gateways->len; i++) {
        const PlatformEndpoint *gateway = &g_array_index(gateways, PlatformEndpoint, i);
        const char *family = gateway->address.family == AF_INET ? "ip" : "ip6";
        char address[PLATFORM_ADDRESS_TEXT];

        platform_address_format(&gateway->address, address);
        g_string_append_printf(
            text,
            "add rule inet %s beside meta mark 0x%x %s daddr %s udp dport { %u, %u } accept\n"
            "add rule inet %s beside meta mark 0x%x %s daddr %s meta l4proto 50 accept\n",
            table, mark, family, address, gateway->port, NATT_PORT, table, mark, family, address);
    }
    g_string_append_printf(text,
                           "add rule inet %s beside meta mark 0x%x udp dport %u accept\n"
                           "add rule inet %s beside meta mark != 0x%x meta mark and 0x%x == 0x%x "
                           "accept\n",
                           table, mark, DNS_PORT, table, mark, PLATFORM_SLOT_MARK_MASK,
                           PLATFORM_SLOT_MARK_BASE);
}

void platform_kill_switch_add_rules(const PlatformKillSwitch *self, const char *table,
                                    uint32_t mark, GString *text)
{
    static const char *const hooks[][2] = {{"sent", "output"}, {"passed", "forward"}};
    g_autoptr(GArray) networks = ruled_networks(self);

    g_string_append_printf(text, "add chain inet %s beside\n", table);
    for (size_t i = 0; i < G_N_ELEMENTS(hooks); i++)
        g_string_append_printf(
            text,
            "add chain inet %s %s { type filter hook %s priority 0; policy accept; }\n"
            "add rule inet %s %s oifname \"lo\" accept\n"
            "add rule inet %s %s oifname \"" PLATFORM_SLOT_INTERFACE "*\" accept\n"
            "add rule inet %s %s jump beside\n",
            table, hooks[i][0], hooks[i][1], table, hooks[i][0], table, hooks[i][0], table,
            hooks[i][0]);
    add_own_rules(text, table, mark, self->gateways);
    for (size_t i = 0; i < G_N_ELEMENTS(link_rules); i++)
        g_string_append_printf(text, "add rule inet %s beside %s\n", table, link_rules[i]);
    add_network_rules(text, table, networks);
}

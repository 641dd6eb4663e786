// SPDX-License-Identifier: GPL-2.0-or-later
/* What a plan means in routes and rules; no system call here.
 *
 * All routes of a tunnel stand in its own table, which a rule above the main table looks up for
 * packets that have no tunnel's mark: more specific routes that a hostile network pushes into the
 * main table (RFC 3442 options, say) so never win. Excluded networks are "throw" routes there, and
 * what the gateway leaves to the user's own network are routes to the link that it is on. A full
 * tunnel without IPv6 networks makes IPv6 unreachable, but for link-local networks.
 */
#include "platform/helper/routes.h"

#include <linux/rtnetlink.h>
#include <string.h>

enum { LOCAL_LENGTH_MIN = 16 };

/* The first for a network stays. */
static void add_route(GArray *routes, const PlatformRoute *route)
{
    for (guint i = 0; i < routes->len; i++) {
        if (platform_prefix_equal(&g_array_index(routes, PlatformRoute, i).prefix, &route->prefix))
            return;
    }
    g_array_append_val(routes, *route);
}

static void add_routes(GArray *routes, const GArray *prefixes, PlatformRoute route)
{
    for (guint i = 0; i < prefixes->len; i++) {
        route.prefix = g_array_index(prefixes, PlatformPrefix, i);
        add_route(routes, &route);
    }
}

static gboolean has_family(const GArray *prefixes, int family)
{
    for (guint i = 0; i < prefixes->len; i++) {
        if (g_array_index(prefixes, PlatformPrefix, i).address.family == family)
            return TRUE;
    }
    return FALSE;
}

bool helper_routes_block_ipv6(const HelperPlan *plan)
{
    return helper_plan_is_full(plan, AF_INET) && !has_family(plan->routes, AF_INET6);
}

GArray *helper_routes_of(const HelperPlan *plan, const PlatformSlotInfo *slot, int ifindex)
{
    GArray *routes = g_array_new(FALSE, TRUE, sizeof(PlatformRoute));
    PlatformRoute link = {.type = PLATFORM_ROUTE_LINK, .table = slot->table, .ifindex = ifindex};
    PlatformRoute local = {.type = PLATFORM_ROUTE_THROW, .table = slot->table};

    add_routes(routes, plan->exclude, local);
    add_routes(routes, plan->routes, link);
    if (helper_routes_block_ipv6(plan)) {
        PlatformRoute all = {.type = PLATFORM_ROUTE_UNREACHABLE, .table = slot->table};

        platform_prefix_parse("fe80::/10", &local.prefix);
        platform_prefix_parse("::/0", &all.prefix);
        add_route(routes, &local);
        add_route(routes, &all);
    }
    return routes;
}

/* A network that anybody might announce as local is no reason to leave the tunnel: only private
 * ones (RFC 1918) of a size that one link has, and none that has a part in the tunnel itself. */
static gboolean may_stay_local(const HelperPlan *plan, const PlatformPrefix *network)
{
    static const char *const private[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"};
    gboolean is_private = FALSE, is_inner = FALSE;

    for (size_t i = 0; i < G_N_ELEMENTS(private); i++) {
        PlatformPrefix range;

        is_private |= platform_prefix_parse(private[i], &range) &&
                      network->length >= MAX(range.length + 1, LOCAL_LENGTH_MIN) &&
                      platform_prefix_contains(&range, &network->address);
    }
    for (guint i = 0; i < plan->addresses->len; i++)
        is_inner |= platform_prefix_contains(
            network, &g_array_index(plan->addresses, PlatformPrefix, i).address);
    for (size_t i = 0; i < plan->dns.n_servers; i++)
        is_inner |= platform_prefix_contains(network, &plan->dns.servers[i]);
    return is_private && !is_inner;
}

/* Routes to that link, not "throw": when the link goes they go with it, and the network is the
 * tunnel's again. */
void helper_routes_add_local(GArray *routes, const HelperPlan *plan, const PlatformSlotInfo *slot,
                             const PlatformPrefix *subnet, int ifindex)
{
    for (guint i = 0; helper_plan_is_full(plan, AF_INET) && i < plan->local->len; i++) {
        const PlatformPrefix *allowed = &g_array_index(plan->local, PlatformPrefix, i);
        gboolean any = allowed->length == 0 && allowed->address.family == AF_INET;
        PlatformRoute route = {
            .prefix = any ? *subnet : *allowed,
            .type = PLATFORM_ROUTE_LINK,
            .table = slot->table,
            .ifindex = ifindex,
        };

        if (route.prefix.length >= subnet->length &&
            platform_prefix_contains(subnet, &route.prefix.address) &&
            may_stay_local(plan, &route.prefix))
            add_route(routes, &route);
    }
}

GArray *helper_rules_of(const HelperPlan *plan, const PlatformSlotInfo *slot)
{
    GArray *rules = g_array_new(FALSE, TRUE, sizeof(PlatformRule));
    gboolean full = helper_plan_is_full(plan, AF_INET) || helper_plan_is_full(plan, AF_INET6);
    PlatformRule rule = {
        .priority =
            (full ? PLATFORM_SLOT_PRIORITY_FULL : PLATFORM_SLOT_PRIORITY_SPLIT) + slot->number,
        .table = slot->table,
        .mark = PLATFORM_SLOT_MARK_BASE,
        .mask = PLATFORM_SLOT_MARK_MASK,
        .invert = true,
    };

    if (has_family(plan->routes, AF_INET)) {
        rule.family = AF_INET;
        g_array_append_val(rules, rule);
    }
    if (has_family(plan->routes, AF_INET6) || helper_routes_block_ipv6(plan)) {
        rule.family = AF_INET6;
        g_array_append_val(rules, rule);
    }
    return rules;
}

/* For one gateway's answers; not set where the plan leaves it to the main table anyway. */
static PlatformRule reply_rule(const HelperPlan *plan, const PlatformSlotInfo *slot, guint i,
                               uint8_t ip_protocol)
{
    const PlatformAddress *gateway = &g_array_index(plan->gateways, PlatformAddress, i);

    return (PlatformRule){
        .family = AF_INET,
        .priority = PLATFORM_SLOT_PRIORITY_REPLIES + slot->number,
        .table = RT_TABLE_MAIN,
        .to_set = gateway->family == AF_INET && helper_routes_swallow(plan, gateway),
        .to = {*gateway, 32},
        .ip_protocol = ip_protocol,
    };
}

/* Strict rp_filter looks the sender of an answer up as if it were a destination: without mark, but
   with the ports turned round. So this rule matches the gateway's answers to our own sockets, and
   what leaves by those sockets, which is marked anyway; nothing of any other process. */
void helper_rules_add_replies(GArray *rules, const HelperPlan *plan, const PlatformSlotInfo *slot,
                              const uint16_t *ports, size_t n_ports)
{
    static const uint16_t gateway_ports[] = {4500, 500};

    for (guint i = 0; i < plan->gateways->len; i++) {
        PlatformRule rule = reply_rule(plan, slot, i, IPPROTO_UDP);

        for (size_t p = 0; rule.to_set && p < n_ports * G_N_ELEMENTS(gateway_ports); p++) {
            rule.source_port = ports[p / 2];
            rule.destination_port = gateway_ports[p % 2];
            g_array_append_val(rules, rule);
        }
    }
}

void helper_rules_add_esp(GArray *rules, const HelperPlan *plan, const PlatformSlotInfo *slot)
{
    for (guint i = 0; i < plan->gateways->len; i++) {
        PlatformRule rule = reply_rule(plan, slot, i, IPPROTO_ESP);

        if (rule.to_set)
            g_array_append_val(rules, rule);
    }
}

/* The length of the closest network that the address is in; -1: it is in none. */
static int longest_with(const GArray *prefixes, const PlatformAddress *address)
{
    int longest = -1;

    for (guint i = 0; i < prefixes->len; i++) {
        const PlatformPrefix *prefix = &g_array_index(prefixes, PlatformPrefix, i);

        if (platform_prefix_contains(prefix, address))
            longest = MAX(longest, prefix->length);
    }
    return longest;
}

bool helper_routes_swallow(const HelperPlan *plan, const PlatformAddress *address)
{
    return longest_with(plan->routes, address) > longest_with(plan->exclude, address);
}

static bool conflicts(const PlatformPrefix *a, const PlatformPrefix *b)
{
    /* Some networks come before everything, by the priorities of their rules. */
    if ((a->length == 0) != (b->length == 0))
        return false;
    return platform_prefix_overlaps(a, b);
}

int helper_routes_conflict(const HelperPlan *plan, const PlatformSlotInfo *slot,
                           const GArray *slots, PlatformPrefix *networkp)
{
    for (guint s = 0; s < slots->len; s++) {
        const PlatformSlotInfo *other = &g_array_index(slots, PlatformSlotInfo, s);

        if (other->number == slot->number || other->netns != slot->netns)
            continue;
        for (guint i = 0; i < plan->routes->len; i++) {
            const PlatformPrefix *route = &g_array_index(plan->routes, PlatformPrefix, i);

            for (size_t o = 0; o < other->n_routes; o++) {
                if (!conflicts(route, &other->routes[o]))
                    continue;
                *networkp = other->routes[o];
                return (int)s;
            }
        }
    }
    return -1;
}

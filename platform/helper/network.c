// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings the network of one slot from what is set up to what is wanted, and back.
 *
 * Every change is written to the journal before it is made. What is new is added before what is old
 * is removed, so a second plan that differs in one route never interrupts another. If a step fails,
 * all is undone: there is no half of a plan.
 */
#include "platform/helper/network.h"

#include "platform/helper/checks.h"
#include "platform/slot-dns.h"
#include "platform/netlink-guard.h"
#include "platform/slot-journal.h"
#include "platform/helper/error.h"
#include "platform/helper/routes.h"
#include "platform/network-watch.h"
#include "platform/tun.h"
#include "platform/udp.h"
#include "platform/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TXQUEUELEN = 2000,
    DESCRIPTORS_MAX = 256, /* far below RLIMIT_NOFILE: GLib aborts where there are none */
};

struct HelperNetwork {
    PlatformSlot *slot;
    const PlatformSlotInfo *info;
    const char *dir;
    PlatformNetlink *netlink;
    PlatformSlotJournal journal;
    uint16_t ports[HELPER_ROUTES_PORTS];
    size_t n_ports;
    int esp[2];       /* raw sockets that nobody has asked for yet, IPv4 and IPv6; -1: none */
    gboolean has_esp; /* one was handed over */
    /* what is set up */
    HelperPlan *plan;
    int ifindex;
    GArray *routes;
    GArray *rules;
    PlatformSlotDns dns;
    PlatformFirewall *firewall;
    PlatformNetlinkGuard *guard; /* while a plan is set up */
    PlatformWarnFunc warn;       /* NULL: nobody hears */
    void *warn_data;
};

G_GNUC_PRINTF(3, 4)
static gboolean fail(GError **error, int r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, HELPER_ERROR,
                r == -EPERM || r == -EACCES ? HELPER_ERROR_NOT_PERMITTED : HELPER_ERROR_SYSTEM,
                "%s: %s", message, g_strerror(-r));
    return FALSE;
}

static gboolean note(HelperNetwork *network, PlatformSlotNote what, GError **error)
{
    int r = platform_slot_journal_note(&network->journal, what);

    return r == 0 || fail(error, r, N_("cannot write the journal"));
}

/* ---- undoing ---- */

/* All of the interface, for nobody else gives it any. */
static int undo_addresses(HelperNetwork *network)
{
    return network->ifindex ? platform_netlink_addresses_clear(network->netlink, network->ifindex)
                            : 0;
}

/* Rules that lead to the main table are not found by our table. */
static int undo_reply_rules(HelperNetwork *network)
{
    return platform_netlink_rules_remove(network->netlink, AF_INET,
                                         PLATFORM_SLOT_PRIORITY_REPLIES + network->info->number);
}

static int undo_table(HelperNetwork *network)
{
    int r = platform_netlink_table_clear(network->netlink, network->info->table);
    int r2 = undo_reply_rules(network);

    return r ? r : r2;
}

static int undo_link(HelperNetwork *network)
{
    int ifindex = platform_netlink_ifindex(network->netlink, network->info->interface);

    network->ifindex = 0;
    return ifindex ? platform_netlink_link_delete(network->netlink, ifindex) : 0;
}

static void forget_plan(HelperNetwork *network)
{
    g_clear_pointer(&network->guard, platform_netlink_guard_free);
    g_clear_pointer(&network->plan, helper_plan_free);
    g_array_set_size(network->routes, 0);
    g_array_set_size(network->rules, 0);
}

static void publish(HelperNetwork *network, const HelperPlan *plan)
{
    PlatformSlotInfo *info = platform_slot_info(network->slot);
    guint n = plan ? plan->routes->len : 0;

    g_free(info->routes);
    info->routes = n ? g_memdup2(plan->routes->data, n * sizeof(PlatformPrefix)) : NULL;
    info->n_routes = n;
    int r = platform_slot_publish(network->slot);

    /* Only other tunnels' checks and `status` miss it. */
    if (r < 0)
        g_warning("cannot publish %s: %s", info->interface, g_strerror(-r));
}

gboolean helper_network_undo(HelperNetwork *network, gboolean link_too, GError **error)
{
    gboolean ok = platform_slot_dns_undo(&network->dns, network->ifindex, error);
    int r = 0;

    if (network->journal.noted[PLATFORM_SLOT_NOTE_TABLE])
        r = undo_table(network);
    int r2 = undo_addresses(network);

    r = r ? r : r2;
    if (link_too && network->journal.noted[PLATFORM_SLOT_NOTE_LINK]) {
        r2 = undo_link(network);
        r = r ? r : r2;
    }
    ok = platform_firewall_undo(network->firewall, ok ? error : NULL) && ok;
    if (network->plan)
        publish(network, NULL);
    forget_plan(network);
    if (ok && r)
        ok = fail(error, r, N_("cannot put the network back"));
    if (ok && link_too)
        platform_slot_journal_discard(&network->journal);
    return ok;
}

/* ---- making ---- */

/* A table or an interface that somebody else uses under our number. */
static gboolean is_free(HelperNetwork *network, GError **error)
{
    unsigned n = 0;
    int r = platform_netlink_table_count(network->netlink, network->info->table, &n);

    if (r < 0)
        return fail(error, r, N_("cannot read the routing tables"));
    if (n == 0 && !platform_netlink_ifindex(network->netlink, network->info->interface))
        return TRUE;
    g_set_error(error, HELPER_ERROR, HELPER_ERROR_NO_SLOT,
                N_("something else uses routing table %u or interface %s"), network->info->table,
                network->info->interface);
    return FALSE;
}

static PlatformUdpOptions socket_options(const HelperNetwork *network, int family)
{
    return (PlatformUdpOptions){
        .family = family,
        .mark = network->info->mark,
        .buffer = PLATFORM_UDP_BUFFER,
    };
}

static void open_esp(HelperNetwork *network)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        const PlatformUdpOptions options = socket_options(network, families[i]);

        if (platform_esp_open(&options, &network->esp[i]) < 0)
            network->esp[i] = -1;
    }
}

static void close_esp(HelperNetwork *network)
{
    for (size_t i = 0; i < G_N_ELEMENTS(network->esp); i++) {
        if (network->esp[i] >= 0)
            close(network->esp[i]);
        network->esp[i] = -1;
    }
}

HelperNetwork *helper_network_new(PlatformSlot *slot, const char *dir,
                                  const PlatformDnsPaths *paths, GError **error)
{
    HelperNetwork *network = g_new0(HelperNetwork, 1);

    network->slot = slot;
    network->info = platform_slot_info(slot);
    network->dir = dir;
    network->firewall = platform_firewall_new(slot, dir);
    network->dns = (PlatformSlotDns){paths, network->info->interface, &network->journal};
    open_esp(network);
    network->routes = g_array_new(FALSE, TRUE, sizeof(PlatformRoute));
    network->rules = g_array_new(FALSE, TRUE, sizeof(PlatformRule));
    int r = platform_netlink_new(&network->netlink);

    if (r < 0) {
        fail(error, r, N_("cannot open a netlink socket"));
        helper_network_free(network);
        return NULL;
    }
    platform_slot_journal_load(&network->journal, platform_slot_dirfd(slot), network->info->number);
    network->ifindex = platform_netlink_ifindex(network->netlink, network->info->interface);
    if (!helper_network_undo(network, TRUE, error) || !is_free(network, error)) {
        helper_network_free(network);
        return NULL;
    }
    return network;
}

void helper_network_free(HelperNetwork *network)
{
    if (!network)
        return;
    forget_plan(network);
    close_esp(network);
    g_array_unref(network->routes);
    g_array_unref(network->rules);
    platform_netlink_free(network->netlink);
    platform_firewall_free(network->firewall);
    g_free(network);
}

gboolean helper_network_open_tun(HelperNetwork *network, unsigned mtu, gboolean vnet_hdr, int *fdp,
                                 GError **error)
{
    int fd;

    if (!note(network, PLATFORM_SLOT_NOTE_LINK, error))
        return FALSE;
    int r = platform_tun_open(network->info->interface, vnet_hdr, &fd);

    if (r == -ENOENT || r == -ENODEV)
        return fail(error, r, N_("this machine has no TUN interfaces (/dev/net/tun)"));
    if (r < 0)
        return fail(error, r, N_("cannot open interface %s"), network->info->interface);
    network->ifindex = platform_netlink_ifindex(network->netlink, network->info->interface);
    r = platform_netlink_link_quiet(network->netlink, network->ifindex);
    if (r == 0)
        r = platform_netlink_link_set(network->netlink, network->ifindex, mtu, TXQUEUELEN);
    if (r < 0) {
        close(fd);
        return fail(error, r, N_("cannot bring %s up"), network->info->interface);
    }
    /* Routes and addresses of a former interface went with it. */
    forget_plan(network);
    *fdp = fd;
    return TRUE;
}

gboolean helper_network_open_socket(HelperNetwork *network, int family, int *fdp, uint16_t *portp,
                                    GError **error)
{
    const PlatformUdpOptions options = socket_options(network, family);
    int r = family == AF_NETLINK ? platform_network_watch_open(fdp)
                                 : platform_udp_open(&options, fdp, portp);

    /* The helper keeps none: so many are answers that the peer does not read. */
    if (r == 0 && *fdp >= DESCRIPTORS_MAX) {
        close(*fdp);
        r = -EMFILE;
    }
    if (r < 0)
        return fail(error, r, N_("cannot open a socket"));
    /* The latest: sockets that were closed leave no word. */
    if (family == AF_INET)
        network->ports[network->n_ports++ % HELPER_ROUTES_PORTS] = *portp;
    return TRUE;
}

gboolean helper_network_take_esp(HelperNetwork *network, int family, int *fdp, GError **error)
{
    int *held = &network->esp[family == AF_INET ? 0 : 1];

    if (*held < 0)
        return fail(error, -EPERM,
                    N_("no raw socket for ESP, which needs the capability CAP_NET_RAW"));
    *fdp = *held;
    *held = -1;
    network->has_esp = TRUE;
    return TRUE;
}

PlatformFirewall *helper_network_firewall(HelperNetwork *network)
{
    return network->firewall;
}

/* ---- applying ---- */

static gboolean apply_addresses(HelperNetwork *network, const HelperPlan *plan, GError **error)
{
    int r = platform_netlink_link_set(network->netlink, network->ifindex, plan->mtu, 0);

    for (guint i = 0; r == 0 && i < plan->addresses->len; i++)
        r = platform_netlink_address_add(network->netlink, network->ifindex,
                                         &g_array_index(plan->addresses, PlatformPrefix, i));
    return r == 0 || fail(error, r, N_("cannot set the address of %s"), network->info->interface);
}

static gboolean has_prefix(const GArray *prefixes, const PlatformPrefix *prefix)
{
    for (guint i = 0; i < prefixes->len; i++) {
        if (platform_prefix_equal(&g_array_index(prefixes, PlatformPrefix, i), prefix))
            return TRUE;
    }
    return FALSE;
}

static gboolean drop_addresses(HelperNetwork *network, const HelperPlan *plan, GError **error)
{
    int r = 0;

    for (guint i = 0; network->plan && r == 0 && i < network->plan->addresses->len; i++) {
        const PlatformPrefix *old = &g_array_index(network->plan->addresses, PlatformPrefix, i);

        if (!has_prefix(plan->addresses, old))
            r = platform_netlink_address_remove(network->netlink, network->ifindex, old);
    }
    return r == 0 || fail(error, r, N_("cannot remove an address of %s"), network->info->interface);
}

static gboolean has_route(const GArray *routes, const PlatformRoute *route, gboolean same_target)
{
    for (guint i = 0; i < routes->len; i++) {
        const PlatformRoute *other = &g_array_index(routes, PlatformRoute, i);

        if (same_target ? platform_route_equal(other, route)
                        : platform_prefix_equal(&other->prefix, &route->prefix))
            return TRUE;
    }
    return FALSE;
}

/* Routes of a network that stay but lead elsewhere are replaced, not removed. */
static gboolean apply_routes(HelperNetwork *network, GArray *wanted, GError **error)
{
    int r = 0;

    for (guint i = 0; r == 0 && i < wanted->len; i++) {
        const PlatformRoute *route = &g_array_index(wanted, PlatformRoute, i);

        if (!has_route(network->routes, route, TRUE))
            r = platform_netlink_route_add(network->netlink, route);
        /* Where IPv6 is switched off nothing of it can leak. */
        if (r < 0 && route->prefix.address.family == AF_INET6 && route->type != PLATFORM_ROUTE_LINK)
            r = 0;
    }
    for (guint i = 0; r == 0 && i < network->routes->len; i++) {
        const PlatformRoute *route = &g_array_index(network->routes, PlatformRoute, i);

        if (!has_route(wanted, route, FALSE))
            r = platform_netlink_route_remove(network->netlink, route);
    }
    return r == 0 || fail(error, r, N_("cannot set a route"));
}

static gboolean has_rule(const GArray *rules, const PlatformRule *rule)
{
    for (guint i = 0; i < rules->len; i++) {
        if (platform_rule_equal(&g_array_index(rules, PlatformRule, i), rule))
            return TRUE;
    }
    return FALSE;
}

static gboolean apply_rules(HelperNetwork *network, GArray *wanted, GError **error)
{
    int r = 0;

    for (guint i = 0; r == 0 && i < wanted->len; i++) {
        const PlatformRule *rule = &g_array_index(wanted, PlatformRule, i);

        if (!has_rule(network->rules, rule))
            r = platform_netlink_rule_add(network->netlink, rule);
        if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP)
            r = rule->family == AF_INET6 ? 0 : r;
    }
    for (guint i = 0; r == 0 && i < network->rules->len; i++) {
        const PlatformRule *rule = &g_array_index(network->rules, PlatformRule, i);

        if (!has_rule(wanted, rule))
            r = platform_netlink_rule_remove(network->netlink, rule);
    }
    return r == 0 || fail(error, r, N_("cannot set a policy rule"));
}

static gboolean check(HelperNetwork *network, const HelperPlan *plan, gboolean *filteredp,
                      GError **error)
{
    const HelperPlan *old = network->plan;

    if (network->ifindex == 0 ||
        platform_netlink_ifindex(network->netlink, network->info->interface) != network->ifindex) {
        g_set_error(error, HELPER_ERROR, HELPER_ERROR_NOT_CLAIMED, N_("there is no interface %s"),
                    network->info->interface);
        return FALSE;
    }
    /* Published before looking at the others: of two that come at once at least one sees the
       other. */
    publish(network, plan);
    if (!helper_check_conflict(plan, network->info, network->dir, error)) {
        publish(network, old);
        return FALSE;
    }
    *filteredp = helper_check_filtered(plan, network->netlink, network->info->mark);
    return TRUE;
}

typedef struct Local {
    const HelperNetwork *network;
    const HelperPlan *plan;
    GArray *routes;
} Local;

static void on_subnet(const PlatformPrefix *subnet, int ifindex, void *user_data)
{
    const Local *local = user_data;

    helper_routes_add_local(local->routes, local->plan, local->network->info, subnet, ifindex);
}

static gboolean apply_steps(HelperNetwork *network, const HelperPlan *plan, gboolean filtered,
                            GPtrArray *warnings, GError **error)
{
    g_autoptr(GArray) routes = helper_routes_of(plan, network->info, network->ifindex);
    g_autoptr(GArray) rules = helper_rules_of(plan, network->info);
    const PlatformFirewallWants protected = {plan->addresses, plan->routes, plan->exclude};
    Local local = {network, plan, routes};

    /* Without an answer all of it goes through the tunnel. */
    if (plan->local->len > 0)
        (void)platform_netlink_local_subnets(network->netlink, network->ifindex, on_subnet, &local);
    if (filtered)
        helper_rules_add_replies(rules, plan, network->info, network->ports,
                                 MIN(network->n_ports, HELPER_ROUTES_PORTS));
    if (filtered && network->has_esp)
        helper_rules_add_esp(rules, plan, network->info);
    if (!note(network, PLATFORM_SLOT_NOTE_TABLE, error) ||
        !platform_firewall_protect(network->firewall, &protected, warnings, error) ||
        !apply_addresses(network, plan, error) || !apply_routes(network, routes, error) ||
        !apply_rules(network, rules, error) || !drop_addresses(network, plan, error))
        return FALSE;
    platform_slot_dns_apply(&network->dns, network->ifindex, &plan->dns, warnings);
    g_array_unref(g_steal_pointer(&network->routes));
    g_array_unref(g_steal_pointer(&network->rules));
    network->routes = g_steal_pointer(&routes);
    network->rules = g_steal_pointer(&rules);
    return TRUE;
}

void helper_network_restore(HelperNetwork *network)
{
    int r = 0;

    for (guint i = 0; i < network->routes->len; i++) {
        const PlatformRoute *route = &g_array_index(network->routes, PlatformRoute, i);

        /* What led to another link may have gone with that link's network, and stays away. */
        if (route->type == PLATFORM_ROUTE_LINK && route->ifindex != network->ifindex)
            continue;
        int added = platform_netlink_route_add(network->netlink, route);

        r = r ? r : added;
    }
    for (guint i = 0; i < network->rules->len; i++) {
        int added = platform_netlink_rule_add(network->netlink,
                                              &g_array_index(network->rules, PlatformRule, i));

        r = r ? r : added;
    }
    if (r < 0)
        g_debug("cannot bring all of %s back: %s", network->info->interface, g_strerror(-r));
}

static void on_taken_away(void *user_data)
{
    helper_network_restore(user_data);
}

static void on_contested(const char *warning, void *user_data)
{
    const HelperNetwork *network = user_data;

    if (network->warn)
        network->warn(warning, network->warn_data);
}

void helper_network_on_warning(HelperNetwork *network, PlatformWarnFunc warn, void *user_data)
{
    network->warn = warn;
    network->warn_data = user_data;
    platform_firewall_on_warning(network->firewall, warn, user_data);
}

gboolean helper_network_apply(HelperNetwork *network, HelperPlan *plan_take, GPtrArray *warnings,
                              GError **error)
{
    const PlatformRestorerSetup setup = {N_("the tunnel's routes or rules"), on_taken_away,
                                         on_contested, network};
    g_autoptr(HelperPlan) plan = plan_take;
    gboolean filtered;

    close_esp(network);
    if (!check(network, plan, &filtered, error))
        return FALSE;
    if (!apply_steps(network, plan, filtered, warnings, error)) {
        (void)helper_network_undo(network, FALSE, NULL);
        return FALSE;
    }
    if (filtered)
        g_ptr_array_add(warnings, g_strdup(N_("rp-filter-met: rp_filter is strict; a rule lets the "
                                              "gateway's answers in")));
    helper_check_covered(plan, network->netlink, network->ifindex, warnings);
    helper_check_ipv6(plan, network->netlink, network->ifindex, warnings);
    g_clear_pointer(&network->plan, helper_plan_free);
    network->plan = g_steal_pointer(&plan);
    if (!network->guard)
        network->guard = platform_netlink_guard_new(network->info->table, network->netlink, &setup);
    return TRUE;
}

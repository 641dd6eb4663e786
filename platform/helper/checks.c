// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions to the machine, whose answers refuse a plan, add a rule to it, or become a warning.
 * Nothing is changed here.
 */
#include "platform/helper/checks.h"

#include "platform/helper/error.h"
#include "platform/helper/routes.h"
#include "platform/words.h"

#include <net/if.h>
#include <stdlib.h>

gboolean helper_check_conflict(const HelperPlan *plan, const PlatformSlotInfo *slot,
                               const char *dir, GError **error)
{
    g_autoptr(GArray) slots = platform_slot_list(dir);
    PlatformPrefix other;
    char text[PLATFORM_ADDRESS_TEXT];
    int i = helper_routes_conflict(plan, slot, slots, &other);

    if (i < 0)
        return TRUE;
    const PlatformSlotInfo *with = &g_array_index(slots, PlatformSlotInfo, i);

    g_set_error(error, HELPER_ERROR, HELPER_ERROR_CONFLICT,
                N_("%s is carried by the tunnel \"%s\" (%s) already"),
                other.length ? platform_prefix_format(&other, text) : N_("all traffic"),
                with->label, with->interface);
    return FALSE;
}

static int read_rp_filter(const char *link)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/ipv4/conf/%s/rp_filter", link);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? atoi(text) : 0;
}

/* On the link by which this gateway is reached; the larger of the two values counts. */
static gboolean has_strict_filter(PlatformNetlink *netlink, const PlatformAddress *gateway,
                                  uint32_t mark)
{
    char link[IF_NAMESIZE];
    int ifindex;

    if (gateway->family != AF_INET ||
        platform_netlink_route_get(netlink, gateway, mark, &ifindex) < 0 ||
        !if_indextoname((unsigned)ifindex, link))
        return FALSE;
    return MAX(read_rp_filter("all"), read_rp_filter(link)) == 1;
}

gboolean helper_check_filtered(const HelperPlan *plan, PlatformNetlink *netlink, uint32_t mark)
{
    for (guint i = 0; i < plan->gateways->len; i++) {
        const PlatformAddress *gateway = &g_array_index(plan->gateways, PlatformAddress, i);

        if (helper_routes_swallow(plan, gateway) && has_strict_filter(netlink, gateway, mark))
            return TRUE;
    }
    return FALSE;
}

typedef struct Covered {
    const HelperPlan *plan;
    GPtrArray *warnings;
} Covered;

static gboolean covers(const HelperPlan *plan, const PlatformPrefix *subnet)
{
    for (guint i = 0; i < plan->routes->len; i++) {
        const PlatformPrefix *route = &g_array_index(plan->routes, PlatformPrefix, i);

        if (route->length > 0 && route->length <= subnet->length &&
            platform_prefix_contains(route, &subnet->address))
            return helper_routes_swallow(plan, &subnet->address);
    }
    return FALSE;
}

static void on_subnet(const PlatformPrefix *subnet, int ifindex, void *user_data)
{
    const Covered *covered = user_data;
    char network[PLATFORM_ADDRESS_TEXT], link[IF_NAMESIZE] = "?";

    if (!covers(covered->plan, subnet))
        return;
    if_indextoname((unsigned)ifindex, link);
    g_ptr_array_add(covered->warnings,
                    g_strdup_printf(N_("local-network-covered: the network %s of %s is reached "
                                       "through the tunnel"),
                                    platform_prefix_format(subnet, network), link));
}

void helper_check_covered(const HelperPlan *plan, PlatformNetlink *netlink, int ifindex,
                          GPtrArray *warnings)
{
    Covered covered = {plan, warnings};

    /* Only warnings come of it. */
    (void)platform_netlink_local_subnets(netlink, ifindex, on_subnet, &covered);
}

static gboolean excludes(const HelperPlan *plan, const PlatformAddress *address)
{
    for (guint i = 0; i < plan->exclude->len; i++) {
        if (platform_prefix_contains(&g_array_index(plan->exclude, PlatformPrefix, i), address))
            return TRUE;
    }
    return FALSE;
}

/* Whatever the reason: IPv6's routing has no rules here, or somebody else's rule comes first. */
void helper_check_ipv6(const HelperPlan *plan, PlatformNetlink *netlink, int ifindex,
                       GPtrArray *warnings)
{
    PlatformAddress anywhere;
    char link[IF_NAMESIZE] = "?";
    int way;

    if (!helper_routes_block_ipv6(plan) || !platform_address_parse("2000::1", &anywhere) ||
        excludes(plan, &anywhere) || platform_netlink_route_get(netlink, &anywhere, 0, &way) < 0 ||
        way == ifindex)
        return;
    if_indextoname((unsigned)way, link);
    g_ptr_array_add(warnings, g_strdup_printf(N_("ipv6-not-blocked: IPv6 leaves by %s, beside the "
                                                 "tunnel"),
                                              link));
}

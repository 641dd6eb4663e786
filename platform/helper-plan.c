// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the arguments of Helper1.Apply.
 *
 * Here the helper meets values that a gateway may have chosen, so it refuses whatever is not
 * plainly meant: a network with host bits, an address that is multicast, a prefix of length 0 for
 * an address, a name that is no host name, too many of anything, an option that nobody knows.
 */
#include "platform/helper-plan.h"
#include "platform/helper/error.h"

#include <string.h>

HelperPlan *helper_plan_new(void)
{
    HelperPlan *plan = g_new0(HelperPlan, 1);

    plan->addresses = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    plan->routes = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    plan->exclude = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    plan->local = g_array_new(FALSE, TRUE, sizeof(PlatformPrefix));
    plan->gateways = g_array_new(FALSE, TRUE, sizeof(PlatformAddress));
    return plan;
}

void helper_plan_free(HelperPlan *plan)
{
    if (!plan)
        return;
    g_array_unref(plan->addresses);
    g_array_unref(plan->routes);
    g_array_unref(plan->exclude);
    g_array_unref(plan->local);
    g_array_unref(plan->gateways);
    g_free(plan);
}

gboolean helper_plan_is_full(const HelperPlan *plan, int family)
{
    for (guint i = 0; i < plan->routes->len; i++) {
        const PlatformPrefix *route = &g_array_index(plan->routes, PlatformPrefix, i);

        if (route->length == 0 && route->address.family == family)
            return TRUE;
    }
    return FALSE;
}

G_GNUC_PRINTF(2, 3) static gboolean refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, HELPER_ERROR, HELPER_ERROR_INVALID_ARGUMENT, message);
    return FALSE;
}

static gboolean read_address(GVariant *bytes, PlatformAddress *addressp)
{
    gsize n;
    gconstpointer data = g_variant_get_fixed_array(bytes, &n, 1);

    return platform_address_from_bytes(data, n, addressp);
}

typedef struct PrefixRules {
    const char *what;
    gsize min, max;
    gboolean host; /* bits behind the prefix are the host; no network of everything */
} PrefixRules;

static gboolean check_prefix(const PrefixRules *rules, const PlatformPrefix *prefix, GError **error)
{
    const int whole = prefix->address.bytes[0] ? 4 : prefix->address.family == AF_INET ? 8 : 16;
    char text[PLATFORM_ADDRESS_TEXT];

    platform_prefix_format(prefix, text);
    if (rules->host) {
        if (prefix->length == 0 || !platform_address_is_unicast(&prefix->address))
            return refuse(error, "%s: %s is no address of an interface", rules->what, text);
        return TRUE;
    }
    if (!platform_prefix_is_canonical(prefix))
        return refuse(error, "%s: %s has bits behind its prefix", rules->what, text);
    /* Everything and parts of it are meant: 0.0.0.0/1, 0.0.0.0/5, 224.0.0.0/3 (all but one network
       is a list of such); 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/4, fe80::/10, ff00::/8 are not. */
    if (prefix->length < whole)
        return TRUE;
    if (!platform_address_is_unicast(&prefix->address))
        return refuse(error, "%s: %s is no network that can be routed", rules->what, text);
    return TRUE;
}

static gboolean read_prefixes(GVariant *list, const PrefixRules *rules, GArray *prefixes,
                              GError **error)
{
    gsize n = g_variant_n_children(list);

    if (n < rules->min || n > rules->max)
        return refuse(error,
                      "%s: %" G_GSIZE_FORMAT " entries, %" G_GSIZE_FORMAT " to %" G_GSIZE_FORMAT
                      " are possible",
                      rules->what, n, rules->min, rules->max);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) bytes = NULL;
        PlatformPrefix prefix = {0};
        guint32 length;

        g_variant_get_child(list, i, "(@ayu)", &bytes, &length);
        if (!read_address(bytes, &prefix.address))
            return refuse(error, "%s: an address has neither 4 nor 16 bytes", rules->what);
        if (length > 8 * platform_address_size(prefix.address.family))
            return refuse(error, "%s: a prefix length of %u", rules->what, length);
        prefix.length = (uint8_t)length;
        if (!check_prefix(rules, &prefix, error))
            return FALSE;
        g_array_append_val(prefixes, prefix);
    }
    return TRUE;
}

static gboolean read_dns(GVariant *servers, GVariant *domains, PlatformDnsConfig *dns,
                         GError **error)
{
    dns->n_servers = g_variant_n_children(servers);
    dns->n_domains = g_variant_n_children(domains);
    if (dns->n_servers > PLATFORM_DNS_SERVERS || dns->n_domains > PLATFORM_DNS_DOMAINS)
        return refuse(error, "dns: too many servers or domains");
    for (gsize i = 0; i < dns->n_servers; i++) {
        g_autoptr(GVariant) bytes = g_variant_get_child_value(servers, i);

        if (!read_address(bytes, &dns->servers[i]) ||
            !platform_address_is_unicast(&dns->servers[i]))
            return refuse(error, "dns: a server that is no address of a host");
    }
    for (gsize i = 0; i < dns->n_domains; i++) {
        const char *name;
        gboolean routing_only;

        g_variant_get_child(domains, i, "(&sb)", &name, &routing_only);
        if (!platform_dns_name_is_valid(name) && !(routing_only && !strcmp(name, ".")))
            return refuse(error, "domains: entry %" G_GSIZE_FORMAT " is no host name", i);
        g_strlcpy(dns->domains[i].name, name, sizeof dns->domains[i].name);
        dns->domains[i].routing_only = routing_only;
    }
    return TRUE;
}

static gboolean read_gateways(GVariant *list, GArray *gateways, GError **error)
{
    gsize n = g_variant_n_children(list);

    if (n < 1 || n > HELPER_PLAN_GATEWAYS)
        return refuse(error, "gateways: %" G_GSIZE_FORMAT " entries", n);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) bytes = g_variant_get_child_value(list, i);
        PlatformAddress address;

        if (!read_address(bytes, &address))
            return refuse(error, "gateways: an address has neither 4 nor 16 bytes");
        g_array_append_val(gateways, address);
    }
    return TRUE;
}

static gboolean read_options(GVariant *options, HelperPlan *plan, GError **error)
{
    static const PrefixRules local = {"local", 1, HELPER_PLAN_LOCAL, FALSE};
    g_autoptr(GVariant) networks = NULL;

    if (g_variant_n_children(options) == 0)
        return TRUE;
    networks = g_variant_lookup_value(options, "local", G_VARIANT_TYPE("a(ayu)"));
    if (!networks || g_variant_n_children(options) > 1)
        return refuse(error, "options: unknown");
    return read_prefixes(networks, &local, plan->local, error);
}

HelperPlan *helper_plan_from_arguments(const HelperPlanArguments *arguments, GError **error)
{
    static const PrefixRules addresses = {"addresses", 1, HELPER_PLAN_ADDRESSES, TRUE};
    static const PrefixRules routes = {"routes", 0, HELPER_PLAN_ROUTES, FALSE};
    static const PrefixRules exclude = {"exclude", 0, HELPER_PLAN_EXCLUDE, FALSE};
    g_autoptr(HelperPlan) plan = helper_plan_new();

    if (arguments->mtu < HELPER_PLAN_MTU_MIN || arguments->mtu > HELPER_PLAN_MTU_MAX) {
        refuse(error, "mtu: %u", arguments->mtu);
        return NULL;
    }
    plan->mtu = arguments->mtu;
    if (!read_prefixes(arguments->addresses, &addresses, plan->addresses, error) ||
        !read_prefixes(arguments->routes, &routes, plan->routes, error) ||
        !read_prefixes(arguments->exclude, &exclude, plan->exclude, error) ||
        !read_dns(arguments->dns, arguments->domains, &plan->dns, error) ||
        !read_gateways(arguments->gateways, plan->gateways, error) ||
        !read_options(arguments->options, plan, error))
        return NULL;
    return g_steal_pointer(&plan);
}

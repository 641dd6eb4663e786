/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From profile and gateway to the desired network.
 *
 * Routes: the profile's networks win; else what the gateway's split include names; else what the
 * SAs cover, which is everything unless the gateway narrowed it. DNS=auto takes the gateway's
 * servers that an SA reaches, and gives each that no route covers a route of its own, lest the
 * questions leave by the physical link. Names of all kinds come from the gateway as hostile text:
 * only what is a host name by RFC 1123 is kept. Whatever is odd is left out; only an unusable inner
 * address is a failure.
 */
#include "client/tunnel/plan.h"

#include <string.h>
#include <sys/socket.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/tunnel/config.h"

/* ---- networks ---- */

static bool list_has(const GArray *list, const PlatformPrefix *prefix)
{
    for (guint i = 0; i < list->len; i++)
        if (platform_prefix_equal(&g_array_index(list, PlatformPrefix, i), prefix))
            return true;
    return false;
}

static void list_add(GArray *list, const PlatformPrefix *prefix, guint max)
{
    if (list->len < max && !list_has(list, prefix))
        g_array_append_val(list, *prefix);
}

static bool has_family(const HelperPlan *plan, uint8_t family)
{
    for (guint i = 0; i < plan->addresses->len; i++)
        if (g_array_index(plan->addresses, PlatformPrefix, i).address.family == family)
            return true;
    return false;
}

/* Loopback, link-local and multicast never leave by a tunnel, whoever asks for it. Everything at
 * once (prefix 0) is no such request. */
static bool is_routable(const PlatformPrefix *prefix)
{
    static const char *const never[] = {
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
        "::1/128",   "fe80::/10",   "ff00::/8",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(never); i++) {
        PlatformPrefix bad;
        if (!platform_prefix_parse(never[i], &bad))
            continue;
        if (prefix->length >= bad.length && platform_prefix_overlaps(prefix, &bad))
            return false;
    }
    return true;
}

static void add_route(HelperPlan *plan, const PlatformPrefix *prefix)
{
    if (has_family(plan, prefix->address.family) && is_routable(prefix))
        list_add(plan->routes, prefix, HELPER_PLAN_ROUTES);
}

static void add_routes(HelperPlan *plan, const TunnelPlanInput *input)
{
    const GArray *own = input->profile->networks;
    for (guint i = 0; i < own->len; i++) {
        PlatformPrefix prefix = tunnel_prefix_from_profile(&g_array_index(own, DialtoneNetwork, i));
        add_route(plan, &prefix);
    }
    if (own->len > 0)
        return;
    for (size_t i = 0; i < input->config->networks_n; i++) {
        PlatformPrefix prefix = tunnel_prefix_from_ike(&input->config->networks[i]);
        add_route(plan, &prefix);
    }
    if (plan->routes->len > 0)
        return;
    for (size_t i = 0; i < input->sas_n; i++) {
        PlatformPrefix prefix = tunnel_prefix_from_ike(&input->sas[i].remote);
        add_route(plan, &prefix);
    }
    if (plan->routes->len > 0)
        return;
    PlatformPrefix everything = {.address.family = AF_INET};
    add_route(plan, &everything);
}

static void add_excluded(HelperPlan *plan, const TunnelPlanInput *input)
{
    const GArray *exclude = input->profile->exclude;
    for (guint i = 0; i < exclude->len; i++) {
        PlatformPrefix prefix =
            tunnel_prefix_from_profile(&g_array_index(exclude, DialtoneNetwork, i));
        list_add(plan->exclude, &prefix, HELPER_PLAN_EXCLUDE);
    }
}

/* Beside a full tunnel the gateway may leave the user his own network. The helper knows which one
 * that is; by 0.0.0.0/32 a gateway means whichever, and no network as large as a part of the
 * Internet is anybody's own. */
static void add_local(HelperPlan *plan, const TunnelPlanInput *input)
{
    const IkeInnerConfig *config = input->config;
    for (size_t i = 0; i < config->local_lans_n && !input->profile->kill_switch; i++) {
        PlatformPrefix prefix = tunnel_prefix_from_ike(&config->local_lans[i]);
        const PlatformPrefix whichever = {.address.family = AF_INET};
        bool any =
            prefix.length == 32 && platform_address_equal(&prefix.address, &whichever.address);
        if (any || (prefix.length >= 8 && is_routable(&prefix)))
            list_add(plan->local, any ? &whichever : &prefix, HELPER_PLAN_LOCAL);
    }
}

static bool covered(const GArray *list, const PlatformAddress *address)
{
    for (guint i = 0; i < list->len; i++)
        if (platform_prefix_contains(&g_array_index(list, PlatformPrefix, i), address))
            return true;
    return false;
}

/* ---- addresses ---- */

/* As hosts: the tunnel's networks stand in its routes, never in a netmask that a gateway names. */
static void add_address(HelperPlan *plan, const PlatformAddress *address)
{
    PlatformPrefix host = {.address = *address,
                           .length = (uint8_t)(platform_address_size(address->family) * 8)};
    if (platform_address_is_unicast(address) && is_routable(&host))
        list_add(plan->addresses, &host, HELPER_PLAN_ADDRESSES);
}

static bool add_addresses(HelperPlan *plan, const TunnelPlanInput *input, GError **error)
{
    const IkeAddress *const given[] = {&input->config->address, &input->config->address6};
    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        PlatformAddress address = tunnel_address_from_ike(given[i]);
        if (address.family != AF_UNSPEC)
            add_address(plan, &address);
    }
    const GArray *own = input->profile->addresses;
    bool ours = input->profile->config == DIALTONE_CONFIG_NONE;
    for (guint i = 0; ours && i < own->len; i++) {
        const DialtoneNetwork *network = &g_array_index(own, DialtoneNetwork, i);
        PlatformAddress address = {.family = AF_INET};
        if (network->family == AF_INET6)
            address.family = AF_INET6;
        memcpy(address.bytes, network->bytes, platform_address_size(address.family));
        add_address(plan, &address);
    }
    if (plan->addresses->len > 0)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_PHASE2_REFUSED,
                         _("Ask the administrator for an address pool, or set [Network] "
                           "Config=none and Address=."),
                         _("The gateway gave no inner address that can be used."));
    return false;
}

/* ---- DNS ---- */

static void add_server(HelperPlan *plan, const PlatformAddress *address)
{
    PlatformDnsConfig *dns = &plan->dns;
    if (!platform_address_is_unicast(address) || dns->n_servers >= PLATFORM_DNS_SERVERS)
        return;
    for (size_t i = 0; i < dns->n_servers; i++)
        if (platform_address_equal(&dns->servers[i], address))
            return;
    dns->servers[dns->n_servers++] = *address;
}

static bool an_sa_carries(const TunnelPlanInput *input, const PlatformAddress *address)
{
    for (size_t i = 0; i < input->sas_n; i++) {
        PlatformPrefix remote = tunnel_prefix_from_ike(&input->sas[i].remote);
        if (platform_prefix_contains(&remote, address))
            return true;
    }
    return input->sas_n == 0;
}

/* One that no SA reaches would be a black hole for every name. */
static void add_gateways_server(HelperPlan *plan, const TunnelPlanInput *input,
                                const PlatformAddress *address)
{
    bool beside = covered(plan->exclude, address);
    if (!platform_address_is_unicast(address) || (!beside && !an_sa_carries(input, address)))
        return;
    add_server(plan, address);
    PlatformPrefix host = {.address = *address,
                           .length = (uint8_t)(platform_address_size(address->family) * 8)};
    if (!beside && !covered(plan->routes, address))
        add_route(plan, &host);
}

static void add_domain(HelperPlan *plan, const char *text, gsize n, bool routing_only)
{
    PlatformDnsConfig *dns = &plan->dns;
    if (n > 0 && text[n - 1] == '.')
        n--;
    if (n == 0 || n > PLATFORM_DNS_NAME || dns->n_domains >= PLATFORM_DNS_DOMAINS)
        return;
    g_autofree char *name = g_ascii_strdown(text, (gssize)n);
    if (!platform_dns_name_is_valid(name))
        return;
    for (size_t i = 0; i < dns->n_domains; i++)
        if (strcmp(dns->domains[i].name, name) == 0)
            return;
    PlatformDnsDomain *domain = &dns->domains[dns->n_domains++];
    g_strlcpy(domain->name, name, sizeof(domain->name));
    domain->routing_only = routing_only;
}

/* Gateways separate names by spaces or commas. */
static void add_domains(HelperPlan *plan, const char *text, bool routing_only)
{
    static const char separators[] = " ,;";
    while (*text != '\0') {
        gsize n = strcspn(text, separators);
        add_domain(plan, text, n, routing_only);
        text += n;
        text += strspn(text, separators);
    }
}

/* Without a list of names that are the tunnel's, all are: a user who sees a name of the office must
 * be able to reach it. */
static void add_all_names(HelperPlan *plan)
{
    PlatformDnsConfig *dns = &plan->dns;
    if (dns->n_domains >= PLATFORM_DNS_DOMAINS)
        dns->n_domains = PLATFORM_DNS_DOMAINS - 1;
    PlatformDnsDomain *all = &dns->domains[dns->n_domains++];
    g_strlcpy(all->name, ".", sizeof(all->name));
    all->routing_only = true;
}

static void add_dns(HelperPlan *plan, const TunnelPlanInput *input)
{
    const DialtoneProfile *profile = input->profile;
    if (profile->dns_mode == DIALTONE_DNS_NONE)
        return;
    for (guint i = 0; profile->dns_mode == DIALTONE_DNS_LIST && i < profile->dns->len; i++) {
        PlatformAddress address;
        if (platform_address_parse(g_ptr_array_index(profile->dns, i), &address))
            add_server(plan, &address);
    }
    for (size_t i = 0; profile->dns_mode == DIALTONE_DNS_AUTO && i < input->config->dns_n; i++) {
        PlatformAddress address = tunnel_address_from_ike(&input->config->dns[i]);
        if (address.family != AF_UNSPEC)
            add_gateways_server(plan, input, &address);
    }
    if (plan->dns.n_servers == 0)
        return;
    add_domains(plan, input->config->domain, false);
    size_t searched = plan->dns.n_domains;
    add_domains(plan, input->config->split_dns, true);
    bool split = plan->dns.n_domains > searched;
    if (!split || helper_plan_is_full(plan, AF_INET))
        add_all_names(plan);
}

/* ---- the whole ---- */

static unsigned least_mtu(const HelperPlan *plan)
{
    for (guint i = 0; i < plan->addresses->len; i++)
        if (g_array_index(plan->addresses, PlatformPrefix, i).address.family == AF_INET6)
            return TUNNEL_MTU_LEAST6;
    return HELPER_PLAN_MTU_MIN;
}

static unsigned choose_mtu(const TunnelPlanInput *input, const HelperPlan *plan)
{
    unsigned mtu = input->profile->mtu != 0 ? input->profile->mtu : input->mtu;
    if (mtu == 0)
        mtu = TUNNEL_MTU_FALLBACK;
    return CLAMP(mtu, least_mtu(plan), (unsigned)HELPER_PLAN_MTU_MAX);
}

HelperPlan *tunnel_plan_new(const TunnelPlanInput *input, GError **error)
{
    g_autoptr(HelperPlan) plan = helper_plan_new();
    if (!add_addresses(plan, input, error))
        return NULL;
    add_routes(plan, input);
    add_excluded(plan, input);
    add_local(plan, input);
    add_dns(plan, input);
    plan->mtu = choose_mtu(input, plan);
    PlatformAddress gateway = tunnel_address_from_ike(&input->gateway);
    if (gateway.family != AF_UNSPEC)
        g_array_append_val(plan->gateways, gateway);
    return g_steal_pointer(&plan);
}

static bool prefixes_equal(const GArray *a, const GArray *b)
{
    bool equal = a->len == b->len;
    for (guint i = 0; equal && i < a->len; i++)
        equal = platform_prefix_equal(&g_array_index(a, PlatformPrefix, i),
                                      &g_array_index(b, PlatformPrefix, i));
    return equal;
}

static bool addresses_equal(const GArray *a, const GArray *b)
{
    bool equal = a->len == b->len;
    for (guint i = 0; equal && i < a->len; i++)
        equal = platform_address_equal(&g_array_index(a, PlatformAddress, i),
                                       &g_array_index(b, PlatformAddress, i));
    return equal;
}

bool tunnel_plan_equal(const HelperPlan *a, const HelperPlan *b)
{
    return a->mtu == b->mtu && prefixes_equal(a->addresses, b->addresses) &&
           prefixes_equal(a->routes, b->routes) && prefixes_equal(a->exclude, b->exclude) &&
           prefixes_equal(a->local, b->local) && addresses_equal(a->gateways, b->gateways) &&
           platform_dns_config_equal(&a->dns, &b->dns);
}

static char **take_strv(GPtrArray *list_take)
{
    g_ptr_array_add(list_take, NULL);
    return (char **)g_ptr_array_free(list_take, FALSE);
}

char **tunnel_plan_routes_text(const HelperPlan *plan)
{
    GPtrArray *list = g_ptr_array_new();
    char text[PLATFORM_ADDRESS_TEXT];
    for (guint i = 0; i < plan->routes->len; i++) {
        const PlatformPrefix *prefix = &g_array_index(plan->routes, PlatformPrefix, i);
        g_ptr_array_add(list, g_strdup(platform_prefix_format(prefix, text)));
    }
    return take_strv(list);
}

char **tunnel_plan_dns_text(const HelperPlan *plan)
{
    GPtrArray *list = g_ptr_array_new();
    char text[PLATFORM_ADDRESS_TEXT];
    for (size_t i = 0; i < plan->dns.n_servers; i++)
        g_ptr_array_add(list, g_strdup(platform_address_format(&plan->dns.servers[i], text)));
    return take_strv(list);
}

char **tunnel_plan_domains_text(const HelperPlan *plan)
{
    GPtrArray *list = g_ptr_array_new();
    for (size_t i = 0; i < plan->dns.n_domains; i++)
        if (strcmp(plan->dns.domains[i].name, ".") != 0)
            g_ptr_array_add(list, g_strdup(plan->dns.domains[i].name));
    return take_strv(list);
}

char *tunnel_plan_address_text(const HelperPlan *plan, int family)
{
    char text[PLATFORM_ADDRESS_TEXT];
    for (guint i = 0; i < plan->addresses->len; i++) {
        const PlatformPrefix *prefix = &g_array_index(plan->addresses, PlatformPrefix, i);
        if (prefix->address.family == family)
            return g_strdup(platform_prefix_format(prefix, text));
    }
    return NULL;
}

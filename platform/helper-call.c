// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes what platform/helper-plan reads at the other end.
 *
 * It stands beside the helper's folder, for all in there runs with privileges, and this does not.
 */
#include "platform/helper-call.h"

#include "platform/address-variant.h"

static GVariant *addresses_variant(const PlatformAddress *addresses, size_t n)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aay"));
    for (size_t i = 0; i < n; i++)
        g_variant_builder_add_value(&builder, platform_address_to_variant(&addresses[i]));
    return g_variant_builder_end(&builder);
}

static GVariant *domains_variant(const PlatformDnsConfig *dns)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sb)"));
    for (size_t i = 0; i < dns->n_domains; i++)
        g_variant_builder_add(&builder, "(sb)", dns->domains[i].name,
                              (gboolean)dns->domains[i].routing_only);
    return g_variant_builder_end(&builder);
}

static GVariant *options_variant(const HelperPlan *plan)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    if (plan->local->len > 0)
        g_variant_builder_add(&builder, "{sv}", "local", platform_prefixes_to_variant(plan->local));
    return g_variant_builder_end(&builder);
}

void helper_plan_call_apply(const HelperPlan *plan, DialtoneHelper1 *helper,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
    const PlatformAddress *gateways = (const PlatformAddress *)(const void *)plan->gateways->data;

    dialtone_helper1_call_apply(
        helper, plan->mtu, platform_prefixes_to_variant(plan->addresses),
        platform_prefixes_to_variant(plan->routes), platform_prefixes_to_variant(plan->exclude),
        addresses_variant(plan->dns.servers, plan->dns.n_servers), domains_variant(&plan->dns),
        addresses_variant(gateways, plan->gateways->len), options_variant(plan), cancellable,
        callback, user_data);
}

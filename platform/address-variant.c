// SPDX-License-Identifier: GPL-2.0-or-later
/* What Helper1 calls an address and a network, written in one place for all of its methods.
 *
 * The other end reads them in platform/helper/checks.
 */
#include "platform/address-variant.h"

GVariant *platform_address_to_variant(const PlatformAddress *address)
{
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, address->bytes,
                                     platform_address_size(address->family), 1);
}

GVariant *platform_prefixes_to_variant(const GArray *prefixes)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayu)"));
    for (guint i = 0; i < prefixes->len; i++) {
        const PlatformPrefix *prefix = &g_array_index(prefixes, PlatformPrefix, i);

        g_variant_builder_add(&builder, "(@ayu)", platform_address_to_variant(&prefix->address),
                              (guint)prefix->length);
    }
    return g_variant_builder_end(&builder);
}

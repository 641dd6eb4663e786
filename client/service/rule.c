/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where we are, and what follows. Both lists err on the side of the tunnel's purpose: Never holds
 * on whatever network is joined, for the profile's own may be the second one; Trusted holds only on
 * the one that leads out, for a trusted network beside it protects nothing.
 */
#include "client/service/rule.h"

#include <string.h>

const char *service_place_name(ServicePlace place)
{
    static const char *const NAMES[] = {
        [SERVICE_PLACE_UNKNOWN] = "unknown",     [SERVICE_PLACE_NOWHERE] = "nowhere",
        [SERVICE_PLACE_UNTRUSTED] = "untrusted", [SERVICE_PLACE_TRUSTED] = "trusted",
        [SERVICE_PLACE_NEVER] = "never",
    };
    return NAMES[place];
}

static bool is_it(const DialtonePlace *place, const PlatformJoinedNetwork *network)
{
    if (place->ssid != NULL)
        return network->ssid != NULL && g_bytes_equal(place->ssid, network->ssid);
    return strcmp(place->network, network->id) == 0 ||
           (network->uuid[0] != '\0' && g_ascii_strcasecmp(place->network, network->uuid) == 0);
}

static const DialtonePlace *find(const GArray *places, const PlatformJoinedNetwork *network)
{
    for (guint i = 0; i < places->len; i++) {
        const DialtonePlace *place = &g_array_index(places, DialtonePlace, i);
        if (is_it(place, network))
            return place;
    }
    return NULL;
}

static const PlatformJoinedNetwork *primary_of(const GPtrArray *joined)
{
    for (guint i = 0; i < joined->len; i++) {
        const PlatformJoinedNetwork *network = joined->pdata[i];
        if (network->primary)
            return network;
    }
    return NULL;
}

ServicePlace service_rule_place(const DialtoneProfile *profile, const GPtrArray *joined,
                                const DialtonePlace **byp)
{
    *byp = NULL;
    if (joined == NULL)
        return SERVICE_PLACE_UNKNOWN;
    for (guint i = 0; i < joined->len && *byp == NULL; i++)
        *byp = find(profile->never, joined->pdata[i]);
    if (*byp != NULL)
        return SERVICE_PLACE_NEVER;
    const PlatformJoinedNetwork *primary = primary_of(joined);
    if (primary == NULL)
        return SERVICE_PLACE_NOWHERE;
    *byp = find(profile->trusted, primary);
    return *byp != NULL ? SERVICE_PLACE_TRUSTED : SERVICE_PLACE_UNTRUSTED;
}

char *service_rule_network(const GPtrArray *joined)
{
    const PlatformJoinedNetwork *primary = joined != NULL ? primary_of(joined) : NULL;
    if (primary == NULL)
        return NULL;
    GString *network = g_string_new(primary->uuid);
    g_string_append_c(network, ' ');
    gsize n = 0;
    const guint8 *ssid = primary->ssid != NULL ? g_bytes_get_data(primary->ssid, &n) : NULL;
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(network, "%02x", ssid[i]);
    return g_string_free(network, FALSE);
}

static ServiceRuleAct on_untrusted(const ServiceRuleFacts *facts)
{
    bool connects = facts->rule != DIALTONE_RULE_MANUAL && !facts->wanted && !facts->held;
    return connects ? SERVICE_RULE_CONNECT : SERVICE_RULE_LEAVE;
}

ServiceRuleAct service_rule_decide(const ServiceRuleFacts *facts)
{
    switch (facts->place) {
    case SERVICE_PLACE_UNKNOWN:
    case SERVICE_PLACE_NOWHERE:
        return SERVICE_RULE_LEAVE;
    case SERVICE_PLACE_UNTRUSTED:
        return on_untrusted(facts);
    case SERVICE_PLACE_TRUSTED:
        if (facts->rule == DIALTONE_RULE_ALWAYS)
            return on_untrusted(facts);
        if (facts->rule == DIALTONE_RULE_UNTRUSTED && facts->wanted && facts->by_rule)
            return SERVICE_RULE_DISCONNECT;
        return SERVICE_RULE_LEAVE;
    case SERVICE_PLACE_NEVER:
        if (!facts->wanted)
            return SERVICE_RULE_LEAVE;
        return facts->by_rule ? SERVICE_RULE_DISCONNECT : SERVICE_RULE_REFUSE;
    }
    return SERVICE_RULE_LEAVE;
}

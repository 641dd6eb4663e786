/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same for a tunnel that begins and for what blocks its network before that: the second is
 * taken over by the first, by its label.
 */
#include "client/tunnel/protected.h"

#include <string.h>

#include "client/common/text.h"
#include "client/tunnel/config.h"
#include "platform/slot.h"

char *tunnel_label(const DialtoneProfile *profile)
{
    g_autofree char *label = dialtone_text_clean(profile->name, strlen(profile->name),
                                                 PLATFORM_SLOT_LABEL, DIALTONE_TEXT_LINE);
    return g_strdup(*label != '\0' ? label : "profile");
}

static void add(GArray *prefixes, const GArray *networks)
{
    for (guint i = 0; i < networks->len; i++) {
        PlatformPrefix prefix =
            tunnel_prefix_from_profile(&g_array_index(networks, DialtoneNetwork, i));
        g_array_append_val(prefixes, prefix);
    }
}

void tunnel_protect(const DialtoneProfile *profile, PlatformKillSwitch *kill_switch)
{
    const PlatformPrefix everything = {.address.family = AF_INET};
    add(kill_switch->networks, profile->networks);
    add(kill_switch->exclude, profile->exclude);
    if (profile->networks->len == 0)
        g_array_append_val(kill_switch->networks, everything);
}

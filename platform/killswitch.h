/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kill switch: what is meant for a tunnel leaves by it, or not at all. */
#pragma once

#include "platform/address.h"

#include <glib.h>

enum {
    PLATFORM_KILL_SWITCH_GATEWAYS = 16,
    PLATFORM_KILL_SWITCH_NETWORKS = 1024,
    PLATFORM_KILL_SWITCH_EXCLUDE = 256,
};

typedef struct PlatformEndpoint {
    PlatformAddress address;
    uint16_t port; /* of Phase 1; that of RFC 3947 is meant as well */
} PlatformEndpoint;

typedef struct PlatformKillSwitch {
    gboolean persistent; /* outlives the connection's end, too */
    GArray *gateways;    /* PlatformEndpoint: where the tunnel's own packets may go */
    GArray *networks;    /* PlatformPrefix: what leaves by the tunnel or not at all; 0.0.0.0/0
                            without an IPv6 network means all of IPv6, too */
    GArray *exclude;     /* PlatformPrefix: what of these may leave beside it */
} PlatformKillSwitch;

PlatformKillSwitch *platform_kill_switch_new(void);
void platform_kill_switch_free(PlatformKillSwitch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformKillSwitch, platform_kill_switch_free)

/* The arguments of Helper1.SetKillSwitch. */
typedef struct PlatformKillSwitchArguments {
    GVariant *gateways, *networks, *exclude, *options;
} PlatformKillSwitchArguments;
/* Floating references. */
PlatformKillSwitchArguments platform_kill_switch_to_arguments(const PlatformKillSwitch *self);
/* NULL for anything odd, with what it is in *whyp, which is static. */
PlatformKillSwitch *
platform_kill_switch_from_arguments(const PlatformKillSwitchArguments *arguments,
                                    const char **whyp);

/* Appends commands for nft(8): chains of a table `inet TABLE`, which is also the tunnel's
   interface. mark: that of the tunnel's own sockets. */
void platform_kill_switch_add_rules(const PlatformKillSwitch *self, const char *table,
                                    uint32_t mark, GString *text);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nf_tables does for one tunnel, in the tables `inet dialtoneN` and `arp dialtoneN` of its
   slot: nobody on another link reaches the tunnel's address, or learns it; and the kill switch.
   The tables outlive the process that made them. N.NETNS.firewall in the slots' directory says what
   stands, and is written before it does. */
#pragma once

#include "platform/killswitch.h"
#include "platform/slot.h"

#include <gio/gio.h>

typedef struct PlatformFirewall PlatformFirewall;

/* Each an array of PlatformPrefix. */
typedef struct PlatformFirewallWants {
    const GArray *addresses; /* the tunnel's own */
    const GArray *networks;  /* that it carries */
    const GArray *exclude;   /* and does not */
} PlatformFirewallWants;

/* Borrows the slot and dir (see slot.h). What a former holder of the slot has left is known. */
PlatformFirewall *platform_firewall_new(PlatformSlot *slot, const char *dir);
/* Hears of what goes wrong later, "name: sentence" as the warnings of Helper1. NULL: nobody does.
 */
typedef void (*PlatformWarnFunc)(const char *warning, void *user_data);
void platform_firewall_on_warning(PlatformFirewall *self, PlatformWarnFunc warn, void *user_data);
/* Undoes nothing, and says so on stderr where a connection leaves a kill switch behind. */
void platform_firewall_free(PlatformFirewall *self);

/* A connection of the slot's label begins; what somebody else takes away is set again from now on,
   by the thread's main context. Kill switches that others have left end with it, or when
   its own stands; but one that is to persist gives way only to one of the same connection:
   G_IO_ERROR_PERMISSION_DENIED otherwise. */
gboolean platform_firewall_begin(PlatformFirewall *self, gboolean with_kill_switch, GError **error);
/* Sets the tunnel's own addresses in place of others, and what an armed kill switch protects from
   now on. Without a kill switch that happens a moment later, by the main context, for a tunnel
   without it is one all the same, and nobody has to wait for it: that there is no libnftables is
   added to the warnings, another failure is warned of later. */
gboolean platform_firewall_protect(PlatformFirewall *self, const PlatformFirewallWants *wants,
                                   GPtrArray *warnings, GError **error);
/* In place of a former one, at one moment. */
gboolean platform_firewall_arm(PlatformFirewall *self, PlatformKillSwitch *kill_switch_take,
                               GError **error);
gboolean platform_firewall_disarm(PlatformFirewall *self, GError **error);
/* As the user wishes (asked), or because what was begun has failed: then not one that it has taken
   over from another connection. Never one that is to persist, and none after
   platform_firewall_keep(). */
gboolean platform_firewall_release(PlatformFirewall *self, gboolean asked, GError **error);
/* Somebody has died who might have wished otherwise. */
void platform_firewall_keep(PlatformFirewall *self);
/* All but a kill switch. */
gboolean platform_firewall_undo(PlatformFirewall *self, GError **error);
gboolean platform_firewall_has_begun(const PlatformFirewall *self);

/* The commands for nft(8): what stands in the tables of this slot. Either of the last may be NULL.
 */
char *platform_firewall_text(const PlatformSlotInfo *slot, const GArray *addresses,
                             const PlatformKillSwitch *kill_switch);

/* ---- firewall-left.c: kill switches whose tunnel is no more ---- */

typedef struct PlatformFirewallLeft {
    unsigned slot;
    gboolean persistent;
    char label[PLATFORM_SLOT_LABEL + 1];
} PlatformFirewallLeft;

/* For anybody: those of this network namespace, of slots that nobody holds. Array of
   PlatformFirewallLeft. */
GArray *platform_firewall_left(const char *dir);
/* Releases them. Returns how many, or a negative errno. */
int platform_firewall_release_left(const char *dir, gboolean persistent_too);

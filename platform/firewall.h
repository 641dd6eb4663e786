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

typedef struct PlatformFirewallClaim {
    gboolean kill_switch; /* it is going to be armed */
    gboolean shared;      /* the label is the system's: whoever connects it means the same */
} PlatformFirewallClaim;

/* A connection of the slot's label begins, before the slot is published; what somebody else takes
   away is set again from now on, by the thread's main context. Kill switches that connections of
   the same user have left end with it, or when its own stands; those of others stay. One that is to
   persist gives way only to one of the same label, and of the same user or shared, which persists
   in its place: G_IO_ERROR_PERMISSION_DENIED otherwise. One that stands since the boot ends when
   such a kill switch stands, and is in nobody's way. */
gboolean platform_firewall_begin(PlatformFirewall *self, const PlatformFirewallClaim *claim,
                                 GError **error);
/* Sets the tunnel's own addresses in place of others, and what an armed kill switch protects from
   now on. Without a kill switch that happens a moment later, by the main context, for a tunnel
   without it is one all the same, and nobody has to wait for it: that there is no libnftables is
   added to the warnings, another failure is warned of later. */
gboolean platform_firewall_protect(PlatformFirewall *self, const PlatformFirewallWants *wants,
                                   GPtrArray *warnings, GError **error);
/* In place of a former one, at one moment. Persists where that does. */
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
/* A user's tunnel can have the slot: nothing of somebody else's stands in its tables. */
gboolean platform_firewall_is_for(const PlatformFirewall *self, uid_t owner);

/* Sets a kill switch that stands since the boot, for the connection of the slot's label to come. */
gboolean platform_firewall_arm_for_boot(PlatformFirewall *self,
                                        PlatformKillSwitch *kill_switch_take, GError **error);

/* The commands for nft(8): what stands in the tables of this slot. Either of the last may be NULL.
 */
char *platform_firewall_text(const PlatformSlotInfo *slot, const GArray *addresses,
                             const PlatformKillSwitch *kill_switch);

/* ---- firewall-left.c: kill switches whose tunnel is no more ---- */

typedef struct PlatformFirewallLeft {
    unsigned slot;
    gboolean persistent;
    gboolean of_boot;
    uid_t owner; /* whose tunnel it was; (uid_t)-1: nobody knows */
    char label[PLATFORM_SLOT_LABEL + 1];
} PlatformFirewallLeft;

/* Whose word it is that lets kill switches go, and which. */
typedef struct PlatformFirewallWord {
    gboolean of_root;       /* whosever they are, and what is to persist, too */
    uid_t owner;            /* else those of this user's that are not to persist ... */
    const char *taken_over; /* ... and of this user's what is to persist or stands since the boot,
                               of this label; NULL: none ... */
    gboolean shared;        /* ... but whosever it is: the label is the system's */
    const char *label;      /* of these only those of this label; NULL: all */
} PlatformFirewallWord;

/* For anybody: those of this network namespace, of slots that nobody holds. Array of
   PlatformFirewallLeft. */
GArray *platform_firewall_left(const char *dir);
gboolean platform_firewall_may_go(const PlatformFirewallLeft *left,
                                  const PlatformFirewallWord *word);
/* Releases those that may go. Returns how many, or a negative errno. */
int platform_firewall_release_left(const char *dir, const PlatformFirewallWord *word);

/* ---- firewall-boot.c: kill switches before there is a connection ---- */

typedef struct PlatformFirewallBlock {
    char *label; /* of the connection to come */
    PlatformKillSwitch *kill_switch;
} PlatformFirewallBlock;
void platform_firewall_block_free(gpointer block);

/* These (array of PlatformFirewallBlock) stand from now on, of root's and as since the boot, in the
   place of others of that kind; the former ones go last. A connection of the same label that is up
   has its own. FALSE: not all of them; the others stand. */
gboolean platform_firewall_set_blocks(const char *dir, const GPtrArray *blocks, GError **error);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DNS settings of one slot, journalled. */
#pragma once

#include "platform/dns.h"
#include "platform/slot-journal.h"

typedef struct PlatformSlotDns {
    const PlatformDnsPaths *paths;
    const char *interface;
    PlatformSlotJournal *journal;
    gboolean is_set;
    PlatformDnsConfig config; /* what is set */
} PlatformSlotDns;

/* What is not possible becomes a warning: the tunnel itself works without. */
void platform_slot_dns_apply(PlatformSlotDns *dns, int ifindex, const PlatformDnsConfig *config,
                             GPtrArray *warnings);
/* All ways that the journal names. */
gboolean platform_slot_dns_undo(PlatformSlotDns *dns, int ifindex, GError **error);

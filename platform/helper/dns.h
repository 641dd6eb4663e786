/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DNS settings of one slot, journalled. */
#pragma once

#include "platform/dns.h"
#include "platform/slot-journal.h"

typedef struct HelperDns {
    const PlatformDnsPaths *paths;
    const char *interface;
    PlatformSlotJournal *journal;
    gboolean is_set;
    PlatformDnsConfig config; /* what is set */
} HelperDns;

/* What is not possible becomes a warning: the tunnel itself works without. */
void helper_dns_apply(HelperDns *dns, int ifindex, const PlatformDnsConfig *config,
                      GPtrArray *warnings);
/* All ways that the journal names. */
gboolean helper_dns_undo(HelperDns *dns, int ifindex, GError **error);

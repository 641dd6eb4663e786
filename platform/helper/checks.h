/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the helper looks at before and after it changes the network. */
#pragma once

#include "platform/helper-plan.h"
#include "platform/netlink.h"
#include "platform/slot.h"

/* FALSE with HELPER_ERROR_CONFLICT: another live slot carries an overlapping network. */
gboolean helper_check_conflict(const HelperPlan *plan, const PlatformSlotInfo *slot,
                               const char *dir, GError **error);
/* Strict rp_filter would drop the answers of a gateway that the plan's routes cover. */
gboolean helper_check_filtered(const HelperPlan *plan, PlatformNetlink *netlink, uint32_t mark);
/* A warning for each directly connected network that one of the plan's networks covers. */
/* "ipv6-not-blocked" where a full tunnel leaves IPv6 a way beside it after all. */
void helper_check_ipv6(const HelperPlan *plan, PlatformNetlink *netlink, int ifindex,
                       GPtrArray *warnings);
void helper_check_covered(const HelperPlan *plan, PlatformNetlink *netlink, int ifindex,
                          GPtrArray *warnings);

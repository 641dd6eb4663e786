/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as routes and rules of a slot. */
#pragma once

#include "platform/helper-plan.h"
#include "platform/netlink.h"
#include "platform/slot.h"

enum { HELPER_ROUTES_PORTS = 16 };

/* Array of PlatformRoute, at most one a network. */
GArray *helper_routes_of(const HelperPlan *plan, const PlatformSlotInfo *slot, int ifindex);
/* Adds the routes by which a directly connected network stays beside a full tunnel, as far as the
   plan's `local` allows it. */
void helper_routes_add_local(GArray *routes, const HelperPlan *plan, const PlatformSlotInfo *slot,
                             const PlatformPrefix *subnet, int ifindex);
/* Array of PlatformRule that lead to the table. */
GArray *helper_rules_of(const HelperPlan *plan, const PlatformSlotInfo *slot);
/* Adds the rules by which the answers of the plan's gateways are looked up in the main table. */
void helper_rules_add_replies(GArray *rules, const HelperPlan *plan, const PlatformSlotInfo *slot,
                              const uint16_t *ports, size_t n_ports);
/* Likewise for ESP without UDP. */
void helper_rules_add_esp(GArray *rules, const HelperPlan *plan, const PlatformSlotInfo *slot);
/* A full tunnel without IPv6: what IPv6 there is must not leave beside it. */
bool helper_routes_block_ipv6(const HelperPlan *plan);
/* A network of the plan carries this address, and no excluded one takes it out again. */
bool helper_routes_swallow(const HelperPlan *plan, const PlatformAddress *address);
/* The first network of the plan that overlaps one of another live slot: the other's index in the
   array, or -1. A full tunnel and one for some networks go together. */
int helper_routes_conflict(const HelperPlan *plan, const PlatformSlotInfo *slot,
                           const GArray *slots, PlatformPrefix *networkp);

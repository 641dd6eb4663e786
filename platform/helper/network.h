/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of one slot: what is set up, what is wanted, and the way between the two. */
#pragma once

#include "platform/firewall.h"
#include "platform/helper-plan.h"
#include "platform/slot.h"

typedef struct HelperNetwork HelperNetwork;

/* Borrows the slot. Opens raw sockets for ESP where it may, so that the caller can give up the
   capability for them. Undoes first whatever a former holder of the slot has left; NULL with
   HELPER_ERROR_NO_SLOT when something that is not ours uses the slot's table or interface. */
HelperNetwork *helper_network_new(PlatformSlot *slot, const char *dir,
                                  const PlatformDnsPaths *paths, GError **error);
/* Undoes nothing: helper_network_undo() does. */
void helper_network_free(HelperNetwork *network);

gboolean helper_network_open_tun(HelperNetwork *network, unsigned mtu, gboolean vnet_hdr, int *fdp,
                                 GError **error);
/* The ports of the tunnel's own sockets, for the rule that meets strict rp_filter. */
gboolean helper_network_open_socket(HelperNetwork *network, int family, int *fdp, uint16_t *portp,
                                    GError **error);
/* A raw socket for ESP, once a family and before the first plan: afterwards there are none. */
gboolean helper_network_take_esp(HelperNetwork *network, int family, int *fdp, GError **error);
/* Takes the plan. Adds sentences to warnings. On failure everything is undone. */
gboolean helper_network_apply(HelperNetwork *network, HelperPlan *plan_take, GPtrArray *warnings,
                              GError **error);
/* What is worth telling between two calls. */
void helper_network_on_warning(HelperNetwork *network, PlatformWarnFunc warn, void *user_data);
/* Borrowed. */
PlatformFirewall *helper_network_firewall(HelperNetwork *network);
/* Adds what the plan has and somebody else has taken away. */
void helper_network_restore(HelperNetwork *network);
/* The plan's changes; with the link too when the slot is given up. */
gboolean helper_network_undo(HelperNetwork *network, gboolean link_too, GError **error);

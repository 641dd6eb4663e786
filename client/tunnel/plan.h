/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the network that a tunnel wants, from what the profile says and what the gateway
 * gave. A pure function: it reads and asks nothing else, and believes no text of the gateway's. */
#pragma once

#include "client/profile/profile.h"
#include "ike/ike.h"
#include "platform/helper-plan.h"

enum {
    TUNNEL_MTU_FALLBACK = 1280,
    TUNNEL_MTU_LEAST6 = 1280, /* RFC 8200, 5: with less, an interface has no IPv6 */
};

typedef struct TunnelPlanInput {
    const DialtoneProfile *profile;
    const IkeInnerConfig *config; /* address family 0: none came */
    const IkeSaInfo *sas;
    size_t sas_n;
    unsigned mtu; /* of the suites, see datapath_inner_mtu(); 0: not known */
    IkeAddress gateway;
} TunnelPlanInput;

/* PHASE2_REFUSED when no address remains that an interface can have. */
HelperPlan *tunnel_plan_new(const TunnelPlanInput *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool tunnel_plan_equal(const HelperPlan *a, const HelperPlan *b) G_GNUC_WARN_UNUSED_RESULT;

/* For reports: "10.0.0.0/8", "10.0.0.53", "corp.example"; NULL-terminated, the caller frees. */
char **tunnel_plan_routes_text(const HelperPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
char **tunnel_plan_dns_text(const HelperPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
char **tunnel_plan_domains_text(const HelperPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
/* "10.1.2.3/32", or NULL when the plan has none of that family. */
char *tunnel_plan_address_text(const HelperPlan *plan, int family) G_GNUC_WARN_UNUSED_RESULT;

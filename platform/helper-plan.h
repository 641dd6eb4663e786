/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the network that a tunnel wants: what Helper1.Apply asks for. */
#pragma once

#include "platform/address.h"
#include "platform/dns.h"

#include "dialtone-helper1.h"

enum {
    HELPER_PLAN_MTU_MIN = 576,
    HELPER_PLAN_MTU_MAX = 9000,
    HELPER_PLAN_ADDRESSES = 8,
    HELPER_PLAN_ROUTES = 1024,
    HELPER_PLAN_EXCLUDE = 256,
    HELPER_PLAN_LOCAL = 16,
    HELPER_PLAN_GATEWAYS = 16,
};

typedef struct HelperPlan {
    unsigned mtu;
    GArray *addresses; /* PlatformPrefix */
    GArray *routes;    /* PlatformPrefix */
    GArray *exclude;   /* PlatformPrefix */
    GArray *local;     /* PlatformPrefix */
    GArray *gateways;  /* PlatformAddress */
    PlatformDnsConfig dns;
} HelperPlan;

HelperPlan *helper_plan_new(void);
void helper_plan_free(HelperPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HelperPlan, helper_plan_free)

/* Whether a network of this plan is 0.0.0.0/0 or ::/0. */
gboolean helper_plan_is_full(const HelperPlan *plan, int family);

/* As they arrive. */
typedef struct HelperPlanArguments {
    guint mtu;
    GVariant *addresses, *routes, *exclude, *dns, *domains, *gateways, *options;
} HelperPlanArguments;
/* NULL with HELPER_ERROR_INVALID_ARGUMENT for anything odd. */
HelperPlan *helper_plan_from_arguments(const HelperPlanArguments *arguments, GError **error);

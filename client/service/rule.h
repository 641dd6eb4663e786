/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What [Rules] of a profile says about the networks that this machine has joined: no more than a
 * decision, so that it can be tested as one. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/profile.h"
#include "platform/joined-networks.h"

typedef enum ServicePlace {
    SERVICE_PLACE_UNKNOWN, /* nobody can tell: NetworkManager is not there */
    SERVICE_PLACE_NOWHERE, /* no network leads out of the machine */
    SERVICE_PLACE_UNTRUSTED,
    SERVICE_PLACE_TRUSTED,
    SERVICE_PLACE_NEVER,
} ServicePlace;

/* What is known of where the machine is. */
typedef struct ServiceWhere {
    PlatformJoinedWatch *joined; /* NULL: no profile has rules */
    bool told;                   /* it has said something, if only that it does not know */
    char *network;               /* that led out of the machine last; NULL: none yet */
} ServiceWhere;

/* What the property Rule of a profile calls it. */
const char *service_place_name(ServicePlace place) G_GNUC_WARN_UNUSED_RESULT;

/* @joined of PlatformJoinedNetwork; NULL: not known. *byp is the item of the profile that says so,
 * or NULL. */
ServicePlace service_rule_place(const DialtoneProfile *profile, const GPtrArray *joined,
                                const DialtonePlace **byp) G_GNUC_WARN_UNUSED_RESULT;

/* Tells the network that leads out of the machine from others; NULL: there is none. */
char *service_rule_network(const GPtrArray *joined) G_GNUC_WARN_UNUSED_RESULT;

typedef struct ServiceRuleFacts {
    DialtoneRule rule;
    ServicePlace place;
    bool wanted;  /* it is connected, or being so */
    bool by_rule; /* and nobody has asked for that */
    bool held;    /* it is to stay as it is until the network changes */
} ServiceRuleFacts;

typedef enum ServiceRuleAct {
    SERVICE_RULE_LEAVE,
    SERVICE_RULE_CONNECT,
    SERVICE_RULE_DISCONNECT,
    SERVICE_RULE_REFUSE, /* disconnect what somebody has asked for, and tell why */
} ServiceRuleAct;

ServiceRuleAct service_rule_decide(const ServiceRuleFacts *facts) G_GNUC_WARN_UNUSED_RESULT;

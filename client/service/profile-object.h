/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile on the bus: of the system's layers, or added by a user. */
#pragma once

#include "client/profile/entry.h"
#include "client/profile/profile.h"
#include "client/service/rule.h"
#include "dialtone-dialtone1.h"

/* How its [Rules] stand; see rules.c. */
typedef struct ServiceProfileRule {
    ServicePlace place; /* where they have seen the machine last, once that was judged */
    bool judged;
    bool by_rule;   /* its connection is one that nobody has asked for */
    bool ending;    /* which has been ended, by the rule or by a logout, but by nobody's hand */
    bool searching; /* for somebody to connect for */
    bool held;      /* nothing is connected until the network changes */
} ServiceProfileRule;

typedef struct ServiceProfile {
    char *path; /* of its object */
    char *file; /* of a system profile; NULL */
    char *text; /* in normal form */
    DialtoneProfile *profile;
    DialtoneLayer layer;
    uid_t owner;  /* 0 for the system's */
    guint retry;  /* what connects it again, where that is to be always */
    guint pause;  /* seconds until then */
    bool refused; /* what the machine knows as the password was: it is not sent again as it is */
    ServiceProfileRule rule;
    DialtoneBusProfile *skeleton;
    DialtoneBusObjectSkeleton *object;
} ServiceProfile;

/* Takes the parsed profile. */
ServiceProfile *service_profile_new(const char *path, DialtoneProfile *profile_take,
                                    DialtoneLayer layer, uid_t owner, const char *file);
void service_profile_free(ServiceProfile *self);

bool service_profile_is_system(const ServiceProfile *self) G_GNUC_WARN_UNUSED_RESULT;
/* It is for some only, whom the directory knows. */
bool service_profile_names_users(const ServiceProfile *self) G_GNUC_WARN_UNUSED_RESULT;
/* The same name or UUID. */
bool service_profile_clashes(const ServiceProfile *self,
                             const DialtoneProfile *other) G_GNUC_WARN_UNUSED_RESULT;
/* @path NULL: none. */
void service_profile_set_connection(ServiceProfile *self, const char *path);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection that somebody wants: a Tunnel, its helper, its object on the bus, and the agent that
 * serves it. */
#pragma once

#include "client/common/failure.h"
#include "client/profile/profile.h"
#include "client/service/agents.h"
#include "client/service/credential.h"
#include "client/tunnel/secrets.h"
#include "dialtone-dialtone1.h"

typedef struct ServiceConnection ServiceConnection;

typedef struct ServiceConnectionSetup {
    GDBusConnection *bus;
    GDBusObjectManagerServer *server; /* has its object as long as it lives */
    ServiceAgents *agents;
    const char *path;         /* of its object */
    const char *profile_path; /* of the profile's */
    const char *profile_text; /* in normal form; parses */
    const char *override;     /* what the user has changed in it, as they wrote it; NULL: nothing */
    const char *layer;
    uid_t owner;
    const char *agent; /* the process that asked for it: the name on the bus; NULL: none */
    TunnelSecrets *system_secrets_take; /* what the machine knows; NULL: nothing */
    ServiceCredential *credential_take; /* and has of certificates and keys; NULL: nothing */
    GError *error_take;                 /* it fails with this, and is not begun; NULL: it begins */
    /* It has failed for good, and stays to tell of it. */
    void (*failed)(ServiceConnection *self, gpointer data);
    /* It is connected with what service_connection_change() gave it. */
    void (*changed)(ServiceConnection *self, gpointer data);
    /* It has ended because nobody wanted it any more; to be freed, now at the earliest. */
    void (*gone)(ServiceConnection *self, gpointer data);
    gpointer data;
} ServiceConnectionSetup;

/* The same profile as it is now, with what goes with it; see ServiceConnectionSetup. */
typedef struct ServiceConnectionChange {
    const char *profile_text, *override, *agent;
    TunnelSecrets *system_secrets_take;
    ServiceCredential *credential_take;
} ServiceConnectionChange;

/* Begins to connect. */
ServiceConnection *service_connection_new(const ServiceConnectionSetup *setup);
/* Without a good-bye. */
void service_connection_free(ServiceConnection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServiceConnection, service_connection_free)

/* To be exported, by who looks up what is called on it. */
DialtoneBusObjectSkeleton *
service_connection_object(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
const char *service_connection_path(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
uid_t service_connection_owner(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
const DialtoneProfile *
service_connection_profile(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* What it was asked to connect with last. */
const char *service_connection_text(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
const char *service_connection_override(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* Its profile is one that a user has added. */
bool service_connection_is_users(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* It has ended with a failure, and stays only to tell of it. */
bool service_connection_has_failed(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* Why that was. */
DialtoneFailure service_connection_failure(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* The service began it by itself, it lacks a secret, and no agent is there to be asked for that. */
bool service_connection_waits_for_anybody(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
bool service_connection_was_connected(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* The last report, as JSON. */
const char *service_connection_report(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* Those after the serial @after, as GetReports returns them; floating. */
GVariant *service_connection_reports(const ServiceConnection *self,
                                     guint after) G_GNUC_WARN_UNUSED_RESULT;

/* Says good-bye; `gone` follows. @invocation, which may be NULL, is answered when it has gone. */
void service_connection_stop(ServiceConnection *self, GDBusMethodInvocation *invocation_take);
/* Says good-bye, and has failed with @why then: nobody has asked for that. */
void service_connection_refuse(ServiceConnection *self, const GError *why);
/* Agrees on new keys with what it has. */
void service_connection_renegotiate(ServiceConnection *self);
/* What its tunnel has carried, as GetCounters returns it; floating. */
GVariant *service_connection_counters(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* Likewise as GetOffloads does. */
GVariant *service_connection_offloads(const ServiceConnection *self) G_GNUC_WARN_UNUSED_RESULT;
/* Goes on with the change; when that can't be connected with, with what it has. False: it does not
 * even try. */
bool service_connection_change(ServiceConnection *self, const ServiceConnectionChange *change,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An agent of the owner's has come. */
void service_connection_agent_came(ServiceConnection *self);
/* The object of its profile is another one; "/": is gone. */
void service_connection_set_profile(ServiceConnection *self, const char *path);

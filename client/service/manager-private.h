/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the service; functions stand under the name of the file that has them. */
#pragma once

#include "client/profile/policy.h"
#include "client/profile/system-secrets.h"
#include "client/profile/system-watch.h"
#include "client/service/agents.h"
#include "client/service/authority.h"
#include "client/service/connection.h"
#include "client/service/manager.h"
#include "client/service/profile-object.h"

struct ServiceManager {
    GDBusConnection *bus;
    GDBusObjectManagerServer *server;
    DialtoneBusManager *skeleton;
    DialtoneBusObjectSkeleton *object;
    ServiceAgents *agents;
    ServiceDirectory *directory;
    GPtrArray *asked; /* what was wanted, while it is asked whose it may be */
    DialtoneSystemWatch *watch;
    DialtonePolicy *policy;
    DialtoneFolderWatch *policy_watch, *secrets_watch, *slots_watch;
    guint slots_timer, stop_timer;
    DialtoneSystemSecrets *secrets;
    GHashTable *profiles, *connections; /* path -> ServiceProfile, ServiceConnection */
    guint64 serial;                     /* of objects, so that no path stands for two things */
    GHashTable *under_way;              /* a sender's name, or "uid N" -> how many calls */
    struct ServiceLogout *logout;       /* what hears of it */
    ServiceWhere where;
    bool stopping;
    void (*stopped)(gpointer data);
    gpointer stopped_data;
};

/* A call, from its arrival to its answer. */
typedef struct ServiceRequest {
    ServiceManager *manager;
    GDBusMethodInvocation *invocation; /* NULL: answered, or handed on */
    ServiceCaller *caller;
    const struct ServiceMethod *method;
    bool asked_also;
    ServiceAction action, also; /* what was allowed; also, where it is more than ANYBODY */
    char *sender, *user;        /* where it is counted; user NULL: not there */
    ServiceNamed named;         /* by the profile that it is about: */
    char *about;                /* its path then; NULL: nobody was asked */
} ServiceRequest;

/* A row of the table of methods: who may call, and what it does. */
typedef struct ServiceMethod {
    const char *interface, *name;
    /* What has to be allowed; REFUSED with an error. Changes nothing. */
    ServiceAction (*decide)(ServiceRequest *request, GError **error);
    /* Answers the invocation, or sets the error. What decide() has seen may be gone by now. */
    void (*run)(ServiceRequest *request, GError **error);
    /* It is a connection's, and about its profile as that is now. */
    bool takes_profile;
} ServiceMethod;

/* Who wants a connection, and how. */
typedef struct ServiceWish {
    uid_t owner;
    const char *agent;    /* the process that asks for it, a name on the bus; NULL: none */
    const char *text;     /* of the profile as its user has changed it; NULL: as it is */
    const char *override; /* what they have changed, as they wrote it */
    bool by_rule;         /* nobody has asked for it */
} ServiceWish;

/* ---- request.c ---- */
/* A handler of every method of every skeleton; connect it swapped. */
gboolean service_request_begin(ServiceManager *manager, GDBusMethodInvocation *invocation);
/* @value floating; NULL: no value. */
void service_request_return(ServiceRequest *request, GVariant *value);
/* Whether each option is one of @known, which may be NULL. */
bool service_request_check_options(GVariant *options, const char *const *known,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- add-profile.c ---- */
void service_add_profile(ServiceRequest *request, GError **error);

/* ---- methods.c ---- */
extern const ServiceMethod service_methods[];
extern const gsize service_methods_n;

/* ---- manager.c ---- */
/* NULL with an error: there is no such object (any more). */
ServiceProfile *service_manager_profile(ServiceManager *self, const char *path, GError **error);
ServiceConnection *service_manager_connection(ServiceManager *self, const char *path,
                                              GError **error);
/* The one that the system has under this UUID; NULL: it has none. */
ServiceProfile *service_manager_system_profile(ServiceManager *self, const char *uuid);
/* Takes and exports it. */
ServiceProfile *service_manager_add_profile(ServiceManager *self, DialtoneProfile *profile_take,
                                            DialtoneLayer layer, uid_t owner, const char *file);
void service_manager_remove_profile(ServiceManager *self, ServiceProfile *profile);
/* Takes @old away; its connection, if there is one, is @by's from now on. */
void service_manager_replace_profile(ServiceManager *self, ServiceProfile *old, ServiceProfile *by);
/* That of the profile, and the profile of that; or NULL. */
ServiceProfile *service_manager_profile_of(ServiceManager *self, const ServiceConnection *of);
ServiceConnection *service_manager_connection_of(ServiceManager *self,
                                                 const ServiceProfile *profile);
/* Does not look whether it is connected, nor who may. It fails if a secret is missing here. */
ServiceConnection *service_manager_connect(ServiceManager *self, ServiceProfile *profile,
                                           const ServiceWish *wish);
/* Of a connection whose profile is another text by now. False: it goes on as it was. */
bool service_manager_change(ServiceManager *self, ServiceConnection *connection,
                            const ServiceWish *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Somebody has asked for the connection, whoever wanted it before. */
void service_manager_want_by_hand(ServiceManager *self, ServiceProfile *profile);
/* How many are this user's. */
guint service_manager_count(ServiceManager *self, uid_t uid);
char *service_manager_next_path(ServiceManager *self, const char *kind);

/* ---- always.c ---- */
/* Connects what was wanted when the service ended last, and what is to be connected always. */
void service_always_begin(ServiceManager *self);
void service_always_end(ServiceManager *self);
/* It is to be connected whether anybody asks for it or not. */
bool service_always_wants(ServiceManager *self, const ServiceProfile *profile);
/* A system profile has come that may be one of those. */
void service_always_profile(ServiceManager *self, ServiceProfile *profile);
/* What they need may be there now. */
void service_always_look(ServiceManager *self);
/* Its connection, which nobody but the system wanted, has failed. */
void service_always_again(ServiceManager *self, ServiceProfile *profile);

/* ---- policy.c ---- */
/* The administrator's policy and the machine's secrets, as they are on the disk. */
void service_policy_begin(ServiceManager *self);
void service_policy_end(ServiceManager *self);
/* False with POLICY: it may not be used. */
bool service_policy_allows(ServiceManager *self, const DialtoneProfile *profile,
                           DialtoneLayer layer, GError **error);
bool service_policy_is_always_on(ServiceManager *self, const ServiceProfile *profile);

/* ---- logout.c ---- */
void service_logout_begin(ServiceManager *self);
void service_logout_end(ServiceManager *self);

/* ---- system-profiles.c: what is on the bus is what the folders hold ---- */
void service_system_profiles_begin(ServiceManager *self);

/* ---- kill-switches.c: a property that tells of them, and a method that releases them ---- */
void service_kill_switches_begin(ServiceManager *self);
void service_kill_switches_end(ServiceManager *self);
ServiceAction service_kill_switches_decide(ServiceRequest *request, GError **error);
void service_kill_switches_release(ServiceRequest *request, GError **error);

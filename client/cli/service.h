/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service, as the verbs see it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "client/cli/standalone.h"
#include "platform/slot.h"
#include "dialtone-agent1.h"
#include "dialtone-dialtone1.h"

typedef struct CliService {
    GDBusConnection *bus;
    GDBusObjectManager *objects;
    DialtoneBusManager *manager;
} CliService;

/* Starts the service if the bus can. NULL with a DIALTONE_FAILURE: it is not there. */
CliService *cli_service_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, but NULL without an error where it does not run already. */
CliService *cli_service_new_if_running(void) G_GNUC_WARN_UNUSED_RESULT;
void cli_service_free(CliService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CliService, cli_service_free)

/* What the user called by a name. */
typedef struct CliProfile {
    DialtoneBusProfile *proxy;
    char *path;     /* of the user's own file; NULL: it is one of the system */
    char *override; /* what the user has changed in that for themselves: text; NULL: nothing */
} CliProfile;

/* A profile of the system, else a file of the user's, which is handed to the service. With
 * @psk_at_hand one that names no key is one for which a secrets file has it. */
bool cli_service_profile(CliService *service, const char *what, bool psk_at_hand,
                         CliProfile *profile, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void cli_profile_clear(CliProfile *profile);

/* The connections of @name, or all (NULL): of DialtoneBusConnection. Those that only tell how they
 * failed are among them. @service NULL: none. */
GPtrArray *cli_service_connections(CliService *service, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* The tunnel is this connection's. */
bool cli_service_carries(DialtoneBusConnection *connection,
                         const PlatformSlotInfo *tunnel) G_GNUC_WARN_UNUSED_RESULT;
/* What a verb is about: connections of the service, and standalone tunnels. */
typedef struct CliTargets {
    CliService *service;
    GPtrArray *connections; /* of DialtoneBusConnection */
    GArray *tunnels;        /* of PlatformSlotInfo */
} CliTargets;

/* All of that name; with NULL the caller's own, and root's are everybody's. */
void cli_targets_find(CliTargets *targets, const char *name);
guint cli_targets_count(const CliTargets *targets) G_GNUC_WARN_UNUSED_RESULT;
void cli_targets_clear(CliTargets *targets);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliTargets, cli_targets_clear)

typedef struct CliCall {
    const char *method;
    GVariant *parameters; /* floating; NULL: none */
    int interrupt;        /* gives it up when that is readable; -1: nothing does */
} CliCall;

/* A method for which polkit may ask for a password. NULL and the error as it came. */
GVariant *cli_service_call(GDBusProxy *object, const CliCall *call,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Polkit may ask for a password. Return the exit code, and print why it is not 0. */
int cli_service_disconnect(DialtoneBusConnection *connection);
int cli_service_renegotiate(DialtoneBusConnection *connection);
/* A kill switch that was left behind by the profile of this name. */
int cli_service_release(CliService *service, const char *name);
/* The last report; NULL: it is not the caller's to read. */
DialtoneReport *cli_service_report(DialtoneBusConnection *connection) G_GNUC_WARN_UNUSED_RESULT;

/* Those after @serial, the oldest first, and moves it on; empty: none, or as above. */
GPtrArray *cli_service_reports(DialtoneBusConnection *connection,
                               guint *serial) G_GNUC_WARN_UNUSED_RESULT;

/* Shows the connections of @name, or all (NULL), and what becomes of them, until the service goes.
 * Returns the exit code. */
int cli_service_watch(CliService *service, const char *name, bool json);

typedef struct ServiceConnectOptions {
    StandaloneOptions run;
    int wait_seconds; /* until it is connected; 0: not at all */
    bool take_over;
    bool stay; /* until it ends, or this program is interrupted */
} ServiceConnectOptions;

/* A profile of the system or of the user's is called so. */
bool cli_service_has_profile(CliService *service, const char *what) G_GNUC_WARN_UNUSED_RESULT;
/* `dialtone renegotiate` of one's own connection, whose profile the user calls @what. Returns the
 * exit code. */
int service_renegotiate(const char *object, const char *what);
/* `dialtone connect` through the service. Returns the exit code. */
int service_connect(const ServiceConnectOptions *options);

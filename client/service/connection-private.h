/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a ServiceConnection; each part's functions stand under the name of the file that
 * has them. */
#pragma once

#include "client/service/connection-agent.h"
#include "client/service/connection.h"
#include "client/tunnel/memory.h"
#include "client/tunnel/tunnel.h"
#include "platform/connectivity.h"

/* What it was set up with, while a change of that is tried. */
typedef struct ServiceFormer {
    char *profile_text, *override;
    DialtoneProfile *profile;
    ServiceCredential *credential;
} ServiceFormer;

struct ServiceConnection {
    ServiceConnectionSetup setup; /* strings are copies */
    char *path;
    DialtoneProfile *profile;
    DialtoneBusObjectSkeleton *object;
    DialtoneBusConnection *skeleton;
    GCancellable *cancellable;
    Tunnel *tunnel;        /* NULL: not yet, or no more */
    TunnelWarmUp *warm_up; /* of the tunnel to come; NULL */
    ServiceConnectionAgent *agent;
    GQueue reports; /* of JSON, the last ones; never empty */
    DialtoneState state;
    GPtrArray *waiting; /* of GDBusMethodInvocation: answered when it has gone */
    bool stopping;      /* nobody wants it any more */
    GError *refused;    /* why it may not go on, though somebody wants it; NULL: it may */
    DialtoneFailure failure;
    PlatformPortalWatch *portal; /* while what is wanted is out of reach; NULL */
    bool was_connected;
    guint again;                    /* how often it began again in short order */
    gint64 began_again;             /* last, in microseconds of the monotonic clock */
    TunnelCredentials *credentials; /* of the tunnel before; NULL: none */
    TunnelMemory *memory;           /* likewise */
    ServiceFormer *former;          /* NULL: no change is tried */
    TunnelSigning signing;          /* the last that is for the service's own key */
    guint sign_idle;
    guint idle;
};

/* ---- connection.c ---- */
/* Looks for nobody yet. @given: the tunnel has all that it needs from the start. */
void service_connection_begin_agent(ServiceConnection *self, bool given);

/* ---- connection-change.c ---- */
/* A handler of the tunnel's. */
void service_connection_on_changed(DialtoneFailure why, gpointer data);
/* Nobody serves it then. False: no change is tried. */
bool service_connection_go_back(ServiceConnection *self, DialtoneFailure why);
void service_connection_forget_former(ServiceConnection *self);

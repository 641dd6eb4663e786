/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection, from its profile to traffic and through all that happens to it, in the main
 * context of the thread that made it. What becomes of it is told by the handlers; none of them is
 * called from within a call of the owner's, but tunnel_start() and those for its end. */
#pragma once

#include <gio/gio.h>

#include "client/common/report.h"
#include "client/profile/profile.h"
#include "client/tunnel/credentials.h"
#include "client/tunnel/secrets.h"
#include "client/tunnel/warm-up.h"

typedef struct Tunnel Tunnel;

typedef struct TunnelAsked {
    guint kind;  /* IkeAskKind, or TUNNEL_ASK_* */
    bool secret; /* not to be shown while it is typed */
    bool once;   /* a one-time code, or its like */
    bool keypad; /* it is typed on a card's reader: there is nothing to answer */
} TunnelAsked;

/* What a person has to say before it goes on. */
typedef struct TunnelQuestion {
    guint32 id;
    TunnelAsked asked[TUNNEL_ASK_KINDS];
    gsize asked_n;
    bool again;            /* what was answered before has been refused */
    const char *user_name; /* known already; or empty */
    const char *challenge; /* what a one-time password is computed from, cleaned; may be empty */
    const char *message;   /* the gateway's words, cleaned; may be empty */
} TunnelQuestion;

/* What is to be signed with the private key that belongs to our certificate: see IkeSigning. */
typedef struct TunnelSigning {
    guint32 id;
    bool ecdsa;
    gsize n;
    guint8 bytes[IKE_HASH_MAX];
} TunnelSigning;

typedef struct TunnelHandlers {
    void (*report)(const DialtoneReport *report, gpointer data); /* at each change of state */
    void (*question)(const TunnelQuestion *question, gpointer data);
    void (*sign)(const TunnelSigning *signing, gpointer data);
    void (*notice)(const char *text, gpointer data); /* one line, worth telling */
    /* The user wants new keys, and the profile as it is now: tunnel_change(), tunnel_keep_profile()
     * or tunnel_refuse_change() follows. NULL: keys alone are renewed. */
    void (*renegotiate)(gpointer data);
    /* What tunnel_change() has brought. NONE: it is in use and connected; else it is not, and what
     * was in use before is again. */
    void (*changed)(DialtoneFailure why, gpointer data);
    /* The last call, once: how the connection ended. Not the place to free the tunnel in. */
    void (*ended)(DialtoneFailure code, gpointer data);
} TunnelHandlers;

typedef struct TunnelSetup {
    DialtoneProfile *profile_take;
    bool is_system;               /* the profile is the system's, whatever its user changes in it */
    GDBusConnection *helper_take; /* from tunnel_network_connect() */
    TunnelWarmUp *warm_up_take;   /* of the same profile; NULL: nothing was made beforehand */
    guint64 began;                /* platform_clock_now() of when the user asked for it */
    const TunnelHandlers *handlers;
    gpointer data;
} TunnelSetup;

Tunnel *tunnel_new(const TunnelSetup *setup, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends without saying good-bye; see tunnel_stop(). */
void tunnel_free(Tunnel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tunnel, tunnel_free)

/* Begins to set up; goes on when the secrets have been given. */
void tunnel_start(Tunnel *self);
/* Before the secrets, unless the profile says Auth=psk. Once. */
void tunnel_give_credentials(Tunnel *self, TunnelCredentials *credentials_take);
/* What is known already; may lack any. Once. */
void tunnel_give_secrets(Tunnel *self, TunnelSecrets *secrets_take);
/* To a question that is still open; others are ignored. NULL: nobody could answer. */
void tunnel_answer(Tunnel *self, guint32 id, const TunnelAnswer *answer);
/* Whether the question, or the request below, is still open. */
bool tunnel_is_asking(const Tunnel *self, guint32 id) G_GNUC_WARN_UNUSED_RESULT;
bool tunnel_is_signing(const Tunnel *self, guint32 id) G_GNUC_WARN_UNUSED_RESULT;
/* To the request that is open; others are ignored. @n 0: nobody could sign. */
void tunnel_give_signature(Tunnel *self, guint32 id, const guint8 *signature, gsize n);
/* Says good-bye to the gateway and puts the network back, in bounded time. */
void tunnel_stop(Tunnel *self);
/* The same, but nobody has asked for it: it can't go on, for a reason that its owner knows. What a
 * kill switch holds back stays so where a tunnel was up, and a change is not tried any more. */
void tunnel_fail(Tunnel *self, const GError *why);
void tunnel_renegotiate(Tunnel *self);
struct DatapathStats;
/* What it has carried until now (client/tunnel/datapath.h); all 0 before it was set up. */
void tunnel_stats(const Tunnel *self, struct DatapathStats *stats);
/* Those in use, a set of DialtoneOffload. */
guint tunnel_offloads(const Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;

/* The profile has been changed. Credentials and secrets are to be given for it as at first, but
 * what is not given stays as it is where it is for the same; with the secrets it takes the place of
 * the former, which is in use again when it can't be connected with (see `changed`). False: the
 * tunnel can't take it, and goes on as it was. */
bool tunnel_change(Tunnel *self, DialtoneProfile *profile_take,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The credentials that it has serve for the change as well. */
bool tunnel_change_keeps_credentials(const Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;
/* What is in use has not been connected with yet: it ends as a first connect does. */
bool tunnel_change_is_tried(const Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;
/* There is no change, or no more: keys are renewed. */
void tunnel_keep_profile(Tunnel *self);
/* It ended while a change waited or was tried: what it was given (below) is the former's again. */
void tunnel_forget_change(Tunnel *self);
/* The profile was changed into one that can't be used; the state says so from now on. */
void tunnel_refuse_change(Tunnel *self, const GError *why);

/* It ended because its helper did: with another one, the same connection can begin again. */
bool tunnel_lost_its_helper(const Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;
/* What it was given, for the next one; the caller's. NULL: nothing. When it has ended. */
TunnelSecrets *tunnel_steal_secrets(Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;
TunnelCredentials *tunnel_steal_credentials(Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;
/* The machine is about to sleep: nothing is begun until it is awake. */
void tunnel_goes_to_sleep(Tunnel *self);
/* It was asleep: whether the gateway still knows us is to be seen. Sleep that nobody tells of is
 * noticed by the clocks. */
void tunnel_woke_up(Tunnel *self);

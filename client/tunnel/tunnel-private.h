/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a Tunnel; each part's functions stand under the name of the file that has them. */
#pragma once

#include "client/tunnel/backoff.h"
#include "client/tunnel/datapath.h"
#include "client/tunnel/failure.h"
#include "client/tunnel/network.h"
#include "client/tunnel/tunnel-change.h"
#include "client/tunnel/tunnel-link.h"
#include "client/tunnel/tunnel-mtu.h"
#include "client/tunnel/tunnel-parts.h"
#include "client/tunnel/tunnel-question.h"
#include "client/tunnel/tunnel-roam.h"
#include "client/tunnel/tunnel-traffic.h"
#include "client/tunnel/tunnel.h"
#include "client/tunnel/warm-up.h"
#include "ike/ike.h"
#include "platform/clock.h"
#include "platform/resolver.h"

struct Tunnel {
    DialtoneProfile *profile;
    bool is_system;
    TunnelSecrets *secrets;         /* NULL until given */
    TunnelCredentials *credentials; /* NULL: none, as with a preshared key */
    const TunnelHandlers *handlers;
    gpointer data;
    guint64 began; /* of this connection attempt or outage, for elapsed_ms */

    DialtoneState state;
    TunnelEnd end;
    guint64 end_deadline;
    GError *error; /* why it ends; NULL: it was asked to */
    PlatformClockTimer *timer;

    /* network */
    TunnelNetwork *network;
    Datapath *datapath;
    IkeAddress let_pass; /* past the kill switch; passing: asked for, then called */
    PlatformResolver *resolver;
    GCancellable *resolving;
    char *interface;
    int state_fd;
    bool tun_vnet, tun_attached, passing, resolver_ready; /* the last: or not needed */
    bool lacks4, lacks6; /* sockets of that family: none was asked for */
    guint ike_source, event_source, again_source, conflicts;
    DatapathIke *datagram;
    TunnelLink link;
    bool apply_again; /* something changed while the helper was at it */
    HelperPlan *plan; /* what was applied last */
    char *warning;    /* what the helper has said of it since; NULL: nothing */

    /* which address */
    GQueue candidates;   /* of IkeAddress, to be tried still in this round */
    guint next_endpoint; /* of the profile's, and then of `backups` */
    GPtrArray *backups;  /* of char *, names and addresses that the gateway gave; NULL: none */
    char *backup;        /* the one in use, or to be found; NULL: one of the profile's */
    IkeAddress good;     /* the last that worked; family 0: none */
    IkeAddress trying;
    IkeAddress tried; /* in this round, before the profile's order */
    char *host;       /* the endpoint in use, as the profile names it */
    guint16 port;     /* that Phase 1 begins with there */
    char *good_host;  /* that of `good` */
    char *good_backup;
    GArray *found, *good_found; /* of IkeAddress: what the host in use, or that of `good`, has */
    GError *round_error;
    /* where gateways have sent us in this round */
    IkeAddress redirects[TUNNEL_REDIRECTS_MAX];
    guint redirects_n;
    IkeAddress sender; /* the address that began it; family 0: `trying` is one of ours */
    char *member;      /* who is called, where that is not `host`; NULL: it is */
    TunnelBackoff backoff;
    guint64 retry_at;

    /* the session */
    TunnelWarmUp *warm_up; /* NULL: its pair has been used */
    IkeSession *session;
    IkeConfig *config;
    bool session_over, was_connected, resumed, ike_connected;
    bool pumping, drop_wanted; /* a session is not freed under the feet of its own event */
    IkeFailure over;           /* why the session is over */
    IkeAddress peer;           /* where ESP goes */
    IkePhase1Info phase1;
    IkeInnerConfig inner;
    const IkeGroup *weakest;
    GArray *sas;    /* of TunnelSa */
    GArray *handed; /* of uint32_t: inbound SPIs of the session's own SAs */
    guint64 probe_at, probe_pause, keepalive_at; /* the last: tried, successful or not */
    TunnelRoam roam;
    TunnelTraffic traffic;
    PathMtu mtu; /* of the way to `peer` */

    /* signatures */
    guint32 signing, signings; /* asked for, 0: none; how many were */
    guint32 ike_signing;
    bool told_expiry; /* that the gateway's certificate ends soon */

    /* questions */
    guint32 question; /* open; 0: none */
    TunnelAsking asking;
    DialtoneState before_question;

    TunnelChange change;
};

/* ---- tunnel.c ---- */
void tunnel_set_state(Tunnel *self, DialtoneState state);
void tunnel_take_state_fd(Tunnel *self, int fd_take); /* others read the state there */
/* Ends it: DELETE, network, report, handler. Takes the error; NULL: as asked. Only the first call
 * counts. */
void tunnel_end(Tunnel *self, GError *error_take);
void tunnel_rearm(Tunnel *self);
void tunnel_notice(Tunnel *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* ---- tunnel-attempt.c ---- */
/* Begins a round over all addresses when all that it needs is there. */
void tunnel_attempt_begin(Tunnel *self);
TunnelFailureContext tunnel_attempt_context(const Tunnel *self);
void tunnel_attempt_session_over(Tunnel *self);
/* Words of the gateway's, hostile text: whom to call when it is lost. */
void tunnel_attempt_take_backups(Tunnel *self, const char *text);
void tunnel_attempt_tick(Tunnel *self, guint64 now);
guint64 tunnel_attempt_deadline(const Tunnel *self);
void tunnel_attempt_cancel(Tunnel *self);
void tunnel_attempt_keep_found(Tunnel *self);
/* What was up is not any more, or nobody knows: `reconnecting`, whatever the session does. */
void tunnel_attempt_away(Tunnel *self, GError *why_take);
void tunnel_attempt_again(Tunnel *self, GError *why_take); /* in a new session, at once */

/* ---- tunnel-session.c ---- */
bool tunnel_session_start(Tunnel *self, const IkeAddress *gateway, GError **error);
void tunnel_session_drop(Tunnel *self);
/* Its DELETEs leave; it is to be dropped then. */
void tunnel_session_say_goodbye(Tunnel *self);
/* Everything that stands in the queues of the session, until both are empty. */
void tunnel_session_pump(Tunnel *self);
IkeAddress tunnel_session_esp_peer(const Tunnel *self); /* port 0: ESP without UDP */
void tunnel_session_tick(Tunnel *self, guint64 now);
guint64 tunnel_session_deadline(const Tunnel *self);
/* Answers have stopped: the gateway is asked, ever more rarely while nothing changes. */
void tunnel_session_probe(Tunnel *self);

/* ---- tunnel-signature.c ---- */
void tunnel_signature_wanted(Tunnel *self, const IkeSigning *ike);
void tunnel_signature_settled(Tunnel *self);

/* ---- tunnel-report.c ---- */
void tunnel_report_expiry(Tunnel *self); /* said once: 30 days before it ends */
DialtoneReport *tunnel_report_new(const Tunnel *self);

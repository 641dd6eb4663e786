/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a tunnel when the network beneath it changes. A part of Tunnel's inside. */
#pragma once

#include "client/tunnel/tunnel.h"
#include "platform/network-watch.h"
#include "platform/sleep-clock.h"

enum {
    TUNNEL_DOUBT_MS = 1200,      /* for the gateway to answer on the new way */
    TUNNEL_DOUBT_MOST_MS = 1800, /* however often the network changes meanwhile */
    TUNNEL_HOLD_SECONDS = 12,    /* the same, where the other way is to ask a person */
};

typedef enum TunnelMoved { TUNNEL_MOVED_NOT, TUNNEL_MOVED_NETWORK, TUNNEL_MOVED_SLEEP } TunnelMoved;

typedef struct TunnelRoam {
    PlatformNetworkWatch *watch; /* NULL: nobody tells */
    guint32 mark;                /* of the tunnel's own packets */
    guint16 ports[2];            /* that our sockets are bound to: IPv4, IPv6 */
    PlatformWay way;             /* to the gateway that was called last; ifindex 0: none */
    bool unseen;                 /* the way has not been looked at since the tunnel stands */
    bool known;                  /* that the watch knows a way where there is one */
    bool relinked;               /* and that goes by another link than before */
    bool offline;                /* there is no network */
    bool asleep;                 /* or about to be: nobody looks */
    PlatformSleepClock *clock;   /* NULL: there is none */
    guint32 woke_up;             /* how often */
    bool held;                   /* `reconnecting`, with a session that may turn out to be alive */
    guint64 doubt_since;         /* 0: none */
    guint64 doubt_first, doubt_until;
    TunnelMoved moved; /* since the tunnel was connected last */
} TunnelRoam;

void tunnel_roam_begin(Tunnel *self);
/* Somebody woke us up: maybe the whole machine was. */
void tunnel_roam_look_at_clock(Tunnel *self);
/* Nothing goes out, and no silence means anything. */
bool tunnel_roam_is_still(const Tunnel *self);
void tunnel_roam_take_watch(Tunnel *self, int fd_take); /* -1: there is none */
void tunnel_roam_take_ports(Tunnel *self, int udp4, int udp6);
void tunnel_roam_free(Tunnel *self);
/* True also where nobody knows. */
bool tunnel_roam_has_way(const Tunnel *self, const IkeAddress *to);
/* False also where nobody knows. */
bool tunnel_roam_find_way(const Tunnel *self, const IkeAddress *to, PlatformWay *wayp);
/* What the gateway sees where no NAT is between; family 0: not known. */
IkeAddress tunnel_roam_local(const Tunnel *self, const IkeAddress *to);
/* A session begins with this gateway, or has come to its end of being set up. */
void tunnel_roam_called(Tunnel *self, const IkeAddress *gateway);
void tunnel_roam_connected(Tunnel *self);
/* Something may have been heard. */
void tunnel_roam_heard(Tunnel *self);
void tunnel_roam_tick(Tunnel *self, guint64 now);
guint64 tunnel_roam_deadline(const Tunnel *self);
/* The gateway's words, and before them why it asks again. */
char *tunnel_roam_words(const Tunnel *self, const char *message);

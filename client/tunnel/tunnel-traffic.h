/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a tunnel and what it has carried, where others read it. */
#pragma once

#include "client/tunnel/datapath.h"
#include "client/tunnel/tunnel.h"

typedef struct TunnelTraffic {
    gint64 told_at; /* when the state was entered, microseconds since 1970 */
    guint64 elapsed_ms;
    guint timer;
    DatapathStats written; /* last */
} TunnelTraffic;

/* A state that is entered with this report. */
void tunnel_traffic_tell(Tunnel *self, DialtoneReport *report);
/* The same state, with what the tunnel has carried since and the offloads that are in use now. */
void tunnel_traffic_tell_again(Tunnel *self);
/* Packets have come or gone: what others read is kept up with. */
void tunnel_traffic_moves(Tunnel *self);
void tunnel_traffic_clear(Tunnel *self);
void tunnel_traffic_add(DialtoneReport *report, const Tunnel *self);

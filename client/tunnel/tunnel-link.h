/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tunnel's sockets, its interface and the network around it. A part of Tunnel's inside. */
#pragma once

#include "client/tunnel/network.h"
#include "client/tunnel/tunnel.h"

extern const TunnelNetworkHandlers tunnel_link_handlers;
void tunnel_link_begin(Tunnel *self);
/* The profile names a gateway by a name. */
bool tunnel_link_resolves(const DialtoneProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
/* Brings the network in line with what the gateway gave, as far as it is needed. */
void tunnel_link_apply(Tunnel *self);
/* The same ahead of time, when an address has come and SAs have not. */
void tunnel_link_prepare(Tunnel *self);
void tunnel_link_clear(Tunnel *self);
/* The largest packet that fits all SAs on such a path; 0: there is none, or none fits. */
unsigned tunnel_link_inner_mtu(const Tunnel *self, unsigned path_mtu);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large packets to the gateway may be, and what follows for the tunnel. A part of Tunnel's
 * inside. */
#pragma once

#include "client/tunnel/path-mtu.h"
#include "client/tunnel/tunnel.h"

/* Of the way to the gateway; what is in use now. */
unsigned tunnel_mtu_of_path(const Tunnel *self);
/* The way that the tunnel's packets take has changed: all that was known was of the former. */
void tunnel_mtu_way_changed(Tunnel *self);
/* ESP goes to another address from now on, or for the first time. */
void tunnel_mtu_set_peer(Tunnel *self);
/* The gateway can be asked. */
void tunnel_mtu_connected(Tunnel *self);
/* It has got a datagram of so many bytes. */
void tunnel_mtu_carried(Tunnel *self, size_t datagram);
/* The kernel did not send what was too large for it. */
void tunnel_mtu_refused(Tunnel *self);
/* Packets go out; and if `silence`, nothing comes back. */
void tunnel_mtu_used(Tunnel *self, bool silence);
void tunnel_mtu_tick(Tunnel *self, guint64 now);
guint64 tunnel_mtu_deadline(const Tunnel *self);

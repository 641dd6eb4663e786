/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tunnel's session that does nothing, and a state that nobody is told of: linked with --wrap into
 * the tests of what calls them. */
#include "client/tunnel/tunnel-private.h"

void __wrap_tunnel_session_pump(Tunnel *self);
void __wrap_tunnel_session_drop(Tunnel *self);
void __wrap_tunnel_rearm(Tunnel *self);
void __wrap_tunnel_set_state(Tunnel *self, DialtoneState state);

void __wrap_tunnel_session_pump(Tunnel *self)
{
}

void __wrap_tunnel_session_drop(Tunnel *self)
{
}

void __wrap_tunnel_rearm(Tunnel *self)
{
}

void __wrap_tunnel_set_state(Tunnel *self, DialtoneState state)
{
    self->state = state;
}

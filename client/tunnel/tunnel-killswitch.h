/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kill switch of a Tunnel, which the helper keeps. */
#pragma once

#include "client/tunnel/tunnel-private.h"
#include "platform/killswitch.h"

bool tunnel_kill_switch_is_wanted(const Tunnel *self);
/* As it is to be now; gateway NULL: none may be called yet. */
PlatformKillSwitch *tunnel_kill_switch_new(const Tunnel *self, const IkeAddress *gateway);
/* Goes on with tunnel_attempt_may_call(). */
void tunnel_kill_switch_let_pass(Tunnel *self, const IkeAddress *gateway);
void tunnel_kill_switch_is_set(Tunnel *self, const GError *error);
/* Releases it, or says that it stands on. */
void tunnel_kill_switch_end(Tunnel *self);
/* Says that it stands on. */
void tunnel_kill_switch_tell(Tunnel *self);

/* tunnel-attempt.c: nothing is in the way of a call. */
void tunnel_attempt_may_call(Tunnel *self, const IkeAddress *address);

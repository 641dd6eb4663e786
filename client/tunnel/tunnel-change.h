/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile that was changed while its tunnel is up. A part of Tunnel's inside. */
#pragma once

#include "client/tunnel/tunnel.h"

typedef struct TunnelFormer TunnelFormer;

typedef struct TunnelChange {
    DialtoneProfile *profile;       /* waits for its secrets; NULL: none does */
    TunnelCredentials *credentials; /* that have come for it */
    TunnelFormer *former;           /* what was in use before what is tried; NULL: nothing is */
    bool begins;                    /* what is tried: no gateway was called with it yet */
    GError *failed;                 /* why it is given up; NULL: it is not */
    GError *refused;                /* what became of the last change; NULL: it is in use */
} TunnelChange;

/* That of what was in use before, which may stand. NO: it has none, or nothing is tried. */
DialtoneKillSwitch tunnel_change_kill_switch(const Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;
/* Its secrets, which may lack any. */
void tunnel_change_take_secrets(Tunnel *self, TunnelSecrets *secrets_take);
/* Connected with what is in use. */
void tunnel_change_is_good(Tunnel *self);
/* True: it is what is tried that has failed, and the tunnel goes on with the former. */
bool tunnel_change_gives_up(Tunnel *self, const GError *why) G_GNUC_WARN_UNUSED_RESULT;
guint64 tunnel_change_deadline(const Tunnel *self);
void tunnel_change_tick(Tunnel *self);
void tunnel_change_free(Tunnel *self);

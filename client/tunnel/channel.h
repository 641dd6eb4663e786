/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tunnel's end of its channel to an agent (see frames.h): what the agent says goes to the
 * Tunnel, in the main context of the thread that made it. An agent is believed no more than it has
 * to be: one that breaks the protocol is hung up on. */
#pragma once

#include "client/tunnel/frames.h"
#include "client/tunnel/tunnel.h"

typedef struct TunnelChannel TunnelChannel;

typedef struct TunnelChannelHandlers {
    /* What the agent knew of itself. Once a channel. */
    void (*secrets)(TunnelSecrets *secrets_take, gpointer data);
    /* Its certificates; NULL: they are the tunnel's as they are. */
    void (*credentials)(TunnelCredentials *credentials_take, gpointer data);
    /* In answer to tunnel_channel_reload(); both NULL: such frames have no business here. The
     * profile as it is now, behind which credentials and secrets come once more; false: it is none.
     */
    bool (*profile)(const char *text, gsize n, gpointer data);
    /* It is as it was, or can't be used; it may be heard behind `profile`, too. */
    void (*keep)(const GError *why, gpointer data);
    /* What the profile needs can't be had, behind no SECRETS; the channel may be freed in it. NULL:
     * such a frame has no business here. */
    void (*refused)(const GError *why, gpointer data);
    /* The last call; the channel may be freed in it. 0: the agent has said all that it had to say,
     * and still listens; -ECONNRESET: it is gone; or another negative errno for why it is not heard
     * any more. */
    void (*closed)(int error, gpointer data);
} TunnelChannelHandlers;

/* Borrows the tunnel, and the handlers for as long as it lives. */
TunnelChannel *tunnel_channel_new(int fd_take, Tunnel *tunnel,
                                  const TunnelChannelHandlers *handlers, gpointer data);
/* Hangs up; no handler is called any more. */
void tunnel_channel_free(TunnelChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TunnelChannel, tunnel_channel_free)

/* The agent is to read the profile again. */
void tunnel_channel_reload(TunnelChannel *self);
/* For what is said to the agent; stays the channel's. */
int tunnel_channel_fd(const TunnelChannel *self) G_GNUC_WARN_UNUSED_RESULT;
/* Its SECRETS have come. */
bool tunnel_channel_is_ready(const TunnelChannel *self) G_GNUC_WARN_UNUSED_RESULT;

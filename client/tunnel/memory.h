/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tunnel has learned that the next one of the same connection is to know: that takes its
 * place with another helper. */
#pragma once

#include <glib.h>

#include "ike/ike-config.h"
#include "client/tunnel/tunnel.h"

typedef struct TunnelMemory TunnelMemory;

/* NULL: it never was connected. The caller's. */
TunnelMemory *tunnel_memory_new(const Tunnel *tunnel) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_memory_free(TunnelMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TunnelMemory, tunnel_memory_free)

/* Before it is started: it goes on as one that was connected and is lost. @memory NULL: nothing. */
void tunnel_remember(Tunnel *self, const TunnelMemory *memory);
/* It was connected, or the one was in whose place it is: it is sought, where a first connect gives
 * up. */
bool tunnel_is_wanted_back(const Tunnel *self) G_GNUC_WARN_UNUSED_RESULT;

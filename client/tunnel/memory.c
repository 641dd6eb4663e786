/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection whose helper was killed begins again with another tunnel. That one asks for the same
 * address inside, so that what was begun through the tunnel goes on; it calls where the gateway was
 * last; it takes no weaker Diffie-Hellman group than what has authenticated before; and it is
 * sought for as long as RetryFor has it, where a first connect gives up.
 */
#include "client/tunnel/memory.h"

#include "client/tunnel/tunnel-private.h"

struct TunnelMemory {
    IkeAddress address, address6; /* inside */
    IkeAddress good;
    char *host, *backup;
    const IkeGroup *weakest;
};

TunnelMemory *tunnel_memory_new(const Tunnel *tunnel)
{
    if (!tunnel_is_wanted_back(tunnel))
        return NULL;
    TunnelMemory *memory = g_new0(TunnelMemory, 1);
    *memory = (TunnelMemory){
        .address = tunnel->inner.address,
        .address6 = tunnel->inner.address6,
        .good = tunnel->good,
        .host = g_strdup(tunnel->good_host),
        .backup = g_strdup(tunnel->good_backup),
        .weakest = tunnel->weakest,
    };
    return memory;
}

void tunnel_memory_free(TunnelMemory *memory)
{
    if (memory == NULL)
        return;
    g_free(memory->host);
    g_free(memory->backup);
    g_free(memory);
}

void tunnel_remember(Tunnel *self, const TunnelMemory *memory)
{
    if (memory == NULL)
        return;
    self->resumed = true;
    self->state = DIALTONE_STATE_RECONNECTING;
    self->inner.address = memory->address;
    self->inner.address6 = memory->address6;
    self->good = memory->good;
    self->good_host = g_strdup(memory->host);
    self->good_backup = g_strdup(memory->backup);
    self->weakest = memory->weakest;
}

bool tunnel_is_wanted_back(const Tunnel *self)
{
    return self->was_connected || self->resumed;
}

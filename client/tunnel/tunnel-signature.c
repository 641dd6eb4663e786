/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures by a key that is elsewhere. The core asks in Phase 1, at first and at each renewal; a
 * signature that comes after its session has gone, or twice, is dropped by its number.
 */
#include "client/tunnel/tunnel-private.h"

#include <string.h>

void tunnel_signature_wanted(Tunnel *self, const IkeSigning *ike)
{
    TunnelSigning signing = {.ecdsa = ike->ecdsa, .n = ike->n};
    memcpy(signing.bytes, ike->bytes, MIN(signing.n, sizeof(signing.bytes)));
    self->ike_signing = ike->id;
    self->signing = signing.id = ++self->signings;
    self->handlers->sign(&signing, self->data);
}

void tunnel_signature_settled(Tunnel *self)
{
    self->signing = 0;
}

bool tunnel_is_signing(const Tunnel *self, guint32 id)
{
    return id != 0 && id == self->signing && self->session != NULL && !self->session_over;
}

void tunnel_give_signature(Tunnel *self, guint32 id, const guint8 *signature, gsize n)
{
    if (!tunnel_is_signing(self, id))
        return;
    self->signing = 0;
    uint64_t now = platform_clock_now();
    if (ike_session_answer_signature(self->session, self->ike_signing, signature, n, now) < 0)
        g_debug("the signature could not be given");
    tunnel_session_pump(self);
}

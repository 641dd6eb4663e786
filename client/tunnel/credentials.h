/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a connection by certificate needs beside secrets: certificates and revocation lists as DER.
 * The private key is not among it; whoever has it signs (see tunnel_give_signature()). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ike/ike.h"

typedef struct TunnelCredentials {
    GPtrArray *chain, *anchors, *crls; /* of GBytes */
    char *subject;                     /* of our certificate; empty: none */
    gint64 not_after;                  /* seconds since 1970 */
    IkeBlob *blobs;                    /* all three, for the core; made by _lend() */
} TunnelCredentials;

TunnelCredentials *tunnel_credentials_new(void) G_GNUC_WARN_UNUSED_RESULT;
void tunnel_credentials_free(TunnelCredentials *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TunnelCredentials, tunnel_credentials_free)

/* The certificates are shared. */
TunnelCredentials *tunnel_credentials_copy(const TunnelCredentials *self) G_GNUC_WARN_UNUSED_RESULT;

/* Adds what is in @items, of GBytes, to a list of its own. */
void tunnel_credentials_add(GPtrArray *into, const GPtrArray *items);
/* One of the lists is out of date by now: who asks for a current one asks in vain. */
bool tunnel_credentials_have_old_list(const TunnelCredentials *self) G_GNUC_WARN_UNUSED_RESULT;
/* Points @into at the bytes, which stay its own. */
void tunnel_credentials_lend(TunnelCredentials *self, IkeCredentials *into);

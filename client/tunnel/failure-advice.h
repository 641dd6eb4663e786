/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advice that is made for one profile, for the rows of the table of failures. The caller frees what
 * these return. */
#pragma once

#include "client/tunnel/failure.h"

typedef char *(*TunnelAdviceFn)(const IkeFailure *failure, const TunnelFailureContext *context);

char *tunnel_advise_phase1_proposals(const IkeFailure *failure,
                                     const TunnelFailureContext *context);
char *tunnel_advise_phase2_proposals(const IkeFailure *failure,
                                     const TunnelFailureContext *context);
char *tunnel_advise_id(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_id_kind(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_id_or_user(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_method(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_user(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_remote_id(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_psk(const IkeFailure *failure, const TunnelFailureContext *context);
char *tunnel_advise_silence(const IkeFailure *failure, const TunnelFailureContext *context);

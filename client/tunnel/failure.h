/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the protocol core says went wrong to what a person is told and what to do about it. */
#pragma once

#include "client/common/failure.h"
#include "client/profile/profile.h"
#include "ike/ike.h"

typedef struct TunnelFailureContext {
    const DialtoneProfile *profile;
    const char *gateway; /* as the user knows it: the host of the profile */
    uint16_t port;       /* where Phase 1 begins; 0: 500 */
    bool with_user;      /* user authentication was offered as a part of Phase 1 */
} TunnelFailureContext;

/* Always sets *error. */
void tunnel_failure_explain(const IkeFailure *failure, const TunnelFailureContext *context,
                            GError **error);
/* The code alone. */
DialtoneFailure tunnel_failure_reason(const IkeFailure *failure) G_GNUC_WARN_UNUSED_RESULT;
/* Whether another of the gateway's addresses may do better, or the same one later. */
bool tunnel_failure_is_transient(const IkeFailure *failure) G_GNUC_WARN_UNUSED_RESULT;
/* One untranslated line for the log: "no-proposal-chosen/notify 14 (NO-PROPOSAL-CHOSEN)". */
char *tunnel_failure_log_text(const IkeFailure *failure) G_GNUC_WARN_UNUSED_RESULT;

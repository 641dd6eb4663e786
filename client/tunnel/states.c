/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a connection and the edges between them, as one table: a bit for each state that
 * may follow. `reconnecting` covers all of a renewed attempt (its Phase 1, user authentication and
 * so on), for to the user the tunnel is away until it is back; only a question shows through. A
 * connection that has failed or was disconnected stays so; a new one begins at `idle`.
 */
#include "client/tunnel/states.h"

#define TO(name) (1u << DIALTONE_STATE_##name)

enum {
    ENDS = TO(DISCONNECTING) | TO(FAILED),
    /* of one attempt, in the order in which a gateway may walk through them */
    ATTEMPT = TO(PHASE1) | TO(USER_AUTH) | TO(CONFIG) | TO(PHASE2),
};

static const unsigned EDGES[DIALTONE_STATE_N] = {
    [DIALTONE_STATE_IDLE] = TO(RESOLVING) | TO(PHASE1) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_RESOLVING] = TO(PHASE1) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_PHASE1] =
        TO(RESOLVING) | TO(USER_AUTH) | TO(CONFIG) | TO(PHASE2) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_USER_AUTH] =
        TO(RESOLVING) | TO(PHASE1) | TO(CONFIG) | TO(PHASE2) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_CONFIG] =
        TO(RESOLVING) | TO(PHASE1) | TO(USER_AUTH) | TO(PHASE2) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_PHASE2] = TO(RESOLVING) | TO(PHASE1) | TO(USER_AUTH) | TO(CONFIG) |
                              TO(CONNECTED) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_CONNECTED] = TO(RECONNECTING) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_RECONNECTING] = TO(CONNECTED) | TO(NEEDS_SECRETS) | ENDS,
    [DIALTONE_STATE_NEEDS_SECRETS] =
        TO(RESOLVING) | ATTEMPT | TO(CONNECTED) | TO(RECONNECTING) | ENDS,
    [DIALTONE_STATE_DISCONNECTING] = TO(IDLE) | TO(FAILED),
    [DIALTONE_STATE_FAILED] = 0,
};

bool tunnel_state_may_follow(DialtoneState from, DialtoneState to)
{
    return from < DIALTONE_STATE_N && to < DIALTONE_STATE_N && (EDGES[from] & (1u << to)) != 0;
}

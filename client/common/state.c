/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a connection: the names that scripts match on, and the sentence for a person.
 * One row a state keeps the two together; names never change, sentences are translated.
 */
#include "client/common/state.h"

#include "client/common/i18n.h"

static const struct {
    const char *name;
    const char *sentence;
} STATES[DIALTONE_STATE_N] = {
    [DIALTONE_STATE_IDLE] = {"idle", N_("not connected")},
    [DIALTONE_STATE_RESOLVING] = {"resolving", N_("looking up the gateway's address")},
    [DIALTONE_STATE_PHASE1] = {"phase1", N_("agreeing on keys with the gateway")},
    [DIALTONE_STATE_USER_AUTH] = {"user-auth", N_("signing in")},
    [DIALTONE_STATE_CONFIG] = {"config", N_("asking for an address")},
    [DIALTONE_STATE_PHASE2] = {"phase2", N_("agreeing on what the tunnel carries")},
    [DIALTONE_STATE_CONNECTED] = {"connected", N_("the tunnel is up")},
    [DIALTONE_STATE_RECONNECTING] = {"reconnecting", N_("the tunnel was lost, trying again")},
    [DIALTONE_STATE_NEEDS_SECRETS] = {"needs-secrets", N_("waiting for a password or key")},
    [DIALTONE_STATE_DISCONNECTING] = {"disconnecting", N_("taking the tunnel down")},
    [DIALTONE_STATE_FAILED] = {"failed", N_("no tunnel")},
};

const char *dialtone_state_name(DialtoneState state)
{
    return state < DIALTONE_STATE_N ? STATES[state].name : STATES[DIALTONE_STATE_FAILED].name;
}

bool dialtone_state_from_name(const char *name, DialtoneState *statep)
{
    for (guint i = 0; i < DIALTONE_STATE_N; i++) {
        if (g_strcmp0(name, STATES[i].name) == 0) {
            *statep = (DialtoneState)i;
            return true;
        }
    }
    return false;
}

const char *dialtone_state_sentence(DialtoneState state)
{
    return _(state < DIALTONE_STATE_N ? STATES[state].sentence
                                      : STATES[DIALTONE_STATE_FAILED].sentence);
}

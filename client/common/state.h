/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of a connection, as reports and the command line name them. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    DIALTONE_STATE_IDLE,
    DIALTONE_STATE_RESOLVING,
    DIALTONE_STATE_PHASE1,
    DIALTONE_STATE_USER_AUTH,
    DIALTONE_STATE_CONFIG,
    DIALTONE_STATE_PHASE2,
    DIALTONE_STATE_CONNECTED,
    DIALTONE_STATE_RECONNECTING,
    DIALTONE_STATE_NEEDS_SECRETS,
    DIALTONE_STATE_DISCONNECTING,
    DIALTONE_STATE_FAILED,
    DIALTONE_STATE_N,
} DialtoneState;

/* "idle", "user-auth", ...; never NULL. */
const char *dialtone_state_name(DialtoneState state) G_GNUC_WARN_UNUSED_RESULT;

/* Writes @statep only on success. */
bool dialtone_state_from_name(const char *name, DialtoneState *statep) G_GNUC_WARN_UNUSED_RESULT;

/* One translated line for a person: "Proving who you are to the gateway". */
const char *dialtone_state_sentence(DialtoneState state) G_GNUC_WARN_UNUSED_RESULT;

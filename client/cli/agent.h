/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What acts for the user who called towards one tunnel, wherever that is: a process of ours without
 * the service, or the service. It speaks the frames of client/tunnel/frames.h. */
#pragma once

#include <signal.h>

#include "client/cli/standalone.h"
#include "client/profile/secrets.h"
#include "client/profile/store.h"

typedef enum AgentStay {
    AGENT_STAYS, /* to the end of the tunnel */
    AGENT_LEAVES_CONNECTED,
    AGENT_LEAVES_AT_ONCE, /* when everything is handed over */
} AgentStay;

typedef struct AgentSetup {
    int fd;           /* of the channel to the tunnel; stays the caller's */
    const char *name; /* what the user called the profile, for messages */
    uid_t caller;
    int secrets_fd;          /* an open secrets file, taken; -1: none */
    const char *secrets;     /* its name; NULL: none */
    DialtoneSecrets *system; /* what the profile takes from the system, taken; NULL: nothing */
    const char *const *ask_command; /* NULL: the terminal is asked */
    bool json;
    bool of_service; /* it is the service's tunnel, and is told of a failure */
    bool without_own, without_authorities; /* of certificates: the service has them */
    /* Set by a signal, which also ends every wait for the tunnel: the caller ends the connection,
     * and there is nothing more to say. NULL: the tunnel hears of signals by itself. */
    const volatile sig_atomic_t *interrupted;
    AgentStay stay;
    gint64 patience_us; /* for the tunnel, not for a person; 0: for ever */
    /* Reads the profile once more; NULL with an error: it can't be used. NULL: the tunnel never
     * asks for that. */
    DialtoneFound *(*reload)(gpointer data, GError **error);
    gpointer data;
} AgentSetup;

typedef struct Agent Agent;

Agent *agent_new(const AgentSetup *setup);
void agent_free(Agent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_free)

/* Reads secrets and certificates and hands them over, then shows and answers, until the tunnel has
 * ended, or as long as it stays. @path of the profile's file; NULL: it has none. Both are borrowed.
 * Returns the exit code. */
int agent_run(Agent *agent, const DialtoneProfile *profile, const char *path);
/* Its patience was at its end before the tunnel was connected or had failed. */
bool agent_ran_out_of_patience(const Agent *agent) G_GNUC_WARN_UNUSED_RESULT;
/* The time_us of the last report that it has shown; 0: none. */
gint64 agent_shown_until(const Agent *agent) G_GNUC_WARN_UNUSED_RESULT;
/* That one said that the connection has ended. */
bool agent_shown_idle(const Agent *agent) G_GNUC_WARN_UNUSED_RESULT;
/* A failure before that. If the tunnel has ended meanwhile, that is the story to tell. Returns the
 * exit code. */
int agent_fail(Agent *agent, const GError *error);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `dialtone connect --standalone`: a tunnel that needs no service and no bus. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/common/report.h"
#include "client/credential/credential.h"
#include "client/profile/profile.h"
#include "client/profile/store.h"
#include "client/tunnel/frames.h"
#include "client/tunnel/tunnel.h"

typedef struct StandaloneOptions {
    const char *profile;            /* a name, a UUID or a path */
    const char *secrets;            /* a file or "-"; NULL: none */
    const char *const *ask_command; /* program and arguments; NULL: none */
    bool json;
    guint64 began; /* platform_clock_now() of when the command was given */
} StandaloneOptions;

/* Forks into helper, agent and tunnel; no thread exists and no GIO call was made before. Returns
 * the exit code when the tunnel is gone and the network is as it was. */
int standalone_run(const StandaloneOptions *options);

/* The life of the process that asks the user and reads files. Returns its exit code. */
int standalone_agent(const StandaloneOptions *options, int tunnel_fd);
/* What that process says first, and when the profile was changed. */
bool standalone_send_profile(int tunnel_fd, const DialtoneFound *found,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The life of the process that speaks IKE and ESP. Takes both sockets. */
int standalone_tunnel(int agent_fd, int helper_fd, guint64 began);

/* A line on standard error, and with `json` an object on standard output. A failure without advice
 * gets some. */
void standalone_print(DialtoneReport *report, bool json);
void standalone_print_failure(const char *profile, const GError *error, bool json);
/* One line on standard error, whatever line ends it has. */
void standalone_print_notice(const char *text);

/* Fills in what the user's keyring has of the secrets that are not known yet. */
void standalone_keyring_fill(const DialtoneProfile *profile, int tunnel_fd, TunnelSecrets *secrets);
/* A key that is typed or kept follows the rules of the secrets file: 0x begins bytes. False: it
 * said why it is none. */
bool standalone_interpret_psk(IkeSecret *psk) G_GNUC_WARN_UNUSED_RESULT;

/* ---- certificates (standalone-credential.c) ---- */

typedef struct StandaloneCredentialSetup {
    const DialtoneProfile *profile;
    const char *path; /* of the profile; NULL: nobody sees its file */
    uid_t caller;
    const DialtoneSecretMemory *memory;
    const DialtoneSecret *passphrase; /* of the secrets file; NULL: none */
    int tunnel_fd;
    bool without_own, without_authorities; /* the service has read them */
    bool asks_for_kept;                    /* who is asked has looked in the keyring */
    bool unlocks_keyring;                  /* a person is there for its window */
    bool (*ask)(const DialtoneKeyQuestion *question, char *line, gsize size, gpointer data);
    void (*tell)(const char *line, gpointer data);
    gpointer data;
} StandaloneCredentialSetup;

/* Reads what Auth= needs, and hands it to the tunnel; nothing with Auth=psk. The credential, which
 * is the caller's to free, signs later. */
bool standalone_credential_load(const StandaloneCredentialSetup *setup,
                                DialtoneCredential **credentialp,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Answers a frame SIGN. The error says why there is no signature. */
void standalone_credential_sign(DialtoneCredential *credential, int tunnel_fd,
                                const TunnelFrame *frame, GError **error);

/* ---- prompts (standalone-prompt.c) ---- */

/* What an agent hears while it waits. */
typedef struct StandaloneWait {
    int tunnel;
    int terminal; /* whose closing ends the tunnel; -1: none */
    /* Takes what the tunnel says; false: the wait is over. NULL: any word of it ends the wait. */
    bool (*hear)(gpointer data);
    gpointer data;
} StandaloneWait;

typedef enum StandalonePrompt {
    STANDALONE_PROMPT_ANSWERED,
    STANDALONE_PROMPT_EMPTY,       /* a line without anything in it */
    STANDALONE_PROMPT_NOBODY,      /* no terminal, or the user gave up; the time is over */
    STANDALONE_PROMPT_INTERRUPTED, /* the tunnel said what ends the wait, or is gone */
} StandalonePrompt;

/* Until `other`, which may be -1, can be read: ANSWERED; or the tunnel ends the wait: INTERRUPTED;
 * or it is `until`, in microseconds of the monotonic clock (negative: never): NOBODY. */
StandalonePrompt standalone_wait(StandaloneWait *wait, int other, gint64 until);

/* Whether the wait goes on after what the tunnel has said. */
bool standalone_hear(const StandaloneWait *wait) G_GNUC_WARN_UNUSED_RESULT;

/* Asks on the controlling terminal and reads one line into @line, of @size bytes, without its end.
 * The terminal is as it was when this returns. @wait NULL: there is no tunnel to hear. */
StandalonePrompt standalone_prompt(const char *text, bool echo, const StandaloneWait *wait,
                                   char *line, gsize size);
/* Shows text that others made, cleaned by the caller. */
void standalone_prompt_show(const char *text);

/* ---- questions (standalone-question.c, standalone-command.c) ---- */

typedef struct StandaloneAsker {
    const char *profile;        /* its name */
    const char *const *command; /* NULL: the terminal is asked */
    StandaloneWait *wait;
} StandaloneAsker;

/* False: nobody answered, or something interrupted it. */
bool standalone_question(const StandaloneAsker *asker, const TunnelQuestion *question,
                         TunnelAnswer *answer);
/* One thing of it, by the command, into @line of @size bytes. */
StandalonePrompt standalone_command(const StandaloneAsker *asker, const TunnelQuestion *question,
                                    const TunnelAsked *asked, char *line, gsize size);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keyring has for one session of the agent, what of that was refused, and what a person
 * has typed that is to be kept. */
#pragma once

#include "client/common/failure.h"
#include "client/profile/profile.h"
#include "gui/prompt.h"
#include "platform/keyring.h"

typedef enum DialtoneSessionSecret {
    DIALTONE_SESSION_PSK,
    DIALTONE_SESSION_PASSWORD,
    DIALTONE_SESSION_PASSPHRASE,
    DIALTONE_SESSION_PIN,
    DIALTONE_SESSION_SECRETS_N,
    DIALTONE_SESSION_OF_KEY = DIALTONE_SESSION_PASSPHRASE, /* those before it are the tunnel's */
} DialtoneSessionSecret;

typedef struct DialtoneSessionSecrets DialtoneSessionSecrets;

/* Both are borrowed, and outlive it. @refused: see gui/agent-session.h. */
DialtoneSessionSecrets *dialtone_session_secrets_new(const DialtoneProfile *profile,
                                                     GHashTable *refused);
/* Wipes what was to be kept. */
void dialtone_session_secrets_free(DialtoneSessionSecrets *self);

PlatformKeyringName dialtone_session_secrets_name(const DialtoneSessionSecrets *self,
                                                  DialtoneSessionSecret secret);
/* The profile takes it from the keyring, and the one there was not refused. */
gboolean dialtone_session_secrets_is_looked_up(const DialtoneSessionSecrets *self,
                                               DialtoneSessionSecret secret);
/* The keyring's is used. */
void dialtone_session_secrets_used(DialtoneSessionSecrets *self, DialtoneSessionSecret secret);
/* What a person has typed into @prompt, and wants to be kept. */
void dialtone_session_secrets_remember(DialtoneSessionSecrets *self, DialtonePrompt *prompt);
/* It has served: all from @from to before @to goes into the keyring. */
void dialtone_session_secrets_store(DialtoneSessionSecrets *self, DialtoneSessionSecret from,
                                    DialtoneSessionSecret to);
/* How the connection failed. */
void dialtone_session_secrets_failed(DialtoneSessionSecrets *self, DialtoneFailure reason);
/* What @question asks for once more was refused. True: the keyring's was among that. */
gboolean dialtone_session_secrets_asked(DialtoneSessionSecrets *self,
                                        const TunnelQuestion *question);

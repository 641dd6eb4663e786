/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets that were given for a profile before it is saved: they go into the keyring with it, or
 * are wiped. */
#pragma once

#include <gio/gio.h>

#include "client/profile/profile.h"
#include "platform/keyring.h"

typedef struct DialtoneKeptSecrets DialtoneKeptSecrets;

DialtoneKeptSecrets *dialtone_kept_secrets_new(void);
void dialtone_kept_secrets_free(DialtoneKeptSecrets *kept);

/* @kind: one of the keyring's: "psk". @text is copied into locked memory; NULL: there is none. */
void dialtone_kept_secrets_set(DialtoneKeptSecrets *kept, const char *kind, const char *text);
/* What @from has as well. */
void dialtone_kept_secrets_copy(DialtoneKeptSecrets *kept, const DialtoneKeptSecrets *from);
/* Wipes what @profile never asks for. */
void dialtone_kept_secrets_limit(DialtoneKeptSecrets *kept, const DialtoneProfile *profile);
gboolean dialtone_kept_secrets_is_empty(const DialtoneKeptSecrets *kept);
/* NULL: there is none. */
const char *dialtone_kept_secrets_get(const DialtoneKeptSecrets *kept, const char *kind);

/* Puts all of it into the keyring for a profile, which is called @profile there and @name by
 * people, and wipes what got there. @done is told how it ended: DONE too where there is nothing to
 * do. */
typedef void (*DialtoneKeptSecretsDone)(PlatformKeyringResult result, gpointer data);
void dialtone_kept_secrets_store(DialtoneKeptSecrets *kept, const char *profile, const char *name,
                                 DialtoneKeptSecretsDone done, gpointer data);
/* A sentence about a result that is not DONE. Static. */
const char *dialtone_kept_secrets_problem(PlatformKeyringResult result);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets that a profile of the system marks `system`: users use them and can't read them. They are
 * files /etc/dialtone/secrets/UUID, in the form of a secrets file, or credentials of the unit of
 * that name, systemd.exec(5). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/profile/folder-watch.h"
#include "client/profile/owned.h"
#include "client/profile/profile.h"
#include "client/profile/secrets.h"

typedef struct DialtoneSystemSecrets DialtoneSystemSecrets;

typedef struct {
    DialtoneRoot root;
    gid_t group;             /* the one that may read the files; see dialtone_system_group() */
    const char *credentials; /* $CREDENTIALS_DIRECTORY; NULL: the unit has none */
    const DialtoneSecretMemory *memory;
} DialtoneSystemSecretsSetup;

/* That of the service; -1 where there is none, then nobody but root may read the files. */
gid_t dialtone_system_group(void) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the credentials, once and into the memory for secrets; the files are read when asked for.
 */
DialtoneSystemSecrets *
dialtone_system_secrets_new(const DialtoneSystemSecretsSetup *setup) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_system_secrets_free(DialtoneSystemSecrets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneSystemSecrets, dialtone_system_secrets_free)

/* Whether the profile, which is one of the system, takes any secret from here. */
bool dialtone_profile_wants_system_secrets(const DialtoneProfile *profile)
    G_GNUC_WARN_UNUSED_RESULT;

/* What the profile takes from here and nothing else, owned by the caller. The file goes before the
 * credential. NULL: SECRET_MISSING, or PROFILE_INVALID for what is wrong with the file. */
DialtoneSecrets *dialtone_system_secrets_get(const DialtoneSystemSecrets *self,
                                             const DialtoneProfile *profile,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The passphrase of the profile's private key, if the system has one, and nothing else; owned by
 * the caller. False: PROFILE_INVALID for what is wrong with the file. */
bool dialtone_system_secrets_passphrase(const DialtoneSystemSecrets *self,
                                        const DialtoneProfile *profile, DialtoneSecrets **secretsp,
                                        GError **error);

/* Calls @changed when a file may be another one. */
DialtoneFolderWatch *dialtone_system_secrets_watch(const DialtoneSystemSecrets *self,
                                                   DialtoneFolderChanged changed,
                                                   gpointer data) G_GNUC_WARN_UNUSED_RESULT;

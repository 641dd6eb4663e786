/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What opens a private key: of the secrets file, of the keyring, or of a person. */
#pragma once

#include "client/credential/credential.h"

typedef enum CredentialOpening {
    CREDENTIAL_OPENED,
    CREDENTIAL_LOCKED, /* this passphrase, or none, does not open it */
    CREDENTIAL_BROKEN, /* no passphrase would help */
} CredentialOpening;

typedef CredentialOpening (*CredentialOpenFn)(gpointer what, const char *passphrase);

enum { CREDENTIAL_ATTEMPTS = 3 }; /* that a person has */

/* Without a passphrase first, then with the secrets file's, else with the keyring's, else with what
 * a person types, up to three times. @name: of what is opened. LOCKED: an error is set, unless
 * nobody was to be asked (@access->ask NULL and no passphrase known, with @error NULL). */
CredentialOpening credential_open(const DialtoneCredentialAccess *access, const char *name,
                                  CredentialOpenFn open, gpointer what,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The secrets file has one: it is tried once, and nobody is asked. */
bool credential_passphrase_is_known(const DialtoneCredentialAccess *access);
/* What the keyring has of that kind, as a string in secret memory; NULL: nothing, or the secrets
 * file comes first. */
char *credential_kept(const DialtoneCredentialAccess *access,
                      const char *kind) G_GNUC_WARN_UNUSED_RESULT;
/* Nothing can be said of what it has. */
bool credential_keyring_is_locked(const DialtoneCredentialAccess *access);
/* Why the keyring gave no certificate: a sentence. */
const char *credential_missing(const DialtoneCredentialAccess *access);
/* One passphrase, as a string in secret memory; NULL and an error where none can be had. */
char *credential_passphrase(const DialtoneCredentialAccess *access,
                            const DialtoneKeyQuestion *question,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

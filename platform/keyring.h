/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets in the keyring of the user's session, by libsecret. Calls wait for the keyring's service,
 * which may show a window and need not answer: a process that calls them does nothing else, and is
 * ended when it takes too long (client/cli/keyring.h). */
#pragma once

#include <glib.h>

typedef enum PlatformKeyringResult {
    PLATFORM_KEYRING_DONE,
    PLATFORM_KEYRING_NOTHING, /* no such secret */
    PLATFORM_KEYRING_LOCKED,
    PLATFORM_KEYRING_NONE,   /* there is no keyring in this session */
    PLATFORM_KEYRING_FAILED, /* @error says how */
} PlatformKeyringResult;

/* Which secret: attributes of its item. */
typedef struct PlatformKeyringName {
    const char *profile; /* its UUID, or its name where it has none */
    const char *kind;    /* psk, password, passphrase, pin, certificate */
} PlatformKeyringName;

/* *secret is in memory that is not paged out; secret_password_free() it. Never asks to unlock. */
PlatformKeyringResult platform_keyring_lookup(const PlatformKeyringName *name, char **secret,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores or replaces; @label is what the user sees. A locked keyring asks to be unlocked. */
PlatformKeyringResult platform_keyring_store(const PlatformKeyringName *name, const char *label,
                                             const char *secret,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Asks to unlock what holds the secret. LOCKED: nobody did. */
PlatformKeyringResult platform_keyring_unlock(const PlatformKeyringName *name,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
PlatformKeyringResult platform_keyring_forget(const PlatformKeyringName *name,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

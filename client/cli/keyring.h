/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyring of the user's session, by way of the program dialtone-keyring: libsecret would cost
 * each start of `dialtone` its libraries, and a keyring that does not answer can be left to itself.
 */
#pragma once

#include <glib.h>

#include "client/profile/profile.h"
#include "platform/keyring.h"

enum { CLI_KEYRING_SECRET_MAX = 64 * 1024 }; /* bytes; a certificate with its chain fits */

/* For how the secret is filed: the profile's UUID, else its name. */
const char *cli_keyring_profile(const DialtoneProfile *profile);

/* @secret has @size bytes, in locked memory, and gets a NUL at its end. @interrupt_fd (-1: none)
 * ends the wait when it can be read: the result is then FAILED. */
PlatformKeyringResult cli_keyring_lookup(const PlatformKeyringName *name, int interrupt_fd,
                                         char *secret, gsize size) G_GNUC_WARN_UNUSED_RESULT;
/* Shows the keyring's own window, for as long as a person may take. DONE: it is open. */
PlatformKeyringResult cli_keyring_unlock(const PlatformKeyringName *name,
                                         int interrupt_fd) G_GNUC_WARN_UNUSED_RESULT;
PlatformKeyringResult cli_keyring_store(const PlatformKeyringName *name, const char *label,
                                        const char *secret) G_GNUC_WARN_UNUSED_RESULT;
PlatformKeyringResult cli_keyring_forget(const PlatformKeyringName *name) G_GNUC_WARN_UNUSED_RESULT;
/* For who was just given it: nothing is shown, and it is over within seconds. */
PlatformKeyringResult
cli_keyring_forget_given(const PlatformKeyringName *name) G_GNUC_WARN_UNUSED_RESULT;

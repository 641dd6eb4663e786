/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyring of the user's session, by way of the program dialtone-keyring: libsecret may wait for
 * its service for ever, and a program that does can be ended. */
#pragma once

#include <gio/gio.h>

#include "platform/keyring.h"

/* Never shows anything, and answers within seconds. */
void dialtone_keyring_lookup(const PlatformKeyringName *name, GCancellable *cancellable,
                             GAsyncReadyCallback done, gpointer data);
/* *secretp, only with DONE: in locked memory, to be freed by platform_secret_free(). */
PlatformKeyringResult dialtone_keyring_lookup_finish(GAsyncResult *result,
                                                     char **secretp) G_GNUC_WARN_UNUSED_RESULT;

/* A locked keyring shows its own window; it is waited for as long as a person may take. Nobody is
 * told how it ended, but for the log. @secret is copied. */
void dialtone_keyring_store(const PlatformKeyringName *name, const char *label, const char *secret);
/* The same; @done is told how it ended. */
typedef void (*DialtoneKeyringDone)(PlatformKeyringResult result, gpointer data);
void dialtone_keyring_store_then(const PlatformKeyringName *name, const char *label,
                                 const char *secret, DialtoneKeyringDone done, gpointer data);
/* Nobody is told either. */
void dialtone_keyring_forget(const PlatformKeyringName *name);
/* For who was just given it: nothing is shown, and it is over within seconds. */
void dialtone_keyring_forget_then(const PlatformKeyringName *name, DialtoneKeyringDone done,
                                  gpointer data);

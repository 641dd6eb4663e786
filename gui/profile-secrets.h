/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the keyring has of a profile. */
#pragma once

#include <gio/gio.h>

/* What the keyring calls it, and untranslated what stands behind the profile's name in the
 * keyring's own program. */
typedef struct DialtoneSecretKind {
    const char *kind;
    const char *title;
} DialtoneSecretKind;

enum { DIALTONE_SECRET_KINDS = 5 };
extern const DialtoneSecretKind dialtone_secret_kinds[DIALTONE_SECRET_KINDS];

/* "Office: password", which the keyring's own program shows of it. The caller frees it. */
char *dialtone_secret_label(const char *name, const char *kind) G_GNUC_WARN_UNUSED_RESULT;

/* @profile: its UUID, or its name where it has none. */
void dialtone_profile_secrets_forget(const char *profile);
/* The profile is called something else there from now on; its new name is for people. */
void dialtone_profile_secrets_move(const char *from, const char *to, const char *name);

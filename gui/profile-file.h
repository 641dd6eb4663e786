/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that is written when a profile is edited: the user's own, or of what they change in one
 * of the system. */
#pragma once

#include <glib.h>

#include "client/profile/profile.h"
#include "client/profile/store.h"
#include "gui/item.h"

typedef struct DialtoneProfileFile {
    DialtoneStore *store;
    DialtoneFound *found; /* the profile of the system; NULL: it is the user's own */
    char *path;           /* NULL: there is no file yet */
    char *text;           /* as it was read */
    char *secrets;        /* what the keyring calls the profile by; NULL: not known */
} DialtoneProfileFile;

/* NULL and an error: it can't be edited. */
DialtoneProfileFile *dialtone_profile_file_open(DialtoneItem *item,
                                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A new one of the user's own. */
DialtoneProfileFile *dialtone_profile_file_new(const char *text) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_profile_file_free(DialtoneProfileFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneProfileFile, dialtone_profile_file_free)

/* The profile of the system; NULL. */
const DialtoneProfile *dialtone_profile_file_base(const DialtoneProfileFile *file);
/* What messages call it. */
const char *dialtone_profile_file_name(const DialtoneProfileFile *file);
/* Somebody else has written it since. */
gboolean dialtone_profile_file_has_changed(const DialtoneProfileFile *file);
/* Writes @text, in which something is set (@sets), for a profile of that name; a profile of the
 * system in which nothing is changed any more has no file. */
gboolean dialtone_profile_file_save(DialtoneProfileFile *file, const char *name, const char *text,
                                    gboolean sets, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a new profile begins as. The caller frees it. */
char *dialtone_profile_file_template(void);

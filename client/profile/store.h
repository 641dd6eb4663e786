/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All profiles that a user can name: those of the system, with what the user has changed in them,
 * and the user's own. How a name, a UUID or a path becomes a file. A user's profile never takes
 * the place of one of the system. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/profile/entry.h"
#include "client/profile/owned.h"

typedef struct {
    DialtoneRoot root;
    char *user;      /* the folder of the user's profiles; NULL: they have no home */
    char *overrides; /* the folder of what they changed in the system's; NULL likewise */
} DialtoneStore;

/* The system's folders and those of @caller: under sudo the home of the user who called it. */
DialtoneStore *dialtone_store_new(uid_t caller) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_store_free(DialtoneStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneStore, dialtone_store_free)

/* Every *.dialtone of every layer, sorted by layer and name; an array of DialtoneStoreEntry. */
GPtrArray *dialtone_store_list(const DialtoneStore *store) G_GNUC_WARN_UNUSED_RESULT;

/* The name of the profile in the file: its Name, if only that can be read, or the file's stem. The
 * caller frees it. */
char *dialtone_store_name(const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* The path of what the user called @what: a path (has a `/` or ends in `.dialtone`), else a UUID,
 * a Name or a file's stem. NULL and PROFILE_INVALID, whose advice lists near names, otherwise. */
char *dialtone_store_find(const DialtoneStore *store, const char *what,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The profile of the system that @what means by any of those, or NULL. For whoever still has rights
 * that its caller has not: no file of a user's is looked at. The caller frees it. */
DialtoneStoreEntry *dialtone_store_find_system(const DialtoneRoot *root,
                                               const char *what) G_GNUC_WARN_UNUSED_RESULT;

/* A profile as it is used. */
typedef struct {
    DialtoneStoreEntry *entry; /* its file; that of a path outside of all layers is the user's */
    const DialtoneProfile *profile; /* with what the user changed; NULL: either has mistakes */
    char *override;                 /* the file of what they changed; NULL: there is none */
    DialtoneProfile *changed;       /* what `profile` points to then */
    GPtrArray *issues;              /* of that file */
} DialtoneFound;

void dialtone_found_free(DialtoneFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneFound, dialtone_found_free)

/* Finds as above and reads. @psk_at_hand: see dialtone_profile_parse_with_psk(). */
DialtoneFound *dialtone_store_open(const DialtoneStore *store, const char *what, bool psk_at_hand,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* PROFILE_INVALID with a line for each mistake, of a profile that is NULL. */
void dialtone_found_fail(const DialtoneFound *found, GError **error);

/* Opens as above, for whoever has no use for one with mistakes: those are the error. */
DialtoneFound *dialtone_store_load(const DialtoneStore *store, const char *what, bool psk_at_hand,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

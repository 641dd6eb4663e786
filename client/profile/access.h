/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may use a profile of the system: [Access] Users and Groups. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/profile/profile.h"

/* Somebody, and all groups that they are in. */
typedef struct {
    uid_t uid;
    const gid_t *gids;
    gsize gids_n;
} DialtoneSubject;

/* Everybody where the profile names nobody; else whom it names, and root, who could change it.
 * Names that nobody has match nobody. May ask the computer's directory of users, and wait for it.
 */
bool dialtone_profile_allows(const DialtoneProfile *profile,
                             const DialtoneSubject *subject) G_GNUC_WARN_UNUSED_RESULT;

/* The same of the names alone: of users and of groups, as strings; both empty: everybody. */
bool dialtone_accounts_allow(const GPtrArray *users, const GPtrArray *groups,
                             const DialtoneSubject *subject) G_GNUC_WARN_UNUSED_RESULT;

/* All groups of a user, as the computer's directory has them; at least an empty array of gid_t. */
GArray *dialtone_access_groups(uid_t uid) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a user without a list at hand. False: @error (NOT_PERMITTED) says that they may
 * not. */
bool dialtone_access_check(const DialtoneProfile *profile, uid_t uid,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

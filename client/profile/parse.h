/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the bytes of NAME.dialtone to a DialtoneProfile, or to everything that is wrong with them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/profile.h"

/* One finding. Its text is `FILE:LINE: [Group] Key: sentence`, see dialtone_issue_text(). */
typedef struct {
    guint line;
    bool warning;
    char *group; /* NULL where the line belongs to none */
    char *key;   /* likewise */
    char *message;
} DialtoneIssue;

/* The caller frees it. Warnings read `FILE:LINE: warning: [Group] Key: sentence`. */
char *dialtone_issue_text(const DialtoneIssue *issue, const char *file) G_GNUC_WARN_UNUSED_RESULT;

/* @file names the profile in messages, and its stem is the profile's name when there is no Name.
 * NULL when anything but a warning was found. @issuesp, which may be NULL, is always written: an
 * array of DialtoneIssue in order of lines, owned by the caller. Touches no file. */
DialtoneProfile *dialtone_profile_parse(const char *bytes, gsize n, const char *file,
                                        GPtrArray **issuesp) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a caller who holds a preshared key already, from a secrets file: a profile that
 * names neither a key nor a certificate has one then. */
DialtoneProfile *dialtone_profile_parse_with_psk(const char *bytes, gsize n, const char *file,
                                                 GPtrArray **issuesp) G_GNUC_WARN_UNUSED_RESULT;

/* Settings alone, which are right each for itself and need not be all of a profile: values and
 * lines of the keys that the file sets, and nothing else. NULL likewise. */
DialtoneProfile *dialtone_profile_parse_part(const char *bytes, gsize n,
                                             GPtrArray **issuesp) G_GNUC_WARN_UNUSED_RESULT;

/* The normal spelling of a key's value or default; NULL when unset or unknown. Owned by @profile.
 */
const char *dialtone_profile_value(const DialtoneProfile *profile, const char *group,
                                   const char *key) G_GNUC_WARN_UNUSED_RESULT;

/* The profile written again in normal form, which parses to the same profile. Holds no secret.
 * With @defaults, keys that the file did not set are written too. */
char *dialtone_profile_to_text(const DialtoneProfile *profile,
                               bool defaults) G_GNUC_WARN_UNUSED_RESULT;

/* "10.0.0.0/8". The caller frees it. */
char *dialtone_network_to_text(const DialtoneNetwork *network) G_GNUC_WARN_UNUSED_RESULT;

/* "aes256-sha256-modp2048". The caller frees it. */
char *dialtone_proposal_to_text(const DialtoneProposal *proposal) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a user has changed for themselves in a profile of the system: a key file of the same
 * settings, $XDG_CONFIG_HOME/dialtone/overrides/UUID.dialtone. */
#pragma once

#include <glib.h>

#include "client/profile/profile.h"
#include "client/profile/value.h"

typedef struct {
    const char *bytes;
    gsize n;
    const char *profile_path; /* the file of the profile, for messages */
} DialtoneOverride;

/* A copy of @base with what the override may change; `overridden` says which keys it did. What it
 * may not is left as it was, with a warning in @issuesp. NULL: it has mistakes, or the two together
 * are no profile, and @issuesp, which is always written, says why. Lines are the override's. */
DialtoneProfile *dialtone_override_apply(const DialtoneProfile *base,
                                         const DialtoneOverride *override,
                                         GPtrArray **issuesp) G_GNUC_WARN_UNUSED_RESULT;

/* Why users may not change a setting of a profile of the system, as a part of a sentence; NULL:
 * they may. @profile_path names its file. The caller frees it. */
char *dialtone_override_refused(const DialtoneProfile *profile, const char *profile_path,
                                const DialtoneProfileKey *row) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policy forbids of a profile. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/policy.h"
#include "client/profile/profile.h"

/* A line for each thing that is forbidden, of char *, that begins with the policy's file and line;
 * empty: the profile may be used. @layer is whose it is. */
GPtrArray *dialtone_policy_findings(const DialtonePolicy *policy, const DialtoneProfile *profile,
                                    DialtoneLayer layer) G_GNUC_WARN_UNUSED_RESULT;

/* False and POLICY, with all of those lines, where there are any. */
bool dialtone_policy_check(const DialtonePolicy *policy, const DialtoneProfile *profile,
                           DialtoneLayer layer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a policy with mistakes still lets anybody do, in a sentence. Translated. */
const char *dialtone_policy_strictest(void) G_GNUC_WARN_UNUSED_RESULT;

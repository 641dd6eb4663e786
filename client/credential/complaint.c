/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Complaints about what a setting points to look like those about the setting itself:
 * `FILE:LINE: [Identity] Certificate: what is wrong and what to write instead`.
 */
#include "client/credential/private.h"

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"

bool credential_refuse(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                       const char *key, const char *message, GError **error)
{
    gsize row = (gsize)(dialtone_profile_key("Identity", key) - dialtone_profile_keys);
    const DialtoneIssue issue = {.line = profile->lines[row],
                                 .group = (char *)"Identity",
                                 .key = (char *)key,
                                 .message = (char *)message};
    g_autofree char *text = dialtone_issue_text(&issue, access->file);

    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Mend the file and try again; `dialtone check FILE` reads it "
                           "without connecting."),
                         "%s", text);
    return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Complaints about what a setting points to look like those about the setting itself:
 * `FILE:LINE: [Identity] Certificate: what is wrong and what to write instead`.
 */
#include "client/credential/private.h"

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"

static void refuse_at(const DialtoneIssue *issue, const char *file, GError **error)
{
    g_autofree char *text = dialtone_issue_text(issue, file);

    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Mend the file and try again; `dialtone check FILE` reads it "
                           "without connecting."),
                         "%s", text);
}

static void refuse(const DialtoneIssue *issue, GError **error)
{
    g_autofree char *text = dialtone_text_sentence(issue->message);
    g_autofree char *advice = g_strdup_printf(
        _("Correct [%s] %s of the profile, and connect again."), issue->group, issue->key);

    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, advice, "%s", text);
}

bool credential_refuse(const DialtoneProfile *profile, const DialtoneCredentialAccess *access,
                       const char *key, const char *message, GError **error)
{
    gsize row = (gsize)(dialtone_profile_key("Identity", key) - dialtone_profile_keys);
    const DialtoneIssue issue = {.line = profile->lines[row],
                                 .group = (char *)"Identity",
                                 .key = (char *)key,
                                 .message = (char *)message};

    if (access->file != NULL)
        refuse_at(&issue, access->file, error);
    else
        refuse(&issue, error);
    return false;
}

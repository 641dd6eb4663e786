/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user has changed in a profile of the system is kept as they wrote it and laid over the
 * profile whenever it is connected: a setting that was locked since is then the administrator's
 * again, and one that was unlocked is the user's.
 */
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/override.h"
#include "client/profile/parse.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"
#include "client/service/override.h"

enum { OVERRIDE_MAX = 64 * 1024 };

static const char NAME[] = "override";

static void tell(const ServiceChange *change, const GPtrArray *issues)
{
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *line = dialtone_issue_text(issues->pdata[i], NAME);
        service_log(change->owner, change->profile->profile->name, "%s", line);
    }
}

static DialtoneProfile *apply(const ServiceChange *change, GError **error)
{
    g_autoptr(GPtrArray) issues = NULL;
    const DialtoneOverride override = {.bytes = change->override,
                                       .n = strlen(change->override),
                                       .profile_path = change->profile->file};
    DialtoneProfile *changed =
        override.n <= OVERRIDE_MAX
            ? dialtone_override_apply(change->profile->profile, &override, &issues)
            : NULL;
    if (changed != NULL) {
        if (change->tells)
            tell(change, issues);
        return changed;
    }
    g_autofree char *why = issues != NULL && issues->len > 0
                               ? dialtone_issue_text(issues->pdata[0], NAME)
                               : g_strdup(_("what was changed in it can't be read"));
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL, "%s", why);
    return NULL;
}

bool service_override_apply(ServiceManager *self, const ServiceChange *change, char **textp,
                            GError **error)
{
    *textp = NULL;
    if (change->override == NULL)
        return true;
    g_autoptr(DialtoneProfile) changed = apply(change, error);
    if (changed == NULL || !service_policy_allows(self, changed, change->profile->layer, error))
        return false;
    *textp = dialtone_profile_to_text(changed, true);
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may use a profile. Names are looked up when somebody asks, never kept: who left the company
 * has left the directory too.
 */
#include "client/profile/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

/* What an entry of the directory may need; a group may have thousands of members. */
enum { ENTRY_BYTES_FIRST = 4096, ENTRY_BYTES_MAX = 4 * 1024 * 1024, GROUPS_MAX = 65536 };

static bool is_user(const char *name, uid_t uid)
{
    for (gsize n = ENTRY_BYTES_FIRST; n <= ENTRY_BYTES_MAX; n *= 4) {
        g_autofree char *buffer = g_malloc(n);
        struct passwd entry, *found = NULL;
        int result = getpwnam_r(name, &entry, buffer, n, &found);
        if (result == 0)
            return found != NULL && found->pw_uid == uid;
        if (result != ERANGE && result != EINTR)
            return false;
    }
    return false;
}

static bool group_of(const char *name, gid_t *gidp)
{
    for (gsize n = ENTRY_BYTES_FIRST; n <= ENTRY_BYTES_MAX; n *= 4) {
        g_autofree char *buffer = g_malloc(n);
        struct group entry, *found = NULL;
        int result = getgrnam_r(name, &entry, buffer, n, &found);
        if (result == 0 && found != NULL)
            *gidp = found->gr_gid;
        if (result == 0)
            return found != NULL;
        if (result != ERANGE && result != EINTR)
            return false;
    }
    return false;
}

static bool is_member(const char *name, const DialtoneSubject *subject)
{
    gid_t gid;

    if (!group_of(name, &gid))
        return false;
    for (gsize i = 0; i < subject->gids_n; i++)
        if (subject->gids[i] == gid)
            return true;
    return false;
}

bool dialtone_accounts_allow(const GPtrArray *users, const GPtrArray *groups,
                             const DialtoneSubject *subject)
{
    if (subject->uid == 0 || (users->len == 0 && groups->len == 0))
        return true;
    for (guint i = 0; i < users->len; i++)
        if (is_user(users->pdata[i], subject->uid))
            return true;
    for (guint i = 0; i < groups->len; i++)
        if (is_member(groups->pdata[i], subject))
            return true;
    return false;
}

bool dialtone_profile_allows(const DialtoneProfile *profile, const DialtoneSubject *subject)
{
    return dialtone_accounts_allow(profile->users, profile->groups, subject);
}

static GArray *groups_of(const char *name, gid_t gid)
{
    GArray *gids = g_array_new(FALSE, TRUE, sizeof(gid_t));
    int n = 32;

    g_array_set_size(gids, (guint)n);
    while (getgrouplist(name, gid, (gid_t *)(void *)gids->data, &n) < 0 && n <= GROUPS_MAX) {
        n = MAX(n, (int)gids->len * 2);
        g_array_set_size(gids, (guint)n);
    }
    g_array_set_size(gids, n <= (int)gids->len ? (guint)MAX(n, 0) : 0);
    return gids;
}

GArray *dialtone_access_groups(uid_t uid)
{
    for (gsize n = ENTRY_BYTES_FIRST; n <= ENTRY_BYTES_MAX; n *= 4) {
        g_autofree char *buffer = g_malloc(n);
        struct passwd entry, *found = NULL;
        int result = getpwuid_r(uid, &entry, buffer, n, &found);
        if (result == 0 && found != NULL)
            return groups_of(found->pw_name, found->pw_gid);
        if (result != ERANGE && result != EINTR)
            break;
    }
    return g_array_new(FALSE, TRUE, sizeof(gid_t));
}

bool dialtone_access_check(const DialtoneProfile *profile, uid_t uid, GError **error)
{
    g_autoptr(GArray) gids = NULL;
    DialtoneSubject subject = {.uid = uid};

    /* The directory may be far away, so it is asked only where a group could matter. */
    if (profile->groups->len > 0) {
        gids = dialtone_access_groups(uid);
        subject.gids = (const gid_t *)(const void *)gids->data;
        subject.gids_n = gids->len;
    }
    if (dialtone_profile_allows(profile, &subject))
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                         _("Ask your administrator to name you, or a group that you are in, under "
                           "[Access] in the profile."),
                         _("You may not use the profile '%s'."), profile->name);
    return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Under sudo the environment may be root's, and the home meant is that of whoever called.
 */
#include "client/profile/folder.h"

#include <pwd.h>

char *dialtone_folder(uid_t caller, const char *variable, const char *fallback, const char *name)
{
    const char *folder = g_getenv(variable);

    if (folder != NULL && g_path_is_absolute(folder))
        return g_build_filename(folder, "dialtone", name, NULL);
    const struct passwd *user = getpwuid(caller);
    if (user == NULL || user->pw_dir == NULL || !g_path_is_absolute(user->pw_dir))
        return NULL;
    return g_build_filename(user->pw_dir, fallback, "dialtone", name, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Groups out of /etc/group, where nothing else would be asked.
 *
 * initgroups(3) asks every source that nsswitch.conf names, and each is a module to be loaded and
 * often a service to be reached: that takes longer than all else that a process does when it
 * becomes the user. On a machine without a directory service the sources are "files" and "systemd".
 * The latter adds a group to a user of /etc/passwd by records only that somebody has dropped into a
 * folder of userdb(7), or by a service of its own; where there is either, it is asked.
 *
 * What can't be understood counts as another source.
 */
#include "platform/groups.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, NAME_SIZE = 256, LINE_SIZE = 1024 };

static FILE *open_file(const char *root, const char *path)
{
    char full[PATH_SIZE];
    int n = snprintf(full, sizeof full, "%s%s", root, path);

    return n > 0 && (size_t)n < sizeof full ? fopen(full, "re") : NULL;
}

/* ---- who else has a say ---- */

static bool is_own_source(const char *word)
{
    return strcmp(word, "files") == 0 || strcmp(word, "systemd") == 0;
}

/* "files [SUCCESS=merge] systemd": what is done about an answer does not matter to us, but where
   an action ends the search early fewer groups would be right. */
static bool names_own_sources_only(char *words)
{
    char *rest = NULL;
    bool files = false;

    for (char *word = strtok_r(words, " \t\n", &rest); word;
         word = strtok_r(NULL, " \t\n", &rest)) {
        if (word[0] == '#')
            break;
        if (strcmp(word, "[SUCCESS=merge]") && strcmp(word, "[SUCCESS=continue]") &&
            !is_own_source(word))
            return false;
        files |= strcmp(word, "files") == 0;
    }
    return files;
}

/* Both databases that group memberships come from, where they are named at all. */
static bool sources_are_own(const char *root)
{
    FILE *file = open_file(root, "/etc/nsswitch.conf");
    char line[LINE_SIZE];
    bool own = true, group = false;

    while (file && own && fgets(line, sizeof line, file)) {
        char *key = line + strspn(line, " \t"), *colon = strchr(key, ':');

        if (!strchr(line, '\n') && !feof(file))
            own = false;
        if (!colon || key[0] == '#')
            continue;
        *colon = '\0';
        key[strcspn(key, " \t")] = '\0';
        if (strcmp(key, "group") == 0)
            group = own = own && names_own_sources_only(colon + 1);
        else if (strcmp(key, "initgroups") == 0)
            own = own && names_own_sources_only(colon + 1);
    }
    if (file)
        fclose(file);
    return own && group;
}

static bool is_systemd_s(const char *name)
{
    return strncmp(name, "io.systemd.", strlen("io.systemd.")) == 0;
}

/* Whether a folder has entries; of services, such that systemd does not bring itself. */
static bool is_used(const char *root, const char *path, bool services)
{
    char full[PATH_SIZE];
    int n = snprintf(full, sizeof full, "%s%s", root, path);
    DIR *dir = n > 0 && (size_t)n < sizeof full ? opendir(full) : NULL;
    struct dirent *entry;
    bool used = false;

    while (dir && !used && (entry = readdir(dir)))
        used = entry->d_name[0] != '.' && !(services && is_systemd_s(entry->d_name));
    if (dir)
        closedir(dir);
    return used;
}

static bool userdb_is_used(const char *root)
{
    static const char *const records[] = {
        "/etc/userdb",           "/run/userdb",     "/run/host/userdb",
        "/usr/local/lib/userdb", "/usr/lib/userdb",
    };

    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        if (is_used(root, records[i], false))
            return true;
    }
    return is_used(root, "/run/systemd/userdb", true);
}

/* ---- the files ---- */

static bool find_name(const char *root, uid_t uid, char *name)
{
    FILE *file = open_file(root, "/etc/passwd");
    const struct passwd *user;
    bool found = false;

    while (file && !found && (user = fgetpwent(file))) {
        found = user->pw_uid == uid && strlen(user->pw_name) < NAME_SIZE;
        if (found)
            strcpy(name, user->pw_name);
    }
    if (file)
        fclose(file);
    return found;
}

static bool has_member(const struct group *group, const char *name)
{
    for (char **member = group->gr_mem; *member; member++) {
        if (strcmp(*member, name) == 0)
            return true;
    }
    return false;
}

static bool add(PlatformGroups *groups, gid_t gid)
{
    for (size_t i = 0; i < groups->n; i++) {
        if (groups->gids[i] == gid)
            return true;
    }
    if (groups->n == PLATFORM_GROUPS_MAX)
        return false;
    groups->gids[groups->n++] = gid;
    return true;
}

static bool collect(const char *root, const char *name, PlatformGroups *groups)
{
    FILE *file = open_file(root, "/etc/group");
    const struct group *group;
    bool ok = file;

    while (ok && (group = fgetgrent(file))) {
        if (has_member(group, name))
            ok = add(groups, group->gr_gid);
    }
    if (file)
        fclose(file);
    return ok;
}

bool platform_groups_read(const char *root, uid_t uid, gid_t gid, PlatformGroups *groups)
{
    char name[NAME_SIZE];

    *groups = (PlatformGroups){.gids = {gid}, .n = 1};
    return find_name(root, uid, name) && sources_are_own(root) && !userdb_is_used(root) &&
           collect(root, name, groups);
}

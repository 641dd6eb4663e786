/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supplementary groups of a user, as far as this machine's own files have the last word. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PLATFORM_GROUPS_MAX = 1024 };

typedef struct PlatformGroups {
    gid_t gids[PLATFORM_GROUPS_MAX];
    size_t n;
} PlatformGroups;

/* True: these are all the groups of this user, `gid` among them. False: the user is none of
   /etc/passwd's, another source than files may name groups, or there are too many; ask the C
   library. `root` is "", or the folder whose etc and so on are read. */
bool platform_groups_read(const char *root, uid_t uid, gid_t gid, PlatformGroups *groups);

// SPDX-License-Identifier: GPL-2.0-or-later
/* Identity, capabilities and process flags, given up for good.
 *
 * Capabilities are set by capset(2) itself: two system calls need no library. Every step is checked
 * by asking the kernel afterwards, for a set*id() that silently did nothing is how such programs
 * have failed.
 */
#include "platform/sandbox.h"

#include "platform/groups.h"
#include "platform/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SERVICE_USER "dialtone"

enum { UID_TRIES = 64, HELD_MAX = 8 };

/* ---- identity ---- */

/*
 * The service's user is looked for in the machine's own files and not by getpwnam(3): no directory
 * service may say who runs the tunnel, its server may only be reachable through the tunnel, and the
 * modules that would ask it take longer to load than all else before the first packet.
 */
int platform_sandbox_service_user(PlatformIdentity *idp)
{
    FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *user;
    bool found = false;

    while (file && !found && (user = fgetpwent(file))) {
        found = strcmp(user->pw_name, SERVICE_USER) == 0 && user->pw_uid != 0;
        if (found)
            *idp = (PlatformIdentity){.uid = user->pw_uid, .gid = user->pw_gid};
    }
    if (file)
        fclose(file);
    return found ? 0 : -ENOENT;
}

static bool user_has_id(uid_t id)
{
    FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *user;
    bool found = false;

    while (file && !found && (user = fgetpwent(file)))
        found = user->pw_uid == id;
    if (file)
        fclose(file);
    return found;
}

static bool group_has_id(gid_t id)
{
    FILE *file = fopen("/etc/group", "re");
    const struct group *group;
    bool found = false;

    while (file && !found && (group = fgetgrent(file)))
        found = group->gr_gid == id;
    if (file)
        fclose(file);
    return found;
}

/* Whether a process of this uid runs; a uid that we can't check counts as used. */
static bool process_has_id(uid_t uid)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    bool found = false;

    if (!proc)
        return true;
    while (!found && (entry = readdir(proc))) {
        struct stat status;

        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            fstatat(dirfd(proc), entry->d_name, &status, 0) == 0)
            found = status.st_uid == uid;
    }
    closedir(proc);
    return found;
}

static int unused_identity(PlatformIdentity *idp)
{
    const uint32_t n = PLATFORM_SANDBOX_UID_LAST - PLATFORM_SANDBOX_UID_FIRST + 1;

    for (int i = 0; i < UID_TRIES; i++) {
        uid_t uid = PLATFORM_SANDBOX_UID_FIRST + platform_random_u32() % n;

        if (user_has_id(uid) || group_has_id(uid) || process_has_id(uid))
            continue;
        *idp = (PlatformIdentity){.uid = uid, .gid = uid};
        return 0;
    }
    return -EUSERS;
}

int platform_sandbox_service_identity(PlatformIdentity *idp)
{
    return platform_sandbox_service_user(idp) == 0 ? 0 : unused_identity(idp);
}

static bool parse_id(const char *text, uint32_t *idp)
{
    char *end;

    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);

    if (errno || *end || value >= UINT32_MAX)
        return false;
    *idp = (uint32_t)value;
    return true;
}

int platform_sandbox_caller_identity(PlatformIdentity *idp)
{
    PlatformIdentity id = {.uid = getuid(), .gid = getgid(), .is_person = true};
    uint32_t uid, gid;

    if (id.uid == 0 && parse_id(getenv("SUDO_UID"), &uid) && parse_id(getenv("SUDO_GID"), &gid)) {
        id.uid = uid;
        id.gid = gid;
    }
    *idp = id;
    return 0;
}

/* Of a person: never the groups that this process has, unless it is that person's already, as
 * where root himself calls. */
static int set_person_s_groups(const PlatformIdentity *id)
{
    PlatformGroups groups;

    if (id->uid == getuid() && id->gid == getgid())
        return 0;
    if (platform_groups_read("", id->uid, id->gid, &groups))
        return setgroups(groups.n, groups.gids) < 0 ? -errno : 0;
    const struct passwd *user = getpwuid(id->uid);

    if (user)
        return initgroups(user->pw_name, id->gid) < 0 ? -errno : 0;
    return setgroups(0, NULL) < 0 ? -errno : 0;
}

static int set_groups(const PlatformIdentity *id)
{
    if (geteuid() != 0)
        return 0;
    if (id->is_person)
        return set_person_s_groups(id);
    return setgroups(0, NULL) < 0 ? -errno : 0;
}

static bool has_become(const PlatformIdentity *id)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;

    if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
        return false;
    if (ruid != id->uid || euid != id->uid || suid != id->uid)
        return false;
    if (rgid != id->gid || egid != id->gid || sgid != id->gid)
        return false;
    return id->uid == 0 || setuid(0) < 0;
}

/* ---- capabilities ---- */

typedef struct CapabilitySets {
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
} CapabilitySets;

static int caps_get(CapabilitySets *setsp)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};

    return syscall(SYS_capget, &header, setsp->data) < 0 ? -errno : 0;
}

static int caps_set(const CapabilitySets *sets)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};

    return syscall(SYS_capset, &header, sets->data) < 0 ? -errno : 0;
}

bool platform_sandbox_has_cap(int cap)
{
    CapabilitySets sets = {0};

    if (cap < 0 || cap > CAP_LAST_CAP || caps_get(&sets) < 0)
        return false;
    return sets.data[cap / 32].effective & (1u << cap % 32);
}

static bool is_kept(const int *caps, size_t n, int cap)
{
    for (size_t i = 0; i < n; i++) {
        if (caps[i] == cap)
            return true;
    }
    return false;
}

/* The kernel may know more capabilities than the headers: it ends the loop by EINVAL. */
static int drop_bounding(const int *caps, size_t n)
{
    if (!platform_sandbox_has_cap(CAP_SETPCAP))
        return 0;
    for (int cap = 0; cap < 64; cap++) {
        if (is_kept(caps, n, cap))
            continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return errno == EINVAL ? 0 : -errno;
    }
    return 0;
}

int platform_sandbox_become(const PlatformIdentity *id)
{
    /* While we may: afterwards the bounding set can't be changed. */
    int r = id->uid ? drop_bounding(NULL, 0) : 0;

    if (r == 0)
        r = set_groups(id);
    if (r < 0)
        return r;
    if (setresgid(id->gid, id->gid, id->gid) < 0 || setresuid(id->uid, id->uid, id->uid) < 0)
        return -errno;
    return has_become(id) ? 0 : -EPERM;
}

int platform_sandbox_keep_caps(const int *caps, size_t n)
{
    CapabilitySets sets = {0}, now = {0};
    int r = drop_bounding(caps, n);

    if (r < 0)
        return r;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    for (size_t i = 0; i < n; i++) {
        sets.data[caps[i] / 32].permitted |= 1u << caps[i] % 32;
        sets.data[caps[i] / 32].effective |= 1u << caps[i] % 32;
    }
    /* Who has no other any more may not even be allowed to say so. */
    r = caps_get(&now);
    if (r == 0 && memcmp(&sets, &now, sizeof sets) != 0) {
        r = caps_set(&sets);
        r = r == 0 ? caps_get(&now) : r;
    }
    if (r < 0)
        return r;
    return memcmp(&sets, &now, sizeof sets) == 0 ? 0 : -EPERM;
}

int platform_sandbox_keep_held_caps(const int *caps, size_t n)
{
    int held[HELD_MAX];
    size_t n_held = 0;

    if (n > HELD_MAX)
        return -E2BIG;
    for (size_t i = 0; i < n; i++) {
        if (platform_sandbox_has_cap(caps[i]))
            held[n_held++] = caps[i];
    }
    return platform_sandbox_keep_caps(held, n_held);
}

int platform_sandbox_harden(void)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return -errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return -EPERM;
    return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Slots under /run/dialtone: locks, who holds them, and the last state of each tunnel.
 *
 * The lock is on a file that only root can open, for whoever may open a file may also lock it, and
 * so keep others from a slot. Who may not ask the lock tells a live slot by the holder's pid and
 * start time. Files are opened relative to the directory, without following links, and the
 * directory must be root's alone.
 */
#include "platform/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP "Slot"

enum { INFO_MAX = 256 * 1024 };

struct PlatformSlot {
    int dirfd;
    int lockfd;
    PlatformSlotInfo info;
};

static char *file_name(char text[32], unsigned number, const char *suffix)
{
    snprintf(text, 32, "%u.%s", number, suffix);
    return text;
}

/* ---- the directory ---- */

static int open_dir(const char *dir)
{
    int fd = open(dir ? dir : PLATFORM_SLOT_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Ours, and nobody else may put a file or link there. */
static int make_dir(const char *dir)
{
    if (mkdir(dir ? dir : PLATFORM_SLOT_DIR, 0755) < 0 && errno != EEXIST)
        return -errno;
    int fd = open_dir(dir);
    struct stat status;

    if (fd < 0)
        return fd;
    if (fstat(fd, &status) < 0 || status.st_uid != geteuid() || status.st_mode & 022) {
        close(fd);
        return -EPERM;
    }
    /* A umask may have taken away what readers need. */
    (void)fchmod(fd, 0755);
    return fd;
}

/* "N." and whatever behind it. */
static bool has_number(const char *name, unsigned *numberp)
{
    unsigned number = 0;
    size_t n = 0;

    for (; n < 2 && name[n] >= '0' && name[n] <= '9'; n++)
        number = number * 10 + (unsigned)(name[n] - '0');
    *numberp = number;
    return n > 0 && name[n] == '.' && number < PLATFORM_SLOT_COUNT;
}

static uint64_t numbers_in(int dirfd)
{
    _Static_assert(PLATFORM_SLOT_COUNT <= 64, "a bit each");
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    uint64_t numbers = 0;
    const struct dirent *entry;
    unsigned number;

    if (!list && fd >= 0)
        close(fd);
    while (list && (entry = readdir(list))) {
        if (has_number(entry->d_name, &number))
            numbers |= UINT64_C(1) << number;
    }
    if (list)
        closedir(list);
    return numbers;
}

uint64_t platform_slot_numbers(const char *dir)
{
    int dirfd = open_dir(dir);
    uint64_t numbers = dirfd < 0 ? 0 : numbers_in(dirfd);

    if (dirfd >= 0)
        close(dirfd);
    return numbers;
}

/* ---- claiming ---- */

static int open_locked(int dirfd, const char *name, int *fdp)
{
    int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int r = errno == EWOULDBLOCK ? -EBUSY : -errno;

        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

/* A holder removes the file before it lets go of the lock: what was locked has to bear the name
   still, or two would hold two files of one name. */
static int lock_number(int dirfd, unsigned number, int *lockfdp)
{
    char name[32];
    int fd = -1, r;

    file_name(name, number, "lock");
    while ((r = open_locked(dirfd, name, &fd)) == 0) {
        struct stat ours, named;

        if (fstat(fd, &ours) == 0 && fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
            *lockfdp = fd;
            return 0;
        }
        close(fd);
    }
    return r;
}

/* Field 22 of /proc/PID/stat, counted after the name, which may contain anything; 0 if unknown, and
   of one that is dead and was not waited for. */
static uint64_t start_time(pid_t pid)
{
    char path[64], text[1024], state;
    unsigned long long start = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);

    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *end = strrchr(text, ')');

    if (!end || sscanf(end + 1,
                       " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
                       " %*s %*s %*s %*s %llu",
                       &state, &start) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : start;
}

uint64_t platform_slot_namespace(void)
{
    struct stat status;

    return stat("/proc/self/ns/net", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static void fill_derived(PlatformSlotInfo *info, unsigned number)
{
    info->number = number;
    snprintf(info->interface, sizeof info->interface, PLATFORM_SLOT_INTERFACE "%u", number);
    info->table = PLATFORM_SLOT_TABLE_BASE + number;
    info->mark = PLATFORM_SLOT_MARK_BASE + number;
}

static PlatformSlot *slot_new(int dirfd_take, int lockfd_take, unsigned number)
{
    PlatformSlot *slot = g_new0(PlatformSlot, 1);

    slot->dirfd = dirfd_take;
    slot->lockfd = lockfd_take;
    fill_derived(&slot->info, number);
    slot->info.pid = getpid();
    slot->info.pid_start = start_time(slot->info.pid);
    slot->info.uid = getuid();
    slot->info.netns = platform_slot_namespace();
    return slot;
}

static int claim_range(const char *dir, unsigned first, unsigned end, PlatformSlot **slotp)
{
    int dirfd = make_dir(dir);
    int r = -ENOSPC, lockfd = -1;
    unsigned number = first;

    if (dirfd < 0)
        return dirfd;
    for (; number < end; number++) {
        r = lock_number(dirfd, number, &lockfd);
        if (r != -EBUSY)
            break;
    }
    if (lockfd < 0) {
        close(dirfd);
        return r;
    }
    *slotp = slot_new(dirfd, lockfd, number);
    return 0;
}

int platform_slot_claim(const char *dir, unsigned first, PlatformSlot **slotp)
{
    int r = claim_range(dir, first, PLATFORM_SLOT_COUNT, slotp);

    return r == -EBUSY ? -ENOSPC : r;
}

int platform_slot_lock(const char *dir, unsigned number, PlatformSlot **slotp)
{
    if (number >= PLATFORM_SLOT_COUNT)
        return -EINVAL;
    return claim_range(dir, number, number + 1, slotp);
}

void platform_slot_unlock(PlatformSlot *slot)
{
    if (!slot)
        return;
    close(slot->lockfd);
    close(slot->dirfd);
    g_free(slot->info.routes);
    g_free(slot);
}

void platform_slot_release(PlatformSlot *slot)
{
    char name[32];

    if (!slot)
        return;
    (void)unlinkat(slot->dirfd, file_name(name, slot->info.number, "slot"), 0);
    (void)unlinkat(slot->dirfd, file_name(name, slot->info.number, "slot.new"), 0);
    (void)unlinkat(slot->dirfd, file_name(name, slot->info.number, "state"), 0);
    (void)unlinkat(slot->dirfd, file_name(name, slot->info.number, "lock"), 0);
    platform_slot_unlock(slot);
}

PlatformSlotInfo *platform_slot_info(PlatformSlot *slot)
{
    return &slot->info;
}

int platform_slot_dirfd(PlatformSlot *slot)
{
    return slot->dirfd;
}

/* ---- who holds it ---- */

static char *info_to_text(const PlatformSlotInfo *info)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GPtrArray) routes = g_ptr_array_new_with_free_func(g_free);
    char text[PLATFORM_ADDRESS_TEXT];

    for (size_t i = 0; i < info->n_routes; i++)
        g_ptr_array_add(routes, g_strdup(platform_prefix_format(&info->routes[i], text)));
    g_key_file_set_string(file, GROUP, "Label", info->label);
    g_key_file_set_integer(file, GROUP, "Pid", info->pid);
    g_key_file_set_uint64(file, GROUP, "PidStart", info->pid_start);
    g_key_file_set_uint64(file, GROUP, "Uid", info->uid);
    g_key_file_set_uint64(file, GROUP, "NetNs", info->netns);
    g_key_file_set_string_list(file, GROUP, "Routes", (const char *const *)routes->pdata,
                               routes->len);
    return g_key_file_to_data(file, NULL, NULL);
}

static void routes_from_list(PlatformSlotInfo *info, char **list)
{
    g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(PlatformPrefix));

    for (; list && *list; list++) {
        PlatformPrefix prefix;

        if (platform_prefix_parse(*list, &prefix))
            g_array_append_val(routes, prefix);
    }
    info->n_routes = routes->len;
    info->routes = (PlatformPrefix *)(void *)g_array_free(g_steal_pointer(&routes), FALSE);
}

static bool info_from_text(const char *text, size_t n, unsigned number, PlatformSlotInfo *infop)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    PlatformSlotInfo info = {0};

    if (!g_key_file_load_from_data(file, text, n, G_KEY_FILE_NONE, NULL))
        return false;
    fill_derived(&info, number);
    g_autofree char *label = g_key_file_get_string(file, GROUP, "Label", NULL);
    g_auto(GStrv) routes = g_key_file_get_string_list(file, GROUP, "Routes", NULL, NULL);

    info.pid = g_key_file_get_integer(file, GROUP, "Pid", NULL);
    info.pid_start = g_key_file_get_uint64(file, GROUP, "PidStart", NULL);
    info.uid = (uid_t)g_key_file_get_uint64(file, GROUP, "Uid", NULL);
    info.netns = g_key_file_get_uint64(file, GROUP, "NetNs", NULL);
    if (!label || info.pid <= 0)
        return false;
    g_strlcpy(info.label, label, sizeof info.label);
    routes_from_list(&info, routes);
    *infop = info;
    return true;
}

static int write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, text, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -errno;
        text += w;
        n -= (size_t)w;
    }
    return 0;
}

int platform_slot_publish(PlatformSlot *slot)
{
    g_autofree char *text = info_to_text(&slot->info);
    char name[32], fresh[32];
    int fd = openat(slot->dirfd, file_name(fresh, slot->info.number, "slot.new"),
                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    int r = write_all(fd, text, strlen(text));

    (void)fchmod(fd, 0644);
    close(fd);
    if (r == 0 &&
        renameat(slot->dirfd, fresh, slot->dirfd, file_name(name, slot->info.number, "slot")) < 0)
        r = -errno;
    return r;
}

/* At most max bytes, with a zero behind them; NULL with errno. */
static char *read_file(int dirfd, const char *name, size_t max, size_t *np)
{
    int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    char *text = g_malloc(max + 1);
    size_t n = 0;
    ssize_t r;

    while (n < max && (r = read(fd, text + n, max - n)) > 0)
        n += (size_t)r;
    close(fd);
    text[n] = '\0';
    *np = n;
    return text;
}

/* The lock tells where we may ask it; else the holder's pid and start time do. */
static bool is_alive(int dirfd, const PlatformSlotInfo *info)
{
    char name[32];
    int fd =
        openat(dirfd, file_name(name, info->number, "lock"), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0) {
        bool free = flock(fd, LOCK_SH | LOCK_NB) == 0;

        close(fd);
        return !free;
    }
    uint64_t start = start_time(info->pid);

    if (start && info->pid_start)
        return start == info->pid_start;
    return kill(info->pid, 0) == 0 || errno == EPERM;
}

static void clear_info(gpointer data)
{
    PlatformSlotInfo *info = data;

    g_free(info->routes);
}

GArray *platform_slot_list(const char *dir)
{
    GArray *slots = g_array_new(FALSE, TRUE, sizeof(PlatformSlotInfo));
    int dirfd = open_dir(dir);
    uint64_t numbers = dirfd < 0 ? 0 : numbers_in(dirfd);

    g_array_set_clear_func(slots, clear_info);
    for (; numbers; numbers &= numbers - 1) {
        unsigned i = (unsigned)__builtin_ctzll(numbers);
        char name[32];
        size_t n;
        PlatformSlotInfo info;
        g_autofree char *text = read_file(dirfd, file_name(name, i, "slot"), INFO_MAX, &n);

        if (!text || !info_from_text(text, n, i, &info))
            continue;
        if (is_alive(dirfd, &info))
            g_array_append_val(slots, info);
        else
            g_free(info.routes);
    }
    if (dirfd >= 0)
        close(dirfd);
    return slots;
}

bool platform_slot_is_left(const char *dir, unsigned number)
{
    int dirfd = open_dir(dir);
    char name[32];
    size_t n;
    PlatformSlotInfo info;
    g_autofree char *text =
        dirfd >= 0 ? read_file(dirfd, file_name(name, number, "slot"), INFO_MAX, &n) : NULL;
    bool left = text && info_from_text(text, n, number, &info);

    if (left) {
        left = info.pid_start == 0 || start_time(info.pid) != info.pid_start;
        g_free(info.routes);
    }
    if (dirfd >= 0)
        close(dirfd);
    return left;
}

bool platform_slot_is_taken(PlatformSlot *slot, const char *dir, const char *label)
{
    g_autoptr(GArray) slots = platform_slot_list(dir);

    for (guint i = 0; i < slots->len; i++) {
        const PlatformSlotInfo *other = &g_array_index(slots, PlatformSlotInfo, i);

        if (other->number != slot->info.number && other->uid == slot->info.uid &&
            other->netns == slot->info.netns && !strcmp(other->label, label))
            return true;
    }
    return false;
}

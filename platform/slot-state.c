// SPDX-License-Identifier: GPL-2.0-or-later
/* The last state of a tunnel: written through a descriptor by a process that can open nothing, read
 * by the calling user.
 *
 * Neither side takes a lock, for a lock would let the reader hold up the tunnel. A first line gives
 * the length and a checksum instead; a reader that finds them wrong has met a write, and reads
 * again.
 */
#include "platform/slot.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { HEAD_SIZE = 32, READ_TRIES = 20, READ_PAUSE_US = 2000 };

/* FNV-1a: meant against torn writes, not against anybody. */
static uint32_t checksum(const char *text, size_t n)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash;
}

/* One more user may read the file: whose it is may say so, and needs no capability for it. */
static int let_read(int fd, uid_t uid)
{
    const struct {
        struct posix_acl_xattr_header head;
        struct posix_acl_xattr_entry entries[5];
    } acl = {
        {htole32(POSIX_ACL_XATTR_VERSION)},
        {
            {htole16(ACL_USER_OBJ), htole16(ACL_READ | ACL_WRITE), htole32(ACL_UNDEFINED_ID)},
            {htole16(ACL_USER), htole16(ACL_READ), htole32(uid)},
            {htole16(ACL_GROUP_OBJ), 0, htole32(ACL_UNDEFINED_ID)},
            {htole16(ACL_MASK), htole16(ACL_READ), htole32(ACL_UNDEFINED_ID)},
            {htole16(ACL_OTHER), 0, htole32(ACL_UNDEFINED_ID)},
        },
    };

    return fsetxattr(fd, "system.posix_acl_access", &acl, sizeof acl, 0) < 0 ? -errno : 0;
}

/* By CAP_CHOWN, which the helper lacks under its unit, or by an access control list. Where that is
   not possible either it stays root's: then only the service tells the state. */
static int give(int fd, uid_t uid, gid_t gid)
{
    if (fchown(fd, uid, gid) == 0)
        return 0;
    int r = errno == EPERM ? let_read(fd, uid) : -errno;

    return r == -EOPNOTSUPP || r == -EPERM ? 0 : r;
}

int platform_slot_open_state(PlatformSlot *slot, uid_t uid, gid_t gid, int *fdp)
{
    char name[32];

    snprintf(name, sizeof name, "%u.state", platform_slot_info(slot)->number);
    if (unlinkat(platform_slot_dirfd(slot), name, 0) < 0 && errno != ENOENT)
        return -errno;
    int fd = openat(platform_slot_dirfd(slot), name,
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    int r = give(fd, uid, gid);

    if (r < 0) {
        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

int platform_slot_write_state(int fd, const char *json)
{
    size_t n = strlen(json);

    if (n > PLATFORM_SLOT_STATE_MAX - HEAD_SIZE)
        return -EMSGSIZE;
    g_autofree char *text = g_strdup_printf("%08zx %08x\n%s", n, checksum(json, n), json);
    size_t size = strlen(text);
    ssize_t w = pwrite(fd, text, size, 0);

    if (w < 0)
        return -errno;
    return (size_t)w == size ? 0 : -EIO;
}

/* The JSON within, or NULL when the file is torn, empty or not ours. */
static char *unwrap(const char *text, size_t size)
{
    size_t n;
    unsigned sum;
    int head = 0;

    if (sscanf(text, "%8zx %8x%n", &n, &sum, &head) != 2 || head != 17 || text[head] != '\n')
        return NULL;
    if (n > size - 18 || checksum(text + 18, n) != sum)
        return NULL;
    return g_strndup(text + 18, n);
}

static char *read_once(int fd)
{
    g_autofree char *text = g_malloc0(PLATFORM_SLOT_STATE_MAX + 1);
    ssize_t size = pread(fd, text, PLATFORM_SLOT_STATE_MAX, 0);

    return size < 18 ? NULL : unwrap(text, (size_t)size);
}

char *platform_slot_read_state(const char *dir, unsigned number)
{
    g_autofree char *path = g_strdup_printf("%s/%u.state", dir ? dir : PLATFORM_SLOT_DIR, number);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *json = NULL;

    if (fd < 0)
        return NULL;
    for (int i = 0; i < READ_TRIES && !(json = read_once(fd)); i++)
        g_usleep(READ_PAUSE_US);
    close(fd);
    if (!json)
        errno = ENODATA;
    return json;
}

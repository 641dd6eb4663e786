/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded reading. A path may name a directory, a FIFO, a device or ten gigabytes; none of them
 * may hang or exhaust the program that was only asked to check a profile.
 */
#include "client/profile/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

static bool fail(GError **error, const char *path, const char *why)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL, "%s: %s", path, why);
    return false;
}

static bool check_kind(int fd, const char *path, gsize max, GError **error)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return fail(error, path, g_strerror(errno));
    if (S_ISDIR(info.st_mode))
        return fail(error, path, _("it is a directory"));
    if (!S_ISREG(info.st_mode))
        return fail(error, path, _("it is no regular file"));
    if ((guint64)info.st_size > max)
        return fail(error, path, _("it is too large for a profile"));
    return true;
}

/* A file that grows while it is read is caught by the bound too. */
static bool read_all(int fd, GByteArray *bytes, gsize max)
{
    guint8 chunk[4096];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if ((gsize)n > max - bytes->len) {
            errno = EFBIG;
            return false;
        }
        g_byte_array_append(bytes, chunk, (guint)n);
    }
}

char *dialtone_file_read(const char *path, gsize max, gsize *np, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        fail(error, path, g_strerror(errno));
        return NULL;
    }
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    bool good = check_kind(fd, path, max, error);
    if (good && !read_all(fd, bytes, max))
        good = fail(error, path, g_strerror(errno));
    close(fd);
    if (!good)
        return NULL;
    *np = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

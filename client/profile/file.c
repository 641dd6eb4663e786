/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded reading. A path may name a directory, a FIFO, a device or ten gigabytes; none of them
 * may hang or exhaust the program that was only asked to check a profile.
 */
#include "client/profile/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

bool dialtone_file_check(const struct stat *info, gsize max, char **whyp)
{
    if (S_ISDIR(info->st_mode))
        *whyp = g_strdup(_("it is a directory"));
    else if (!S_ISREG(info->st_mode))
        *whyp = g_strdup(_("it is no regular file"));
    else if ((guint64)info->st_size > max)
        *whyp = g_strdup_printf(_("it is too large: more than %u bytes"), (guint)max);
    else
        return true;
    return false;
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

char *dialtone_file_read_fd(int fd, gsize max, gsize *np, char **whyp)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    *whyp = NULL;
    if (!read_all(fd, bytes, max)) {
        *whyp = g_strdup(g_strerror(errno));
        return NULL;
    }
    *np = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

char *dialtone_file_read_why(const char *path, gsize max, gsize *np, char **whyp)
{
    struct stat info;
    char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    *whyp = NULL;
    if (fd < 0 || fstat(fd, &info) != 0)
        *whyp = g_strdup(g_strerror(errno));
    else if (dialtone_file_check(&info, max, whyp))
        bytes = dialtone_file_read_fd(fd, max, np, whyp);
    if (fd >= 0)
        close(fd);
    return bytes;
}

char *dialtone_file_read(const char *path, gsize max, gsize *np, GError **error)
{
    g_autofree char *why = NULL;
    char *bytes = dialtone_file_read_why(path, max, np, &why);

    if (bytes == NULL)
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL, "%s: %s", path, why);
    return bytes;
}

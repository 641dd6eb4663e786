// SPDX-License-Identifier: GPL-2.0-or-later
/* /etc/resolv.conf itself, and what stood there before.
 *
 * Our text carries its own proof: the first line names the interface and a checksum of the rest. So
 * whether the file is still ours needs no memory of the process that wrote it, and survives a crash
 * or a loss of power. The order of steps is such that at every moment either the old or the new
 * file stands there, and undo can tell from the files alone how far it had come:
 *
 *   file is ours, saved is there      -> saved takes its name back (written in place on a mount)
 *   file is ours, saved is missing    -> there was none: it is removed
 *   file is not ours                  -> it stays, whoever wrote it; saved is removed
 */
#include "platform/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "# Dialtone wrote this file for "

enum { FILE_MAX = 64 * 1024 };

/* Directory entries that can't be exchanged: mount points, a read-only or simple file system. */
static gboolean wants_in_place(int error)
{
    return error == EBUSY || error == EXDEV || error == EINVAL || error == EROFS ||
           error == EACCES || error == ENOSYS;
}

static gboolean fail(GError **error, int code, const char *what, const char *path)
{
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s %s: %s", what, path,
                g_strerror(code));
    return FALSE;
}

/* ---- the text ---- */

static char *wrap(const char *interface, const PlatformDnsConfig *config)
{
    g_autofree char *text = platform_dns_resolv_conf_text(config);
    g_autofree char *body = g_strdup_printf("# It is put back as it was when the tunnel ends; if "
                                            "it is changed, it stays as changed.\n%s",
                                            text);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);

    return g_strdup_printf(MARK "%s (%.16s)\n%s", interface, sum, body);
}

char *platform_dns_file_owner(const char *text)
{
    char interface[16], sum[17];
    int n = 0;

    if (sscanf(text, MARK "%15[a-z0-9] (%16[0-9a-f])%n", interface, sum, &n) != 2 ||
        text[n] != '\n')
        return NULL;
    g_autofree char *now = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text + n + 1, -1);

    return strncmp(now, sum, 16) == 0 && strlen(sum) == 16 ? g_strdup(interface) : NULL;
}

/* ---- files ---- */

char *platform_dns_file_saved_path(const PlatformDnsPaths *paths, const char *interface,
                                   gboolean elsewhere)
{
    if (elsewhere)
        return g_strdup_printf("%s/resolv.conf.before-%s", paths->save_dir, interface);
    return g_strdup_printf("%s.before-%s", paths->resolv_conf, interface);
}

/* NULL with errno; a text that is too long or has a zero byte ends there, and is so not ours. */
static char *read_text(int fd, size_t *np)
{
    g_autofree char *text = g_malloc(FILE_MAX + 1);
    size_t n = 0;
    ssize_t r = 0;

    while (n < FILE_MAX && (r = pread(fd, text + n, FILE_MAX - n, (off_t)n)) > 0)
        n += (size_t)r;
    if (r < 0)
        return NULL;
    text[n] = '\0';
    *np = n;
    return g_steal_pointer(&text);
}

static char *read_path(const char *path, size_t *np)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    char *text = read_text(fd, np);

    close(fd);
    return text;
}

static gboolean is_ours(const char *path, const char *interface, gboolean *othersp)
{
    size_t n;
    g_autofree char *text = read_path(path, &n);
    g_autofree char *owner = text ? platform_dns_file_owner(text) : NULL;

    if (othersp)
        *othersp = owner && strcmp(owner, interface);
    return owner && !strcmp(owner, interface);
}

static int write_whole(int fd, const char *text, size_t n)
{
    ssize_t w = pwrite(fd, text, n, 0);

    if (w < 0)
        return errno;
    if ((size_t)w != n)
        return EIO;
    return ftruncate(fd, (off_t)n) < 0 ? errno : 0;
}

/* 0 or an errno. A file of that name is replaced; a link of that name is never followed. */
static int make_file(const char *path, const char *text, size_t n, mode_t mode)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return errno;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno;
    int r = write_whole(fd, text, n);

    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        r = errno;
    close(fd);
    if (r)
        (void)unlink(path);
    return r;
}

/* ---- writing in place ---- */

/* A copy with the times of the original. */
static int save_copy(const PlatformDnsPaths *paths, const char *interface, int fd)
{
    g_autofree char *saved = platform_dns_file_saved_path(paths, interface, FALSE);
    g_autofree char *second = platform_dns_file_saved_path(paths, interface, TRUE);
    const char *used = saved;
    struct stat status;
    size_t n;
    g_autofree char *text = read_text(fd, &n);

    if (!text || fstat(fd, &status) < 0)
        return errno;
    if (n == FILE_MAX)
        return EFBIG;
    int r = make_file(saved, text, n, 0644);

    if (r) {
        used = second;
        r = make_file(second, text, n, 0644);
    }
    const struct timespec times[2] = {status.st_atim, status.st_mtim};

    if (r == 0)
        (void)utimensat(AT_FDCWD, used, times, AT_SYMLINK_NOFOLLOW);
    return r;
}

static int install_in_place(const PlatformDnsPaths *paths, const char *interface, const char *text)
{
    int fd = open(paths->resolv_conf, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return errno;
    int r = save_copy(paths, interface, fd);

    if (r == 0)
        r = write_whole(fd, text, strlen(text));
    close(fd);
    return r;
}

static int restore_in_place(const PlatformDnsPaths *paths, const char *saved)
{
    struct stat status;
    size_t n;
    g_autofree char *text = read_path(saved, &n);

    if (!text || stat(saved, &status) < 0)
        return errno;
    int fd = open(paths->resolv_conf, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return errno;
    int r = write_whole(fd, text, n);
    const struct timespec times[2] = {status.st_atim, status.st_mtim};

    if (r == 0)
        (void)futimens(fd, times);
    close(fd);
    if (r == 0 && unlink(saved) < 0)
        r = errno;
    return r;
}

/* ---- set and undo ---- */

/* The new file is made under the name at which the old one will be kept, and the two change names
   in one step. */
static int install_by_exchange(const PlatformDnsPaths *paths, const char *saved, const char *text)
{
    int r = make_file(saved, text, strlen(text), 0644);

    if (r)
        return r;
    if (renameat2(AT_FDCWD, saved, AT_FDCWD, paths->resolv_conf, RENAME_EXCHANGE) == 0)
        return 0;
    if (errno == ENOENT && rename(saved, paths->resolv_conf) == 0)
        return 0;
    r = errno;
    (void)unlink(saved);
    return r;
}

static char *fresh_path(const PlatformDnsPaths *paths, const char *interface)
{
    return g_strdup_printf("%s.new-%s", paths->resolv_conf, interface);
}

/* The file is ours already: only its text changes. */
static int rewrite(const PlatformDnsPaths *paths, const char *interface, const char *text)
{
    g_autofree char *fresh = fresh_path(paths, interface);
    int r = make_file(fresh, text, strlen(text), 0644);

    if (r == 0) {
        if (rename(fresh, paths->resolv_conf) == 0)
            return 0;
        r = errno;
        (void)unlink(fresh);
    }
    if (!wants_in_place(r))
        return r;
    int fd = open(paths->resolv_conf, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return errno;
    r = write_whole(fd, text, strlen(text));
    close(fd);
    return r;
}

gboolean platform_dns_file_set(const PlatformDnsPaths *paths, const char *interface,
                               const PlatformDnsConfig *config, GError **error)
{
    g_autofree char *text = wrap(interface, config);
    g_autofree char *saved = platform_dns_file_saved_path(paths, interface, FALSE);
    gboolean others;
    int r;

    if (is_ours(paths->resolv_conf, interface, &others)) {
        r = rewrite(paths, interface, text);
    } else if (others) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "another tunnel has replaced %s",
                    paths->resolv_conf);
        return FALSE;
    } else {
        r = install_by_exchange(paths, saved, text);
        if (wants_in_place(r))
            r = install_in_place(paths, interface, text);
    }
    return r == 0 || fail(error, r, "cannot write", paths->resolv_conf);
}

static int put_back(const PlatformDnsPaths *paths, const char *saved, const char *second)
{
    if (rename(saved, paths->resolv_conf) == 0)
        return 0;
    if (errno != ENOENT)
        return wants_in_place(errno) ? restore_in_place(paths, saved) : errno;
    if (access(second, F_OK) == 0)
        return restore_in_place(paths, second);
    return unlink(paths->resolv_conf) < 0 && errno != ENOENT ? errno : 0;
}

gboolean platform_dns_file_undo(const PlatformDnsPaths *paths, const char *interface,
                                GError **error)
{
    g_autofree char *saved = platform_dns_file_saved_path(paths, interface, FALSE);
    g_autofree char *second = platform_dns_file_saved_path(paths, interface, TRUE);
    g_autofree char *fresh = fresh_path(paths, interface);

    /* Left by a crash between making and renaming. */
    (void)unlink(fresh);
    if (!is_ours(paths->resolv_conf, interface, NULL)) {
        (void)unlink(saved);
        (void)unlink(second);
        return TRUE;
    }
    int r = put_back(paths, saved, second);

    return r == 0 || fail(error, r, "cannot put back", paths->resolv_conf);
}

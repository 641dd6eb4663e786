// SPDX-License-Identifier: GPL-2.0-or-later
/* The program resolvconf (Debian's or openresolv): the one command that the helper runs.
 *
 * Fixed path, fixed arguments, an environment of two variables, no inherited descriptor but a pipe
 * with the text, and a bounded wait. The record is named tun.INTERFACE, for Debian's order of
 * records prefers those that begin with "tun". The program may be installed and yet not be what
 * writes /etc/resolv.conf; so its effect is looked for, and without one this way has failed.
 */
#include "platform/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 10000, TEXT_MAX = 4096 };

static gboolean fail(GError **error, const char *what, int code)
{
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "resolvconf: %s: %s", what,
                g_strerror(code));
    return FALSE;
}

/* A pipe takes the whole text at once, so nobody has to wait for a reader. */
static int make_input(const char *text, int *fdp)
{
    int fds[2];
    size_t n = strlen(text);

    if (n > TEXT_MAX)
        return EMSGSIZE;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return errno;
    ssize_t w = write(fds[1], text, n);

    close(fds[1]);
    if (w != (ssize_t)n) {
        close(fds[0]);
        return EIO;
    }
    *fdp = fds[0];
    return 0;
}

static int start(const char *program, char *const argv[], int input, pid_t *pidp)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    static char *const environment[] = {path, locale, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    /* A group of its own: the terminal's interrupt is not for it, and a kill reaches its children.
     */
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int r = posix_spawn(pidp, program, &actions, &attributes, argv, environment);

    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

/* 0 when it exited with 0 in time. */
static int await(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int status = 0;
    gboolean late = fd < 0 || poll(&watched, 1, WAIT_MS) <= 0;

    if (late)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (fd >= 0)
        close(fd);
    if (late)
        return ETIMEDOUT;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EIO;
}

static gboolean run(const char *program, char *const argv[], const char *text, GError **error)
{
    int input = -1;
    pid_t pid = 0;
    int r = make_input(text, &input);

    if (r == 0) {
        r = start(program, argv, input, &pid);
        close(input);
    }
    if (r)
        return fail(error, "cannot be started", r);
    r = await(pid);
    return r == 0 || fail(error, "failed", r);
}

/* One of our servers, or a local one that resolvconf may have told about ours. */
static gboolean is_in_effect(const PlatformDnsPaths *paths, const PlatformDnsConfig *config)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(paths->resolv_conf, &text, NULL, NULL))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        PlatformAddress address;

        if (!g_str_has_prefix(*line, "nameserver ") ||
            !platform_address_parse(g_strstrip(*line + 11), &address))
            continue;
        if (address.family == AF_INET && address.bytes[0] == 127)
            return TRUE;
        for (size_t i = 0; i < config->n_servers; i++) {
            if (platform_address_equal(&address, &config->servers[i]))
                return TRUE;
        }
    }
    return FALSE;
}

static gboolean wants_all_names(const PlatformDnsConfig *config)
{
    for (size_t i = 0; i < config->n_domains; i++) {
        if (!strcmp(config->domains[i].name, "."))
            return TRUE;
    }
    return FALSE;
}

gboolean platform_dns_resolvconf_set(const PlatformDnsPaths *paths, const char *interface,
                                     const PlatformDnsConfig *config, GError **error)
{
    g_autofree char *text = platform_dns_resolv_conf_text(config);
    g_autofree char *record = g_strdup_printf("tun.%s", interface);
    /* Metric and exclusiveness are openresolv's; Debian's takes no notice of them. */
    char *argv[] = {(char *)"resolvconf",
                    (char *)"-a",
                    record,
                    (char *)"-m",
                    (char *)"0",
                    wants_all_names(config) ? (char *)"-x" : NULL,
                    NULL};

    if (!run(paths->resolvconf, argv, text, error))
        return FALSE;
    if (is_in_effect(paths, config))
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "resolvconf is installed, but does not write %s", paths->resolv_conf);
    (void)platform_dns_resolvconf_undo(paths, interface, NULL);
    return FALSE;
}

gboolean platform_dns_resolvconf_undo(const PlatformDnsPaths *paths, const char *interface,
                                      GError **error)
{
    g_autofree char *record = g_strdup_printf("tun.%s", interface);
    /* Forced: openresolv would complain about a record that is gone. */
    char *argv[] = {(char *)"resolvconf", (char *)"-d", record, (char *)"-f", NULL};

    if (access(paths->resolvconf, X_OK) < 0)
        return TRUE;
    return run(paths->resolvconf, argv, "", error);
}

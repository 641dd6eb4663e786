/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts dialtone-keyring, feeds it, reads it and waits for it, each with one and the same
 * deadline. Looking up never asks the user anything and has little time; storing may show the
 * keyring's own window, and so has more.
 *
 * sudo takes the address of the user's bus away, so the standard one is assumed where none is set.
 */
#include "client/cli/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "dialtone-keyring"

enum { LOOKUP_MS = 3000, PROMPT_MS = 120000, ENVIRONMENT_MAX = 5 };

typedef struct Child {
    pid_t pid;
    int in, out; /* its standard input and output; -1: closed */
    gint64 deadline;
} Child;

const char *cli_keyring_profile(const DialtoneProfile *profile)
{
    return profile->uuid != NULL ? profile->uuid : profile->name;
}

/* Beside our own program while it is not installed. */
static char *find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self != NULL ? g_path_get_dirname(self) : g_strdup("/");
    char *beside = g_build_filename(folder, PROGRAM, NULL);
    if (access(beside, X_OK) == 0)
        return beside;
    g_free(beside);
    return g_build_filename(DIALTONE_LIBEXECDIR, PROGRAM, NULL);
}

/* Nothing of sudo's environment but what finds the session. */
static char **make_environment(void)
{
    g_autofree char *runtime = g_strdup_printf("/run/user/%u", (unsigned)getuid());
    const char *dir = g_getenv("XDG_RUNTIME_DIR"), *bus = g_getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *display = g_getenv("DISPLAY"), *wayland = g_getenv("WAYLAND_DISPLAY");
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autofree char *bus_path = g_strdup_printf("unix:path=%s/bus", dir != NULL ? dir : runtime);
    const struct {
        const char *name, *value;
    } VARIABLES[ENVIRONMENT_MAX] = {{"XDG_RUNTIME_DIR", dir != NULL ? dir : runtime},
                                    {"DBUS_SESSION_BUS_ADDRESS", bus != NULL ? bus : bus_path},
                                    {"DISPLAY", display},
                                    {"WAYLAND_DISPLAY", wayland},
                                    {"PATH", "/usr/bin:/bin"}};
    for (gsize i = 0; i < G_N_ELEMENTS(VARIABLES); i++) {
        if (VARIABLES[i].value == NULL)
            continue;
        g_autofree char *line = g_strconcat(VARIABLES[i].name, "=", VARIABLES[i].value, NULL);
        g_strv_builder_add(builder, line);
    }
    return g_strv_builder_end(builder);
}

static int spawn(Child *child, char **argv, int in, int out)
{
    g_auto(GStrv) environment = make_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t standard;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    /* The agent ignores signals that this program should not. */
    sigfillset(&standard);
    posix_spawnattr_setsigdefault(&attributes, &standard);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int result = posix_spawn(&child->pid, argv[0], &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/* Without a session bus there is no keyring, and libsecret would try to start one of either. */
static bool has_session(void)
{
    g_autofree char *bus = g_strdup_printf("/run/user/%u/bus", (unsigned)getuid());
    return g_getenv("DBUS_SESSION_BUS_ADDRESS") != NULL || g_getenv("XDG_RUNTIME_DIR") != NULL ||
           access(bus, F_OK) == 0;
}

static bool start(Child *child, const char *verb, const PlatformKeyringName *name,
                  const char *label, int timeout_ms)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    g_autofree char *program = find_program();
    char *argv[] = {program,       (char *)verb, (char *)name->profile, (char *)name->kind,
                    (char *)label, NULL};
    if (pipe2(in, O_CLOEXEC) < 0)
        return false;
    bool started = pipe2(out, O_CLOEXEC) == 0 && spawn(child, argv, in[0], out[1]) == 0;
    close(in[0]);
    if (out[1] >= 0)
        close(out[1]);
    child->in = in[1];
    child->out = out[0];
    child->deadline = g_get_monotonic_time() + timeout_ms * (gint64)1000;
    if (started)
        return true;
    close(child->in);
    if (child->out >= 0)
        close(child->out);
    return false;
}

/* Until fd is ready. False: the time is over, or somebody else speaks. */
static bool wait_for(const Child *child, int fd, short events, int interrupt_fd)
{
    for (;;) {
        gint64 left = (child->deadline - g_get_monotonic_time()) / 1000;
        struct pollfd fds[] = {{.fd = fd, .events = events},
                               {.fd = interrupt_fd, .events = POLLIN}};
        int n = left > 0 ? poll(fds, G_N_ELEMENTS(fds), (int)left) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        return n > 0 && fds[0].revents != 0 && fds[1].revents == 0;
    }
}

static bool feed(Child *child, const char *secret)
{
    gsize n = strlen(secret);
    while (n > 0) {
        gssize written = -1;
        if (wait_for(child, child->in, POLLOUT, -1))
            written = write(child->in, secret, MIN(n, (gsize)PIPE_BUF));
        if (written <= 0)
            return false;
        secret += written;
        n -= (gsize)written;
    }
    return true;
}

static bool drain(Child *child, int interrupt_fd, char *secret, gsize size)
{
    gsize n = 0;
    while (n + 1 < size && wait_for(child, child->out, POLLIN, interrupt_fd)) {
        gssize got = read(child->out, secret + n, size - 1 - n);
        if (got <= 0) {
            secret[n] = '\0';
            return got == 0;
        }
        n += (gsize)got;
    }
    return false;
}

/* Its exit code, when all went well so far; else it is of no use any more. */
static PlatformKeyringResult finish(Child *child, bool well)
{
    int status = 0;
    if (child->in >= 0)
        close(child->in);
    /* It closes its output when it ends: the last thing to wait for. */
    well = well && wait_for(child, child->out, POLLIN, -1);
    if (!well)
        kill(child->pid, SIGKILL);
    close(child->out);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > PLATFORM_KEYRING_FAILED)
        return PLATFORM_KEYRING_FAILED;
    return (PlatformKeyringResult)WEXITSTATUS(status);
}

PlatformKeyringResult cli_keyring_lookup(const PlatformKeyringName *name, int interrupt_fd,
                                         char *secret, gsize size)
{
    Child child;
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&child, "lookup", name, NULL, LOOKUP_MS))
        return PLATFORM_KEYRING_FAILED;
    return finish(&child, drain(&child, interrupt_fd, secret, size));
}

PlatformKeyringResult cli_keyring_store(const PlatformKeyringName *name, const char *label,
                                        const char *secret)
{
    Child child;
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&child, "store", name, label, PROMPT_MS))
        return PLATFORM_KEYRING_FAILED;
    bool fed = feed(&child, secret);
    close(child.in);
    child.in = -1;
    return finish(&child, fed);
}

PlatformKeyringResult cli_keyring_forget(const PlatformKeyringName *name)
{
    Child child;
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&child, "forget", name, NULL, PROMPT_MS))
        return PLATFORM_KEYRING_FAILED;
    return finish(&child, true);
}

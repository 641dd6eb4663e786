/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts dialtone-keyring, feeds it, reads it and waits for it, each with one and the same
 * deadline. Looking up never asks the user anything and has little time, and so has forgetting what
 * was just looked up; storing may show the keyring's own window, and so has more.
 *
 * sudo takes the address of the user's bus away, so the standard one is assumed where none is set.
 */
#include "client/cli/keyring.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/child.h"

#define PROGRAM "dialtone-keyring"

/* The window waits for its signer as long as a prompt, and from before this begins: an unlocking
 * ends well inside that, so that the window hears that the keyring is locked. */
enum { LOOKUP_MS = 3000, UNLOCK_MS = 90000, PROMPT_MS = 120000, ENVIRONMENT_MAX = 5 };

typedef struct Run {
    CliChild child;
    gint64 deadline;
} Run;

const char *cli_keyring_profile(const DialtoneProfile *profile)
{
    return profile->uuid != NULL ? profile->uuid : profile->name;
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

/* Without a session bus there is no keyring, and libsecret would try to start one of either. */
static bool has_session(void)
{
    g_autofree char *bus = g_strdup_printf("/run/user/%u/bus", (unsigned)getuid());
    return g_getenv("DBUS_SESSION_BUS_ADDRESS") != NULL || g_getenv("XDG_RUNTIME_DIR") != NULL ||
           access(bus, F_OK) == 0;
}

static bool start(Run *run, const char *verb, const PlatformKeyringName *name, const char *label,
                  int timeout_ms)
{
    g_autofree char *program = cli_child_find(PROGRAM);
    g_auto(GStrv) environment = make_environment();
    const char *argv[] = {program, verb, name->profile, name->kind, label, NULL};
    run->deadline = g_get_monotonic_time() + timeout_ms * (gint64)1000;
    if (cli_child_start(&run->child, argv, environment) == 0)
        return true;
    cli_child_end(&run->child);
    return false;
}

static bool feed(Run *run, const char *secret)
{
    gsize n = strlen(secret);
    while (n > 0) {
        gssize written = -1;
        if (cli_child_wait(run->child.in, POLLOUT, run->deadline, -1))
            written = write(run->child.in, secret, MIN(n, (gsize)PIPE_BUF));
        if (written <= 0)
            return false;
        secret += written;
        n -= (gsize)written;
    }
    return true;
}

static bool drain(Run *run, int interrupt_fd, char *secret, gsize size)
{
    gsize n = 0;
    while (n + 1 < size && cli_child_wait(run->child.out, POLLIN, run->deadline, interrupt_fd)) {
        gssize got = read(run->child.out, secret + n, size - 1 - n);
        if (got <= 0) {
            secret[n] = '\0';
            return got == 0;
        }
        n += (gsize)got;
    }
    return false;
}

/* Its exit code, when all went well so far; else it is of no use any more. */
static PlatformKeyringResult finish(Run *run, bool well)
{
    if (well)
        (void)!cli_child_wait(run->child.pidfd, POLLIN, run->deadline, -1);
    int code = cli_child_end(&run->child);
    if (!well || code < 0 || code > PLATFORM_KEYRING_FAILED)
        return PLATFORM_KEYRING_FAILED;
    return (PlatformKeyringResult)code;
}

PlatformKeyringResult cli_keyring_lookup(const PlatformKeyringName *name, int interrupt_fd,
                                         char *secret, gsize size)
{
    Run run;
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&run, "lookup", name, NULL, LOOKUP_MS))
        return PLATFORM_KEYRING_FAILED;
    return finish(&run, drain(&run, interrupt_fd, secret, size));
}

PlatformKeyringResult cli_keyring_unlock(const PlatformKeyringName *name, int interrupt_fd)
{
    Run run;
    char nothing[1];
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&run, "unlock", name, NULL, UNLOCK_MS))
        return PLATFORM_KEYRING_FAILED;
    bool ended = cli_child_wait(run.child.out, POLLIN, run.deadline, interrupt_fd) &&
                 read(run.child.out, nothing, sizeof(nothing)) == 0;
    return finish(&run, ended);
}

PlatformKeyringResult cli_keyring_store(const PlatformKeyringName *name, const char *label,
                                        const char *secret)
{
    Run run;
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&run, "store", name, label, PROMPT_MS))
        return PLATFORM_KEYRING_FAILED;
    bool fed = feed(&run, secret);
    cli_child_close_input(&run.child);
    return finish(&run, fed);
}

static PlatformKeyringResult forget(const PlatformKeyringName *name, int timeout_ms)
{
    Run run;
    if (!has_session())
        return PLATFORM_KEYRING_NONE;
    if (!start(&run, "forget", name, NULL, timeout_ms))
        return PLATFORM_KEYRING_FAILED;
    return finish(&run, true);
}

PlatformKeyringResult cli_keyring_forget(const PlatformKeyringName *name)
{
    return forget(name, PROMPT_MS);
}

PlatformKeyringResult cli_keyring_forget_given(const PlatformKeyringName *name)
{
    return forget(name, LOOKUP_MS);
}

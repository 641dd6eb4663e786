// SPDX-License-Identifier: GPL-2.0-or-later
/* posix_spawn() and not fork(): between fork and exec a process with threads may call next to
 * nothing, and a copy of one that holds secrets is not to be.
 */
#include "platform/program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>

/* A descriptor that stands in its place already becomes one that exec leaves open. */
static int add_fds(posix_spawn_file_actions_t *actions, const PlatformSpawn *spawn)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < spawn->n_fds; i++) {
        if (spawn->fds[i] >= 0)
            r = posix_spawn_file_actions_adddup2(actions, spawn->fds[i], (int)i);
    }
    return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, (int)spawn->n_fds);
}

static int set_signals(posix_spawnattr_t *attributes, bool session)
{
    const int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &none);
    return posix_spawnattr_setflags(attributes,
                                    (short)(session ? flags | POSIX_SPAWN_SETSID : flags));
}

int platform_spawn(const PlatformSpawn *spawn, pid_t *pidp)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int r = add_fds(&actions, spawn);

    if (r == 0)
        r = set_signals(&attributes, spawn->session);
    if (r == 0)
        r = posix_spawnp(pidp, spawn->program, &actions, &attributes,
                         (char *const *)(uintptr_t)spawn->argv, spawn->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

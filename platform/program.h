/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program: no shell, no descriptor but those that are named, no signal that is ignored or
   blocked. Safe in a process that has threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PLATFORM_SPAWN_FDS = 4 };

/* The program that is running, also when its file was replaced. */
#define PLATFORM_SPAWN_SELF "/proc/self/exe"

typedef struct PlatformSpawn {
    const char *program;     /* a path, or a name to be looked for */
    const char *const *argv; /* ends with NULL */
    char *const *environment;
    int fds[PLATFORM_SPAWN_FDS]; /* these become 0, 1, 2, 3: as many as n_fds; -1: stays as it is */
    size_t n_fds;                /* from this number on all are closed */
    bool session;                /* of its own: it has no terminal, and can be killed as a group */
} PlatformSpawn;

/* 0 or a negative errno. */
__attribute__((warn_unused_result)) int platform_spawn(const PlatformSpawn *spawn, pid_t *pidp);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of process that have a program of the kernel's for their system calls, between
 * seccomp-compile.c, which makes the programs, and sandbox-seccomp.c, which hands them over. */
#pragma once

typedef enum Kind {
    KIND_TUNNEL,
    KIND_SERVICE,
    KIND_NO_FILES,
    KIND_HELPER,
    KIND_STARTER,
} Kind;

enum { KINDS = KIND_STARTER + 1 };

/* Stands in a program for the process that it is for; no process can have it (PID_MAX_LIMIT is
 * 2^22). */
#define PLATFORM_SECCOMP_PID 0x7d1a170eu

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that is run for one question: fed on its standard input, read from its standard
 * output. It gets no shell, no other descriptor but standard error, and no terminal. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct CliChild {
    pid_t pid;   /* 0: it was not started */
    int pidfd;   /* can be read when it has ended */
    int in, out; /* our ends; -1: closed */
} CliChild;

/* 0 or errno. cli_child_end() it in either case. */
int cli_child_start(CliChild *child, const char *const *argv,
                    char *const *environment) G_GNUC_WARN_UNUSED_RESULT;
/* The path of a program of ours: beside this one while it is not installed. The caller frees it. */
char *cli_child_find(const char *program) G_GNUC_WARN_UNUSED_RESULT;
/* Until @fd is ready. False: @deadline (monotonic, in microseconds) has passed, or somebody else
 * speaks. */
bool cli_child_wait(int fd, short events, gint64 deadline,
                    int interrupt_fd) G_GNUC_WARN_UNUSED_RESULT;
/* It has been fed. */
void cli_child_close_input(CliChild *child);
/* Ends it, unless it has ended, with all that it has started. Its exit code; -1: it had none. */
int cli_child_end(CliChild *child);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of a program of ours that stands in libexec: fed through a pipe, read through another,
 * both straight from and into locked memory, and killed behind a deadline. */
#pragma once

#include <gio/gio.h>

typedef struct DialtoneProgram {
    const char *const *words; /* the program and its arguments, up to a NULL */
    const char *given;        /* what it reads; NULL: nothing */
    guint milliseconds;
    GCancellable *cancellable; /* NULL: nobody gives up */
} DialtoneProgram;

/* @program is copied. */
void dialtone_program_run(const DialtoneProgram *program, GAsyncReadyCallback done, gpointer data);
/* Its exit code; -1: it had none, or was not waited for. *outp, unless that: what it has printed,
 * in locked memory, to be freed by platform_secret_free(). */
int dialtone_program_run_finish(GAsyncResult *result, char **outp) G_GNUC_WARN_UNUSED_RESULT;
/* The path of such a program: beside this one where it was built. The caller frees it. */
char *dialtone_program_find(const char *name);

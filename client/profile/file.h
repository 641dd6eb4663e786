/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading small files whole, with a bound, from paths that others chose. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

/* The bytes of a regular file of at most @max, and a NUL behind them; NULL and PROFILE_INVALID
 * otherwise. The caller frees them. Never blocks on a FIFO or device. */
char *dialtone_file_read(const char *path, gsize max, gsize *np,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same; NULL, and why, which the caller frees. */
char *dialtone_file_read_why(const char *path, gsize max, gsize *np,
                             char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* The same of a file that is open; NULL, and why, which the caller frees. */
char *dialtone_file_read_fd(int fd, gsize max, gsize *np, char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it is a regular file of at most @max bytes; if not, @whyp says what it is. */
bool dialtone_file_check(const struct stat *info, gsize max, char **whyp) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line's program, run for the desktop. */
#pragma once

#include <gio/gio.h>

/* `dialtone WORDS`, whose standard output is to be read; it has no terminal to ask at, and what it
 * complains of goes where this program's complaints go. NULL with an error. */
GSubprocess *dialtone_command_run(const char *const *words,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

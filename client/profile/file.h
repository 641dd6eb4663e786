/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading small files whole, with a bound, from paths that others chose. */
#pragma once

#include <glib.h>

/* The bytes of a regular file of at most @max, and a NUL behind them; NULL and PROFILE_INVALID
 * otherwise. The caller frees them. Never blocks on a FIFO or device. */
char *dialtone_file_read(const char *path, gsize max, gsize *np,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

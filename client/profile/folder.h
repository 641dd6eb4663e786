/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of a user's own, as the XDG Base Directory Specification has them. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The folder @name in that of the environment's @variable, or else in @fallback of the home of
 * @caller. NULL: they have no home. The caller frees it. */
char *dialtone_folder(uid_t caller, const char *variable, const char *fallback,
                      const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One key of a profile changed in its file, everything else as it stands there: comments, order,
 * blank lines, line ends. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The text with [group] key=value: in its line, else behind the group's, else in a group of its own
 * at the end. The caller frees it. */
char *dialtone_edit_set(const char *text, const char *group, const char *key,
                        const char *value) G_GNUC_WARN_UNUSED_RESULT;

/* Puts @text in the place of the file at once, or leaves it as it is. Its mode stays. */
bool dialtone_edit_write(const char *path, const char *text,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

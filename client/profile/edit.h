/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One key of a profile changed in its file, everything else as it stands there: comments, order,
 * blank lines, line ends. Values are as they stand in a file, escapes included. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The text with [group] key=value: in its line, else behind the group's, else in a group of its own
 * at the end. The caller frees it. */
char *dialtone_edit_set(const char *text, const char *group, const char *key,
                        const char *value) G_GNUC_WARN_UNUSED_RESULT;

/* The text without the line of that key, if it has one. The caller frees it. */
char *dialtone_edit_unset(const char *text, const char *group,
                          const char *key) G_GNUC_WARN_UNUSED_RESULT;

/* Puts @text in the place of the file at once, or leaves it as it is. Its mode stays. */
bool dialtone_edit_write(const char *path, const char *text,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes @text into a new file of @folder, which is made if it is missing: NAME.dialtone, or with a
 * number behind the name where there is such a file already; a name that can't be a file's becomes
 * one. For the user alone. Its path, which the caller frees; NULL and NOT_PERMITTED otherwise. */
char *dialtone_edit_create(const char *folder, const char *name, const char *text,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells that something in a few folders is not as it was. They may be made, replaced and removed
 * while they are watched. */
#pragma once

#include <glib.h>

typedef struct DialtoneFolderWatch DialtoneFolderWatch;
typedef void (*DialtoneFolderChanged)(gpointer data);

/* Calls @changed from the default main context, once for what happens within a fifth of a second,
 * and at least each second while it goes on. Who reads the folders after this has returned misses
 * nothing. */
DialtoneFolderWatch *dialtone_folder_watch_new(const char *const *folders,
                                               DialtoneFolderChanged changed,
                                               gpointer data) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_folder_watch_free(DialtoneFolderWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneFolderWatch, dialtone_folder_watch_free)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system's profiles, kept as they are on the disk. */
#pragma once

#include <glib.h>

#include "client/profile/system-store.h"

/* What is different for whoever knows profiles by their UUID: arrays of DialtoneStoreEntry that
 * live until the callback returns. One that has mistakes now, or comes from another layer, has
 * changed. Hidden ones don't count. */
typedef struct {
    const GPtrArray *added;
    const GPtrArray *changed;
    const GPtrArray *removed;
} DialtoneSystemChange;

typedef void (*DialtoneSystemChanged)(const DialtoneSystemChange *change, gpointer data);

typedef struct DialtoneSystemWatch DialtoneSystemWatch;

/* Reads them, and calls @changed from the default main context when they are others. */
DialtoneSystemWatch *dialtone_system_watch_new(const DialtoneRoot *root,
                                               DialtoneSystemChanged changed,
                                               gpointer data) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_system_watch_free(DialtoneSystemWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneSystemWatch, dialtone_system_watch_free)

/* As dialtone_system_profiles() gave them last; valid until the main context runs. In the callback
 * they are the new ones already. */
const GPtrArray *
dialtone_system_watch_profiles(const DialtoneSystemWatch *watch) G_GNUC_WARN_UNUSED_RESULT;

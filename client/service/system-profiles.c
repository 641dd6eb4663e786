/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system's layers on the bus, as they are on the disk: what can be used and no other file
 * hides. A profile whose file changes is another object; a connection that has it goes on with what
 * it began with.
 */
#include <string.h>

#include "client/profile/parse.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"

static void tell_mistakes(const DialtoneStoreEntry *entry)
{
    for (guint i = 0; i < entry->issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(entry->issues->pdata[i], entry->path);
        service_log(0, NULL, "%s", text);
    }
}

static void add(ServiceManager *self, const DialtoneStoreEntry *entry)
{
    tell_mistakes(entry);
    DialtoneProfile *profile =
        entry->profile != NULL && entry->hidden == NULL
            ? dialtone_profile_parse_with_psk(entry->text, entry->text_n, entry->path, NULL)
            : NULL;
    if (profile == NULL)
        return;
    /* One that the file does not have is made from its name, so that it has one for good. */
    if (profile->uuid == NULL)
        profile->uuid = g_strdup(entry->uuid);
    service_manager_add_profile(self, profile, entry->layer, 0, entry->path);
}

static void drop(ServiceManager *self, const DialtoneStoreEntry *entry)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, self->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceProfile *profile = value;
        if (!service_profile_is_system(profile) ||
            g_strcmp0(profile->profile->uuid, entry->uuid) != 0)
            continue;
        service_manager_remove_profile(self, profile);
        return;
    }
}

static void on_changed(const DialtoneSystemChange *change, gpointer data)
{
    for (guint i = 0; i < change->removed->len; i++)
        drop(data, change->removed->pdata[i]);
    for (guint i = 0; i < change->changed->len; i++) {
        drop(data, change->changed->pdata[i]);
        add(data, change->changed->pdata[i]);
    }
    for (guint i = 0; i < change->added->len; i++)
        add(data, change->added->pdata[i]);
}

void service_system_profiles_begin(ServiceManager *self)
{
    self->watch = dialtone_system_watch_new(&dialtone_root_system, on_changed, self);
    const GPtrArray *entries = dialtone_system_watch_profiles(self->watch);
    for (guint i = 0; i < entries->len; i++)
        add(self, entries->pdata[i]);
}

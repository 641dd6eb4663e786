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
#include "client/service/rules.h"

static void tell_mistakes(const DialtoneStoreEntry *entry)
{
    for (guint i = 0; i < entry->issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(entry->issues->pdata[i], entry->path);
        service_log(0, NULL, "%s", text);
    }
}

/* A connection goes on while the file of its profile has a mistake, and is that profile's again
 * when the mistake is mended. */
static bool is_orphan_of(ServiceManager *self, const ServiceConnection *connection,
                         const DialtoneProfile *profile)
{
    const DialtoneProfile *used = service_connection_profile(connection);
    const bool same = used->uuid != NULL ? g_strcmp0(used->uuid, profile->uuid) == 0
                                         : strcmp(used->name, profile->name) == 0;
    return same && !service_connection_is_users(connection) &&
           service_manager_profile_of(self, connection) == NULL;
}

static void adopt(ServiceManager *self, ServiceProfile *added)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, self->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceConnection *connection = value;
        if (!is_orphan_of(self, connection, added->profile))
            continue;
        service_profile_set_connection(added, service_connection_path(connection));
        service_connection_set_profile(connection, added->path);
        return;
    }
}

/* Takes the place of what the system has under its UUID, if that is there. */
static void put(ServiceManager *self, const DialtoneStoreEntry *entry)
{
    ServiceProfile *old = service_manager_system_profile(self, entry->uuid), *added = NULL;
    tell_mistakes(entry);
    DialtoneProfile *profile =
        entry->profile != NULL && entry->hidden == NULL
            ? dialtone_profile_parse_with_psk(entry->text, entry->text_n, entry->path, NULL)
            : NULL;
    /* One that the file does not have is made from its name, so that it has one for good. */
    if (profile != NULL && profile->uuid == NULL)
        profile->uuid = g_strdup(entry->uuid);
    if (profile != NULL)
        added = service_manager_add_profile(self, profile, entry->layer, 0, entry->path);
    if (old != NULL && added != NULL)
        service_manager_replace_profile(self, old, added);
    else if (old != NULL)
        service_manager_remove_profile(self, old);
    if (added == NULL)
        return;
    if (old == NULL)
        adopt(self, added);
    service_rules_look(self, added);
    service_always_profile(self, added);
}

static void on_changed(const DialtoneSystemChange *change, gpointer data)
{
    for (guint i = 0; i < change->removed->len; i++) {
        const DialtoneStoreEntry *entry = change->removed->pdata[i];
        ServiceProfile *profile = service_manager_system_profile(data, entry->uuid);
        if (profile != NULL)
            service_manager_remove_profile(data, profile);
    }
    for (guint i = 0; i < change->changed->len; i++)
        put(data, change->changed->pdata[i]);
    for (guint i = 0; i < change->added->len; i++)
        put(data, change->added->pdata[i]);
}

void service_system_profiles_begin(ServiceManager *self)
{
    self->watch = dialtone_system_watch_new(&dialtone_root_system, on_changed, self);
    const GPtrArray *entries = dialtone_system_watch_profiles(self->watch);
    for (guint i = 0; i < entries->len; i++)
        put(self, entries->pdata[i]);
}

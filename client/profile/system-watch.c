/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both folders are read again whenever anything in them moves; what has changed follows from
 * comparing the lists. They are small, and a file that names another's UUID changes more than
 * itself.
 */
#include "client/profile/system-watch.h"

#include <string.h>

#include "client/profile/folder-watch.h"

struct DialtoneSystemWatch {
    char *root_path;
    DialtoneRoot root;
    DialtoneSystemChanged changed;
    gpointer data;
    GPtrArray *profiles;
    DialtoneFolderWatch *folders;
};

static const char *key_of(const DialtoneStoreEntry *entry)
{
    return entry->uuid != NULL ? entry->uuid : entry->path;
}

static GHashTable *by_key(const GPtrArray *profiles)
{
    GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < profiles->len; i++) {
        DialtoneStoreEntry *entry = profiles->pdata[i];
        if (entry->hidden == NULL)
            g_hash_table_insert(table, (gpointer)key_of(entry), entry);
    }
    return table;
}

/* Those of @profiles that are not, or not the same, in @others. */
static void compare(const GPtrArray *profiles, GHashTable *others, GPtrArray *missing,
                    GPtrArray *different)
{
    for (guint i = 0; i < profiles->len; i++) {
        DialtoneStoreEntry *entry = profiles->pdata[i];
        if (entry->hidden != NULL)
            continue;
        const DialtoneStoreEntry *other = g_hash_table_lookup(others, key_of(entry));
        if (other == NULL)
            g_ptr_array_add(missing, entry);
        else if (different != NULL && !dialtone_entry_equal(entry, other))
            g_ptr_array_add(different, entry);
    }
}

static void on_folders_changed(gpointer data)
{
    DialtoneSystemWatch *watch = data;
    g_autoptr(GPtrArray) before = g_steal_pointer(&watch->profiles);
    g_autoptr(GPtrArray) added = g_ptr_array_new();
    g_autoptr(GPtrArray) changed = g_ptr_array_new();
    g_autoptr(GPtrArray) removed = g_ptr_array_new();

    watch->profiles = dialtone_system_profiles(&watch->root);
    g_autoptr(GHashTable) old = by_key(before);
    g_autoptr(GHashTable) now = by_key(watch->profiles);
    compare(watch->profiles, old, added, changed);
    compare(before, now, removed, NULL);
    const DialtoneSystemChange change = {.added = added, .changed = changed, .removed = removed};
    if (added->len + changed->len + removed->len > 0)
        watch->changed(&change, watch->data);
}

DialtoneSystemWatch *dialtone_system_watch_new(const DialtoneRoot *root,
                                               DialtoneSystemChanged changed, gpointer data)
{
    DialtoneSystemWatch *watch = g_new0(DialtoneSystemWatch, 1);
    g_autofree char *administrator =
        g_strconcat(root->path, dialtone_system_folder(DIALTONE_LAYER_ADMINISTRATOR), NULL);
    g_autofree char *vendor =
        g_strconcat(root->path, dialtone_system_folder(DIALTONE_LAYER_VENDOR), NULL);
    const char *const folders[] = {administrator, vendor, NULL};

    watch->root_path = g_strdup(root->path);
    watch->root = (DialtoneRoot){.path = watch->root_path, .owner = root->owner};
    watch->changed = changed;
    watch->data = data;
    watch->folders = dialtone_folder_watch_new(folders, on_folders_changed, watch);
    watch->profiles = dialtone_system_profiles(&watch->root);
    return watch;
}

void dialtone_system_watch_free(DialtoneSystemWatch *watch)
{
    if (watch == NULL)
        return;
    dialtone_folder_watch_free(watch->folders);
    g_ptr_array_unref(watch->profiles);
    g_free(watch->root_path);
    g_free(watch);
}

const GPtrArray *dialtone_system_watch_profiles(const DialtoneSystemWatch *watch)
{
    return watch->profiles;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system's layers. The administrator's file takes the place of the vendor's of the same file
 * name, UUID or name, also when it has mistakes: what the administrator meant to replace must not
 * come back by a typing error, nor because the administrator's folder can't be trusted. Of two
 * files of one layer with one UUID the first by file name is used, and the other is refused.
 */
#include "client/profile/system-store.h"

#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/profile/issue.h"

const char *dialtone_system_folder(DialtoneLayer layer)
{
    static const char *const folders[DIALTONE_LAYER_N] = {
        [DIALTONE_LAYER_ADMINISTRATOR] = "/etc/dialtone/profiles",
        [DIALTONE_LAYER_VENDOR] = "/usr/lib/dialtone/profiles",
    };

    return layer < DIALTONE_LAYER_N ? folders[layer] : NULL;
}

/* ---- one layer ---- */

static DialtoneStoreEntry *read_file(const DialtoneRoot *root, int folder, DialtoneLayer layer,
                                     const char *name)
{
    const DialtoneOwned rule = {
        .owner = root->owner, .forbidden = 022, .max = DIALTONE_PROFILE_BYTES_MAX};
    g_autofree char *path =
        g_strdup_printf("%s%s/%s", root->path, dialtone_system_folder(layer), name);
    g_autofree char *why = NULL;
    gsize n = 0;
    char *bytes = dialtone_owned_read(folder, name, &rule, &n, &why);

    if (bytes == NULL && why == NULL)
        return NULL; /* it is gone already */
    return dialtone_entry_new(path, layer, bytes, n, why);
}

/* /etc/dialtone/secrets has a file for each UUID that is written, and nothing makes it known. */
static void check_secrets(DialtoneStoreEntry *entry)
{
    const DialtoneProfile *profile = entry->profile;
    bool psk = profile != NULL && profile->psk_source == DIALTONE_SOURCE_SYSTEM;
    bool password = profile != NULL && profile->password_source == DIALTONE_SOURCE_SYSTEM;

    if ((!psk && !password) || profile->uuid != NULL)
        return;
    g_autofree char *message = g_strdup_printf(
        _("system is /etc/dialtone/secrets/UUID, and the profile has none; write UUID=%s under "
          "[Profile]"),
        entry->uuid);
    dialtone_entry_refuse(entry, "Secrets", psk ? "PSK" : "Password", message);
}

static DialtoneStoreEntry *folder_entry(const DialtoneRoot *root, DialtoneLayer layer,
                                        const char *why)
{
    g_autofree char *path = g_strconcat(root->path, dialtone_system_folder(layer), NULL);
    DialtoneStoreEntry *entry = dialtone_entry_new(path, layer, NULL, 0, why);

    g_clear_pointer(&entry->uuid, g_free);
    return entry;
}

static void list_layer(GPtrArray *entries, const DialtoneRoot *root, DialtoneLayer layer)
{
    g_autofree char *why = NULL;
    int folder = dialtone_owned_folder(root, dialtone_system_folder(layer), &why);

    if (folder < 0) {
        if (why != NULL)
            g_ptr_array_add(entries, folder_entry(root, layer, why));
        return;
    }
    g_autoptr(GPtrArray) names = dialtone_entry_files(folder);
    for (guint i = 0; i < names->len; i++) {
        DialtoneStoreEntry *entry = read_file(root, folder, layer, names->pdata[i]);
        if (entry == NULL)
            continue;
        check_secrets(entry);
        g_ptr_array_add(entries, entry);
    }
    close(folder);
}

/* ---- both ---- */

/* Entries are still in the order of layers and file names here. */
static void settle(const DialtoneStoreEntry *first, DialtoneStoreEntry *entry)
{
    bool uuid = g_strcmp0(first->uuid, entry->uuid) == 0;
    bool above = first->layer < entry->layer;

    if (entry->hidden != NULL || entry->uuid == NULL || (!above && first->hidden != NULL))
        return;
    if (above && first->uuid == NULL) {
        entry->hidden =
            g_strdup_printf(_("%s can't be trusted, and may have one in its place"), first->path);
        return;
    }
    if (above &&
        (uuid || strcmp(first->stem, entry->stem) == 0 || strcmp(first->name, entry->name) == 0)) {
        entry->hidden = g_strdup_printf(_("%s is used in its place"), first->path);
        return;
    }
    if (above || !uuid)
        return;
    g_autofree char *message =
        g_strdup_printf(_("%s has the same; give one of them another UUID"), first->path);
    dialtone_entry_refuse(entry, "Profile", "UUID", message);
    entry->hidden = g_strdup_printf(_("%s is used in its place"), first->path);
}

GPtrArray *dialtone_system_profiles(const DialtoneRoot *root)
{
    GPtrArray *entries = dialtone_entries_new();

    list_layer(entries, root, DIALTONE_LAYER_ADMINISTRATOR);
    list_layer(entries, root, DIALTONE_LAYER_VENDOR);
    for (guint i = 0; i < entries->len; i++)
        for (guint j = 0; j < i; j++)
            settle(entries->pdata[j], entries->pdata[i]);
    g_ptr_array_sort(entries, dialtone_entry_compare);
    return entries;
}

char *dialtone_system_shadowed(const GPtrArray *profiles, const char *name, const char *uuid)
{
    for (guint i = 0; i < profiles->len; i++) {
        const DialtoneStoreEntry *entry = profiles->pdata[i];
        if (entry->layer == DIALTONE_LAYER_USER || entry->uuid == NULL)
            continue;
        if (uuid != NULL && g_ascii_strcasecmp(entry->uuid, uuid) == 0)
            return g_strdup_printf(_("the system's %s has its UUID; give yours another one"),
                                   entry->path);
        /* A profile is called by its name or its file's; either would be taken for the system's. */
        if (strcmp(entry->name, name) == 0 || strcmp(entry->stem, name) == 0)
            return g_strdup_printf(_("the system's %s has its name; call yours by another one"),
                                   entry->path);
    }
    return NULL;
}

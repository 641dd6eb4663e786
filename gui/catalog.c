/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list is made again whenever a file or an object of the service's has changed; items that are
 * the same stay the same objects, so that what shows them keeps its place. Files are read again
 * only when they have changed.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/catalog.h"

#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/profile/folder-watch.h"
#include "client/profile/parse.h"
#include "client/profile/store.h"

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneCatalog {
    GObject parent_instance;
    DialtoneServiceClient *service;
    DialtoneStore *store;
    DialtoneFolderWatch *watch;
    GPtrArray *entries; /* of DialtoneStoreEntry: the user's own files */
    GListStore *items;
    GHashTable *seen;      /* of items, while the list is made */
    DialtoneItem *waiting; /* to be connected when the service is there; NULL: none */
    gboolean takes_over;
};

G_DEFINE_TYPE(DialtoneCatalog, dialtone_catalog, G_TYPE_OBJECT)

/* ---- items ---- */

static void on_item(DialtoneItem *item, gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_CHANGED], 0);
}

static int compare(gconstpointer a, gconstpointer b, gpointer data)
{
    DialtoneItem *one = DIALTONE_ITEM((gpointer)a), *other = DIALTONE_ITEM((gpointer)b);
    int order = g_utf8_collate(dialtone_item_get_name(one), dialtone_item_get_name(other));
    return order != 0 ? order : strcmp(dialtone_item_get_key(one), dialtone_item_get_key(other));
}

static DialtoneItem *item_at(DialtoneCatalog *self, guint i)
{
    g_autoptr(DialtoneItem) item = g_list_model_get_item(G_LIST_MODEL(self->items), i);
    return item; /* the list has it */
}

static guint count(DialtoneCatalog *self)
{
    return g_list_model_get_n_items(G_LIST_MODEL(self->items));
}

DialtoneItem *dialtone_catalog_find(DialtoneCatalog *self, const char *key)
{
    for (guint i = 0; i < count(self); i++)
        if (strcmp(dialtone_item_get_key(item_at(self, i)), key) == 0)
            return item_at(self, i);
    return NULL;
}

DialtoneItem *dialtone_catalog_find_connection(DialtoneCatalog *self, const char *connection)
{
    for (guint i = 0; i < count(self); i++)
        if (dialtone_item_is_object(item_at(self, i), connection))
            return item_at(self, i);
    return NULL;
}

/* *newp: it was not in the list. */
static DialtoneItem *have(DialtoneCatalog *self, const char *key, const char *name, gboolean *newp)
{
    DialtoneItem *found = dialtone_catalog_find(self, key);
    *newp = found == NULL;
    if (found == NULL) {
        g_autoptr(DialtoneItem) item = dialtone_item_new(key, name);
        g_signal_connect(item, "changed", G_CALLBACK(on_item), self);
        g_list_store_insert_sorted(self->items, item, compare, NULL);
        found = item; /* the list has it */
    }
    g_hash_table_add(self->seen, found);
    return found;
}

static void remove_unseen(DialtoneCatalog *self)
{
    for (guint i = count(self); i-- > 0;) {
        DialtoneItem *item = item_at(self, i);
        if (g_hash_table_contains(self->seen, item))
            continue;
        g_signal_handlers_disconnect_by_data(item, self);
        g_list_store_remove(self->items, i);
    }
}

/* ---- what the service has ---- */

typedef struct Objects {
    GList *all; /* of GDBusObject */
} Objects;

static DialtoneBusConnection *connection_of(const Objects *objects, const char *path,
                                            const char *name)
{
    DialtoneBusConnection *found = NULL;
    for (GList *at = objects->all; at != NULL; at = at->next) {
        g_autoptr(DialtoneBusConnection) connection =
            dialtone_bus_object_get_connection(DIALTONE_BUS_OBJECT(at->data));
        if (connection == NULL)
            continue;
        gboolean is_it = strcmp(g_dbus_object_get_object_path(at->data), path) == 0;
        if (is_it ||
            (found == NULL && strcmp(dialtone_bus_connection_get_name(connection), name) == 0 &&
             dialtone_bus_connection_get_owner(connection) == (guint)getuid()))
            g_set_object(&found, connection);
        if (is_it)
            break;
    }
    return found;
}

static void set_objects(const Objects *objects, DialtoneItem *item, DialtoneBusProfile *profile)
{
    const char *path = profile != NULL ? dialtone_bus_profile_get_connection(profile) : "/";
    g_autoptr(DialtoneBusConnection) connection =
        connection_of(objects, path, dialtone_item_get_name(item));
    dialtone_item_set_objects(item, profile, connection);
}

/* The user's, which was handed over from a file; NULL: not yet. The caller frees it. */
static DialtoneBusProfile *handed_over(const Objects *objects, const DialtoneStoreEntry *entry)
{
    for (GList *at = objects->all; at != NULL; at = at->next) {
        g_autoptr(DialtoneBusProfile) profile =
            dialtone_bus_object_get_profile(DIALTONE_BUS_OBJECT(at->data));
        if (profile == NULL || dialtone_bus_profile_get_owner(profile) != (guint)getuid() ||
            strcmp(dialtone_bus_profile_get_layer(profile), "user") != 0)
            continue;
        const char *uuid = dialtone_bus_profile_get_uuid(profile);
        if (strcmp(dialtone_bus_profile_get_name(profile), entry->name) == 0 ||
            (*uuid != '\0' && g_strcmp0(uuid, entry->uuid) == 0))
            return g_steal_pointer(&profile);
    }
    return NULL;
}

static gboolean has_file(const DialtoneCatalog *self, DialtoneBusProfile *profile)
{
    const char *uuid = dialtone_bus_profile_get_uuid(profile);
    for (guint i = 0; i < self->entries->len; i++) {
        const DialtoneStoreEntry *entry = self->entries->pdata[i];
        if (strcmp(dialtone_bus_profile_get_name(profile), entry->name) == 0 ||
            (*uuid != '\0' && g_strcmp0(uuid, entry->uuid) == 0))
            return TRUE;
    }
    return FALSE;
}

/* The service does not read the user's files, so it is told what they changed. */
static void read_override(DialtoneCatalog *self, DialtoneItem *item, const char *uuid)
{
    g_autofree char *text = NULL;
    g_autoptr(DialtoneFound) found = dialtone_store_open(self->store, uuid, true, NULL);
    if (found != NULL && found->override != NULL &&
        !g_file_get_contents(found->override, &text, NULL, NULL))
        g_warning("%s can't be read", found->override);
    const DialtoneItemSource source = {
        .description = found != NULL && found->profile != NULL ? found->profile->description : NULL,
        .uuid = *uuid != '\0' ? uuid : NULL,
        .override = text};
    dialtone_item_set_source(item, &source);
}

static void list_object(DialtoneCatalog *self, const Objects *objects, DialtoneBusProfile *profile,
                        gboolean files)
{
    gboolean new, users = strcmp(dialtone_bus_profile_get_layer(profile), "user") == 0;
    const char *uuid = dialtone_bus_profile_get_uuid(profile);
    const char *name = dialtone_bus_profile_get_name(profile);
    if (users &&
        (dialtone_bus_profile_get_owner(profile) != (guint)getuid() || has_file(self, profile)))
        return;
    g_autofree char *key = g_strdup_printf("%s %s", *uuid != '\0' ? uuid : "-", name);
    DialtoneItem *item = have(self, key, name, &new);
    if (!users && (new || files))
        read_override(self, item, uuid);
    set_objects(objects, item, profile);
}

/* ---- the user's own files ---- */

static char *mistakes_of(const DialtoneStoreEntry *entry)
{
    if (entry->hidden != NULL)
        return g_strdup(entry->hidden);
    if (entry->profile != NULL)
        return NULL;
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < entry->issues->len; i++) {
        g_autofree char *line = dialtone_issue_text(entry->issues->pdata[i], entry->path);
        g_string_append_printf(lines, "%s%s", lines->len > 0 ? "\n" : "", line);
    }
    return g_string_free(lines, FALSE);
}

static void set_file(DialtoneItem *item, const DialtoneStoreEntry *entry)
{
    g_autofree char *mistakes = mistakes_of(entry);
    g_autofree char *text =
        entry->profile != NULL ? dialtone_profile_to_text(entry->profile, true) : NULL;
    const DialtoneItemSource source = {
        .description = entry->profile != NULL ? entry->profile->description : NULL,
        .path = entry->path,
        .uuid = entry->uuid,
        .mistakes = mistakes,
        .text = text};
    dialtone_item_set_source(item, &source);
}

static void list_file(DialtoneCatalog *self, const Objects *objects,
                      const DialtoneStoreEntry *entry, gboolean files)
{
    gboolean new;
    g_autofree char *key = g_strdup_printf("%s %s %s", entry->uuid != NULL ? entry->uuid : "-",
                                           entry->name, entry->path);
    DialtoneItem *item = have(self, key, entry->name, &new);
    if (new || files)
        set_file(item, entry);
    g_autoptr(DialtoneBusProfile) profile = handed_over(objects, entry);
    set_objects(objects, item, profile);
}

static void read_files(DialtoneCatalog *self)
{
    g_autoptr(GPtrArray) all = dialtone_store_list(self->store);
    g_ptr_array_set_size(self->entries, 0);
    for (guint i = all->len; i-- > 0;) {
        const DialtoneStoreEntry *entry = all->pdata[i];
        if (entry->layer == DIALTONE_LAYER_USER)
            g_ptr_array_add(self->entries, g_ptr_array_steal_index(all, i));
    }
}

/* ---- the list ---- */

static void make(DialtoneCatalog *self, gboolean files)
{
    Objects objects = {.all = dialtone_service_client_get_objects(self->service)};
    if (files)
        read_files(self);
    g_hash_table_remove_all(self->seen);
    for (guint i = 0; i < self->entries->len; i++)
        list_file(self, &objects, self->entries->pdata[i], files);
    for (GList *at = objects.all; at != NULL; at = at->next) {
        g_autoptr(DialtoneBusProfile) profile =
            dialtone_bus_object_get_profile(DIALTONE_BUS_OBJECT(at->data));
        if (profile != NULL)
            list_object(self, &objects, profile, files);
    }
    remove_unseen(self);
    g_list_free_full(objects.all, g_object_unref);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

static void on_files(gpointer data)
{
    make(data, TRUE);
}

static void on_service(DialtoneServiceClient *service, gpointer data)
{
    make(data, FALSE);
}

/* It is there, or not: both are an answer to who wants to connect. */
static void on_presence(DialtoneServiceClient *service, gpointer data)
{
    DialtoneCatalog *self = data;
    make(self, FALSE);
    gboolean there = dialtone_service_client_get_presence(service) == DIALTONE_SERVICE_THERE;
    for (guint i = 0; there && i < count(self); i++)
        dialtone_item_forget_error(item_at(self, i));
    if (self->waiting == NULL ||
        dialtone_service_client_get_presence(service) == DIALTONE_SERVICE_STARTING)
        return;
    g_autoptr(DialtoneItem) item = g_steal_pointer(&self->waiting);
    dialtone_item_connect(item, dialtone_service_client_get_manager(service), self->takes_over);
}

void dialtone_catalog_reload(DialtoneCatalog *self)
{
    make(self, TRUE);
}

DialtoneItem *dialtone_catalog_find_path(DialtoneCatalog *self, const char *path)
{
    for (guint i = 0; i < count(self); i++)
        if (g_strcmp0(dialtone_item_get_path(item_at(self, i)), path) == 0)
            return item_at(self, i);
    return NULL;
}

gboolean dialtone_catalog_has_uuid(DialtoneCatalog *self, const char *uuid)
{
    for (guint i = 0; i < count(self); i++)
        if (g_strcmp0(dialtone_item_get_uuid(item_at(self, i)), uuid) == 0)
            return TRUE;
    return FALSE;
}

gboolean dialtone_catalog_shares_secrets(DialtoneCatalog *self, const char *secrets,
                                         const char *path)
{
    for (guint i = 0; i < count(self); i++) {
        DialtoneItem *item = item_at(self, i);
        const char *uuid = dialtone_item_get_uuid(item);
        if (strcmp(uuid != NULL ? uuid : dialtone_item_get_name(item), secrets) == 0 &&
            g_strcmp0(dialtone_item_get_path(item), path) != 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean has_name(DialtoneCatalog *self, const char *name)
{
    for (guint i = 0; i < count(self); i++)
        if (strcmp(dialtone_item_get_name(item_at(self, i)), name) == 0)
            return TRUE;
    return FALSE;
}

char *dialtone_catalog_free_name(DialtoneCatalog *self, const char *name)
{
    char *found = g_strdup(name);
    for (guint number = 1; has_name(self, found); number++) {
        g_free(found);
        found = number == 1 ? g_strdup_printf(_("%s (copy)"), name)
                            : g_strdup_printf(_("%s (copy %u)"), name, number);
    }
    return found;
}

GListModel *dialtone_catalog_get_items(DialtoneCatalog *self)
{
    return G_LIST_MODEL(self->items);
}

const char *dialtone_catalog_get_folder(DialtoneCatalog *self)
{
    return self->store->user;
}

void dialtone_catalog_connect_item(DialtoneCatalog *self, DialtoneItem *item, gboolean take_over)
{
    if (dialtone_service_client_get_presence(self->service) == DIALTONE_SERVICE_STARTING) {
        g_set_object(&self->waiting, item);
        self->takes_over = take_over;
        return;
    }
    dialtone_item_connect(item, dialtone_service_client_get_manager(self->service), take_over);
}

void dialtone_catalog_disconnect_item(DialtoneCatalog *self, DialtoneItem *item)
{
    if (self->waiting == item)
        g_clear_object(&self->waiting);
    dialtone_item_disconnect(item);
}

/* ---- the class ---- */

static void dialtone_catalog_dispose(GObject *object)
{
    DialtoneCatalog *self = DIALTONE_CATALOG(object);
    g_clear_pointer(&self->watch, dialtone_folder_watch_free);
    if (self->service != NULL)
        g_signal_handlers_disconnect_by_data(self->service, self);
    g_clear_object(&self->service);
    g_clear_object(&self->waiting);
    for (guint i = 0; self->items != NULL && i < count(self); i++)
        g_signal_handlers_disconnect_by_data(item_at(self, i), self);
    g_clear_object(&self->items);
    G_OBJECT_CLASS(dialtone_catalog_parent_class)->dispose(object);
}

static void dialtone_catalog_finalize(GObject *object)
{
    DialtoneCatalog *self = DIALTONE_CATALOG(object);
    g_clear_pointer(&self->entries, g_ptr_array_unref);
    g_clear_pointer(&self->store, dialtone_store_free);
    g_clear_pointer(&self->seen, g_hash_table_unref);
    G_OBJECT_CLASS(dialtone_catalog_parent_class)->finalize(object);
}

static void dialtone_catalog_class_init(DialtoneCatalogClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_catalog_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_catalog_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_catalog_init(DialtoneCatalog *self)
{
    self->entries = dialtone_entries_new();
    self->items = g_list_store_new(DIALTONE_TYPE_ITEM);
    self->seen = g_hash_table_new(NULL, NULL);
    self->store = dialtone_store_new(getuid());
}

DialtoneCatalog *dialtone_catalog_new(DialtoneServiceClient *service)
{
    DialtoneCatalog *self = g_object_new(DIALTONE_TYPE_CATALOG, NULL);
    const char *folders[] = {self->store->user, self->store->overrides, NULL};
    self->service = g_object_ref(service);
    if (self->store->user != NULL)
        self->watch = dialtone_folder_watch_new(folders, on_files, self);
    g_signal_connect(service, "objects", G_CALLBACK(on_service), self);
    g_signal_connect(service, "presence", G_CALLBACK(on_presence), self);
    make(self, TRUE);
    return self;
}

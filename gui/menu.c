/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The menu is made again when what it says has changed, and each time with numbers that were never
 * used before: who clicks at something that is gone by then must not hit what has taken its place.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/menu.h"

#include <string.h>

#include "client/common/i18n.h"
#include <gtk/gtk.h>

#include "dialtone-tray.h"
#include "gui/state-look.h"

/* Labels are ours, but for the names of profiles. */
typedef struct Entry {
    char *label;        /* with a mnemonic; NULL: a separator */
    const char *action; /* NULL: it is only read */
    char *target;       /* NULL: the action takes none */
} Entry;

struct _DialtoneMenu {
    GObject parent_instance;
    DialtoneCatalog *catalog;
    GActionGroup *actions;
    DialtoneTrayMenu *skeleton;
    GPtrArray *entries; /* of Entry */
    int first;          /* the number of the first of them */
    guint revision;
};

G_DEFINE_TYPE(DialtoneMenu, dialtone_menu, G_TYPE_OBJECT)

/* ---- entries ---- */

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->label);
    g_free(entry->target);
    g_free(entry);
}

static void add(GPtrArray *entries, char *label_take, const char *action, const char *target)
{
    Entry *entry = g_new0(Entry, 1);
    *entry = (Entry){.label = label_take, .action = action, .target = g_strdup(target)};
    g_ptr_array_add(entries, entry);
}

/* An underscore in a name is no mnemonic. */
static char *without_mnemonic(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "_", -1);
    return g_strjoinv("__", parts);
}

static void add_item(GPtrArray *entries, DialtoneItem *item)
{
    gboolean wanted = dialtone_item_is_wanted(item), others = dialtone_item_is_others(item);
    g_autofree char *name = without_mnemonic(dialtone_item_get_name(item));
    g_autofree char *sentence = dialtone_look_sentence(item);
    gboolean usable = !others && dialtone_item_get_mistakes(item) == NULL &&
                      dialtone_item_get_state(item) != DIALTONE_STATE_DISCONNECTING;
    if (!usable)
        add(entries, g_strdup_printf("%s: %s", name, sentence), NULL, NULL);
    else
        add(entries, g_strdup_printf(wanted ? _("Disconnect %s") : _("Connect %s"), name),
            wanted ? "disconnect" : "connect", dialtone_item_get_key(item));
}

/* The item that says most: what needs somebody, then what is connected, then what is on its way. */
static char *status_of(GListModel *items)
{
    static const int RANK[] = {[DIALTONE_LOOK_DISCONNECTED] = 0,
                               [DIALTONE_LOOK_CONNECTING] = 2,
                               [DIALTONE_LOOK_CONNECTED] = 1,
                               [DIALTONE_LOOK_ATTENTION] = 3};
    int best = 0;
    char *line = g_strdup(_("Not connected"));
    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        int rank = RANK[dialtone_look_of(item)];
        if (rank <= best)
            continue;
        g_autofree char *sentence = dialtone_look_sentence(item);
        g_autofree char *name = without_mnemonic(dialtone_item_get_name(item));
        best = rank;
        g_free(line);
        line = g_strdup_printf("%s: %s", name, sentence);
    }
    return line;
}

static GPtrArray *make_entries(const DialtoneMenu *self)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    GListModel *items = dialtone_catalog_get_items(self->catalog);
    guint n = g_list_model_get_n_items(items);
    add(entries, status_of(items), NULL, NULL);
    add(entries, NULL, NULL, NULL);
    for (guint i = 0; i < n; i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        add_item(entries, item);
    }
    if (n > 0)
        add(entries, NULL, NULL, NULL);
    add(entries, g_strdup(_("_Open Dialtone")), "open", NULL);
    add(entries, g_strdup(_("_Preferences")), "preferences", NULL);
    add(entries, g_strdup(_("_Quit")), "quit", NULL);
    return entries;
}

static gboolean is_equal(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return FALSE;
    for (guint i = 0; i < a->len; i++) {
        const Entry *one = a->pdata[i], *other = b->pdata[i];
        if (g_strcmp0(one->label, other->label) != 0 ||
            g_strcmp0(one->action, other->action) != 0 ||
            g_strcmp0(one->target, other->target) != 0)
            return FALSE;
    }
    return TRUE;
}

static void on_catalog(DialtoneCatalog *catalog, gpointer data)
{
    DialtoneMenu *self = data;
    GPtrArray *entries = make_entries(self);
    if (is_equal(entries, self->entries)) {
        g_ptr_array_unref(entries);
        return;
    }
    self->first += (int)self->entries->len;
    g_ptr_array_unref(self->entries);
    self->entries = entries;
    self->revision++;
    dialtone_tray_menu_emit_layout_updated(self->skeleton, self->revision, 0);
}

static const Entry *entry_of(const DialtoneMenu *self, int id)
{
    gint64 at = (gint64)id - self->first;
    return at >= 0 && at < self->entries->len ? self->entries->pdata[at] : NULL;
}

/* ---- what it looks like ---- */

static GVariant *properties_of(const DialtoneMenu *self, int id)
{
    GVariantBuilder properties;
    const Entry *entry = entry_of(self, id);
    g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
    if (id == 0)
        g_variant_builder_add(&properties, "{sv}", "children-display",
                              g_variant_new_string("submenu"));
    else if (entry != NULL && entry->label == NULL)
        g_variant_builder_add(&properties, "{sv}", "type", g_variant_new_string("separator"));
    else if (entry != NULL)
        g_variant_builder_add(&properties, "{sv}", "label", g_variant_new_string(entry->label));
    if (entry != NULL && entry->label != NULL && entry->action == NULL)
        g_variant_builder_add(&properties, "{sv}", "enabled", g_variant_new_boolean(FALSE));
    return g_variant_builder_end(&properties);
}

static GVariant *leaf(const DialtoneMenu *self, int id)
{
    return g_variant_new("(i@a{sv}@av)", id, properties_of(self, id),
                         g_variant_new_array(G_VARIANT_TYPE_VARIANT, NULL, 0));
}

static gboolean on_get_layout(DialtoneTrayMenu *skeleton, GDBusMethodInvocation *invocation,
                              int parent, int depth, const char *const *names, gpointer data)
{
    const DialtoneMenu *self = data;
    GVariantBuilder children;
    g_variant_builder_init(&children, G_VARIANT_TYPE("av"));
    for (guint i = 0; parent == 0 && depth != 0 && i < self->entries->len; i++)
        g_variant_builder_add(&children, "v", leaf(self, self->first + (int)i));
    dialtone_tray_menu_complete_get_layout(skeleton, invocation, self->revision,
                                           g_variant_new("(i@a{sv}@av)", parent,
                                                         properties_of(self, parent),
                                                         g_variant_builder_end(&children)));
    return TRUE;
}

/* No number at all means each. */
static gboolean on_get_group(DialtoneTrayMenu *skeleton, GDBusMethodInvocation *invocation,
                             GVariant *ids, const char *const *names, gpointer data)
{
    const DialtoneMenu *self = data;
    GVariantBuilder all;
    GVariantIter iter;
    int id;
    g_variant_builder_init(&all, G_VARIANT_TYPE("a(ia{sv})"));
    g_variant_iter_init(&iter, ids);
    while (g_variant_iter_next(&iter, "i", &id))
        if (id == 0 || entry_of(self, id) != NULL)
            g_variant_builder_add(&all, "(i@a{sv})", id, properties_of(self, id));
    for (guint i = 0; g_variant_n_children(ids) == 0 && i < self->entries->len; i++)
        g_variant_builder_add(&all, "(i@a{sv})", self->first + (int)i,
                              properties_of(self, self->first + (int)i));
    dialtone_tray_menu_complete_get_group_properties(skeleton, invocation,
                                                     g_variant_builder_end(&all));
    return TRUE;
}

static gboolean on_get_property(DialtoneTrayMenu *skeleton, GDBusMethodInvocation *invocation,
                                int id, const char *name, gpointer data)
{
    g_autoptr(GVariant) all = g_variant_ref_sink(properties_of(data, id));
    g_autoptr(GVariant) value = g_variant_lookup_value(all, name, NULL);
    if (value == NULL)
        g_dbus_method_invocation_return_error(invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                              "no such entry or property");
    else
        dialtone_tray_menu_complete_get_property(skeleton, invocation,
                                                 g_variant_new_variant(value));
    return TRUE;
}

/* ---- what is clicked ---- */

static gboolean happen(DialtoneMenu *self, int id, const char *event)
{
    const Entry *entry = entry_of(self, id);
    if (entry == NULL)
        return id == 0;
    if (strcmp(event, "clicked") == 0 && entry->action != NULL)
        g_action_group_activate_action(self->actions, entry->action,
                                       entry->target != NULL ? g_variant_new_string(entry->target)
                                                             : NULL);
    return TRUE;
}

/* The answer goes first: what is clicked may be the end of this program. */
static gboolean on_event(DialtoneTrayMenu *skeleton, GDBusMethodInvocation *invocation, int id,
                         const char *event, GVariant *data, guint timestamp, gpointer user_data)
{
    dialtone_tray_menu_complete_event(skeleton, invocation);
    if (!happen(user_data, id, event))
        g_debug("something was clicked that is gone");
    return TRUE;
}

static gboolean on_event_group(DialtoneTrayMenu *skeleton, GDBusMethodInvocation *invocation,
                               GVariant *events, gpointer user_data)
{
    GVariantBuilder unknown;
    GVariantIter iter;
    int id;
    const char *event;
    g_variant_builder_init(&unknown, G_VARIANT_TYPE("ai"));
    g_variant_iter_init(&iter, events);
    while (g_variant_iter_next(&iter, "(i&svu)", &id, &event, NULL, NULL))
        if (!happen(user_data, id, event))
            g_variant_builder_add(&unknown, "i", id);
    dialtone_tray_menu_complete_event_group(skeleton, invocation, g_variant_builder_end(&unknown));
    return TRUE;
}

static gboolean on_about_to_show(DialtoneTrayMenu *skeleton, GDBusMethodInvocation *invocation,
                                 int id, gpointer data)
{
    dialtone_tray_menu_complete_about_to_show(skeleton, invocation, FALSE);
    return TRUE;
}

static gboolean on_about_to_show_group(DialtoneTrayMenu *skeleton,
                                       GDBusMethodInvocation *invocation, GVariant *ids,
                                       gpointer data)
{
    GVariant *none = g_variant_new_array(G_VARIANT_TYPE_INT32, NULL, 0);
    dialtone_tray_menu_complete_about_to_show_group(
        skeleton, invocation, none, g_variant_new_array(G_VARIANT_TYPE_INT32, NULL, 0));
    return TRUE;
}

/* ---- the class ---- */

gboolean dialtone_menu_export(DialtoneMenu *self, GDBusConnection *bus, const char *path,
                              GError **error)
{
    return g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->skeleton), bus, path,
                                            error);
}

static void dialtone_menu_dispose(GObject *object)
{
    DialtoneMenu *self = DIALTONE_MENU(object);
    if (self->catalog != NULL)
        g_signal_handlers_disconnect_by_data(self->catalog, self);
    if (self->skeleton != NULL) {
        g_signal_handlers_disconnect_by_data(self->skeleton, self);
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(self->skeleton));
    }
    g_clear_object(&self->skeleton);
    g_clear_object(&self->catalog);
    g_clear_object(&self->actions);
    g_clear_pointer(&self->entries, g_ptr_array_unref);
    G_OBJECT_CLASS(dialtone_menu_parent_class)->dispose(object);
}

static void dialtone_menu_class_init(DialtoneMenuClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_menu_dispose;
}

static void dialtone_menu_init(DialtoneMenu *self)
{
    self->first = 1;
    self->skeleton = dialtone_tray_menu_skeleton_new();
    g_object_set(self->skeleton, "version", 3, "status", "normal", NULL);
    g_signal_connect(self->skeleton, "handle-get-layout", G_CALLBACK(on_get_layout), self);
    g_signal_connect(self->skeleton, "handle-get-group-properties", G_CALLBACK(on_get_group), self);
    g_signal_connect(self->skeleton, "handle-get-property", G_CALLBACK(on_get_property), self);
    g_signal_connect(self->skeleton, "handle-event", G_CALLBACK(on_event), self);
    g_signal_connect(self->skeleton, "handle-event-group", G_CALLBACK(on_event_group), self);
    g_signal_connect(self->skeleton, "handle-about-to-show", G_CALLBACK(on_about_to_show), self);
    g_signal_connect(self->skeleton, "handle-about-to-show-group",
                     G_CALLBACK(on_about_to_show_group), self);
}

DialtoneMenu *dialtone_menu_new(DialtoneCatalog *catalog, GActionGroup *actions)
{
    DialtoneMenu *self = g_object_new(DIALTONE_TYPE_MENU, NULL);
    gboolean rtl = gtk_widget_get_default_direction() == GTK_TEXT_DIR_RTL;
    self->catalog = g_object_ref(catalog);
    self->actions = g_object_ref(actions);
    self->entries = make_entries(self);
    g_object_set(self->skeleton, "text-direction", rtl ? "rtl" : "ltr", NULL);
    g_signal_connect(catalog, "changed", G_CALLBACK(on_catalog), self);
    return self;
}

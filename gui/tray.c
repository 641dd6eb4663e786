/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The item is exported once, and told to each watcher that comes: a panel that was ended and is
 * there again has forgotten it. Stock GNOME has no watcher; then nothing is shown, and
 * dialtone_tray_is_shown() says so.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/tray.h"

#include <gtk/gtk.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "dialtone-tray.h"
#include "gui/menu.h"
#include "gui/state-look.h"

#define ITEM_PATH "/StatusNotifierItem"
#define MENU_PATH "/org/dialtone/Dialtone/Menu"

struct _DialtoneTray {
    GObject parent_instance;
    GDBusConnection *bus;
    DialtoneCatalog *catalog;
    GActionGroup *actions;
    DialtoneMenu *menu;
    DialtoneTrayItem *item;
    DialtoneTrayWatcher *watcher; /* NULL: nobody is there */
    GCancellable *cancellable;
    char *name;
    guint own, watch;
    gboolean registered;
    gboolean has_host;
};

G_DEFINE_TYPE(DialtoneTray, dialtone_tray, G_TYPE_OBJECT)

/* ---- what it shows ---- */

/* The state of the item that says most, in the same order as the menu's first line but for what is
 * connected: that is what one wants to know at a glance. */
static DialtoneItem *telling_item(const DialtoneTray *self, DialtoneLook *lookp)
{
    GListModel *items = dialtone_catalog_get_items(self->catalog);
    DialtoneItem *found = NULL;
    *lookp = DIALTONE_LOOK_DISCONNECTED;
    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        DialtoneLook look = dialtone_look_of(item);
        if (look <= *lookp)
            continue;
        *lookp = look;
        found = item; /* the list has it */
    }
    return found;
}

static GVariant *tool_tip(const char *title, const char *text)
{
    return g_variant_new("(s@a(iiay)ss)", "",
                         g_variant_new_array(G_VARIANT_TYPE("(iiay)"), NULL, 0), title, text);
}

static void on_catalog(DialtoneCatalog *catalog, gpointer data)
{
    DialtoneTray *self = data;
    DialtoneLook look;
    DialtoneItem *item = telling_item(self, &look);
    const char *icon = dialtone_look_icon(look);
    g_autofree char *sentence =
        item != NULL ? dialtone_look_sentence(item) : g_strdup(_("Not connected"));
    g_autofree char *title = item != NULL
                                 ? g_strdup_printf("%s: %s", dialtone_item_get_name(item), sentence)
                                 : g_strdup(sentence);
    if (g_strcmp0(dialtone_tray_item_get_title(self->item), title) == 0 &&
        g_strcmp0(dialtone_tray_item_get_icon_name(self->item), icon) == 0)
        return;
    g_object_set(self->item, "title", title, "icon-name", icon, "icon-accessible-desc", title,
                 "tool-tip", tool_tip(_("Dialtone"), title), NULL);
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(self->item));
    dialtone_tray_item_emit_new_icon(self->item);
    dialtone_tray_item_emit_new_title(self->item);
    dialtone_tray_item_emit_new_tool_tip(self->item);
}

static gboolean on_activate(DialtoneTrayItem *item, GDBusMethodInvocation *invocation, int x, int y,
                            gpointer data)
{
    DialtoneTray *self = data;
    g_action_group_activate_action(self->actions, "open", NULL);
    g_dbus_method_invocation_return_value(invocation, NULL);
    return TRUE;
}

/* ---- who shows it ---- */

static void forget_watcher(DialtoneTray *self)
{
    self->registered = FALSE;
    self->has_host = FALSE;
    if (self->watcher != NULL)
        g_signal_handlers_disconnect_by_data(self->watcher, self);
    g_clear_object(&self->watcher);
}

static void on_registered(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    gboolean done =
        dialtone_tray_watcher_call_register_finish(DIALTONE_TRAY_WATCHER(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    DialtoneTray *self = data;
    if (DIALTONE_TRAY_WATCHER(source) == self->watcher)
        self->registered = done;
    if (!done)
        g_warning("the tray does not take the icon: %s", error->message);
}

static void on_host(DialtoneTrayWatcher *watcher, gpointer data)
{
    DialtoneTray *self = data;
    self->has_host = TRUE;
}

static void on_shows(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GVariant) answer = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    DialtoneTray *self = data;
    if (answer != NULL && g_variant_is_of_type(answer, G_VARIANT_TYPE("(v)")))
        g_variant_get(answer, "(v)", &value);
    if (DIALTONE_TRAY_WATCHER(source) == self->watcher && value != NULL &&
        g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        self->has_host = g_variant_get_boolean(value);
}

/* There may be another one. Watchers do not tell that their property has changed, so it is read. */
static void on_host_gone(DialtoneTrayWatcher *watcher, gpointer data)
{
    DialtoneTray *self = data;
    self->has_host = FALSE;
    g_dbus_proxy_call(
        G_DBUS_PROXY(watcher), "org.freedesktop.DBus.Properties.Get",
        g_variant_new("(ss)", "org.kde.StatusNotifierWatcher", "IsStatusNotifierHostRegistered"),
        G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable, on_shows, self);
}

static void on_watcher(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    DialtoneTrayWatcher *watcher = dialtone_tray_watcher_proxy_new_finish(result, &error);
    if (watcher == NULL) {
        g_debug("the tray's watcher can't be asked: %s", error->message);
        return;
    }
    DialtoneTray *self = data;
    forget_watcher(self);
    self->watcher = watcher;
    self->has_host = dialtone_tray_watcher_get_shows(watcher);
    g_signal_connect(watcher, "host-registered", G_CALLBACK(on_host), self);
    g_signal_connect(watcher, "host-unregistered", G_CALLBACK(on_host_gone), self);
    dialtone_tray_watcher_call_register(watcher, self->name, self->cancellable, on_registered,
                                        self);
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    DialtoneTray *self = data;
    dialtone_tray_watcher_proxy_new(bus, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, name,
                                    "/StatusNotifierWatcher", self->cancellable, on_watcher, self);
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
    forget_watcher(data);
}

gboolean dialtone_tray_is_shown(DialtoneTray *self)
{
    return self->registered && self->has_host;
}

/* ---- the class ---- */

static void dialtone_tray_dispose(GObject *object)
{
    DialtoneTray *self = DIALTONE_TRAY(object);
    g_cancellable_cancel(self->cancellable);
    g_clear_handle_id(&self->watch, g_bus_unwatch_name);
    g_clear_handle_id(&self->own, g_bus_unown_name);
    if (self->catalog != NULL)
        g_signal_handlers_disconnect_by_data(self->catalog, self);
    if (self->item != NULL) {
        g_signal_handlers_disconnect_by_data(self->item, self);
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(self->item));
    }
    g_clear_object(&self->item);
    g_clear_object(&self->menu);
    forget_watcher(self);
    g_clear_object(&self->catalog);
    g_clear_object(&self->actions);
    g_clear_object(&self->bus);
    g_clear_object(&self->cancellable);
    g_clear_pointer(&self->name, g_free);
    G_OBJECT_CLASS(dialtone_tray_parent_class)->dispose(object);
}

static void dialtone_tray_class_init(DialtoneTrayClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_tray_dispose;
}

static void dialtone_tray_init(DialtoneTray *self)
{
    self->cancellable = g_cancellable_new();
    self->name = g_strdup_printf("org.kde.StatusNotifierItem-%d-1", (int)getpid());
    self->item = dialtone_tray_item_skeleton_new();
    g_object_set(self->item, "category", "Communications", "id", "org.dialtone.Dialtone", "status",
                 "Active", "icon-theme-path", "", "attention-icon-name", "", "item-is-menu", TRUE,
                 "menu", MENU_PATH, "tool-tip", tool_tip("", ""), NULL);
    g_signal_connect(self->item, "handle-activate", G_CALLBACK(on_activate), self);
    g_signal_connect(self->item, "handle-secondary-activate", G_CALLBACK(on_activate), self);
}

DialtoneTray *dialtone_tray_new(GDBusConnection *bus, DialtoneCatalog *catalog,
                                GActionGroup *actions)
{
    g_autoptr(GError) error = NULL;
    DialtoneTray *self = g_object_new(DIALTONE_TYPE_TRAY, NULL);
    self->bus = g_object_ref(bus);
    self->catalog = g_object_ref(catalog);
    self->actions = g_object_ref(actions);
    self->menu = dialtone_menu_new(catalog, actions);
    g_signal_connect(catalog, "changed", G_CALLBACK(on_catalog), self);
    on_catalog(catalog, self);
    if (!dialtone_menu_export(self->menu, bus, MENU_PATH, &error) ||
        !g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->item), bus, ITEM_PATH,
                                          &error)) {
        g_warning("no icon in the tray: %s", error->message);
        return self;
    }
    self->own = g_bus_own_name_on_connection(bus, self->name, G_BUS_NAME_OWNER_FLAGS_NONE, NULL,
                                             NULL, NULL, NULL);
    self->watch = g_bus_watch_name_on_connection(bus, "org.kde.StatusNotifierWatcher",
                                                 G_BUS_NAME_WATCHER_FLAGS_NONE, on_appeared,
                                                 on_vanished, self, NULL);
    return self;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A notification an item at most: what comes later takes the place of what was told before, or
 * takes it away. They are GLib's, for libnotify waits for whoever shows them, and a desktop where
 * that one hangs would stop this program. Words of a gateway stand in none: to some who show them,
 * bodies are markup.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/notifier.h"

#include "client/common/i18n.h"
#include "gui/window.h"

#define SCHEMA "org.dialtone.Dialtone"
#define KEY    "notifications"

struct _DialtoneNotifier {
    GObject parent_instance;
    DialtoneCatalog *catalog;
    GApplication *application; /* borrowed: it has this */
    GSettings *settings;       /* NULL: not installed */
    GHashTable *told;          /* the state that an item was in last, by its key */
};

G_DEFINE_TYPE(DialtoneNotifier, dialtone_notifier, G_TYPE_OBJECT)

/* What is told when an item comes into a state. */
static const struct {
    const char *body; /* NULL: nothing is */
    const char *icon;
    gboolean again; /* can be tried again */
} WORDS[DIALTONE_STATE_N] = {
    [DIALTONE_STATE_CONNECTED] = {N_("The tunnel is up."), "dialtone-connected-symbolic", FALSE},
    [DIALTONE_STATE_RECONNECTING] = {N_("Dialtone tries to bring it back."),
                                     "dialtone-connecting-symbolic", FALSE},
    [DIALTONE_STATE_FAILED] = {N_("The window says why, and what to do."),
                               "dialtone-attention-symbolic", TRUE},
    [DIALTONE_STATE_NEEDS_SECRETS] = {N_("The gateway wants a key, a password or a code."),
                                      "dialtone-attention-symbolic", FALSE},
};

/* The caller frees it. */
static char *title_of(DialtoneState state, const char *name)
{
    if (state == DIALTONE_STATE_CONNECTED)
        return g_strdup_printf(_("%s is connected"), name);
    if (state == DIALTONE_STATE_RECONNECTING)
        return g_strdup_printf(_("%s was lost"), name);
    if (state == DIALTONE_STATE_FAILED)
        return g_strdup_printf(_("%s could not be connected"), name);
    return g_strdup_printf(_("%s needs your answer"), name);
}

/* ---- one notification ---- */

static GNotification *make(DialtoneItem *item, DialtoneState state)
{
    g_autofree char *title = title_of(state, dialtone_item_get_name(item));
    g_autoptr(GIcon) icon = g_themed_icon_new(WORDS[state].icon);
    GNotification *made = g_notification_new(title);
    g_notification_set_body(made, _(WORDS[state].body));
    g_notification_set_icon(made, icon);
    g_notification_set_default_action(made, "app.open");
    if (WORDS[state].again)
        g_notification_add_button_with_target(made, _("Try Again"), "app.connect", "s",
                                              dialtone_item_get_key(item));
    return made;
}

static gboolean is_wanted(const DialtoneNotifier *self)
{
    GtkWindow *window = dialtone_window_find();
    gboolean looked_at = window != NULL && gtk_window_is_active(window);
    return !looked_at && self->settings != NULL && g_settings_get_boolean(self->settings, KEY);
}

static void tell(DialtoneNotifier *self, DialtoneItem *item, DialtoneState state)
{
    const char *key = dialtone_item_get_key(item);
    if (WORDS[state].body == NULL || !is_wanted(self)) {
        g_application_withdraw_notification(self->application, key);
        return;
    }
    g_autoptr(GNotification) notification = make(item, state);
    g_application_send_notification(self->application, key, notification);
}

/* ---- all of them ---- */

/* What an item was when it was seen first is no news. */
static void look(DialtoneNotifier *self, DialtoneItem *item)
{
    DialtoneState state = dialtone_item_get_state(item);
    const char *key = dialtone_item_get_key(item);
    gpointer last;
    gboolean known = g_hash_table_lookup_extended(self->told, key, NULL, &last);
    if ((known && GPOINTER_TO_INT(last) == (int)state) || dialtone_item_is_others(item))
        return;
    g_hash_table_insert(self->told, g_strdup(key), GINT_TO_POINTER((int)state));
    if (known)
        tell(self, item, state);
}

static void on_catalog(DialtoneCatalog *catalog, gpointer data)
{
    DialtoneNotifier *self = data;
    GListModel *items = dialtone_catalog_get_items(catalog);
    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        look(self, item);
    }
}

GAction *dialtone_notifier_create_action(DialtoneNotifier *self)
{
    return self->settings != NULL ? g_settings_create_action(self->settings, KEY) : NULL;
}

/* ---- the class ---- */

static void dialtone_notifier_dispose(GObject *object)
{
    DialtoneNotifier *self = DIALTONE_NOTIFIER(object);
    if (self->catalog != NULL)
        g_signal_handlers_disconnect_by_data(self->catalog, self);
    g_clear_pointer(&self->told, g_hash_table_unref);
    g_clear_object(&self->settings);
    g_clear_object(&self->catalog);
    G_OBJECT_CLASS(dialtone_notifier_parent_class)->dispose(object);
}

static void dialtone_notifier_class_init(DialtoneNotifierClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_notifier_dispose;
}

/* GLib ends a program that asks for settings that are not installed. */
static void dialtone_notifier_init(DialtoneNotifier *self)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default();
    g_autoptr(GSettingsSchema) schema =
        source != NULL ? g_settings_schema_source_lookup(source, SCHEMA, TRUE) : NULL;
    self->settings = schema != NULL ? g_settings_new_full(schema, NULL, NULL) : NULL;
    self->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

DialtoneNotifier *dialtone_notifier_new(DialtoneCatalog *catalog, GApplication *application)
{
    DialtoneNotifier *self = g_object_new(DIALTONE_TYPE_NOTIFIER, NULL);
    self->catalog = g_object_ref(catalog);
    self->application = application;
    g_signal_connect(catalog, "changed", G_CALLBACK(on_catalog), self);
    return self;
}

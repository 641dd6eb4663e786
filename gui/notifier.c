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
#include "gui/preferences.h"
#include "gui/state-look.h"
#include "gui/window.h"

#define KEY "notifications"

struct _DialtoneNotifier {
    GObject parent_instance;
    DialtoneCatalog *catalog;
    GApplication *application; /* borrowed: it has this */
    GSettings *settings;       /* NULL: not installed */
    GHashTable *told;          /* the state that an item was in last, by its key */
    GHashTable *warned;        /* since when it was up when its certificates were looked at */
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
    /* What is asked for here is nothing that the gateway wants. */
    g_autofree char *body = dialtone_item_get_wait(item) != DIALTONE_WAIT_NONE
                                ? dialtone_look_sentence(item)
                                : g_strdup(_(WORDS[state].body));
    GNotification *made = g_notification_new(title);
    g_notification_set_body(made, body);
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

/* The caller frees it; NULL: neither certificate ends soon. */
static char *expiry_of(const DialtoneReport *report)
{
    gboolean own = dialtone_report_ends_soon(&report->certificate);
    const DialtoneCertificateReport *which =
        own ? &report->certificate : &report->gateway_certificate;
    if (!dialtone_report_ends_soon(which))
        return NULL;
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_local(which->not_after);
    g_autofree char *date = end != NULL ? g_date_time_format(end, "%x") : NULL;
    return g_strdup_printf(own ? _("Your certificate holds until %s. Ask for a new one.")
                               : _("The gateway’s certificate holds until %s. Tell its "
                                   "administrator."),
                           date != NULL ? date : "");
}

/* Once for each time that it is connected: a certificate takes days to be renewed. */
static gboolean is_new(DialtoneNotifier *self, DialtoneItem *item)
{
    const DialtoneReport *report = dialtone_item_get_report(item);
    gint64 since = dialtone_item_get_since(item);
    const gint64 *last = g_hash_table_lookup(self->warned, dialtone_item_get_key(item));
    if (report == NULL || report->state != DIALTONE_STATE_CONNECTED ||
        (last != NULL && *last == since))
        return FALSE;
    g_hash_table_insert(self->warned, g_strdup(dialtone_item_get_key(item)),
                        g_memdup2(&since, sizeof(since)));
    return TRUE;
}

static void tell_expiry(DialtoneNotifier *self, DialtoneItem *item)
{
    g_autofree char *body = is_new(self, item) ? expiry_of(dialtone_item_get_report(item)) : NULL;
    if (body == NULL || self->settings == NULL || !g_settings_get_boolean(self->settings, KEY))
        return;
    g_autofree char *id = g_strconcat(dialtone_item_get_key(item), " certificate", NULL);
    g_autofree char *title =
        g_strdup_printf(_("%s: a certificate ends soon"), dialtone_item_get_name(item));
    g_autoptr(GNotification) made = g_notification_new(title);
    g_notification_set_body(made, body);
    g_notification_set_default_action(made, "app.open");
    g_application_send_notification(self->application, id, made);
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
        tell_expiry(self, item);
    }
}

/* ---- the class ---- */

static void dialtone_notifier_dispose(GObject *object)
{
    DialtoneNotifier *self = DIALTONE_NOTIFIER(object);
    if (self->catalog != NULL)
        g_signal_handlers_disconnect_by_data(self->catalog, self);
    g_clear_pointer(&self->told, g_hash_table_unref);
    g_clear_pointer(&self->warned, g_hash_table_unref);
    g_clear_object(&self->settings);
    g_clear_object(&self->catalog);
    G_OBJECT_CLASS(dialtone_notifier_parent_class)->dispose(object);
}

static void dialtone_notifier_class_init(DialtoneNotifierClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_notifier_dispose;
}

static void dialtone_notifier_init(DialtoneNotifier *self)
{
    self->settings = dialtone_settings_new();
    self->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

DialtoneNotifier *dialtone_notifier_new(DialtoneCatalog *catalog, GApplication *application)
{
    DialtoneNotifier *self = g_object_new(DIALTONE_TYPE_NOTIFIER, NULL);
    self->catalog = g_object_ref(catalog);
    self->application = application;
    g_signal_connect(catalog, "changed", G_CALLBACK(on_catalog), self);
    return self;
}

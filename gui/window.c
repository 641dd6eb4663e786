/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window holds nothing that outlives it: it is made when somebody wants to look, and destroyed
 * when they have seen enough.
 */
#include "gui/window.h"

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "gui/page.h"
#include "gui/profile-actions.h"
#include "gui/row.h"

struct _DialtoneWindow {
    GtkApplicationWindow parent_instance;
    DialtoneServiceClient *service;
    DialtoneCatalog *catalog;
    GtkInfoBar *missing;
    GtkLabel *missing_message;
    GtkLabel *missing_advice;
    GtkStack *stack;
    GtkListBox *list;
    DialtonePage *page;
    DialtoneProfileActions *profile_actions;
};

G_DEFINE_TYPE(DialtoneWindow, dialtone_window, GTK_TYPE_APPLICATION_WINDOW)

/* ---- the service ---- */

static void update_service(DialtoneWindow *self)
{
    const GError *error = dialtone_service_client_get_error(self->service);
    const char *advice = dialtone_failure_advice(error);
    gtk_label_set_text(self->missing_message, error != NULL ? error->message : "");
    gtk_label_set_text(self->missing_advice, advice != NULL ? advice : "");
    gtk_widget_set_visible(GTK_WIDGET(self->missing), error != NULL);
}

static void on_presence(DialtoneServiceClient *service, gpointer data)
{
    update_service(data);
}

/* ---- the list ---- */

static GtkWidget *make_row(gpointer item, gpointer data)
{
    return dialtone_row_new(DIALTONE_ITEM(item));
}

static void on_row_selected(GtkListBox *list, GtkListBoxRow *row, DialtoneWindow *self)
{
    DialtoneItem *item = row != NULL ? dialtone_row_get_item(DIALTONE_ROW(row)) : NULL;
    dialtone_page_set_item(self->page, item);
    if (self->profile_actions != NULL)
        dialtone_profile_actions_set_item(self->profile_actions, item);
}

static void on_items(GListModel *items, guint position, guint removed, guint added, gpointer data)
{
    DialtoneWindow *self = data;
    gboolean any = g_list_model_get_n_items(items) > 0;
    gtk_stack_set_visible_child_name(self->stack, any ? "profiles" : "empty");
    if (any && gtk_list_box_get_selected_row(self->list) == NULL)
        gtk_list_box_select_row(self->list, gtk_list_box_get_row_at_index(self->list, 0));
    /* Whoever was at the profile that went is at the one that is shown instead. */
    if (any && removed > 0 && gtk_window_get_focus(GTK_WINDOW(self)) == NULL)
        gtk_widget_grab_focus(GTK_WIDGET(gtk_list_box_get_selected_row(self->list)));
}

void dialtone_window_show_item(DialtoneWindow *self, DialtoneItem *item)
{
    GtkListBoxRow *row;
    for (int i = 0; (row = gtk_list_box_get_row_at_index(self->list, i)) != NULL; i++) {
        if (dialtone_row_get_item(DIALTONE_ROW(row)) == item) {
            gtk_list_box_select_row(self->list, row);
            return;
        }
    }
}

GtkWindow *dialtone_window_find(void)
{
    GList *at = gtk_application_get_windows(GTK_APPLICATION(g_application_get_default()));
    while (at != NULL && !DIALTONE_IS_WINDOW(at->data))
        at = at->next;
    return at != NULL ? at->data : NULL;
}

/* ---- actions ---- */

static void on_toggle(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneWindow *self = data;
    dialtone_page_toggle(self->page);
}

static void on_close(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_window_close(GTK_WINDOW(data));
}

static void on_diagnose(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneWindow *self = data;
    DialtoneItem *item = dialtone_page_get_item(self->page);
    if (item != NULL)
        g_action_group_activate_action(G_ACTION_GROUP(gtk_window_get_application(GTK_WINDOW(self))),
                                       "diagnose",
                                       g_variant_new_string(dialtone_item_get_key(item)));
}

static const GActionEntry ACTIONS[] = {
    {.name = "toggle", .activate = on_toggle},
    {.name = "close", .activate = on_close},
    {.name = "diagnose", .activate = on_diagnose},
};

/* ---- the class ---- */

static void dialtone_window_dispose(GObject *object)
{
    DialtoneWindow *self = DIALTONE_WINDOW(object);
    if (self->service != NULL)
        g_signal_handlers_disconnect_by_data(self->service, self);
    if (self->catalog != NULL)
        g_signal_handlers_disconnect_by_data(dialtone_catalog_get_items(self->catalog), self);
    g_clear_object(&self->service);
    g_clear_object(&self->catalog);
    g_clear_pointer(&self->profile_actions, dialtone_profile_actions_free);
    G_OBJECT_CLASS(dialtone_window_parent_class)->dispose(object);
}

static void dialtone_window_class_init(DialtoneWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_window_dispose;
    g_type_ensure(DIALTONE_TYPE_PAGE);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/window.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneWindow, missing);
    gtk_widget_class_bind_template_child(widget_class, DialtoneWindow, missing_message);
    gtk_widget_class_bind_template_child(widget_class, DialtoneWindow, missing_advice);
    gtk_widget_class_bind_template_child(widget_class, DialtoneWindow, stack);
    gtk_widget_class_bind_template_child(widget_class, DialtoneWindow, list);
    gtk_widget_class_bind_template_child(widget_class, DialtoneWindow, page);
    gtk_widget_class_bind_template_callback(widget_class, on_row_selected);
}

static void dialtone_window_init(DialtoneWindow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_action_map_add_action_entries(G_ACTION_MAP(self), ACTIONS, G_N_ELEMENTS(ACTIONS), self);
}

GtkWidget *dialtone_window_new(GtkApplication *application, DialtoneServiceClient *service,
                               DialtoneCatalog *catalog)
{
    DialtoneWindow *self = g_object_new(DIALTONE_TYPE_WINDOW, "application", application, NULL);
    GListModel *items = dialtone_catalog_get_items(catalog);
    self->service = g_object_ref(service);
    self->catalog = g_object_ref(catalog);
    dialtone_page_set_catalog(self->page, catalog);
    self->profile_actions = dialtone_profile_actions_new(GTK_WINDOW(self), catalog);
    gtk_list_box_bind_model(self->list, items, make_row, NULL, NULL);
    g_signal_connect(items, "items-changed", G_CALLBACK(on_items), self);
    g_signal_connect(service, "presence", G_CALLBACK(on_presence), self);
    on_items(items, 0, 0, 0, self);
    update_service(self);
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program is made of, and its actions. Started again, it shows the window of the one that
 * runs already.
 *
 * With an icon in a tray the window is only a view: closed, it is gone, and the program stays.
 * Without one nothing would be left to be seen, so closing the window is the end of the program;
 * and as what is connected then goes on without anybody to ask, the user is told of that first.
 */
#include "gui/application.h"

#include "client/common/i18n.h"
#include "gui/agent.h"
#include "gui/assistant.h"
#include "gui/autostart.h"
#include "gui/catalog.h"
#include "gui/editor.h"
#include "gui/notifier.h"
#include "gui/preferences.h"
#include "gui/support.h"
#include "gui/tray.h"
#include "gui/window.h"

enum { FILES_MAX = 8 }; /* that are opened at once */

struct _DialtoneApplication {
    GtkApplication parent_instance;
    DialtoneServiceClient *service;
    DialtoneCatalog *catalog;
    DialtoneAgent *agent;
    DialtoneNotifier *notifier;
    DialtoneTray *tray; /* NULL: there is no session bus */
    DialtoneSupport support;
    gboolean hidden; /* it was started without a window */
};

G_DEFINE_TYPE(DialtoneApplication, dialtone_application, GTK_TYPE_APPLICATION)

/* ---- actions ---- */

/* An editor would go with the program or with the window, and what was changed in it: so that asks
 * first, and @then goes on when it is discarded. */
static gboolean keeps_open(DialtoneEditorThen then, gpointer data)
{
    GtkWindow *editor = dialtone_editor_find_unsaved();
    if (editor == NULL)
        return FALSE;
    dialtone_editor_give_up_then(editor, then, data);
    return TRUE;
}

static void quit(gpointer data)
{
    if (!keeps_open(quit, data))
        g_application_quit(G_APPLICATION(data));
}

static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    quit(data);
}

static void on_open(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_application_activate(G_APPLICATION(data));
}

static void on_connect(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneApplication *self = data;
    DialtoneItem *item =
        dialtone_catalog_find(self->catalog, g_variant_get_string(parameter, NULL));
    if (item != NULL)
        dialtone_catalog_connect_item(self->catalog, item, FALSE);
}

static void on_disconnect(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneApplication *self = data;
    DialtoneItem *item =
        dialtone_catalog_find(self->catalog, g_variant_get_string(parameter, NULL));
    if (item != NULL)
        dialtone_catalog_disconnect_item(self->catalog, item);
}

static void on_about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_show_about_dialog(
        gtk_application_get_active_window(GTK_APPLICATION(data)), "program-name", _("Dialtone"),
        "version", DIALTONE_VERSION, "logo-icon-name", "org.dialtone.Dialtone", "comments",
        _("Connects this computer to an office’s network through a dialup IPsec gateway."),
        "license-type", GTK_LICENSE_GPL_2_0, NULL);
}

static void on_start_service(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneApplication *self = data;
    dialtone_service_client_start(self->service);
}

/* It is made for who has none yet: there is nothing to see otherwise. */
static void on_open_folder(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneApplication *self = data;
    g_autoptr(GError) error = NULL;
    const char *folder = dialtone_catalog_get_folder(self->catalog);
    g_autofree char *uri = folder != NULL ? g_filename_to_uri(folder, NULL, NULL) : NULL;
    if (uri == NULL || g_mkdir_with_parents(folder, 0700) < 0)
        return;
    if (!gtk_show_uri_on_window(gtk_application_get_active_window(GTK_APPLICATION(self)), uri,
                                GDK_CURRENT_TIME, &error))
        g_warning("%s can't be shown: %s", folder, error->message);
}

static const GActionEntry ACTIONS[] = {
    {.name = "quit", .activate = on_quit},
    {.name = "open", .activate = on_open},
    {.name = "connect", .activate = on_connect, .parameter_type = "s"},
    {.name = "disconnect", .activate = on_disconnect, .parameter_type = "s"},
    {.name = "about", .activate = on_about},
    {.name = "start-service", .activate = on_start_service},
    {.name = "open-folder", .activate = on_open_folder},
};

static const struct {
    const char *action;
    const char *keys[2];
} KEYS[] = {
    {"app.quit", {"<Primary>q"}},         {"win.close", {"<Primary>w"}},
    {"win.toggle", {"<Primary>Return"}},  {"win.new-profile", {"<Primary>n"}},
    {"win.edit-profile", {"<Primary>e"}}, {"win.rename-profile", {"F2"}},
};

/* ---- the window is closed ---- */

static DialtoneItem *wanted_item(const DialtoneApplication *self)
{
    GListModel *items = dialtone_catalog_get_items(self->catalog);
    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        if (dialtone_item_is_wanted(item) && !dialtone_item_is_others(item))
            return item; /* the list has it */
    }
    return NULL;
}

static void on_answer(GtkDialog *dialog, int response, gpointer data)
{
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_ACCEPT)
        g_application_quit(G_APPLICATION(data));
}

static void ask_whether_to_quit(DialtoneApplication *self, GtkWindow *window, DialtoneItem *item)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(window, GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE,
                               _("%s stays connected."), dialtone_item_get_name(item));
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog), "%s",
        _("This desktop shows no icons of programs, so with its window Dialtone ends. The tunnel "
          "goes on, but when the gateway wants a password again, nobody is there to ask you."));
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Quit Dialtone"), GTK_RESPONSE_ACCEPT);
    g_signal_connect(dialog, "response", G_CALLBACK(on_answer), self);
    gtk_window_present(GTK_WINDOW(dialog));
}

/* It is asked once more whether it may, for another editor may be open. */
static void close_window(gpointer data)
{
    GtkWindow *window = dialtone_window_find();
    if (window != NULL)
        gtk_window_close(window);
}

static gboolean on_delete(GtkWidget *window, GdkEvent *event, gpointer data)
{
    DialtoneApplication *self = data;
    DialtoneItem *item = wanted_item(self);
    if (keeps_open(close_window, NULL))
        return TRUE;
    if (self->tray != NULL && dialtone_tray_is_shown(self->tray))
        return FALSE;
    if (item != NULL)
        ask_whether_to_quit(self, GTK_WINDOW(window), item);
    else
        g_application_quit(G_APPLICATION(self));
    return TRUE;
}

/* ---- life ---- */

static void add_support(DialtoneApplication *self)
{
    self->support = (DialtoneSupport){.application = GTK_APPLICATION(self),
                                      .catalog = self->catalog,
                                      .settings = dialtone_settings_new()};
    dialtone_support_add_actions(&self->support);
    if (self->support.settings == NULL)
        return;
    dialtone_autostart_follow(self->support.settings);
    g_autoptr(GAction) notifications =
        g_settings_create_action(self->support.settings, "notifications");
    g_action_map_add_action(G_ACTION_MAP(self), notifications);
}

static void dialtone_application_startup(GApplication *application)
{
    DialtoneApplication *self = DIALTONE_APPLICATION(application);
    G_APPLICATION_CLASS(dialtone_application_parent_class)->startup(application);
    g_autoptr(GtkCssProvider) style = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(style, "/org/dialtone/Dialtone/style.css");
    gtk_style_context_add_provider_for_screen(gdk_screen_get_default(), GTK_STYLE_PROVIDER(style),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    gtk_window_set_default_icon_name("org.dialtone.Dialtone");
    g_action_map_add_action_entries(G_ACTION_MAP(self), ACTIONS, G_N_ELEMENTS(ACTIONS), self);
    for (gsize i = 0; i < G_N_ELEMENTS(KEYS); i++)
        gtk_application_set_accels_for_action(GTK_APPLICATION(self), KEYS[i].action, KEYS[i].keys);
    self->service = dialtone_service_client_new();
    self->catalog = dialtone_catalog_new(self->service);
    self->agent = dialtone_agent_new(self->service, self->catalog);
    self->notifier = dialtone_notifier_new(self->catalog, application);
    add_support(self);
    if (g_application_get_dbus_connection(application) != NULL)
        self->tray = dialtone_tray_new(g_application_get_dbus_connection(application),
                                       self->catalog, G_ACTION_GROUP(self));
    dialtone_service_client_start(self->service);
    g_application_hold(application);
}

/* Started again hidden, there is nothing to do. */
static int dialtone_application_handle_local_options(GApplication *application,
                                                     GVariantDict *options)
{
    DialtoneApplication *self = DIALTONE_APPLICATION(application);
    g_autoptr(GError) error = NULL;
    self->hidden = g_variant_dict_contains(options, "hidden");
    if (!self->hidden)
        return -1;
    if (!g_application_register(application, NULL, &error)) {
        g_warning("%s", error->message);
        return 1;
    }
    return g_application_get_is_remote(application) ? 0 : -1;
}

static GtkWindow *show_window(DialtoneApplication *self)
{
    GtkWindow *window = dialtone_window_find();
    if (window == NULL) {
        window =
            GTK_WINDOW(dialtone_window_new(GTK_APPLICATION(self), self->service, self->catalog));
        g_signal_connect(window, "delete-event", G_CALLBACK(on_delete), self);
    }
    gtk_window_present(window);
    return window;
}

static void dialtone_application_activate(GApplication *application)
{
    DialtoneApplication *self = DIALTONE_APPLICATION(application);
    if (self->hidden)
        self->hidden = FALSE;
    else
        show_window(self);
}

/* Profiles that were opened in a file manager: each is looked at before it is added. */
static void dialtone_application_open(GApplication *application, GFile **files, int n,
                                      const char *hint)
{
    DialtoneApplication *self = DIALTONE_APPLICATION(application);
    GtkWindow *window = show_window(self);
    for (int i = 0; i < MIN(n, FILES_MAX); i++)
        gtk_window_present(GTK_WINDOW(dialtone_assistant_new(window, self->catalog, files[i])));
}

static void dialtone_application_shutdown(GApplication *application)
{
    DialtoneApplication *self = DIALTONE_APPLICATION(application);
    g_clear_object(&self->tray);
    g_clear_object(&self->notifier);
    g_clear_object(&self->support.settings);
    g_clear_object(&self->agent);
    g_clear_object(&self->catalog);
    g_clear_object(&self->service);
    G_APPLICATION_CLASS(dialtone_application_parent_class)->shutdown(application);
}

static void dialtone_application_class_init(DialtoneApplicationClass *class)
{
    GApplicationClass *application_class = G_APPLICATION_CLASS(class);
    application_class->handle_local_options = dialtone_application_handle_local_options;
    application_class->startup = dialtone_application_startup;
    application_class->activate = dialtone_application_activate;
    application_class->open = dialtone_application_open;
    application_class->shutdown = dialtone_application_shutdown;
}

static void dialtone_application_init(DialtoneApplication *self)
{
    static const GOptionEntry OPTIONS[] = {
        {"hidden", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Start without a window, in the tray"), NULL},
        {NULL},
    };
    g_application_add_main_option_entries(G_APPLICATION(self), OPTIONS);
}

DialtoneApplication *dialtone_application_new(void)
{
    return g_object_new(DIALTONE_TYPE_APPLICATION, "application-id", "org.dialtone.Dialtone",
                        "flags", G_APPLICATION_HANDLES_OPEN, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows of their own beside the one of the profiles, so that both can be looked at. A window that
 * is open already is shown again instead of a second one.
 */
#include "gui/support.h"

#include "client/common/i18n.h"
#include "gui/output.h"
#include "gui/preferences.h"
#include "gui/window.h"

#define OPEN_KEY "dialtone-open"

/* ---- one window of a kind ---- */

static GtkWidget *find_open(GtkApplication *application, const char *kind)
{
    for (GList *at = gtk_application_get_windows(application); at != NULL; at = at->next)
        if (g_strcmp0(g_object_get_data(G_OBJECT(at->data), OPEN_KEY), kind) == 0)
            return at->data;
    return NULL;
}

static void show(GtkApplication *application, GtkWidget *window, const char *kind)
{
    g_object_set_data_full(G_OBJECT(window), OPEN_KEY, g_strdup(kind), g_free);
    gtk_application_add_window(application, GTK_WINDOW(window));
    gtk_window_present(GTK_WINDOW(window));
}

static void show_output(const DialtoneSupport *self, const char *kind,
                        const DialtoneOutputSetup *setup)
{
    GtkWidget *open = find_open(self->application, kind);
    if (open != NULL)
        gtk_window_present(GTK_WINDOW(open));
    else
        show(self->application, dialtone_output_new(dialtone_window_find(), setup), kind);
}

/* ---- actions ---- */

static void on_log(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    static const char *const WORDS[] = {"log", "--lines=250", NULL};
    const DialtoneOutputSetup setup = {
        .title = _("Log"),
        .hint = _("What the service has lately decided about your connections. No secret stands in "
                  "it."),
        .file = "dialtone-log.txt",
        .nothing = _("Nothing has been logged yet."),
        .columns = sizeof("2026-01-31 23:59:59  ") - 1,
        .words = WORDS,
    };
    show_output(data, "log", &setup);
}

static void on_bug_report(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    static const char *const WORDS[] = {"bug-report", NULL};
    const DialtoneOutputSetup setup = {
        .title = _("Bug Report"),
        .hint = _("This is all that the report holds. Names, addresses, users and gateways have "
                  "become stand-ins; secrets are never read. Nothing is sent: save it, and send it "
                  "to whoever helps you."),
        .file = "dialtone-report.txt",
        .words = WORDS,
    };
    show_output(data, "bug-report", &setup);
}

static void on_diagnose(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    const DialtoneSupport *self = data;
    DialtoneItem *item =
        dialtone_catalog_find(self->catalog, g_variant_get_string(parameter, NULL));
    if (item == NULL)
        return;
    const char *path = dialtone_item_get_path(item), *name = dialtone_item_get_name(item);
    const char *const words[] = {"diagnose", "--", path != NULL ? path : name, NULL};
    g_autofree char *title = g_strdup_printf(_("Diagnosis of %s"), name);
    const DialtoneOutputSetup setup = {
        .title = title,
        .hint = _("The gateway is asked at most 20 questions, a second apart. No proof of who you "
                  "are is sent, so no account is locked. Nothing is changed."),
        .file = "dialtone-diagnosis.txt",
        .columns = sizeof("skipped  ") - 1,
        .words = words,
        .is_finding = TRUE,
    };
    show_output(self, dialtone_item_get_key(item), &setup);
}

static void on_preferences(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    const DialtoneSupport *self = data;
    GtkWidget *open = find_open(self->application, "preferences");
    if (open != NULL)
        gtk_window_present(GTK_WINDOW(open));
    else if (self->settings != NULL)
        show(self->application, dialtone_preferences_new(dialtone_window_find(), self->settings),
             "preferences");
}

static const GActionEntry ACTIONS[] = {
    {.name = "log", .activate = on_log},
    {.name = "bug-report", .activate = on_bug_report},
    {.name = "diagnose", .activate = on_diagnose, .parameter_type = "s"},
    {.name = "preferences", .activate = on_preferences},
};

void dialtone_support_add_actions(const DialtoneSupport *support)
{
    static const char *const KEYS[] = {"<Primary>comma", NULL};
    g_action_map_add_action_entries(G_ACTION_MAP(support->application), ACTIONS,
                                    G_N_ELEMENTS(ACTIONS), (gpointer)(uintptr_t)support);
    gtk_application_set_accels_for_action(support->application, "app.preferences", KEYS);
    GAction *preferences =
        g_action_map_lookup_action(G_ACTION_MAP(support->application), "preferences");
    g_simple_action_set_enabled(G_SIMPLE_ACTION(preferences), support->settings != NULL);
}

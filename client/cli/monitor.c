/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone monitor, and status --watch: what becomes of the service's connections, a line or an
 * object of JSON a change, until the user has seen enough or the service goes.
 */
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/service.h"
#include "client/cli/verbs.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"

/* Data of a connection: the serial of the last report that was shown. */
#define SHOWN "dialtone-shown"

typedef struct Watch {
    const char *name; /* NULL: all */
    bool json;
    GMainLoop *loop;
    int code;
} Watch;

static void print(const Watch *watch, const DialtoneReport *report)
{
    if (watch->json) {
        g_autofree char *json = dialtone_report_to_json(report);
        puts(json);
    } else {
        g_autofree char *state = dialtone_report_to_line(report);
        g_autofree char *line = g_strdup_printf("%s: %s", report->profile, state);
        cli_print(line);
    }
    fflush(stdout);
}

/* What another user's connection does is no more than a word; nor is what one does that has gone
 * since. */
static void print_state(const Watch *watch, DialtoneBusConnection *connection)
{
    DialtoneState state = DIALTONE_STATE_IDLE;
    if (!dialtone_state_from_name(dialtone_bus_connection_get_state(connection), &state))
        return;
    g_autoptr(DialtoneReport) report =
        dialtone_report_new(state, dialtone_bus_connection_get_name(connection));
    print(watch, report);
}

static void show_after(const Watch *watch, DialtoneBusConnection *connection, guint shown)
{
    const char *name = dialtone_bus_connection_get_name(connection);
    if (name == NULL || (watch->name != NULL && strcmp(name, watch->name) != 0))
        return;
    g_autoptr(GPtrArray) reports = cli_service_reports(connection, &shown);
    for (guint i = 0; i < reports->len; i++)
        print(watch, reports->pdata[i]);
    if (reports->len == 0) {
        print_state(watch, connection);
        shown = dialtone_bus_connection_get_serial(connection);
    }
    g_object_set_data(G_OBJECT(connection), SHOWN, GUINT_TO_POINTER(shown));
}

/* What was reported since the last time. */
static void show(const Watch *watch, DialtoneBusConnection *connection)
{
    guint shown = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(connection), SHOWN));
    if (dialtone_bus_connection_get_serial(connection) > shown)
        show_after(watch, connection, shown);
}

/* Connected swapped. */
static void on_changed(const Watch *watch, GDBusObjectProxy *object, GDBusProxy *proxy,
                       GVariant *changed)
{
    if (DIALTONE_BUS_IS_CONNECTION(proxy) && g_variant_lookup(changed, "Serial", "u", NULL))
        show(watch, DIALTONE_BUS_CONNECTION(proxy));
}

static void on_added(GDBusObjectManager *objects, GDBusObject *object, gpointer data)
{
    g_autoptr(DialtoneBusConnection) connection =
        dialtone_bus_object_get_connection(DIALTONE_BUS_OBJECT(object));
    if (connection != NULL)
        show(data, connection);
}

static void on_removed(GDBusObjectManager *objects, GDBusObject *object, gpointer data)
{
    const Watch *watch = data;
    g_autoptr(DialtoneBusConnection) connection =
        dialtone_bus_object_get_connection(DIALTONE_BUS_OBJECT(object));
    const char *name = connection != NULL ? dialtone_bus_connection_get_name(connection) : NULL;
    /* One that ended well has said so itself. */
    if (name == NULL || strcmp(dialtone_bus_connection_get_state(connection), "idle") == 0 ||
        (watch->name != NULL && strcmp(name, watch->name) != 0))
        return;
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_IDLE, name);
    print(watch, report);
}

static void on_owner(GObject *objects, GParamSpec *property, gpointer data)
{
    Watch *watch = data;
    g_autofree char *owner =
        g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(objects));
    if (owner != NULL)
        return;
    cli_complain(_("The service has ended."));
    watch->code = DIALTONE_FAILURE_INTERNAL;
    g_main_loop_quit(watch->loop);
}

int cli_service_watch(CliService *service, const char *name, bool json)
{
    Watch watch = {.name = name, .json = json, .loop = g_main_loop_new(NULL, FALSE)};
    g_autoptr(GPtrArray) connections = cli_service_connections(service, name);
    for (guint i = 0; i < connections->len; i++)
        show_after(&watch, connections->pdata[i],
                   dialtone_bus_connection_get_serial(connections->pdata[i]) - 1);
    g_signal_connect_swapped(service->objects, "interface-proxy-properties-changed",
                             G_CALLBACK(on_changed), &watch);
    g_signal_connect(service->objects, "object-added", G_CALLBACK(on_added), &watch);
    g_signal_connect(service->objects, "object-removed", G_CALLBACK(on_removed), &watch);
    g_signal_connect(service->objects, "notify::name-owner", G_CALLBACK(on_owner), &watch);
    g_main_loop_run(watch.loop);
    g_main_loop_unref(watch.loop);
    return watch.code;
}

int cli_monitor(int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, N_("Print one JSON object a change of state"),
         NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("[PROFILE]"),
        .summary = _("Shows what becomes of the service's connections until it is interrupted."),
        .description = _("The objects of --json are those that `dialtone connect --json` prints; "
                         "of other users' connections they have the state only."),
    };
    g_auto(GStrv) profiles = NULL;
    g_autoptr(GError) error = NULL;

    if (!cli_parse(argc, argv, options, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (g_strv_length(profiles) > 1)
        return cli_usage(argv[0], "%s", _("give one profile, or none for all"));
    g_autofree char *name = profiles[0] != NULL ? cli_profile_name(profiles[0]) : NULL;
    g_autoptr(CliService) service = cli_service_new(&error);
    if (service == NULL)
        return cli_fail(error);
    return cli_service_watch(service, name, json);
}

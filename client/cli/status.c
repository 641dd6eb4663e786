/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone status: the tunnels that are up and the last state of each. The state of another
 * user's tunnel is not readable; that it is there is.
 */
#include "client/cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/service.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/report.h"
#include "client/profile/store.h"
#include "client/profile/weak.h"

/* NULL where the state can't be read. */
static DialtoneReport *read_report(const PlatformSlotInfo *tunnel)
{
    g_autofree char *json = platform_slot_read_state(NULL, tunnel->number);
    DialtoneReport *report =
        json != NULL ? dialtone_report_from_json(json, strlen(json), NULL) : NULL;

    if (report != NULL)
        dialtone_report_mark_weak(report);
    return report;
}

static void print_line(const PlatformSlotInfo *tunnel, const DialtoneReport *report)
{
    /* One that is only starting has said nothing yet. */
    bool ours = geteuid() == 0 || tunnel->uid == getuid();
    g_autofree char *state = report != NULL ? dialtone_report_to_line(report)
                             : ours         ? g_strdup(_("starting"))
                                            : g_strdup(_("up, by another user"));
    g_autofree char *line = g_strdup_printf("%s (%s): %s", tunnel->label, tunnel->interface, state);

    cli_print(line);
}

static void print_report(const DialtoneReport *report)
{
    g_autofree char *json = dialtone_report_to_json(report);

    puts(json);
}

static void print_tunnel(const PlatformSlotInfo *tunnel, bool as_json)
{
    g_autoptr(DialtoneReport) report = read_report(tunnel);

    if (!as_json)
        print_line(tunnel, report);
    else if (report != NULL)
        print_report(report);
}

/* What the service wants and has no tunnel for: it waits, or has failed. */
static void print_connection(DialtoneBusConnection *connection, bool as_json)
{
    g_autoptr(DialtoneReport) report = cli_service_report(connection);
    const char *name = dialtone_bus_connection_get_name(connection);

    if (as_json && report != NULL)
        print_report(report);
    if (as_json)
        return;
    g_autofree char *state = report != NULL
                                 ? dialtone_report_to_line(report)
                                 : g_strdup_printf(_("%s, of another user"),
                                                   dialtone_bus_connection_get_state(connection));
    g_autofree char *line = g_strdup_printf("%s: %s", name, state);
    cli_print(line);
}

static bool has_tunnel(DialtoneBusConnection *connection, const GArray *tunnels)
{
    for (guint i = 0; i < tunnels->len; i++)
        if (cli_service_carries(connection, &g_array_index(tunnels, PlatformSlotInfo, i)))
            return true;
    return false;
}

/* Returns how many were shown. */
static guint print_connections(const char *name, const GArray *tunnels, bool as_json)
{
    g_autoptr(CliService) service = cli_service_new_if_running();
    g_autoptr(GPtrArray) connections = cli_service_connections(service, name);
    guint n = 0;

    for (guint i = 0; i < connections->len; i++) {
        if (has_tunnel(connections->pdata[i], tunnels))
            continue;
        print_connection(connections->pdata[i], as_json);
        n++;
    }
    return n;
}

/* Returns the exit code. */
static int print_idle(const char *what, const char *name, bool as_json)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_IDLE, name);
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GError) error = NULL;
    g_autofree char *path = dialtone_store_find(store, what, &error);

    if (path == NULL)
        return cli_fail(error);
    if (as_json) {
        print_report(report);
        return DIALTONE_FAILURE_NONE;
    }
    g_autofree char *state = dialtone_report_to_line(report);
    g_autofree char *line = g_strdup_printf("%s: %s", name, state);
    cli_print(line);
    return DIALTONE_FAILURE_NONE;
}

static int watch_service(const char *name, bool as_json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CliService) service = cli_service_new(&error);

    return service != NULL ? cli_service_watch(service, name, as_json) : cli_fail(error);
}

int cli_status(int argc, char **argv)
{
    gboolean as_json = FALSE, watch = FALSE;
    const GOptionEntry options[] = {
        {"watch", 'w', 0, G_OPTION_ARG_NONE, &watch,
         N_("Go on showing what becomes of the service's connections"), NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json,
         N_("Print the last state of each tunnel, one JSON object a line"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("[PROFILE]"),
        .summary = _("Shows the tunnels that are up, or whether the one of PROFILE is."),
        .description = _("The objects of --json are those that `dialtone connect --json` prints. "
                         "The state of other users' tunnels is shown to root only."),
    };
    g_auto(GStrv) profiles = NULL;

    if (!cli_parse(argc, argv, options, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (g_strv_length(profiles) > 1)
        return cli_usage(argv[0], "%s", _("give one profile, or none for all"));

    g_autofree char *name = profiles[0] != NULL ? cli_profile_name(profiles[0]) : NULL;
    if (watch)
        return watch_service(name, as_json);
    g_autoptr(GArray) tunnels = cli_tunnels(name);
    for (guint i = 0; i < tunnels->len; i++)
        print_tunnel(&g_array_index(tunnels, PlatformSlotInfo, i), as_json);
    guint n = tunnels->len + print_connections(name, tunnels, as_json);
    if (n == 0 && name != NULL)
        return print_idle(profiles[0], name, as_json);
    if (n == 0 && !as_json)
        cli_print(_("No tunnel is up."));
    return DIALTONE_FAILURE_NONE;
}

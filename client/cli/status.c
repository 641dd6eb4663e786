/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone status: the tunnels that are up and the last state of each, and the kill switches that
 * were left behind, for else nobody knows why nothing gets through. The state of another user's
 * tunnel is not readable; that it is there is.
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
#include "platform/firewall.h"

typedef struct {
    const char *name; /* NULL: all */
    bool as_json;
    GArray *tunnels; /* of PlatformSlotInfo */
    GArray *left;    /* of PlatformFirewallLeft: kill switches that nobody of these holds */
    guint shown;
} Status;

/* NULL where the state can't be read. */
static DialtoneReport *read_report(const PlatformSlotInfo *tunnel)
{
    g_autofree char *json = platform_slot_read_state(NULL, tunnel->number);
    DialtoneReport *report =
        json != NULL ? dialtone_report_from_json(json, strlen(json), NULL) : NULL;

    if (report == NULL)
        return NULL;
    dialtone_report_mark_weak(report);
    cli_report_localize(report);
    return report;
}

/* ---- kill switches that were left ---- */

static GArray *left_of(const char *name)
{
    GArray *left = platform_firewall_left(NULL);

    for (guint i = left->len; name != NULL && i-- > 0;)
        if (strcmp(g_array_index(left, PlatformFirewallLeft, i).label, name) != 0)
            g_array_remove_index(left, i);
    return left;
}

/* Takes it out of the list, for it is told now. NULL: that profile has left none. */
static char *take_left(Status *status, const char *profile)
{
    char *found = NULL;

    for (guint i = status->left->len; profile != NULL && i-- > 0;) {
        const PlatformFirewallLeft *left = &g_array_index(status->left, PlatformFirewallLeft, i);
        if (strcmp(left->label, profile) != 0)
            continue;
        g_free(found);
        found = g_strdup(left->persistent ? "persistent" : "yes");
        g_array_remove_index(status->left, i);
    }
    return found;
}

static void print_report(Status *status, DialtoneReport *report)
{
    g_free(report->kill_switch); /* what a tunnel's process says of it is no matter */
    report->kill_switch = take_left(status, report->profile);
    g_autofree char *json = dialtone_report_to_json(report);

    puts(json);
}

static DialtoneReport *report_of(const PlatformFirewallLeft *left)
{
    DialtoneReport *report = dialtone_report_new(DIALTONE_STATE_IDLE, left->label);

    report->message =
        g_strdup(_("Its kill switch was left behind, and blocks what is for the tunnel."));
    report->advice = g_strdup(_("Connect again, or release it: sudo dialtone disconnect "
                                "--release-kill-switch"));
    return report;
}

static void print_left_line(const DialtoneReport *report)
{
    g_autofree char *line =
        g_strdup_printf("%s: %s %s", report->profile, report->message, report->advice);

    cli_print(line);
}

/* Those that no object of JSON was about. */
static void print_left(Status *status)
{
    status->shown += status->left->len;
    for (guint i = 0; !status->as_json && i < status->left->len; i++) {
        g_autoptr(DialtoneReport) report =
            report_of(&g_array_index(status->left, PlatformFirewallLeft, i));
        print_left_line(report);
    }
    while (status->as_json && status->left->len > 0) {
        g_autoptr(DialtoneReport) report =
            report_of(&g_array_index(status->left, PlatformFirewallLeft, 0));
        print_report(status, report);
    }
}

/* ---- tunnels and connections ---- */

static void print_traffic(const DialtoneReport *report)
{
    g_autofree char *traffic = report != NULL ? dialtone_report_to_traffic_line(report) : NULL;
    g_autofree char *line = traffic != NULL ? g_strconcat("  ", traffic, NULL) : NULL;

    if (line != NULL)
        cli_print(line);
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
    print_traffic(report);
}

static void print_tunnels(Status *status)
{
    for (guint i = 0; i < status->tunnels->len; i++) {
        const PlatformSlotInfo *tunnel = &g_array_index(status->tunnels, PlatformSlotInfo, i);
        g_autoptr(DialtoneReport) report = read_report(tunnel);

        if (!status->as_json)
            print_line(tunnel, report);
        else if (report != NULL)
            print_report(status, report);
    }
    status->shown += status->tunnels->len;
}

/* What the service wants and has no tunnel for: it waits, or has failed. */
static void print_connection(Status *status, DialtoneBusConnection *connection)
{
    g_autoptr(DialtoneReport) report = cli_service_report(connection);
    const char *name = dialtone_bus_connection_get_name(connection);

    if (status->as_json && report != NULL)
        print_report(status, report);
    if (status->as_json)
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

static void print_connections(Status *status)
{
    g_autoptr(CliService) service = cli_service_new_if_running();
    g_autoptr(GPtrArray) connections = cli_service_connections(service, status->name);

    for (guint i = 0; i < connections->len; i++) {
        if (has_tunnel(connections->pdata[i], status->tunnels))
            continue;
        print_connection(status, connections->pdata[i]);
        status->shown++;
    }
}

/* Returns the exit code. */
static int print_idle(Status *status, const char *what)
{
    g_autoptr(DialtoneReport) report = dialtone_report_new(DIALTONE_STATE_IDLE, status->name);
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GError) error = NULL;
    g_autofree char *path = dialtone_store_find(store, what, &error);

    if (path == NULL)
        return cli_fail(error);
    if (status->as_json) {
        print_report(status, report);
        return DIALTONE_FAILURE_NONE;
    }
    g_autofree char *state = dialtone_report_to_line(report);
    g_autofree char *line = g_strdup_printf("%s: %s", status->name, state);
    cli_print(line);
    return DIALTONE_FAILURE_NONE;
}

/* Returns the exit code. */
static int print_all(Status *status, const char *what)
{
    print_tunnels(status);
    print_connections(status);
    print_left(status);
    if (status->shown > 0)
        return DIALTONE_FAILURE_NONE;
    if (status->name != NULL)
        return print_idle(status, what);
    if (!status->as_json)
        cli_print(_("No tunnel is up."));
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
    g_autoptr(GArray) left = left_of(name), tunnels = cli_tunnels(name);
    Status status = {.name = name, .as_json = as_json, .tunnels = tunnels, .left = left};
    return print_all(&status, profiles[0]);
}

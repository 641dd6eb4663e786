/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone log: what the service has lately decided about the user's own connections. It holds no
 * secret, so that it can be shown to whoever helps.
 */
#include <stdio.h>

#include "client/cli/cli.h"
#include "client/cli/service.h"
#include "client/cli/verbs.h"
#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"

enum { LINES_DEFAULT = 100, LINES_MAX = 1000 };

static char *time_text(guint64 microseconds, bool utc)
{
    gint64 seconds = (gint64)(microseconds / G_USEC_PER_SEC);
    g_autoptr(GDateTime) time =
        utc ? g_date_time_new_from_unix_utc(seconds) : g_date_time_new_from_unix_local(seconds);
    return g_date_time_format(time, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S");
}

static void print_json(const char *time, const char *profile, const char *text)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    cli_json_text(json, "time", time);
    cli_json_text(json, "profile", *profile != '\0' ? profile : NULL);
    cli_json_text(json, "text", text);
    json_builder_end_object(json);
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *line = json_to_string(root, FALSE);
    puts(line);
}

static void print_lines(GVariant *lines, bool as_json)
{
    GVariantIter iter;
    guint64 time = 0;
    const char *profile, *text;
    g_variant_iter_init(&iter, lines);
    while (g_variant_iter_next(&iter, "(t&s&s)", &time, &profile, &text)) {
        g_autofree char *when = time_text(time, as_json);
        if (as_json) {
            print_json(when, profile, text);
            continue;
        }
        g_autofree char *line =
            g_strdup_printf("%s  %s%s%s", when, profile, *profile != '\0' ? ": " : "", text);
        cli_print(line);
    }
}

int cli_log(int argc, char **argv)
{
    gboolean as_json = FALSE;
    gint max = LINES_DEFAULT;
    const GOptionEntry options[] = {
        {"lines", 'n', 0, G_OPTION_ARG_INT, &max, N_("Show so many lines (100)"), N_("NUMBER")},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print one JSON object a line"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .summary = _("Shows what the service has lately decided about your connections."),
        .description = _("Root sees those of all users. Nothing in it is secret. A standalone "
                         "tunnel tells the same on its terminal."),
    };
    g_autoptr(GError) error = NULL, remote = NULL;
    g_autoptr(GVariant) lines = NULL;

    if (!cli_parse(argc, argv, options, &help, NULL))
        return DIALTONE_FAILURE_USAGE;
    if (max < 1 || max > LINES_MAX)
        return cli_usage(argv[0], _("--lines takes 1 to %d"), LINES_MAX);
    g_autoptr(CliService) service = cli_service_new(&error);
    if (service == NULL)
        return cli_fail(error);
    if (!dialtone_bus_manager_call_get_log_sync(service->manager, (guint)max, &lines, NULL,
                                                &remote)) {
        error = dialtone_bus_error_read(remote);
        return cli_fail(error);
    }
    print_lines(lines, as_json);
    return DIALTONE_FAILURE_NONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone bug-report: what somebody who helps needs to know, without who and where the user is. It
 * is shown as a whole before anything is written, and nothing is ever sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/redact.h"
#include "client/cli/service.h"
#include "client/cli/verbs.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/profile/store.h"

enum { LOG_LINES = 250 };

typedef struct Report {
    GString *text;
    CliRedaction *redaction;
} Report;

static void title(Report *report, const char *text)
{
    g_string_append_printf(report->text, "\n== %s\n", text);
}

/* ---- the computer ---- */

/* "PRETTY_NAME" of os-release. */
static void add_system(Report *report)
{
    struct utsname name;
    g_autofree char *release = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
    title(report, "system");
    g_string_append_printf(report->text, "dialtone %s\n%s\n", DIALTONE_VERSION,
                           release != NULL ? release : "?");
    if (uname(&name) == 0)
        g_string_append_printf(report->text, "Linux %s %s\n", name.release, name.machine);
    const char *host = g_get_host_name();
    cli_redaction_add(report->redaction, "computer", host);
    cli_redaction_add(report->redaction, "person", g_get_user_name());
}

/* ---- profiles ---- */

static void hide(Report *report, const DialtoneProfile *profile)
{
    static const struct {
        const char *group, *key, *kind;
    } PRIVATE[] = {{"Profile", "Name", "profile"},        {"Profile", "Description", "description"},
                   {"Profile", "UUID", "uuid"},           {"Identity", "ID", "id"},
                   {"UserAuth", "User", "user"},          {"Identity", "Certificate", "file"},
                   {"Identity", "Key", "file"},           {"Identity", "CA", "file"},
                   {"Gateway", "RemoteID", "gateway-id"}, {"Access", "Users", "people"},
                   {"Access", "Groups", "people"}};
    for (gsize i = 0; i < G_N_ELEMENTS(PRIVATE); i++) {
        const char *value = dialtone_profile_value(profile, PRIVATE[i].group, PRIVATE[i].key);
        bool is_word = value != NULL && strcmp(value, "any") != 0 && strcmp(value, "system") != 0 &&
                       strcmp(value, "keyring") != 0;
        if (is_word)
            cli_redaction_add(report->redaction, PRIVATE[i].kind, value);
    }
    cli_redaction_add(report->redaction, "id", profile->id.value);
    cli_redaction_add(report->redaction, "gateway-id", profile->remote_id.value);
    for (guint i = 0; i < profile->gateways->len; i++)
        cli_redaction_add(report->redaction, "gateway",
                          g_array_index(profile->gateways, DialtoneEndpoint, i).host);
}

static void add_entry(Report *report, const DialtoneStoreEntry *entry)
{
    g_string_append_printf(report->text, "\n# %s (%s)%s\n", entry->path,
                           dialtone_layer_name(entry->layer),
                           entry->hidden != NULL ? ", hidden" : "");
    cli_redaction_add(report->redaction, "profile", entry->stem);
    for (guint i = 0; i < entry->issues->len; i++) {
        g_autofree char *issue = dialtone_issue_text(entry->issues->pdata[i], entry->path);
        g_string_append_printf(report->text, "# %s\n", issue);
    }
    if (entry->profile == NULL)
        return;
    g_autofree char *text = dialtone_profile_to_text(entry->profile, false);
    hide(report, entry->profile);
    g_string_append(report->text, text);
}

static void add_profiles(Report *report)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GPtrArray) entries = dialtone_store_list(store);
    title(report, "profiles");
    for (guint i = 0; i < entries->len; i++)
        add_entry(report, entries->pdata[i]);
}

/* ---- the service ---- */

static void add_connections(Report *report, CliService *service)
{
    g_autoptr(GPtrArray) connections = cli_service_connections(service, NULL);
    title(report, "connections");
    for (guint i = 0; i < connections->len; i++) {
        g_autoptr(DialtoneReport) state = cli_service_report(connections->pdata[i]);
        g_autofree char *json = state != NULL ? dialtone_report_to_json(state) : NULL;
        g_string_append_printf(
            report->text, "%s\n",
            json != NULL ? json : dialtone_bus_connection_get_state(connections->pdata[i]));
        if (state != NULL)
            cli_redaction_add(report->redaction, "banner", state->banner);
    }
}

static void add_log(Report *report, CliService *service)
{
    GVariantIter iter;
    guint64 time = 0;
    const char *profile, *text;
    g_autoptr(GVariant) lines = NULL;
    title(report, "log");
    if (!dialtone_bus_manager_call_get_log_sync(service->manager, LOG_LINES, &lines, NULL, NULL))
        return;
    g_variant_iter_init(&iter, lines);
    while (g_variant_iter_next(&iter, "(t&s&s)", &time, &profile, &text)) {
        g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc((gint64)(time / G_USEC_PER_SEC));
        g_autofree char *stamp = g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ");
        g_string_append_printf(report->text, "%s %s: %s\n", stamp, profile, text);
    }
}

static void add_service(Report *report)
{
    g_autoptr(CliService) service = cli_service_new_if_running();
    if (service == NULL) {
        title(report, "the service does not run");
        return;
    }
    add_connections(report, service);
    add_log(report, service);
}

/* ---- the file ---- */

static char *make(void)
{
    Report report = {.text = g_string_new("Dialtone bug report\n"),
                     .redaction = cli_redaction_new()};
    add_system(&report);
    add_profiles(&report);
    add_service(&report);
    char *text = cli_redact(report.redaction, report.text->str);
    g_string_free(report.text, TRUE);
    cli_redaction_free(report.redaction);
    return text;
}

/* All of it, however much that is. */
static void show(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        cli_print(*line);
    fflush(stdout);
}

static bool is_agreed(void)
{
    char answer[8] = "";
    fprintf(stderr, "%s ", _("Save this? [y/N]"));
    return isatty(STDIN_FILENO) && fgets(answer, sizeof(answer), stdin) != NULL &&
           (answer[0] == 'y' || answer[0] == 'Y');
}

/* Never over a file that is there. */
static int save(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;
    gsize n = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool done = fd >= 0 && write(fd, text, n) == (ssize_t)n;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (!done) {
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                             _("Name another file with --output."), "%s: %s", path,
                             g_strerror(code));
        return cli_fail(error);
    }
    g_autofree char *line =
        g_strdup_printf(_("Saved as %s. Read it once more before you send it."), path);
    cli_complain(line);
    return DIALTONE_FAILURE_NONE;
}

static char *default_path(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    return g_date_time_format(now, "dialtone-report-%Y%m%d-%H%M%S.txt");
}

int cli_bug_report(int argc, char **argv)
{
    gboolean yes = FALSE;
    g_autofree char *output = NULL;
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, N_("Save it as this file"), N_("FILE")},
        {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, N_("Save it without asking"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .summary = _("Collects what somebody who helps needs to know, and shows it before it is "
                     "saved."),
        .description = _("Names, addresses, users and gateways become stand-ins; secrets are "
                         "never read. Nothing is sent to anybody."),
    };
    if (!cli_parse(argc, argv, options, &help, NULL))
        return DIALTONE_FAILURE_USAGE;
    g_autofree char *text = make();
    show(text);
    if (!yes && !is_agreed()) {
        cli_complain(_("Nothing was saved."));
        return DIALTONE_FAILURE_NONE;
    }
    g_autofree char *path = output != NULL ? g_strdup(output) : default_path();
    return save(path, text);
}

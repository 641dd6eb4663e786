/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs share. Standard output is for what was asked for, standard error for everything
 * else; nothing is coloured. No function here starts a thread or calls GIO.
 */
#include "client/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/schema.h"
#include "client/profile/store.h"

enum { TEXT_MAX = 64 * 1024 };

/* What a program reads has no language. */
static bool wants_json(const GOptionEntry *options)
{
    for (; options != NULL && options->long_name != NULL; options++)
        if (strcmp(options->long_name, "json") == 0)
            return *(const gboolean *)options->arg_data;
    return false;
}

bool cli_parse(int argc, char **argv, const GOptionEntry *options, const CliHelp *help,
               char ***restp)
{
    g_autofree char *program = g_strdup_printf("dialtone %s", argv[0]);
    g_autoptr(GOptionContext) context = g_option_context_new(help->arguments);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) copy = g_new0(char *, (gsize)argc + 1);
    g_autofree char **rest = g_new0(char *, (gsize)argc + 1);
    int left = argc;

    for (int i = 0; i < argc; i++)
        rest[i] = copy[i] = g_strdup(argv[i]);
    g_set_prgname(program);
    g_option_context_set_summary(context, help->summary);
    g_option_context_set_description(context, help->description);
    if (options != NULL)
        g_option_context_add_main_entries(context, options, DIALTONE_TEXTDOMAIN);
    if (!g_option_context_parse(context, &left, &rest, &error)) {
        cli_usage(argv[0], "%s", error->message);
        return false;
    }
    if (wants_json(options))
        dialtone_i18n_stop();
    int first = left > 1 && strcmp(rest[1], "--") == 0 ? 2 : 1;
    if (restp != NULL)
        *restp = g_strdupv(rest + MIN(first, left));
    else if (left > first) {
        cli_usage(argv[0], _("'%s' is one argument too many"), rest[first]);
        return false;
    }
    return true;
}

static void print_clean(FILE *to, const char *text)
{
    g_autofree char *clean = dialtone_text_clean(text, strlen(text), TEXT_MAX, DIALTONE_TEXT_LINES);
    fprintf(to, "%s\n", clean);
}

void cli_print(const char *text)
{
    print_clean(stdout, text);
}

void cli_complain(const char *text)
{
    print_clean(stderr, text);
}

int cli_usage(const char *verb, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = g_strdup_printf("dialtone %s: %s", verb, message);
    cli_complain(line);
    g_autofree char *hint = g_strdup_printf(_("Try: dialtone %s --help"), verb);
    cli_complain(hint);
    return DIALTONE_FAILURE_USAGE;
}

int cli_fail(const GError *error)
{
    const char *advice = dialtone_failure_advice(error);

    cli_complain(error->message);
    if (advice != NULL)
        cli_complain(advice);
    return (int)dialtone_failure_of(error);
}

void cli_report_localize(DialtoneReport *report)
{
    dialtone_report_localize(report);
    if (report->remedy != DIALTONE_REMEDY_DIAGNOSE)
        return;
    g_autofree char *command =
        g_strdup_printf(_("`dialtone diagnose %s` finds out what the gateway accepts, or what is "
                          "in the way."),
                        report->profile);
    char *advice = dialtone_advice_add(report->advice, command);
    g_free(report->advice);
    report->advice = advice;
}

static void complain_of(const GPtrArray *issues, const char *file, bool errors)
{
    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        g_autofree char *text = dialtone_issue_text(issue, file);
        if (issue->warning || errors)
            cli_complain(text);
    }
}

const char *cli_issue_file(const DialtoneFound *found, const DialtoneIssue *issue)
{
    const DialtoneProfileKey *row = issue->group != NULL && issue->key != NULL
                                        ? dialtone_profile_key(issue->group, issue->key)
                                        : NULL;

    if (found->override == NULL || row == NULL)
        return found->entry->path;
    return found->profile->overridden[row - dialtone_profile_keys] ? found->override
                                                                   : found->entry->path;
}

void cli_complain_of(const DialtoneFound *found, const GPtrArray *more, bool errors)
{
    complain_of(found->entry->issues, found->entry->path, errors);
    complain_of(found->issues, found->override, errors);
    for (guint i = 0; more != NULL && i < more->len; i++) {
        const DialtoneIssue *issue = more->pdata[i];
        g_autofree char *text = dialtone_issue_text(issue, cli_issue_file(found, issue));
        if (issue->warning || errors)
            cli_complain(text);
    }
}

uid_t cli_caller(void)
{
    const char *sudo = g_getenv("SUDO_UID");
    guint64 uid = 0;

    if (geteuid() == 0 && sudo != NULL &&
        g_ascii_string_to_unsigned(sudo, 10, 0, G_MAXUINT32 - 1, &uid, NULL))
        return (uid_t)uid;
    return getuid();
}

char *cli_clean(const char *text)
{
    return dialtone_text_clean(text, strlen(text), TEXT_MAX, DIALTONE_TEXT_LINES);
}

void cli_json_text(JsonBuilder *json, const char *name, const char *text)
{
    json_builder_set_member_name(json, name);
    if (text == NULL) {
        json_builder_add_null_value(json);
        return;
    }
    g_autofree char *clean = cli_clean(text);
    json_builder_add_string_value(json, clean);
}

char *cli_profile_name(const char *what)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autofree char *path = dialtone_store_find(store, what, NULL);

    return path != NULL ? dialtone_store_name(path) : g_strdup(what);
}

int cli_none_is_up(const char *what)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GError) error = NULL;
    g_autofree char *path = what != NULL ? dialtone_store_find(store, what, &error) : NULL;

    if (path == NULL && error != NULL)
        return cli_fail(error);
    cli_complain(what != NULL ? _("That profile is not connected.") : _("No tunnel is up."));
    return DIALTONE_FAILURE_NONE;
}

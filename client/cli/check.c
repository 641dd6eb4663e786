/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone check: reads profiles and secrets files as connect would, and says everything that is
 * wrong with them, without connecting. Findings go to standard error in the form that editors
 * and compilers use; with --json everything goes to standard output, an object a file.
 */
#include "client/cli/verbs.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/secrets.h"
#include "client/profile/store.h"
#include "client/profile/strength.h"
#include "platform/secret-memory.h"

static void add_issue(JsonBuilder *json, const DialtoneIssue *issue)
{
    json_builder_begin_object(json);
    json_builder_set_member_name(json, "line");
    json_builder_add_int_value(json, issue->line);
    cli_json_text(json, "severity", issue->warning ? "warning" : "error");
    cli_json_text(json, "group", issue->group);
    cli_json_text(json, "key", issue->key);
    cli_json_text(json, "message", issue->message);
    json_builder_end_object(json);
}

/* @error is what kept the file, or what it names, from being read at all. */
static void print_json(const char *file, const DialtoneProfile *profile,
                       const DialtoneCertificate *certificate, const GPtrArray *issues,
                       const GError *error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    cli_json_text(json, "file", file);
    json_builder_set_member_name(json, "valid");
    bool valid = error == NULL && (issues == NULL || !dialtone_issues_any_error(issues));
    json_builder_add_boolean_value(json, valid);
    cli_json_text(json, "profile", profile != NULL ? profile->name : NULL);
    cli_json_text(json, "uuid", profile != NULL ? profile->uuid : NULL);
    cli_certificate_json(json, certificate);
    json_builder_set_member_name(json, "issues");
    json_builder_begin_array(json);
    for (guint i = 0; issues != NULL && i < issues->len; i++)
        add_issue(json, issues->pdata[i]);
    json_builder_end_array(json);
    if (error != NULL && (profile != NULL || issues == NULL || issues->len == 0))
        cli_json_text(json, "message", error->message);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}

/* Of a profile that can't be read, the error has all but the warnings. */
static void print_issues(const GPtrArray *issues, const char *file, bool errors)
{
    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        g_autofree char *text = dialtone_issue_text(issue, file);
        if (issue->warning || errors)
            cli_complain(text);
    }
}

static void print_valid(const char *file, const DialtoneCertificate *certificate)
{
    g_autofree char *line = g_strdup_printf(_("%s: valid"), file);
    g_autofree char *more = certificate != NULL ? cli_certificate_line(certificate) : NULL;
    g_autofree char *all = more != NULL ? g_strdup_printf("%s; %s", line, more) : NULL;
    cli_print(all != NULL ? all : line);
}

static bool check_profile(const DialtoneStore *store, const char *what,
                          const DialtoneSecrets *secrets, bool as_json)
{
    bool has_psk = secrets != NULL && secrets->psk.bytes != NULL;
    const DialtoneSecret *passphrase = secrets != NULL ? &secrets->passphrase : NULL;
    g_autoptr(DialtoneCertificate) certificate = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) issues = NULL;
    g_autoptr(DialtoneProfile) profile = NULL;
    g_autofree char *path = dialtone_store_find(store, what, &error);
    const char *shown = path != NULL ? path : what;

    if (path != NULL)
        profile = has_psk ? dialtone_profile_load_with_psk(path, &issues, &error)
                          : dialtone_profile_load(path, &issues, &error);
    if (profile != NULL)
        certificate = cli_certificate(profile, path, passphrase, issues, &error);
    bool valid = error == NULL && !dialtone_issues_any_error(issues);
    if (as_json) {
        print_json(shown, profile, certificate, issues, error);
        return valid;
    }
    if (issues != NULL)
        print_issues(issues, shown, profile != NULL);
    /* The advice is for those who meant to connect. */
    if (error != NULL)
        path != NULL ? cli_complain(error->message) : (void)cli_fail(error);
    if (valid)
        print_valid(shown, certificate);
    return valid;
}

/* A weak key is valid: the gateway's administrator chose it. */
static GPtrArray *weak_psk(const DialtoneSecrets *secrets)
{
    GPtrArray *issues = dialtone_issues_new();
    const DialtoneIssue where = {.warning = true, .group = (char *)"Secrets", .key = (char *)"PSK"};

    if (secrets == NULL || secrets->psk.bytes == NULL)
        return issues;
    g_autofree char *warning = dialtone_strength_warning(secrets->psk.bytes, secrets->psk.n);
    if (warning != NULL)
        dialtone_issues_add(issues, &where, "%s", warning);
    return issues;
}

static bool check_secrets(const char *file, bool as_json, DialtoneSecrets **secretsp)
{
    static const DialtoneSecretMemory memory = {platform_secret_alloc, platform_secret_free};
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) secrets = NULL;
    int fd = dialtone_secrets_open(file, cli_caller(), &error);

    if (fd >= 0) {
        secrets = dialtone_secrets_read(fd, file, &memory, &error);
        close(fd);
    }
    bool valid = secrets != NULL;
    g_autoptr(GPtrArray) issues = weak_psk(secrets);
    *secretsp = g_steal_pointer(&secrets);
    if (as_json) {
        print_json(file, NULL, NULL, issues, error);
        return valid;
    }
    print_issues(issues, file, false);
    if (valid)
        print_valid(file, NULL);
    else
        cli_fail(error);
    return valid;
}

int cli_check(int argc, char **argv)
{
    gboolean as_json = FALSE;
    g_autofree char *secrets = NULL;
    g_autoptr(DialtoneSecrets) read = NULL;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print one JSON object a file"), NULL},
        {"secrets", 0, 0, G_OPTION_ARG_FILENAME, &secrets, N_("Check this secrets file too"),
         N_("FILE")},
        {NULL},
    };
    const CliHelp help = {
        .arguments = _("[PROFILE...]"),
        .summary = _("Reads profiles without connecting and says everything that is wrong."),
        .description = _("PROFILE is a name, a UUID or a path. Exit code 0: all are valid, also "
                         "with warnings; 3: at least one is not."),
    };
    g_auto(GStrv) profiles = NULL;
    bool good = true;

    if (!cli_parse(argc, argv, options, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (profiles[0] == NULL && secrets == NULL)
        return cli_usage(argv[0], "%s", _("which profile? Give a name, a UUID or a path"));

    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    if (secrets != NULL)
        good = check_secrets(secrets, as_json, &read);
    for (gsize i = 0; profiles[i] != NULL; i++)
        good = check_profile(store, profiles[i], read, as_json) && good;
    return good ? DIALTONE_FAILURE_NONE : DIALTONE_FAILURE_PROFILE_INVALID;
}

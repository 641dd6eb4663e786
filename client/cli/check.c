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
#include "client/profile/policy-check.h"
#include "client/profile/secrets.h"
#include "client/profile/store.h"
#include "client/profile/strength.h"
#include "platform/secret-memory.h"

static void add_issue(JsonBuilder *json, const DialtoneIssue *issue, const char *file)
{
    json_builder_begin_object(json);
    cli_json_text(json, "file", file);
    json_builder_set_member_name(json, "line");
    json_builder_add_int_value(json, issue->line);
    cli_json_text(json, "severity", issue->warning ? "warning" : "error");
    cli_json_text(json, "group", issue->group);
    cli_json_text(json, "key", issue->key);
    cli_json_text(json, "message", issue->message);
    json_builder_end_object(json);
}

/* What was checked, and what came of it. */
typedef struct {
    const char *file;
    const DialtoneFound *found; /* NULL: no profile, or none was found */
    const DialtoneCertificate *certificate;
    const GPtrArray *issues; /* beside those of `found` */
    const GPtrArray *policy; /* what the policy forbids of it, in lines; NULL: nothing was asked */
    const GError *error;     /* what kept the file, or what it names, from being read at all */
} Result;

static bool is_valid(const Result *result)
{
    const DialtoneFound *found = result->found;

    return result->error == NULL && !dialtone_issues_any_error(result->issues) &&
           (found == NULL || found->profile != NULL);
}

static void add_issues(JsonBuilder *json, const Result *result)
{
    const DialtoneFound *found = result->found;
    const GPtrArray *own = found != NULL ? found->entry->issues : NULL;
    const GPtrArray *changed = found != NULL ? found->issues : NULL;

    json_builder_set_member_name(json, "issues");
    json_builder_begin_array(json);
    for (guint i = 0; own != NULL && i < own->len; i++)
        add_issue(json, own->pdata[i], found->entry->path);
    for (guint i = 0; changed != NULL && i < changed->len; i++)
        add_issue(json, changed->pdata[i], found->override);
    for (guint i = 0; i < result->issues->len; i++) {
        const DialtoneIssue *issue = result->issues->pdata[i];
        add_issue(json, issue, found != NULL ? cli_issue_file(found, issue) : result->file);
    }
    json_builder_end_array(json);
}

static void add_policy(JsonBuilder *json, const Result *result)
{
    json_builder_set_member_name(json, "policy");
    json_builder_begin_array(json);
    for (guint i = 0; result->policy != NULL && i < result->policy->len; i++) {
        g_autofree char *line = cli_clean(result->policy->pdata[i]);
        json_builder_add_string_value(json, line);
    }
    json_builder_end_array(json);
}

static void print_json(const Result *result)
{
    const DialtoneProfile *profile = result->found != NULL ? result->found->profile : NULL;
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    cli_json_text(json, "file", result->file);
    json_builder_set_member_name(json, "valid");
    json_builder_add_boolean_value(json, is_valid(result));
    cli_json_text(json, "profile", profile != NULL ? profile->name : NULL);
    cli_json_text(json, "uuid", profile != NULL ? profile->uuid : NULL);
    if (result->found != NULL) {
        cli_json_text(json, "layer", dialtone_layer_name(result->found->entry->layer));
        cli_json_text(json, "override", result->found->override);
    }
    cli_certificate_json(json, result->certificate);
    add_issues(json, result);
    add_policy(json, result);
    if (result->error != NULL)
        cli_json_text(json, "message", result->error->message);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}

static void print_valid(const char *file, const DialtoneCertificate *certificate)
{
    g_autofree char *line = g_strdup_printf(_("%s: valid"), file);
    g_autofree char *more = certificate != NULL ? cli_certificate_line(certificate) : NULL;
    g_autofree char *all = more != NULL ? g_strdup_printf("%s; %s", line, more) : NULL;
    cli_print(all != NULL ? all : line);
}

/* A profile that is valid may still be forbidden here. */
static DialtoneFailure code_of(const Result *result)
{
    if (!is_valid(result))
        return DIALTONE_FAILURE_PROFILE_INVALID;
    return result->policy != NULL && result->policy->len > 0 ? DIALTONE_FAILURE_POLICY
                                                             : DIALTONE_FAILURE_NONE;
}

static void print_result(const Result *result)
{
    if (result->found != NULL)
        cli_complain_of(result->found, result->issues, true);
    for (guint i = 0; result->policy != NULL && i < result->policy->len; i++)
        cli_complain(result->policy->pdata[i]);
    /* The advice is for those who meant to connect. */
    if (result->error != NULL)
        result->found != NULL ? cli_complain(result->error->message)
                              : (void)cli_fail(result->error);
    if (is_valid(result))
        print_valid(result->file, result->certificate);
}

static GPtrArray *ask_policy(const DialtoneStore *store, const DialtoneFound *found)
{
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&store->root);

    if (found == NULL || found->profile == NULL)
        return NULL;
    return dialtone_policy_findings(policy, found->profile, found->entry->layer);
}

static DialtoneFailure check_profile(const DialtoneStore *store, const char *what,
                                     const DialtoneSecrets *secrets, bool as_json)
{
    bool has_psk = secrets != NULL && secrets->psk.bytes != NULL;
    const DialtoneSecret *passphrase = secrets != NULL ? &secrets->passphrase : NULL;
    g_autoptr(DialtoneCertificate) certificate = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    g_autoptr(DialtoneFound) found = dialtone_store_open(store, what, has_psk, &error);
    g_autoptr(GPtrArray) policy = ask_policy(store, found);

    if (found != NULL && found->profile != NULL)
        certificate =
            cli_certificate(found->profile, found->entry->path, passphrase, issues, &error);
    /* A file that can't be read has no line to blame. */
    if (as_json && found != NULL && found->entry->text == NULL)
        dialtone_found_fail(found, &error);
    const Result result = {.file = found != NULL ? found->entry->path : what,
                           .found = found,
                           .certificate = certificate,
                           .issues = issues,
                           .policy = policy,
                           .error = error};
    if (as_json)
        print_json(&result);
    else
        print_result(&result);
    return code_of(&result);
}

/* What is wrong with a file counts more than what is forbidden. */
static DialtoneFailure worse(DialtoneFailure a, DialtoneFailure b)
{
    if (a == DIALTONE_FAILURE_PROFILE_INVALID || b == DIALTONE_FAILURE_NONE)
        return a;
    return b;
}

/* A weak key is valid: the gateway's administrator chose it. */
static GPtrArray *weak_psk(const DialtoneSecrets *secrets)
{
    GPtrArray *issues = dialtone_issues_new();
    const DialtoneIssue where = {.warning = true, .group = (char *)"Secrets", .key = (char *)"PSK"};

    if (secrets == NULL || secrets->psk.bytes == NULL)
        return issues;
    g_autofree char *remark = dialtone_strength_remark(secrets->psk.bytes, secrets->psk.n);
    if (remark != NULL)
        dialtone_issues_add(issues, &where, "%s", remark);
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
        const Result result = {.file = file, .issues = issues, .error = error};
        print_json(&result);
        return valid;
    }
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(issues->pdata[i], file);
        cli_complain(text);
    }
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
                         "with warnings; 3: at least one is not; 12: the administrator's policy "
                         "forbids one."),
    };
    g_auto(GStrv) profiles = NULL;
    DialtoneFailure code = DIALTONE_FAILURE_NONE;

    if (!cli_parse(argc, argv, options, &help, &profiles))
        return DIALTONE_FAILURE_USAGE;
    if (profiles[0] == NULL && secrets == NULL)
        return cli_usage(argv[0], "%s", _("which profile? Give a name, a UUID or a path"));

    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    if (secrets != NULL && !check_secrets(secrets, as_json, &read))
        code = DIALTONE_FAILURE_PROFILE_INVALID;
    for (gsize i = 0; profiles[i] != NULL; i++)
        code = worse(code, check_profile(store, profiles[i], read, as_json));
    return (int)code;
}

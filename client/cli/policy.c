/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone policy: what the administrator forbids on this computer, which line says so, and which
 * of the caller's profiles that concerns. The policy is printed as a policy again.
 */
#include "client/cli/verbs.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "client/cli/cli.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/access.h"
#include "client/profile/policy-check.h"
#include "client/profile/policy.h"
#include "client/profile/store.h"

static GPtrArray *findings_of(const DialtonePolicy *policy, const DialtoneStoreEntry *entry)
{
    if (entry->hidden != NULL || entry->profile == NULL ||
        !dialtone_access_check(entry->profile, cli_caller(), NULL))
        return NULL;
    return dialtone_policy_findings(policy, entry->profile, entry->layer);
}

/* ---- text ---- */

static void print_value(const DialtonePolicy *policy, DialtonePolicyKey key, const char *value)
{
    g_autofree char *line = g_strdup_printf("%s=%s", dialtone_policy_key_name(key), value);

    /* What was left at its default without being written is no line of a policy. */
    if (policy->lines[key] != 0)
        cli_print(line);
}

static void print_policy(const DialtonePolicy *policy)
{
    g_autofree char *forbid = g_strjoinv(";", policy->forbid);
    g_autofree char *from =
        policy->present
            ? g_strdup_printf(_("# in force, from %s"), policy->path)
            : g_strdup_printf(_("# %s is not there, so nothing is forbidden"), policy->path);

    cli_print(from);
    if (!policy->present)
        return;
    if (policy->broken) {
        g_autofree char *strictest = g_strdup_printf("# %s", dialtone_policy_strictest());
        cli_print(strictest);
    }
    cli_print("[Policy]");
    print_value(policy, DIALTONE_POLICY_WEAK_ALGORITHMS, policy->weak_algorithms ? "yes" : "no");
    print_value(policy, DIALTONE_POLICY_FORBID, forbid);
    print_value(policy, DIALTONE_POLICY_USER_PROFILES, policy->user_profiles ? "yes" : "no");
    print_value(policy, DIALTONE_POLICY_ALWAYS_ON,
                policy->always_on != NULL ? policy->always_on : "");
}

static void print_forbidden(const DialtonePolicy *policy, const GPtrArray *entries)
{
    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        g_autoptr(GPtrArray) findings = findings_of(policy, entry);
        for (guint j = 0; findings != NULL && j < findings->len; j++) {
            g_autofree char *line = g_strdup_printf(_("# forbidden: %s: %s"), entry->name,
                                                    (const char *)findings->pdata[j]);
            cli_print(line);
        }
    }
}

static void complain(const DialtonePolicy *policy, const DialtoneStoreEntry *always_on)
{
    for (guint i = 0; i < policy->issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(policy->issues->pdata[i], policy->path);
        cli_complain(text);
    }
    if (policy->always_on == NULL || always_on != NULL)
        return;
    const DialtoneIssue issue = {
        .line = policy->lines[DIALTONE_POLICY_ALWAYS_ON],
        .warning = true,
        .group = (char *)"Policy",
        .key = (char *)dialtone_policy_key_name(DIALTONE_POLICY_ALWAYS_ON),
        .message = (char *)_("no profile of the system that can be used has this UUID or name"),
    };
    g_autofree char *text = dialtone_issue_text(&issue, policy->path);
    cli_complain(text);
}

/* ---- JSON ---- */

static void add_flag(JsonBuilder *json, const char *name, bool value)
{
    json_builder_set_member_name(json, name);
    json_builder_add_boolean_value(json, value);
}

static void add_strings(JsonBuilder *json, const char *name, char *const *strings, guint n)
{
    json_builder_set_member_name(json, name);
    json_builder_begin_array(json);
    for (guint i = 0; i < n; i++) {
        g_autofree char *clean = cli_clean(strings[i]);
        json_builder_add_string_value(json, clean);
    }
    json_builder_end_array(json);
}

static void add_mistakes(JsonBuilder *json, const DialtonePolicy *policy)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < policy->issues->len; i++)
        g_ptr_array_add(lines, dialtone_issue_text(policy->issues->pdata[i], policy->path));
    add_strings(json, "mistakes", (char *const *)lines->pdata, lines->len);
}

static void add_profiles(JsonBuilder *json, const DialtonePolicy *policy, const GPtrArray *entries)
{
    json_builder_set_member_name(json, "profiles");
    json_builder_begin_array(json);
    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        g_autoptr(GPtrArray) findings = findings_of(policy, entry);
        if (findings == NULL)
            continue;
        json_builder_begin_object(json);
        cli_json_text(json, "name", entry->name);
        cli_json_text(json, "uuid", entry->uuid);
        cli_json_text(json, "layer", dialtone_layer_name(entry->layer));
        cli_json_text(json, "path", entry->path);
        add_strings(json, "forbidden", (char *const *)findings->pdata, findings->len);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void print_json(const DialtonePolicy *policy, const GPtrArray *entries,
                       const DialtoneStoreEntry *always_on)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    cli_json_text(json, "file", policy->path);
    add_flag(json, "present", policy->present);
    add_flag(json, "broken", policy->broken);
    add_mistakes(json, policy);
    add_flag(json, "weak_algorithms", policy->weak_algorithms && !policy->broken);
    add_strings(json, "forbid", policy->forbid, g_strv_length(policy->forbid));
    add_flag(json, "user_profiles", policy->user_profiles && !policy->broken);
    cli_json_text(json, "always_on", policy->always_on);
    cli_json_text(json, "always_on_uuid", always_on != NULL ? always_on->uuid : NULL);
    add_profiles(json, policy, entries);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}

int cli_policy(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print one JSON object"), NULL},
        {NULL},
    };
    const CliHelp help = {
        .summary = _("Shows what the administrator's policy forbids, and among which profiles."),
        .description = _("Exit code 12: the policy has mistakes, and the strictest is in force."),
    };

    if (!cli_parse(argc, argv, options, &help, NULL))
        return DIALTONE_FAILURE_USAGE;

    g_autoptr(DialtoneStore) store = dialtone_store_new(cli_caller());
    g_autoptr(GPtrArray) entries = dialtone_store_list(store);
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&store->root);
    const DialtoneStoreEntry *always_on = dialtone_policy_always_on(policy, entries);
    if (as_json) {
        print_json(policy, entries, always_on);
    } else {
        print_policy(policy);
        print_forbidden(policy, entries);
        complain(policy, always_on);
    }
    return policy->broken ? DIALTONE_FAILURE_POLICY : DIALTONE_FAILURE_NONE;
}

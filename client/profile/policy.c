/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the policy. It is root's file like a profile of the system, and read by the same scanner.
 * One mistake puts the strictest in force, for what the broken line was to forbid is not known;
 * what it is then stands in policy-check.
 */
#include "client/profile/policy.h"

#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/issue.h"
#include "client/profile/scan.h"
#include "client/profile/value.h"

static const char FOLDER[] = "/etc/dialtone";
static const char FILE_NAME[] = "policy.conf";
static const char GROUP[] = "Policy";

enum { FILE_BYTES_MAX = 64 * 1024, WORDS_MAX = 64 };

typedef struct {
    DialtonePolicy *policy;
    const DialtoneScanEntry *entry; /* that is read now */
} Parser;

/* ---- values ---- */

static void complain(const Parser *parser, char *message_take)
{
    const DialtoneIssue where = {.line = parser->entry->line,
                                 .group = (char *)parser->entry->group,
                                 .key = parser->entry->key};
    g_autofree char *message = message_take;

    dialtone_issues_add(parser->policy->issues, &where, "%s", message);
}

static void parse_flag(const Parser *parser, bool *flag)
{
    const char *text = parser->entry->value;

    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
        g_autofree char *quoted = dialtone_value_quote(text);
        complain(parser, g_strdup_printf(_("%s is unknown; write yes or no"), quoted));
        return;
    }
    *flag = strcmp(text, "yes") == 0;
}

static void parse_weak_algorithms(const Parser *parser)
{
    parse_flag(parser, &parser->policy->weak_algorithms);
}

static void parse_user_profiles(const Parser *parser)
{
    parse_flag(parser, &parser->policy->user_profiles);
}

static void check_algorithm(const Parser *parser, const char *word)
{
    if (ike_cipher_by_name(word) != NULL || ike_hash_by_name(word) != NULL ||
        ike_group_by_name(word) != NULL)
        return;
    g_autofree char *quoted = dialtone_value_quote(word);
    const char *meant = dialtone_algorithm_meant(word);
    if (meant != NULL)
        complain(parser, g_strdup_printf(_("%s is unknown; write %s"), quoted, meant));
    else
        complain(parser, g_strdup_printf(_("%s is no algorithm; write names as in "
                                           "modp1024;3des;md5"),
                                         quoted));
}

static void parse_forbid(const Parser *parser)
{
    g_auto(GStrv) words = g_strsplit(parser->entry->value, ";", WORDS_MAX + 1);
    g_autoptr(GStrvBuilder) kept = g_strv_builder_new();
    guint n = g_strv_length(words);

    if (n > WORDS_MAX)
        complain(parser, g_strdup(_("there are more words than algorithms; leave some out")));
    for (guint i = 0; i < n; i++) {
        /* A `;` behind the last item is what GLib's writers leave. */
        if (*g_strstrip(words[i]) == '\0' && i > 0 && i == n - 1)
            continue;
        check_algorithm(parser, words[i]);
        g_strv_builder_add(kept, words[i]);
    }
    g_strfreev(parser->policy->forbid);
    parser->policy->forbid = g_strv_builder_end(kept);
}

static void parse_always_on(const Parser *parser)
{
    g_free(parser->policy->always_on);
    parser->policy->always_on = g_strdup(parser->entry->value);
}

static const struct {
    const char *name;
    void (*parse)(const Parser *parser);
} KEYS[DIALTONE_POLICY_KEYS_N] = {
    [DIALTONE_POLICY_WEAK_ALGORITHMS] = {"WeakAlgorithms", parse_weak_algorithms},
    [DIALTONE_POLICY_FORBID] = {"Forbid", parse_forbid},
    [DIALTONE_POLICY_USER_PROFILES] = {"UserProfiles", parse_user_profiles},
    [DIALTONE_POLICY_ALWAYS_ON] = {"AlwaysOn", parse_always_on},
};

const char *dialtone_policy_key_name(DialtonePolicyKey key)
{
    return key < DIALTONE_POLICY_KEYS_N ? KEYS[key].name : "";
}

/* ---- the file ---- */

static void refuse_key(const Parser *parser)
{
    const char *names[DIALTONE_POLICY_KEYS_N + 1] = {NULL};

    for (guint i = 0; i < DIALTONE_POLICY_KEYS_N; i++)
        names[i] = KEYS[i].name;
    const char *near = dialtone_text_nearest(parser->entry->key, names);
    if (near != NULL) {
        complain(parser, g_strdup_printf(_("unknown key; did you mean %s?"), near));
        return;
    }
    g_autofree char *list = g_strjoinv(", ", (char **)names);
    complain(parser, g_strdup_printf(_("unknown key; the group has %s"), list));
}

static void parse_entry(const Parser *parser)
{
    DialtonePolicy *policy = parser->policy;
    guint key = 0;

    if (strcmp(parser->entry->group, GROUP) != 0)
        return; /* the group was refused */
    while (key < DIALTONE_POLICY_KEYS_N && strcmp(KEYS[key].name, parser->entry->key) != 0)
        key++;
    if (key == DIALTONE_POLICY_KEYS_N) {
        refuse_key(parser);
        return;
    }
    if (policy->lines[key] != 0) {
        complain(parser, g_strdup_printf(_("the key stands twice, first in line %u; remove one"),
                                         policy->lines[key]));
        return;
    }
    policy->lines[key] = parser->entry->line;
    if (*parser->entry->value == '\0')
        complain(parser, g_strdup(_("nothing stands behind the `=`; remove the line, or write a "
                                    "value")));
    else
        KEYS[key].parse(parser);
}

static void refuse_groups(DialtonePolicy *policy, const DialtoneScan *scan)
{
    for (guint i = 0; i < scan->groups->len; i++) {
        const DialtoneScanGroup *group = scan->groups->pdata[i];
        const DialtoneIssue where = {.line = group->line, .group = group->name};
        if (strcmp(group->name, GROUP) != 0)
            dialtone_issues_add(policy->issues, &where, _("unknown group; there is [%s]"), GROUP);
    }
}

static DialtonePolicy *policy_new(const char *path)
{
    DialtonePolicy *policy = g_new0(DialtonePolicy, 1);

    policy->path = g_strdup(path);
    policy->issues = dialtone_issues_new();
    policy->weak_algorithms = true;
    policy->user_profiles = true;
    policy->forbid = g_new0(char *, 1);
    return policy;
}

DialtonePolicy *dialtone_policy_parse(const char *bytes, gsize n, const char *path)
{
    DialtonePolicy *policy = policy_new(path);
    g_autoptr(DialtoneScan) scan = dialtone_scan(bytes, n, policy->issues);

    policy->present = true;
    refuse_groups(policy, scan);
    for (guint i = 0; i < scan->entries->len; i++) {
        const Parser parser = {.policy = policy, .entry = scan->entries->pdata[i]};
        parse_entry(&parser);
    }
    dialtone_issues_sort(policy->issues);
    policy->broken = dialtone_issues_any_error(policy->issues);
    return policy;
}

static DialtonePolicy *unreadable(const char *path, const char *why)
{
    DialtonePolicy *policy = policy_new(path);
    const DialtoneIssue whole = {0};

    dialtone_issues_add(policy->issues, &whole, "%s", why);
    policy->present = true;
    policy->broken = true;
    return policy;
}

DialtonePolicy *dialtone_policy_load(const DialtoneRoot *root)
{
    const DialtoneOwned rule = {.owner = root->owner, .forbidden = 022, .max = FILE_BYTES_MAX};
    g_autofree char *path = g_strdup_printf("%s%s/%s", root->path, FOLDER, FILE_NAME);
    g_autofree char *why = NULL;
    g_autofree char *bytes = NULL;
    gsize n = 0;
    int folder = dialtone_owned_folder(root, FOLDER, &why);

    if (folder >= 0) {
        bytes = dialtone_owned_read(folder, FILE_NAME, &rule, &n, &why);
        close(folder);
    }
    if (bytes != NULL)
        return dialtone_policy_parse(bytes, n, path);
    return why != NULL ? unreadable(path, why) : policy_new(path);
}

void dialtone_policy_free(DialtonePolicy *policy)
{
    if (policy == NULL)
        return;
    g_free(policy->path);
    g_ptr_array_unref(policy->issues);
    g_strfreev(policy->forbid);
    g_free(policy->always_on);
    g_free(policy);
}

DialtoneFolderWatch *dialtone_policy_watch(const DialtoneRoot *root, DialtoneFolderChanged changed,
                                           gpointer data)
{
    g_autofree char *folder = g_strconcat(root->path, FOLDER, NULL);
    const char *const folders[] = {folder, NULL};

    return dialtone_folder_watch_new(folders, changed, data);
}

const DialtoneStoreEntry *dialtone_policy_always_on(const DialtonePolicy *policy,
                                                    const GPtrArray *profiles)
{
    const DialtoneStoreEntry *named = NULL;

    for (guint i = 0; policy->always_on != NULL && i < profiles->len; i++) {
        const DialtoneStoreEntry *entry = profiles->pdata[i];
        if (entry->hidden != NULL || entry->profile == NULL || entry->layer == DIALTONE_LAYER_USER)
            continue;
        if (g_ascii_strcasecmp(entry->uuid, policy->always_on) == 0)
            return entry;
        if (named == NULL && strcmp(entry->name, policy->always_on) == 0)
            named = entry;
    }
    return named;
}

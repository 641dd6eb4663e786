/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file's bytes to a profile: scan lines, look each key up in the schema, parse its value,
 * fill in defaults, then check the rules between keys. Every step goes on after a mistake, so
 * that one run shows all of them; the profile is given out only when there was none.
 */
#include "client/profile/parse.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/check.h"
#include "client/profile/issue.h"
#include "client/profile/scan.h"
#include "client/profile/schema.h"

enum { NAME_MAX_BYTES = 128 }; /* as the schema allows */

typedef struct {
    DialtoneProfile *profile;
    DialtoneScan *scan;
    GPtrArray *issues;
    bool psk_at_hand;                         /* the caller has a preshared key from elsewhere */
    guint lines[DIALTONE_PROFILE_KEYS_MAX];   /* where the file sets a row; 0: nowhere */
    bool broken[DIALTONE_PROFILE_KEYS_MAX];   /* it does, and the value was refused */
    bool misspelt[DIALTONE_PROFILE_KEYS_MAX]; /* it has a key or group that was meant to be it */
} Parser;

/* For what is not there: the group it belongs into, else the end of the file. */
static guint line_for_missing(const void *context, const char *group)
{
    const DialtoneScan *scan = context;
    guint line = dialtone_scan_group_line(scan, group);

    return line != 0 ? line : scan->lines;
}

/* What stands before the `=` is shown only if it looks like a key: it may be half a password. */
static bool is_key_name(const char *key)
{
    gsize n = strlen(key);

    return n <= 40 && strspn(key, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_[]") == n;
}

/* A key that was named as the right spelling is not missing too. @key NULL: all of the group. */
static void note_misspelt(Parser *parser, const char *group, const char *key)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        if (strcmp(row->group, group) == 0 && (key == NULL || strcmp(row->key, key) == 0))
            parser->misspelt[i] = true;
    }
}

static void refuse_group(Parser *parser, const DialtoneScanGroup *group)
{
    g_autofree const char **names = dialtone_profile_group_names();
    const char *near = dialtone_text_nearest(group->name, names);
    g_autofree char *list = g_strjoinv("], [", (char **)names);
    DialtoneIssue where = {.line = group->line,
                           .group = is_key_name(group->name) ? group->name : NULL};

    if (near == NULL) {
        dialtone_issues_add(parser->issues, &where, _("unknown group; there are [%s]"), list);
        return;
    }
    dialtone_issues_add(parser->issues, &where, _("unknown group; did you mean [%s]?"), near);
    note_misspelt(parser, near, NULL);
}

static bool group_is_known(const char *group)
{
    g_autofree const char **names = dialtone_profile_group_names();

    return g_strv_contains(names, group);
}

static void check_groups(Parser *parser)
{
    for (guint i = 0; i < parser->scan->groups->len; i++) {
        const DialtoneScanGroup *group = parser->scan->groups->pdata[i];
        if (!group_is_known(group->name))
            refuse_group(parser, group);
    }
}

static void refuse_key(Parser *parser, const DialtoneScanEntry *entry)
{
    g_autofree const char **names = dialtone_profile_key_names(entry->group);
    g_autofree char *list = g_strjoinv(", ", (char **)names);
    const char *near = dialtone_text_nearest(entry->key, names);
    const char *home = dialtone_profile_group_of(entry->key);
    DialtoneIssue where = {.line = entry->line, .group = (char *)entry->group};

    if (is_key_name(entry->key))
        where.key = entry->key;
    if (home != NULL && strcmp(home, "Secrets") == 0) {
        dialtone_issues_add(parser->issues, &where,
                            _("a secret never stands in a profile; put %s= under [Secrets] into "
                              "a file of mode 0600 and name it with --secrets FILE"),
                            entry->key);
    } else if (home != NULL && strcmp(home, entry->group) != 0) {
        dialtone_issues_add(parser->issues, &where, _("unknown key here; it belongs in [%s]"),
                            home);
        note_misspelt(parser, home, entry->key);
    } else if (near != NULL) {
        dialtone_issues_add(parser->issues, &where, _("unknown key; did you mean %s?"), near);
        note_misspelt(parser, entry->group, near);
    } else {
        dialtone_issues_add(parser->issues, &where, _("unknown key; the group has %s"), list);
    }
}

static bool refuse_empty(DialtoneValue *value)
{
    return dialtone_value_error(value,
                                _("nothing stands behind the `=`; write %s, or remove the "
                                  "line"),
                                _(value->row->syntax));
}

static bool parse_value(Parser *parser, const DialtoneProfileKey *row, guint line, const char *text)
{
    g_autoptr(GString) normal = g_string_new(NULL);
    DialtoneValue value = {
        .profile = parser->profile,
        .row = row,
        .line = line,
        .issues = parser->issues,
        .normal = normal,
    };

    if (*text == '\0' && row->parse == dialtone_value_text)
        return true; /* forms write free text empty: it is unset */
    if (*text == '\0')
        return refuse_empty(&value);
    if (!dialtone_value_has_no_habit(&value, text) || !row->parse(&value, text))
        return false;
    char **kept = &parser->profile->values[row - dialtone_profile_keys];
    g_free(*kept);
    *kept = g_strdup(normal->str);
    return true;
}

static void parse_entry(Parser *parser, const DialtoneScanEntry *entry)
{
    if (!group_is_known(entry->group))
        return;
    const DialtoneProfileKey *row = dialtone_profile_key(entry->group, entry->key);
    if (row == NULL) {
        refuse_key(parser, entry);
        return;
    }
    gsize i = (gsize)(row - dialtone_profile_keys);
    if (parser->lines[i] != 0) {
        DialtoneIssue where = {
            .line = entry->line, .group = (char *)entry->group, .key = entry->key};
        dialtone_issues_add(parser->issues, &where,
                            _("the key stands twice, first in line %u; remove one"),
                            parser->lines[i]);
        return;
    }
    parser->lines[i] = parser->profile->lines[i] = entry->line;
    parser->broken[i] = !parse_value(parser, row, entry->line, entry->value);
}

static void fill_defaults(Parser *parser)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        if (parser->lines[i] != 0)
            continue;
        parser->profile->is_default[i] = true;
        if (row->required && !parser->misspelt[i]) {
            DialtoneIssue where = {.line = line_for_missing(parser->scan, row->group),
                                   .group = (char *)row->group,
                                   .key = (char *)row->key};
            dialtone_issues_add(parser->issues, &where, _("missing; write %s=%s"), row->key,
                                _(row->syntax));
        }
        if (row->fallback != NULL)
            parser->broken[i] = !parse_value(parser, row, 0, row->fallback);
    }
}

/* Whatever the file is called, its stem becomes a name that Name= would accept. */
static char *name_of_file(const char *file)
{
    g_autofree char *base = g_path_get_basename(file);
    const char *start = base + strspn(base, ".- /");

    while (g_str_has_suffix(base, ".dialtone") && strlen(start) >= strlen(".dialtone"))
        base[strlen(base) - strlen(".dialtone")] = '\0';
    g_autofree char *name =
        g_strstrip(dialtone_text_clean(start, strlen(start), NAME_MAX_BYTES, DIALTONE_TEXT_LINE));
    return *name != '\0' ? g_steal_pointer(&name) : g_strdup("profile");
}

/* The normal form has it like one that was written: its readers don't know the file. */
static void name_after_file(DialtoneProfile *profile, const char *file)
{
    gsize row = (gsize)(dialtone_profile_key("Profile", "Name") - dialtone_profile_keys);
    g_autoptr(GString) normal = g_string_new(NULL);

    if (profile->name != NULL)
        return;
    profile->name = name_of_file(file);
    dialtone_value_append_escaped(normal, profile->name);
    profile->values[row] = g_strdup(normal->str);
    profile->is_default[row] = false;
}

/* Rules between keys are only worth naming when the keys themselves are right. */
static void check_rules(Parser *parser)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (parser->broken[i] || parser->misspelt[i])
            return;
    DialtoneProfileCheck check = {
        .lines = parser->lines,
        .missing = line_for_missing,
        .context = parser->scan,
        .issues = parser->issues,
        .psk_at_hand = parser->psk_at_hand,
    };
    dialtone_profile_check(parser->profile, &check);
}

typedef enum { WHOLE, WHOLE_WITH_PSK, PART } Extent;

static DialtoneProfile *parse(const char *bytes, gsize n, const char *file, Extent extent,
                              GPtrArray **issuesp)
{
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    g_autoptr(DialtoneScan) scan = dialtone_scan(bytes, n, issues);
    g_autoptr(DialtoneProfile) profile = dialtone_profile_new();
    Parser parser = {
        .profile = profile,
        .scan = scan,
        .issues = issues,
        .psk_at_hand = extent == WHOLE_WITH_PSK,
    };

    check_groups(&parser);
    for (guint i = 0; i < scan->entries->len && issues->len <= DIALTONE_ISSUES_MAX; i++)
        parse_entry(&parser, scan->entries->pdata[i]);
    if (extent != PART) {
        fill_defaults(&parser);
        check_rules(&parser);
        name_after_file(profile, file);
    }

    bool bad = dialtone_issues_any_error(issues);
    dialtone_issues_sort(issues);
    if (issuesp != NULL)
        *issuesp = g_steal_pointer(&issues);
    return bad ? NULL : g_steal_pointer(&profile);
}

DialtoneProfile *dialtone_profile_parse(const char *bytes, gsize n, const char *file,
                                        GPtrArray **issuesp)
{
    return parse(bytes, n, file, WHOLE, issuesp);
}

DialtoneProfile *dialtone_profile_parse_with_psk(const char *bytes, gsize n, const char *file,
                                                 GPtrArray **issuesp)
{
    return parse(bytes, n, file, WHOLE_WITH_PSK, issuesp);
}

DialtoneProfile *dialtone_profile_parse_part(const char *bytes, gsize n, GPtrArray **issuesp)
{
    return parse(bytes, n, "", PART, issuesp);
}

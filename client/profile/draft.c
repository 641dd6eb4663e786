/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text is the truth: it is read again after each change, as it would be when it is used, so
 * nothing can be right in an editor and wrong in the service. Values cross without the escapes of
 * key files, which only those who write such files by hand need to know.
 */
#include "client/profile/draft.h"

#include <string.h>

#include "client/profile/edit.h"
#include "client/profile/issue.h"
#include "client/profile/override.h"
#include "client/profile/parse.h"
#include "client/profile/scan.h"
#include "client/profile/schema.h"

struct DialtoneDraft {
    char *text;
    char *file;
    const DialtoneProfile *base;
    DialtoneScan *scan;
    DialtoneProfile *profile;
    GPtrArray *issues;
    bool written[DIALTONE_PROFILE_KEYS_MAX]; /* when the draft began */
};

static void read_text(DialtoneDraft *draft)
{
    g_autoptr(GPtrArray) of_scan = dialtone_issues_new();
    gsize n = strlen(draft->text);

    g_clear_pointer(&draft->scan, dialtone_scan_free);
    g_clear_pointer(&draft->profile, dialtone_profile_free);
    g_clear_pointer(&draft->issues, g_ptr_array_unref);
    draft->scan = dialtone_scan(draft->text, n, of_scan);
    if (draft->base == NULL) {
        draft->profile = dialtone_profile_parse(draft->text, n, draft->file, &draft->issues);
        return;
    }
    const DialtoneOverride override = {.bytes = draft->text, .n = n, .profile_path = draft->file};
    draft->profile = dialtone_override_apply(draft->base, &override, &draft->issues);
}

DialtoneDraft *dialtone_draft_new(const char *text, const char *file, const DialtoneProfile *base)
{
    DialtoneDraft *draft = g_new0(DialtoneDraft, 1);

    draft->text = g_strdup(text);
    draft->file = g_strdup(file);
    draft->base = base;
    read_text(draft);
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        draft->written[i] = dialtone_draft_has(draft, &dialtone_profile_keys[i]);
    return draft;
}

void dialtone_draft_free(DialtoneDraft *draft)
{
    if (draft == NULL)
        return;
    g_clear_pointer(&draft->scan, dialtone_scan_free);
    g_clear_pointer(&draft->profile, dialtone_profile_free);
    g_clear_pointer(&draft->issues, g_ptr_array_unref);
    g_free(draft->text);
    g_free(draft->file);
    g_free(draft);
}

const char *dialtone_draft_text(const DialtoneDraft *draft)
{
    return draft->text;
}

const DialtoneProfile *dialtone_draft_profile(const DialtoneDraft *draft)
{
    return draft->profile;
}

const GPtrArray *dialtone_draft_issues(const DialtoneDraft *draft)
{
    return draft->issues;
}

/* ---- values ---- */

/* As the first line of the key has it: that is the one that is edited. */
static const char *value_in(const DialtoneScan *scan, const DialtoneProfileKey *row)
{
    for (guint i = 0; i < scan->entries->len; i++) {
        const DialtoneScanEntry *entry = scan->entries->pdata[i];
        if (strcmp(entry->group, row->group) == 0 && strcmp(entry->key, row->key) == 0)
            return entry->value;
    }
    return NULL;
}

bool dialtone_draft_has(const DialtoneDraft *draft, const DialtoneProfileKey *row)
{
    return value_in(draft->scan, row) != NULL;
}

static char *without_escapes(const char *value)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    for (const char *p = value; *p != '\0'; p++) {
        bool escape = p[0] == '\\' && (p[1] == '\\' || p[1] == 's');
        p += escape ? 1 : 0;
        g_string_append_c(plain, escape && *p == 's' ? ' ' : *p);
    }
    return g_string_free(g_steal_pointer(&plain), FALSE);
}

/* What holds where the text says nothing; NULL: nothing does. */
static const char *value_without(const DialtoneDraft *draft, const DialtoneProfileKey *row)
{
    const char *of_base =
        draft->base != NULL ? draft->base->values[row - dialtone_profile_keys] : NULL;

    return of_base != NULL ? of_base : row->fallback;
}

char *dialtone_draft_get(const DialtoneDraft *draft, const DialtoneProfileKey *row)
{
    const char *written = value_in(draft->scan, row);
    const char *value = written != NULL ? written : value_without(draft, row);

    return without_escapes(value != NULL ? value : "");
}

void dialtone_draft_set(DialtoneDraft *draft, const DialtoneProfileKey *row, const char *plain)
{
    g_autoptr(GString) value = g_string_new(NULL);
    g_autofree char *clean = g_strstrip(g_strdelimit(g_strdup(plain), "\r\n", ' '));
    const char *without = value_without(draft, row);
    char *text;

    dialtone_value_append_escaped(value, clean);
    if (value->len == 0 ||
        (g_strcmp0(value->str, without) == 0 && !draft->written[row - dialtone_profile_keys]))
        text = dialtone_edit_unset(draft->text, row->group, row->key);
    else
        text = dialtone_edit_set(draft->text, row->group, row->key, value->str);
    g_free(draft->text);
    draft->text = text;
    read_text(draft);
}

/* ---- what is wrong, and what is not the user's ---- */

const DialtoneIssue *dialtone_draft_issue(const DialtoneDraft *draft, const DialtoneProfileKey *row)
{
    const DialtoneIssue *found = NULL;

    for (guint i = 0; i < draft->issues->len; i++) {
        const DialtoneIssue *issue = draft->issues->pdata[i];
        if (g_strcmp0(issue->group, row->group) != 0 || g_strcmp0(issue->key, row->key) != 0)
            continue;
        if (found == NULL || (found->warning && !issue->warning))
            found = issue;
    }
    return found;
}

char *dialtone_draft_locked(const DialtoneDraft *draft, const DialtoneProfileKey *row)
{
    return draft->base != NULL ? dialtone_override_refused(draft->base, draft->file, row) : NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings about a profile or secrets file: all of them, in order of lines, so that a user mends
 * a file once and not once a mistake. The list is bounded, for a file of a million wrong lines is
 * one wrong file.
 */
#include "client/profile/issue.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

static void issue_free(gpointer data)
{
    DialtoneIssue *issue = data;

    g_free(issue->group);
    g_free(issue->key);
    g_free(issue->message);
    g_free(issue);
}

GPtrArray *dialtone_issues_new(void)
{
    return g_ptr_array_new_with_free_func(issue_free);
}

static void add_take(GPtrArray *issues, const DialtoneIssue *where, char *message)
{
    DialtoneIssue *issue = g_new0(DialtoneIssue, 1);

    issue->line = where->line;
    issue->warning = where->warning;
    issue->group = g_strdup(where->group);
    issue->key = g_strdup(where->key);
    issue->message = message;
    g_ptr_array_add(issues, issue);
}

void dialtone_issues_add(GPtrArray *issues, const DialtoneIssue *where, const char *format, ...)
{
    if (issues->len > DIALTONE_ISSUES_MAX)
        return;
    if (issues->len == DIALTONE_ISSUES_MAX) {
        DialtoneIssue rest = {.line = where->line};
        add_take(issues, &rest, g_strdup(_("more mistakes follow and are not listed")));
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    add_take(issues, where, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    const DialtoneIssue *x = *(DialtoneIssue *const *)a, *y = *(DialtoneIssue *const *)b;

    return (x->line > y->line) - (x->line < y->line);
}

void dialtone_issues_sort(GPtrArray *issues)
{
    /* GLib documents this sort to be stable. */
    g_ptr_array_sort(issues, compare_lines);
}

bool dialtone_issues_any_error(const GPtrArray *issues)
{
    for (guint i = 0; i < issues->len; i++)
        if (!((const DialtoneIssue *)issues->pdata[i])->warning)
            return true;
    return false;
}

char *dialtone_issue_text(const DialtoneIssue *issue, const char *file)
{
    GString *text = g_string_new(file);

    if (issue->line != 0)
        g_string_append_printf(text, ":%u", issue->line);
    g_string_append(text, ": ");
    if (issue->warning) {
        /* TRANSLATORS: before a finding that does not stop the profile from working */
        g_string_append(text, _("warning"));
        g_string_append(text, ": ");
    }
    if (issue->group != NULL)
        g_string_append_printf(text, "[%s]", issue->group);
    if (issue->key != NULL)
        g_string_append_printf(text, "%s%s", issue->group != NULL ? " " : "", issue->key);
    if (issue->group != NULL || issue->key != NULL)
        g_string_append(text, ": ");
    g_string_append(text, issue->message);
    return g_string_free(text, FALSE);
}

char *dialtone_issues_text(const GPtrArray *issues, const char *file)
{
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        if (issue->warning)
            continue;
        g_autofree char *text = dialtone_issue_text(issue, file);
        if (all->len > 0)
            g_string_append_c(all, '\n');
        g_string_append(all, text);
    }
    return g_string_free(all, FALSE);
}

void dialtone_issues_fail(const GPtrArray *issues, const char *file, GError **error)
{
    g_autofree char *text = dialtone_issues_text(issues, file);

    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Mend the file and try again; `dialtone check FILE` reads it without "
                           "connecting."),
                         "%s", text);
}

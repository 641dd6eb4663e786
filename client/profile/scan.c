/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line scanner for key files. GLib's own parser gives no line numbers, merges what stands
 * twice, and keeps quiet about much else; a profile is written by hand and by administrators'
 * scripts, and each mistake in it should be found at its line.
 *
 * Rules: UTF-8; LF or CRLF; comments are whole lines that begin with `#`; `[Group]`; `Key=value`
 * with blanks around key and value dropped. Control characters stand nowhere, tabs only at the
 * edges. A line that fails is reported and skipped, and the scan goes on behind it.
 */
#include "client/profile/scan.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/issue.h"

/* Groups are searched one by one, and a hostile file could have a hundred thousand. */
enum { GROUPS_MAX = 64 };

void dialtone_lines_init(DialtoneLines *lines, const char *bytes, gsize n)
{
    static const char mark[3] = {'\xef', '\xbb', '\xbf'};

    *lines = (DialtoneLines){.bytes = bytes, .n = n};
    if (n >= sizeof(mark) && memcmp(bytes, mark, sizeof(mark)) == 0)
        lines->at = sizeof(mark);
}

bool dialtone_lines_next(DialtoneLines *lines, const char **startp, gsize *np)
{
    gsize left = lines->n - lines->at;
    if (left == 0)
        return false;

    const char *start = lines->bytes + lines->at;
    const char *end = memchr(start, '\n', left);
    gsize n = end != NULL ? (gsize)(end - start) : left;

    lines->at += end != NULL ? n + 1 : n;
    lines->line++;
    *startp = start;
    *np = n;
    return true;
}

static void entry_free(gpointer data)
{
    DialtoneScanEntry *entry = data;

    g_free(entry->key);
    g_free(entry->value);
    g_free(entry);
}

static void group_free(gpointer data)
{
    DialtoneScanGroup *group = data;

    g_free(group->name);
    g_free(group);
}

void dialtone_scan_free(DialtoneScan *scan)
{
    if (scan == NULL)
        return;
    g_ptr_array_unref(scan->entries);
    g_ptr_array_unref(scan->groups);
    g_free(scan);
}

guint dialtone_scan_group_line(const DialtoneScan *scan, const char *group)
{
    for (guint i = 0; i < scan->groups->len; i++) {
        const DialtoneScanGroup *known = scan->groups->pdata[i];
        if (strcmp(known->name, group) == 0)
            return known->line;
    }
    return 0;
}

typedef struct {
    DialtoneScan *scan;
    GPtrArray *issues;
    const char *group; /* the group that lines belong to now */
    guint line;
} Scanner;

static void complain(const Scanner *scanner, const char *message)
{
    DialtoneIssue where = {.line = scanner->line, .group = (char *)scanner->group};

    dialtone_issues_add(scanner->issues, &where, "%s", message);
}

static void refuse_characters(const Scanner *scanner)
{
    complain(scanner, _("the line has a control character or an invisible direction mark; remove "
                        "it"));
}

/* A copy of the line as a clean string without blanks at its edges; NULL when it was refused.
 * Tabs may still stand in it: where they are no edge is for those to say who split it. */
static char *clean_line(const Scanner *scanner, const char *start, gsize n)
{
    if (n > 0 && start[n - 1] == '\r')
        n--;
    if (n > DIALTONE_LINE_BYTES_MAX) {
        complain(scanner, _("the line is longer than 8192 bytes; shorten it"));
        return NULL;
    }
    if (memchr(start, '\0', n) != NULL) {
        complain(scanner, _("the line has a NUL byte; save the file as plain text in UTF-8"));
        return NULL;
    }
    if (!g_utf8_validate(start, (gssize)n, NULL)) {
        complain(scanner, _("the line is not UTF-8; save the file in UTF-8"));
        return NULL;
    }
    g_autofree char *line = g_strstrip(g_strndup(start, n));
    g_autofree char *tabless = g_strdelimit(g_strdup(line), "\t", ' ');
    if (!dialtone_text_is_clean(tabless)) {
        refuse_characters(scanner);
        return NULL;
    }
    return g_steal_pointer(&line);
}

static void scan_group(Scanner *scanner, char *line)
{
    gsize n = strlen(line);

    scanner->group = NULL;
    if (line[n - 1] != ']' || n < 3 || strchr(line, '\t') != NULL) {
        complain(scanner, _("a group's line is its name in brackets and nothing else, "
                            "as in [Gateway]"));
        return;
    }
    g_autofree char *name = g_strndup(line + 1, n - 2);
    for (guint i = 0; i < scanner->scan->groups->len; i++) {
        DialtoneScanGroup *known = scanner->scan->groups->pdata[i];
        if (strcmp(known->name, name) != 0)
            continue;
        scanner->group = known->name;
        DialtoneIssue where = {.line = scanner->line, .group = name};
        dialtone_issues_add(scanner->issues, &where,
                            _("the group stands twice, first in line %u; put its keys together"),
                            known->line);
        return;
    }
    if (scanner->scan->groups->len == GROUPS_MAX) {
        complain(scanner, _("there are more groups than any profile has"));
        return;
    }
    DialtoneScanGroup *group = g_new0(DialtoneScanGroup, 1);
    group->line = scanner->line;
    group->name = g_steal_pointer(&name);
    g_ptr_array_add(scanner->scan->groups, group);
    scanner->group = group->name;
}

/* Quotes nothing of the line: someone may have put a password there. */
static void scan_entry(Scanner *scanner, const char *line)
{
    const char *equals = strchr(line, '=');

    if (*line == ';' || g_str_has_prefix(line, "//")) {
        complain(scanner, _("a comment begins with #"));
        return;
    }
    if (equals == NULL) {
        complain(scanner, _("the line has no `=`; write Key=value, [Group] or # comment"));
        return;
    }
    if (equals == line) {
        complain(scanner, _("there is no key before the `=`; write Key=value"));
        return;
    }
    if (scanner->scan->groups->len == 0) {
        complain(scanner, _("the line stands before the first group; begin with [Profile]"));
        return;
    }
    if (scanner->group == NULL)
        return; /* the broken group's line was reported; its keys can't be placed */

    g_autofree char *key = g_strchomp(g_strndup(line, (gsize)(equals - line)));
    g_autofree char *value = g_strchug(g_strdup(equals + 1));
    if (strchr(key, '\t') != NULL || strchr(value, '\t') != NULL) {
        refuse_characters(scanner);
        return;
    }
    DialtoneScanEntry *entry = g_new0(DialtoneScanEntry, 1);
    entry->line = scanner->line;
    entry->group = scanner->group;
    entry->key = g_steal_pointer(&key);
    entry->value = g_steal_pointer(&value);
    g_ptr_array_add(scanner->scan->entries, entry);
}

DialtoneScan *dialtone_scan(const char *bytes, gsize n, GPtrArray *issues)
{
    DialtoneScan *scan = g_new0(DialtoneScan, 1);
    scan->groups = g_ptr_array_new_with_free_func(group_free);
    scan->entries = g_ptr_array_new_with_free_func(entry_free);

    Scanner scanner = {.scan = scan, .issues = issues};
    DialtoneLines lines;
    const char *start;
    gsize length;
    dialtone_lines_init(&lines, bytes, n);
    while (issues->len <= DIALTONE_ISSUES_MAX && dialtone_lines_next(&lines, &start, &length)) {
        scanner.line = lines.line;
        g_autofree char *line = clean_line(&scanner, start, length);
        if (line == NULL || *line == '\0' || *line == '#')
            continue;
        if (*line == '[')
            scan_group(&scanner, line);
        else
            scan_entry(&scanner, line);
    }
    scan->lines = MAX(lines.line, 1);
    return scan;
}

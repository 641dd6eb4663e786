/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all parsers of values share: complaints at the right line, escapes, and lists.
 *
 * Escapes are those of GLib's key files, so that what g_key_file_set_string() writes reads back
 * the same: a backslash is written twice, a blank at the beginning as \s. Everything else behind
 * a backslash is refused, and so is \s elsewhere: someone who types DOMAIN\sam would otherwise
 * sign in as "DOMAIN am".
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/issue.h"

enum { QUOTED_CHARACTERS_MAX = 60 };

static DialtoneIssue place(const DialtoneValue *value, bool warning)
{
    return (DialtoneIssue){
        .line = value->line,
        .warning = warning,
        .group = (char *)value->row->group,
        .key = (char *)value->row->key,
    };
}

bool dialtone_value_error(DialtoneValue *value, const char *format, ...)
{
    DialtoneIssue where = place(value, false);
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    dialtone_issues_add(value->issues, &where, "%s", message);
    return false;
}

void dialtone_value_warn(DialtoneValue *value, const char *format, ...)
{
    DialtoneIssue where = place(value, true);
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    dialtone_issues_add(value->issues, &where, "%s", message);
}

char *dialtone_value_quote(const char *text)
{
    if (g_utf8_strlen(text, -1) <= QUOTED_CHARACTERS_MAX)
        return g_strdup_printf("'%s'", text);
    g_autofree char *head = g_utf8_substring(text, 0, QUOTED_CHARACTERS_MAX);
    return g_strdup_printf("'%s...'", head);
}

char *dialtone_value_unescape(DialtoneValue *value, const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    bool at_start = true;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p != '\\') {
            g_string_append_c(plain, *p);
            at_start = false;
            continue;
        }
        p++;
        if (*p == '\\') {
            g_string_append_c(plain, '\\');
            at_start = false;
        } else if (*p == 's' && at_start) {
            g_string_append_c(plain, ' ');
        } else {
            dialtone_value_error(value, "%s",
                                 _("a backslash is written twice, as in DOMAIN\\\\user"));
            return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&plain), FALSE);
}

void dialtone_value_append_escaped(GString *normal, const char *text)
{
    for (; *text == ' '; text++)
        g_string_append(normal, "\\s");
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            g_string_append_c(normal, '\\');
        g_string_append_c(normal, *text);
    }
}

static bool stands_before(char *const *items, guint n, const char *item)
{
    for (guint i = 0; i < n; i++)
        if (strcmp(items[i], item) == 0)
            return true;
    return false;
}

char **dialtone_value_items(DialtoneValue *value, const char *text, guint max)
{
    g_auto(GStrv) items = g_strsplit(text, ";", (gint)max + 2);
    guint n = g_strv_length(items);

    /* A `;` behind the last item is what GLib's writers leave. */
    if (n > 1 && *g_strstrip(items[n - 1]) == '\0')
        g_clear_pointer(&items[--n], g_free);
    if (n > max) {
        dialtone_value_error(value,
                             ngettext("more than %u item; leave some out",
                                      "more than %u items; leave some out", max),
                             max);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        if (*g_strstrip(items[i]) == '\0') {
            dialtone_value_error(value, "%s",
                                 _("an item of the list is empty; write one `;` "
                                   "between two items"));
            return NULL;
        }
        if (stands_before(items, i, items[i])) {
            g_autofree char *quoted = dialtone_value_quote(items[i]);
            dialtone_value_error(value, _("%s stands twice; remove one"), quoted);
            return NULL;
        }
    }
    return g_steal_pointer(&items);
}

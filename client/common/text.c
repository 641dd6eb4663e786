/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile strings made fit to be shown, and guesses at what a typo meant.
 *
 * A banner, a DNS domain or a file's line can carry terminal escapes, line separators that forge
 * a second log line, or bidirectional overrides that show another text than the one that is
 * there. What is dropped here never reaches a terminal, a log, JSON or a notification.
 */
#include "client/common/text.h"

#include <string.h>

/* Longer words are no typos of ours, and the distance takes the product of both lengths. */
enum { WORD_MAX = 48 };

static bool is_hostile(gunichar c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return true;
    if (c == 0x200e || c == 0x200f || c == 0x061c)
        return true; /* direction marks */
    return (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void append_clean(GString *out, gunichar c, DialtoneTextShape shape)
{
    if (c == '\n' && shape == DIALTONE_TEXT_LINES)
        g_string_append_c(out, '\n');
    else if (c == '\n' || c == '\t')
        g_string_append_c(out, ' ');
    else if (!is_hostile(c))
        g_string_append_unichar(out, c);
}

char *dialtone_text_clean(const char *bytes, gsize n, gsize max, DialtoneTextShape shape)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (gsize at = 0; at < n;) {
        gunichar c = g_utf8_get_char_validated(bytes + at, (gssize)(n - at));
        if (c == 0 || c == (gunichar)-1 || c == (gunichar)-2) {
            at++; /* NUL, or no UTF-8: the byte is dropped */
            continue;
        }
        at += (gsize)g_unichar_to_utf8(c, NULL);
        gsize before = out->len;
        append_clean(out, c, shape);
        if (out->len > max) {
            g_string_truncate(out, before);
            break;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

bool dialtone_text_is_clean(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (is_hostile(g_utf8_get_char(p)))
            return false;
    return true;
}

static guint min3(guint a, guint b, guint c)
{
    return MIN(MIN(a, b), c);
}

/* Edits that make @a of @b, case not counted: insert, delete, replace, swap of neighbours. */
static guint distance(const char *a, const char *b)
{
    guint rows[3][WORD_MAX + 1];
    gsize n = strlen(a), m = strlen(b);

    for (guint j = 0; j <= m; j++)
        rows[0][j] = j;
    for (guint i = 1; i <= n; i++) {
        guint *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (guint j = 1; j <= m; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]))
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *dialtone_text_nearest(const char *typed, const char *const *words)
{
    gsize n = strlen(typed);
    if (n == 0 || n > WORD_MAX)
        return NULL;

    const char *nearest = NULL;
    guint least = (guint)MAX(1, n / 3) + 1;
    for (gsize i = 0; words[i] != NULL; i++) {
        gsize m = strlen(words[i]);
        if (m > WORD_MAX)
            continue;
        guint edits = distance(typed, words[i]);
        /* What was cut short or lengthened is near whatever its distance: "Proposal", "Nets". */
        if (MIN(n, m) >= 3 && g_ascii_strncasecmp(typed, words[i], MIN(n, m)) == 0)
            edits = MIN(edits, 1);
        if (edits < least) {
            least = edits;
            nearest = words[i];
        }
    }
    return nearest;
}

char *dialtone_text_sentence(const char *text)
{
    g_autofree char *first = g_utf8_substring(text, 0, 1), *upper = g_utf8_strup(first, -1);
    const char *rest = text + strlen(first);
    return g_strconcat(upper, rest, g_str_has_suffix(text, ".") ? "" : ".", NULL);
}

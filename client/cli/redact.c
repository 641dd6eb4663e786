/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words that are known to be private, the longest first, so that no part of one is left over; then
 * whatever has the shape of an address. Loopback, the unspecified addresses and prefixes alone say
 * nothing of anybody and stay, for routes can't be understood without them.
 */
#include "client/cli/redact.h"

#include <string.h>

enum { WORD_MIN = 3 };

typedef struct Word {
    char *text;
    char *stand_in;
} Word;

struct CliRedaction {
    GPtrArray *words;  /* of Word, the longest first */
    GHashTable *count; /* kind -> how many there are */
    GHashTable *shown; /* an address in the text -> its stand_in */
    GRegex *mail, *ipv4, *ipv6;
};

static const char *const HARMLESS[] = {"0.0.0.0", "127.0.0.1", "::1", "::", "255.255.255.255"};

static void word_free(gpointer data)
{
    Word *word = data;
    g_free(word->text);
    g_free(word->stand_in);
    g_free(word);
}

static char *next_stand_in(CliRedaction *self, const char *kind)
{
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(self->count, kind)) + 1;
    g_hash_table_insert(self->count, g_strdup(kind), GUINT_TO_POINTER(n));
    return g_strdup_printf("<%s-%u>", kind, n);
}

static gint by_length(gconstpointer a, gconstpointer b)
{
    const Word *one = *(const Word *const *)a, *two = *(const Word *const *)b;
    gsize n = strlen(one->text), m = strlen(two->text);
    return n > m ? -1 : n < m;
}

void cli_redaction_add(CliRedaction *self, const char *kind, const char *text)
{
    if (text == NULL || g_utf8_strlen(text, -1) < WORD_MIN)
        return;
    for (guint i = 0; i < self->words->len; i++) {
        const Word *word = self->words->pdata[i];
        if (g_ascii_strcasecmp(word->text, text) == 0)
            return;
    }
    Word *word = g_new0(Word, 1);
    *word = (Word){.text = g_strdup(text), .stand_in = next_stand_in(self, kind)};
    g_ptr_array_add(self->words, word);
    g_ptr_array_sort(self->words, by_length);
}

static char *replace_word(const char *text, const Word *word)
{
    GString *out = g_string_new(NULL);
    gsize n = strlen(word->text);
    while (*text != '\0') {
        if (g_ascii_strncasecmp(text, word->text, n) == 0) {
            g_string_append(out, word->stand_in);
            text += n;
        } else {
            g_string_append_c(out, *text++);
        }
    }
    return g_string_free(out, FALSE);
}

typedef struct Shape {
    CliRedaction *redaction;
    const char *kind;
} Shape;

static gboolean on_match(const GMatchInfo *match, GString *out, gpointer data)
{
    const Shape *shape = data;
    g_autofree char *found = g_match_info_fetch(match, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(HARMLESS); i++) {
        if (strcmp(found, HARMLESS[i]) == 0) {
            g_string_append(out, found);
            return FALSE;
        }
    }
    char *stand_in = g_hash_table_lookup(shape->redaction->shown, found);
    if (stand_in == NULL) {
        stand_in = next_stand_in(shape->redaction, shape->kind);
        g_hash_table_insert(shape->redaction->shown, g_strdup(found), stand_in);
    }
    g_string_append(out, stand_in);
    return FALSE;
}

static char *replace_shape(CliRedaction *self, const char *text, const GRegex *regex,
                           const char *kind)
{
    Shape shape = {self, kind};
    char *out = g_regex_replace_eval(regex, text, -1, 0, 0, on_match, &shape, NULL);
    /* What can't be searched can't be shown. */
    return out != NULL ? out : g_strdup("");
}

char *cli_redact(CliRedaction *self, const char *text)
{
    char *out = g_utf8_make_valid(text, -1);
    for (guint i = 0; i < self->words->len; i++) {
        char *next = replace_word(out, self->words->pdata[i]);
        g_free(out);
        out = next;
    }
    const struct {
        const GRegex *regex;
        const char *kind;
    } SHAPES[] = {{self->mail, "mail"}, {self->ipv4, "address"}, {self->ipv6, "address"}};
    for (gsize i = 0; i < G_N_ELEMENTS(SHAPES); i++) {
        char *next = replace_shape(self, out, SHAPES[i].regex, SHAPES[i].kind);
        g_free(out);
        out = next;
    }
    return out;
}

CliRedaction *cli_redaction_new(void)
{
    CliRedaction *self = g_new0(CliRedaction, 1);
    self->words = g_ptr_array_new_with_free_func(word_free);
    self->count = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->mail = g_regex_new("[\\w.+-]+@[\\w-]+(\\.[\\w-]+)+", 0, 0, NULL);
    self->ipv4 = g_regex_new("\\b\\d{1,3}(\\.\\d{1,3}){3}\\b", 0, 0, NULL);
    /* A time of day has two colons and never two in a row. What else has five, as the addresses of
     * network cards do, is as private. */
    self->ipv6 = g_regex_new("(?<![\\w:])(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]*:){5})[0-9a-fA-F:]{3,}",
                             0, 0, NULL);
    return self;
}

void cli_redaction_free(CliRedaction *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->words);
    g_hash_table_unref(self->count);
    g_hash_table_unref(self->shown);
    g_regex_unref(self->mail);
    g_regex_unref(self->ipv4);
    g_regex_unref(self->ipv6);
    g_free(self);
}

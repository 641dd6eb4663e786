/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values that are words or free text: names, the UUID, enumerations, and where secrets come from.
 * Free text has no control characters, for the scanner lets none through.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"

enum { WORDS_MAX = 16 };

static void *field(const DialtoneValue *value)
{
    return G_STRUCT_MEMBER_P(value->profile, value->row->offset);
}

/* Takes @plain into a field of type char *. */
static void store_text(DialtoneValue *value, char **target, char *plain)
{
    dialtone_value_append_escaped(value->normal, plain);
    g_free(*target);
    *target = plain;
}

bool dialtone_value_text(DialtoneValue *value, const char *text)
{
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    if (strlen(plain) > value->row->max)
        return dialtone_value_error(value, _("longer than %u bytes; shorten it"),
                                    (guint)value->row->max);
    if (strstr(plain, " #") != NULL)
        dialtone_value_warn(value, "%s",
                            _("there are no comments behind a value: the # is a part of it"));
    store_text(value, field(value), g_steal_pointer(&plain));
    return true;
}

/* A name becomes a file's name and an argument of commands. */
bool dialtone_value_name(DialtoneValue *value, const char *text)
{
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    if (strlen(plain) > value->row->max)
        return dialtone_value_error(value, _("longer than %u bytes; shorten it"),
                                    (guint)value->row->max);
    if (strchr(plain, '/') != NULL || *plain == '-' || *plain == '.')
        return dialtone_value_error(
            value, "%s", _("a name has no `/` and does not begin with `-` or `.`; rename it"));
    if (g_str_has_suffix(plain, ".dialtone"))
        return dialtone_value_error(value, "%s", _("write the name without .dialtone"));
    store_text(value, &value->profile->name, g_steal_pointer(&plain));
    return true;
}

bool dialtone_value_uuid(DialtoneValue *value, const char *text)
{
    if (!g_uuid_string_is_valid(text))
        return dialtone_value_error(
            value, "%s",
            _("no UUID; write one as 6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11 or remove the line"));
    store_text(value, &value->profile->uuid, g_ascii_strdown(text, -1));
    return true;
}

/* "auto, pull, push or none" */
static char *list_words(const DialtoneWord *words)
{
    GString *list = g_string_new(NULL);

    for (gsize i = 0; words[i].word != NULL; i++) {
        if (i > 0)
            g_string_append(list, words[i + 1].word == NULL ? _(" or ") : ", ");
        g_string_append(list, words[i].word);
    }
    return g_string_free(list, FALSE);
}

static const char *nearest_word(const char *text, const DialtoneWord *words)
{
    const char *known[WORDS_MAX + 1] = {NULL};

    for (gsize i = 0; words[i].word != NULL && i < WORDS_MAX; i++)
        known[i] = words[i].word;
    return dialtone_text_nearest(text, known);
}

static const DialtoneWord *find_word(DialtoneValue *value, const char *text,
                                     const DialtoneWord *words)
{
    for (gsize i = 0; words[i].word != NULL; i++) {
        if (strcmp(text, words[i].word) == 0) {
            g_string_append(value->normal, text);
            return &words[i];
        }
    }
    g_autofree char *list = list_words(words);
    g_autofree char *quoted = dialtone_value_quote(text);
    const char *near = nearest_word(text, words);
    if (near != NULL)
        dialtone_value_error(value, _("%s is unknown; did you mean %s? It is one of %s"), quoted,
                             near, list);
    else
        dialtone_value_error(value, _("%s is unknown; write %s"), quoted, list);
    return NULL;
}

bool dialtone_value_word(DialtoneValue *value, const char *text)
{
    const DialtoneWord *word = find_word(value, text, value->row->words);

    if (word == NULL)
        return false;
    *(int *)field(value) = word->value;
    return true;
}

bool dialtone_value_flag(DialtoneValue *value, const char *text)
{
    static const DialtoneWord words[] = {{"yes", true}, {"no", false}, {NULL, 0}};
    const DialtoneWord *word = find_word(value, text, words);

    if (word == NULL)
        return false;
    *(bool *)field(value) = word->value != 0;
    return true;
}

/* Never quotes the text: it may well be the secret itself. */
bool dialtone_value_secret_source(DialtoneValue *value, const char *text)
{
    static const DialtoneWord words[] = {
        {"keyring", DIALTONE_SOURCE_KEYRING},
        {"ask", DIALTONE_SOURCE_ASK},
        {"system", DIALTONE_SOURCE_SYSTEM},
        {NULL, 0},
    };

    for (gsize i = 0; words[i].word != NULL; i++) {
        if (strcmp(text, words[i].word) == 0) {
            *(DialtoneSecretSource *)field(value) = (DialtoneSecretSource)words[i].value;
            g_string_append(value->normal, text);
            return true;
        }
    }
    return dialtone_value_error(
        value, "%s",
        _("a secret never stands in a profile; write keyring, ask or system, and put the secret "
          "in the keyring or in a file for --secrets"));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Habits from other programs' files: a comment behind the value, quotes around it, commas between
 * the items of a list. The value's own parser would complain of the word that it found there and
 * suggest something beside the point, so these are looked for before it runs.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"

/* Free text may hold any of it, and a secret is never looked into: it must not be quoted. */
static bool is_free(const DialtoneValueParser parse)
{
    return parse == dialtone_value_text || parse == dialtone_value_name ||
           parse == dialtone_value_places || parse == dialtone_value_certificate ||
           parse == dialtone_value_ca || parse == dialtone_value_secret_source;
}

static bool is_id(const DialtoneValueParser parse)
{
    return parse == dialtone_value_id || parse == dialtone_value_remote_id;
}

static bool is_list(const DialtoneValueParser parse)
{
    return parse == dialtone_value_gateways || parse == dialtone_value_networks ||
           parse == dialtone_value_addresses || parse == dialtone_value_dns ||
           parse == dialtone_value_phase1_proposals || parse == dialtone_value_phase2_proposals ||
           parse == dialtone_value_accounts || parse == dialtone_value_lock ||
           parse == dialtone_value_offloads;
}

static bool refuse_comment(DialtoneValue *value, const char *text, const char *comment)
{
    g_autofree char *head = g_strchomp(g_strndup(text, (gsize)(comment - text)));

    return dialtone_value_error(value,
                                _("a comment stands on a line of its own; write %s=%s and move "
                                  "what begins with #"),
                                value->row->key, head);
}

static bool refuse_quotes(DialtoneValue *value, const char *text)
{
    g_autofree char *bare = g_strndup(text + 1, strlen(text) - 2);

    return dialtone_value_error(value, _("a value has no quotes around it; write %s=%s"),
                                value->row->key, bare);
}

static bool refuse_commas(DialtoneValue *value, const char *text)
{
    g_auto(GStrv) items = g_strsplit(text, ",", -1);

    for (gsize i = 0; items[i] != NULL; i++)
        g_strstrip(items[i]);
    g_autofree char *list = g_strjoinv(";", items);
    return dialtone_value_error(value, _("`;` stands between the items of a list; write %s=%s"),
                                value->row->key, list);
}

static bool is_quoted(const char *text)
{
    gsize n = strlen(text);

    return n > 2 && (*text == '"' || *text == '\'') && text[n - 1] == *text;
}

static void warn_of_quotes(DialtoneValue *value, const char *text)
{
    bool name =
        value->row->parse == dialtone_value_name || value->row->parse == dialtone_value_text;

    if (name && is_quoted(text))
        dialtone_value_warn(value, "%s",
                            _("the quotes are a part of the value; leave them out unless they "
                              "are meant"));
}

bool dialtone_value_has_no_habit(DialtoneValue *value, const char *text)
{
    const DialtoneValueParser parse = value->row->parse;
    /* The name of a key ID may be anything. */
    bool any = is_free(parse) || (is_id(parse) && g_str_has_prefix(text, "keyid:"));
    const char *comment = any ? NULL : strstr(text, " #");

    warn_of_quotes(value, text);
    if (any)
        return true;
    if (comment != NULL)
        return refuse_comment(value, text, comment);
    if (is_quoted(text))
        return refuse_quotes(value, text);
    if (is_list(parse) && strchr(text, ',') != NULL)
        return refuse_commas(value, text);
    return true;
}

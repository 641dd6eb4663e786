/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsers of values: one a type, each used by the rows of the schema. A parser gets the trimmed
 * text, writes the field of its row and the normal spelling, or says what is wrong. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/profile.h"

typedef struct DialtoneProfileKey DialtoneProfileKey;

typedef struct {
    DialtoneProfile *profile;
    const DialtoneProfileKey *row;
    guint line; /* 0 while a default is parsed */
    GPtrArray *issues;
    GString *normal; /* empty; the parser appends the normal spelling */
} DialtoneValue;

typedef struct {
    const char *word; /* NULL ends the list */
    int value;
} DialtoneWord;

typedef bool (*DialtoneValueParser)(DialtoneValue *value, const char *text);

struct DialtoneProfileKey {
    const char *group;
    const char *key;
    DialtoneValueParser parse;
    gsize offset; /* of the field in DialtoneProfile, where the parser needs to be told */
    const DialtoneWord *words;
    guint64 min, max;
    bool required;
    const char *fallback; /* the default, parsed as if it stood in the file; NULL for none */
    const char *syntax;   /* what may be written, for errors and the manual */
    const char *help;     /* what it is for, a sentence or two for the manual */
};

/* Always false, so that a parser can return it. */
bool dialtone_value_error(DialtoneValue *value, const char *format, ...) G_GNUC_PRINTF(2, 3);
void dialtone_value_warn(DialtoneValue *value, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The text in quotes, cut when long; for messages. The caller frees it. */
char *dialtone_value_quote(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Undoes the escapes of GLib's key files; NULL when it complained. The caller frees it. */
char *dialtone_value_unescape(DialtoneValue *value, const char *text) G_GNUC_WARN_UNUSED_RESULT;
void dialtone_value_append_escaped(GString *normal, const char *text);

/* The items between `;`, trimmed, none empty and none twice; NULL when it complained. */
char **dialtone_value_items(DialtoneValue *value, const char *text,
                            guint max) G_GNUC_WARN_UNUSED_RESULT;

/* value-habit.c: false when it complained of what other programs' files have around a value. */
bool dialtone_value_has_no_habit(DialtoneValue *value, const char *text);

/* value-text.c */
bool dialtone_value_text(DialtoneValue *value, const char *text);
bool dialtone_value_name(DialtoneValue *value, const char *text);
bool dialtone_value_uuid(DialtoneValue *value, const char *text);
bool dialtone_value_word(DialtoneValue *value, const char *text);
bool dialtone_value_flag(DialtoneValue *value, const char *text);
bool dialtone_value_secret_source(DialtoneValue *value, const char *text);

/* value-access.c */
bool dialtone_value_accounts(DialtoneValue *value, const char *text);
bool dialtone_value_lock(DialtoneValue *value, const char *text);

/* value-rules.c */
bool dialtone_value_places(DialtoneValue *value, const char *text);

/* value-credential.c */
bool dialtone_value_certificate(DialtoneValue *value, const char *text);
bool dialtone_value_key(DialtoneValue *value, const char *text);
bool dialtone_value_ca(DialtoneValue *value, const char *text);
bool dialtone_value_crls(DialtoneValue *value, const char *text);

/* value-number.c */
bool dialtone_value_duration(DialtoneValue *value, const char *text);
bool dialtone_value_number(DialtoneValue *value, const char *text);
bool dialtone_value_mtu(DialtoneValue *value, const char *text);
bool dialtone_value_id_port(DialtoneValue *value, const char *text);

/* value-offload.c */
bool dialtone_value_offloads(DialtoneValue *value, const char *text);

/* value-address.c */
bool dialtone_value_gateways(DialtoneValue *value, const char *text);
bool dialtone_value_networks(DialtoneValue *value, const char *text);
bool dialtone_value_addresses(DialtoneValue *value, const char *text);
bool dialtone_value_dns(DialtoneValue *value, const char *text);

/* value-id.c */
bool dialtone_value_id(DialtoneValue *value, const char *text);
bool dialtone_value_remote_id(DialtoneValue *value, const char *text);

/* value-proposal.c */
/* The algorithm that a word of another product, or a typing error, was meant to be; may be NULL. */
const char *dialtone_algorithm_meant(const char *word) G_GNUC_WARN_UNUSED_RESULT;
bool dialtone_value_phase1_proposals(DialtoneValue *value, const char *text);
bool dialtone_value_phase2_proposals(DialtoneValue *value, const char *text);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialtone secret generate: a preshared key that chance made, on standard output, and what it is
 * worth on standard error.
 *
 * Letters and digits only, for gateways' command lines have their own thoughts about ? # " $ and
 * blanks; none of 0 O 1 l I, for a key is read out on the telephone; a letter first, for 0x means
 * bytes to many; 24 characters, which every gateway takes and 10^12 guesses a second never find.
 */
#include "client/cli/secret.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "platform/random.h"
#include "platform/secret-memory.h"

#define LETTERS "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

static const char ALPHABET[] = LETTERS "23456789";

enum {
    KEY_LENGTH = 24,
    LETTERS_N = sizeof(LETTERS) - 1,
    ALPHABET_N = sizeof(ALPHABET) - 1,
    KEY_BITS = 139, /* log2 49 + 23 * log2 57, which a test computes */
};

/* Every one of the first @n equally likely: a byte that would favour the first ones is thrown. */
static char pick(guint8 n)
{
    const guint8 limit = (guint8)(G_MAXUINT8 / n * n);
    guint8 byte = 0;

    do
        platform_random(&byte, 1);
    while (byte >= limit);
    return ALPHABET[byte % n];
}

static void print_json(const char *key)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "schema");
    json_builder_add_int_value(json, 1);
    json_builder_set_member_name(json, "psk");
    json_builder_add_string_value(json, key);
    json_builder_set_member_name(json, "bits");
    json_builder_add_int_value(json, KEY_BITS);
    json_builder_end_object(json);
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, FALSE);
    puts(text);
}

static void print_key(const char *key)
{
    g_autofree char *line = g_strdup_printf(
        _("%d bits. Put it into the gateway and into a file of mode 0600 (PSK= under [Secrets]) "
          "for --secrets; each user should have one of their own."),
        KEY_BITS);

    puts(key);
    cli_complain(line);
}

int cli_secret_generate(bool as_json)
{
    char *key = platform_secret_alloc(KEY_LENGTH + 1);

    if (key == NULL)
        return DIALTONE_FAILURE_INTERNAL;
    key[0] = pick(LETTERS_N);
    for (gsize i = 1; i < KEY_LENGTH; i++)
        key[i] = pick(ALPHABET_N);
    if (as_json)
        print_json(key);
    else
        print_key(key);
    platform_secret_free(key);
    return DIALTONE_FAILURE_NONE;
}

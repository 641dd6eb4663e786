/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences on their way back to the message that they were made of. The catalog is a file of the
 * system, but what fills a sentence is a gateway's or a profile's: neither may make the reader
 * leave the bytes that it was given, nor a translation say what the sentence did not.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/common/catalog-file.h"
#include "client/common/localize.h"

enum { HEADER_BYTES = 20, ROW_BYTES = 8 };

typedef struct {
    const char *text, *translation;
    gsize text_n, translation_n; /* 0: strlen() */
} Entry;

static const Entry ENTRIES[] = {
    {"", "Language: de\n", 0, 0},
    {"The gateway %s does not answer.", "Das Gateway %s antwortet nicht.", 0, 0},
    {"The gateway %s says: %s", "Von %2$s sagt %1$s", 0, 0},
    {"The gateway %s refused %s.", "Es lehnt %2$s ab: %1$s.", 0, 0},
    {"Connect again.", "Verbinden Sie sich erneut.", 0, 0},
    {"more than %u bytes", "mehr als %u Byte", 0, 0},
    {"a host name (FQDN)", "ein Hostname (FQDN)", 0, 0},
    {"password", "Passwort", 0, 0},
    {"%s: %s", "%2$s zu %1$s", 0, 0},
    {"all of %s is used", "%s ist zu 100%% belegt", 0, 0},
    {"it ends in %u day\0it ends in %u days", "in %u Tag\0in %u Tagen",
     sizeof("it ends in %u day\0it ends in %u days") - 1, sizeof("in %u Tag\0in %u Tagen") - 1},
    {"menu\004Open the window", "Fenster zeigen", 0, 0},
};

static void put_u32(GByteArray *out, gsize value)
{
    guint32 number = (guint32)value;
    g_byte_array_append(out, (const guint8 *)&number, sizeof(number));
}

static GByteArray *make_catalog(void)
{
    const gsize n = G_N_ELEMENTS(ENTRIES);
    GByteArray *out = g_byte_array_new();
    g_autoptr(GByteArray) strings = g_byte_array_new();
    const gsize start = HEADER_BYTES + 2 * n * ROW_BYTES;
    const gsize header[] = {0x950412de, 0, n, HEADER_BYTES, HEADER_BYTES + n * ROW_BYTES};
    for (gsize i = 0; i < G_N_ELEMENTS(header); i++)
        put_u32(out, header[i]);
    for (gsize i = 0; i < 2 * n; i++) {
        const Entry *entry = &ENTRIES[i % n];
        const char *text = i < n ? entry->text : entry->translation;
        gsize length = i < n ? entry->text_n : entry->translation_n;
        if (length == 0)
            length = strlen(text);
        put_u32(out, length);
        put_u32(out, start + strings->len);
        g_byte_array_append(strings, (const guint8 *)text, (guint)length + 1);
    }
    g_byte_array_append(out, strings->data, strings->len);
    return out;
}

static void expect(const char *text, const char *localized)
{
    g_autoptr(GByteArray) catalog = make_catalog();
    g_autofree char *got = dialtone_localize_by((const char *)catalog->data, catalog->len, text);
    assert_string_equal(got, localized);
}

/* A copy of its own end, so that a byte read behind it is seen. */
static void read_all(const guint8 *bytes, gsize n)
{
    g_autofree char *copy = g_memdup2(bytes, n);
    g_autofree char *got = dialtone_localize_by(copy, n, "The gateway x does not answer.");
    assert_non_null(got);
}

static void test_a_broken_catalog_leaves_the_text(void **state)
{
    expect("no such text", "no such text");
    g_autofree char *got =
        dialtone_localize_by("no catalog, but long enough", 27, "Connect again.");
    assert_string_equal(got, "Connect again.");
    g_autofree char *none = dialtone_localize_by(NULL, 0, "Connect again.");
    assert_string_equal(none, "Connect again.");
    assert_null(dialtone_localize_by("", 0, NULL));
}

static void test_a_cut_or_flipped_catalog_is_read_within_its_bytes(void **state)
{
    g_autoptr(GByteArray) catalog = make_catalog();
    for (guint n = 0; n < catalog->len; n++)
        read_all(catalog->data, n);
    for (guint i = 0; i < HEADER_BYTES + 2 * G_N_ELEMENTS(ENTRIES) * ROW_BYTES; i++) {
        static const guint8 flips[] = {0x01, 0x80, 0xff};
        for (gsize k = 0; k < G_N_ELEMENTS(flips); k++) {
            catalog->data[i] ^= flips[k];
            read_all(catalog->data, catalog->len);
            catalog->data[i] ^= flips[k];
        }
    }
}

static void test_what_fills_a_sentence_is_kept_as_it_is(void **state)
{
    expect("The gateway vpn.example.com does not answer.",
           "Das Gateway vpn.example.com antwortet nicht.");
    expect("The gateway %s%n%2$s does not answer.", "Das Gateway %s%n%2$s antwortet nicht.");
    /* A name that is a word of the catalog stays a name. */
    expect("The gateway password does not answer.", "Das Gateway password antwortet nicht.");
    expect("The gateway  does not answer.", "The gateway  does not answer.");
}

static void test_a_percent_sign_is_text(void **state)
{
    expect("all of it is used", "it ist zu 100% belegt");
}

static void test_the_order_is_the_translations(void **state)
{
    expect("The gateway gw refused a host name (FQDN).", "Es lehnt ein Hostname (FQDN) ab: gw.");
    expect("The gateway gw says: hello", "Von hello sagt gw");
}

static void test_a_number_is_one(void **state)
{
    expect("more than 17 bytes", "mehr als 17 Byte");
    expect("more than seventeen bytes", "more than seventeen bytes");
    expect("it ends in 1 day", "in 1 Tag");
    expect("it ends in 12 days", "in 12 Tagen");
}

static void test_lines_and_sentences_are_found_one_by_one(void **state)
{
    expect("The gateway gw does not answer. Connect again.",
           "Das Gateway gw antwortet nicht. Verbinden Sie sich erneut.");
    expect("Connect again.\n\nset security ike", "Verbinden Sie sich erneut.\n\nset security ike");
    expect("office.dialtone:3: [Gateway] Address: more than 9 bytes",
           "office.dialtone:3: [Gateway] Address: mehr als 9 Byte");
    expect("more than 9 bytes: Permission denied", "mehr als 9 Byte: Permission denied");
    expect("Connect again. Or not.", "Verbinden Sie sich erneut. Or not.");
}

/* "%s: %s" would fit everything. */
static void test_a_format_without_words_is_none(void **state)
{
    expect("eth0: no carrier", "eth0: no carrier");
}

static void test_long_texts_end(void **state)
{
    g_autoptr(GString) text = g_string_new("The gateway gw says: ");
    for (guint i = 0; i < 20000; i++)
        g_string_append(text, "a. ");
    g_autoptr(GByteArray) catalog = make_catalog();
    g_autofree char *got =
        dialtone_localize_by((const char *)catalog->data, catalog->len, text->str);
    assert_true(strlen(got) > 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_broken_catalog_leaves_the_text),
        cmocka_unit_test(test_a_cut_or_flipped_catalog_is_read_within_its_bytes),
        cmocka_unit_test(test_what_fills_a_sentence_is_kept_as_it_is),
        cmocka_unit_test(test_a_percent_sign_is_text),
        cmocka_unit_test(test_the_order_is_the_translations),
        cmocka_unit_test(test_a_number_is_one),
        cmocka_unit_test(test_lines_and_sentences_are_found_one_by_one),
        cmocka_unit_test(test_a_format_without_words_is_none),
        cmocka_unit_test(test_long_texts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

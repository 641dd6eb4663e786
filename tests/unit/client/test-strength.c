/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_c11: what a preshared key is worth against somebody who recorded HASH_R (ike-scan and
 * psk-crack). Keys that people choose must not pass for good ones because they have a digit and an
 * exclamation mark; keys that chance made must not be called weak; the key is never in the words.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/profile/strength.h"

static guint bits_of(const char *key)
{
    return dialtone_strength_bits((const guint8 *)key, strlen(key));
}

typedef struct Row {
    const char *key;
    guint least, most;
} Row;

static void test_c11_what_people_choose_is_weak(void **state)
{
    static const Row rows[] = {
        {"", 0, 0},
        {"a", 1, 5},
        {"test", 1, 8},
        {"password", 1, 8},
        {"P4ssw0rd!", 1, 14},
        {"cisco123", 1, 20},
        {"vpn2024", 1, 16},
        {"Welcome2024!", 1, 24},
        {"12345678901234567890", 1, 16},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, 8},
        {"abcdefghijklmnopqrstuvwxyz", 1, 8},
        {"secretsecretsecretsecret", 1, 12},
        {"hunter2", 10, 20},
        {"correct horse battery staple", 30, 60},
        {"Summer in Amsterdam", 20, 60},
        {"internationalization", 20, 60},
        {"k7Gh2pQz", 40, 52},
        {"CompanyVpnSharedKey1", 20, 45},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint bits = bits_of(rows[i].key);
        if (bits < rows[i].least || bits > rows[i].most)
            fail_msg("'%s' has %u bits, not %u to %u", rows[i].key, bits, rows[i].least,
                     rows[i].most);
        assert_true(dialtone_strength_is_weak(bits));
    }
}

static void test_c11_what_chance_made_is_good(void **state)
{
    static const Row rows[] = {
        {"7Jw2xN9rT4bQmZ6cVhPk", 95, 135},
        {"xkqjzvwpmltrgbnd", 72, 80},
        {"q9$Lr!2vB^x8@Wn4", 80, 120},
        {"c2f1b7e09ad4583be6117fa2c90d34e8", 100, 170},
        {"mountain 7 violin 93 kettle 4 saddle orbit pencil", 72, 160},
    };
    guint8 bytes[32];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint bits = bits_of(rows[i].key);
        if (bits < rows[i].least || bits > rows[i].most)
            fail_msg("'%s' has %u bits, not %u to %u", rows[i].key, bits, rows[i].least,
                     rows[i].most);
        assert_false(dialtone_strength_is_weak(bits));
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (guint8)(i * 89 + 200);
    assert_int_equal(dialtone_strength_bits(bytes, sizeof(bytes)), 256);
}

/* Behind the first character that is no text anything may follow, zero bytes too. */
static void test_bytes_that_are_no_text_do_no_harm(void **state)
{
    static const guint8 zero[64] = {0};
    static const guint8 latin[] = {'c', 'a', 'f', 0xe9};

    assert_true(dialtone_strength_is_weak(dialtone_strength_bits(zero, sizeof(zero))));
    assert_int_equal(dialtone_strength_bits(latin, sizeof(latin)), 32);
    assert_true(bits_of("\xc3\xa9t\xc3\xa9 \xc3\xa0 la mer") < 80);
}

static void test_a_longer_key_is_never_weaker_by_much(void **state)
{
    g_autofree char *key = g_strdup("q9Lr2vBx8Wn4Tz6Yk3Hs5Pd7Mf");
    guint last = 0;

    for (gsize n = 1; n <= strlen(key); n++) {
        guint bits = dialtone_strength_bits((const guint8 *)key, n);
        assert_true(bits + 1 >= last);
        last = bits;
    }
}

static void test_times_read_as_people_say_them(void **state)
{
    static const struct {
        guint bits;
        const char *said;
    } rows[] = {
        {0, "less than a second"}, {40, "less than a second"},
        {41, "about a second"},    {45, "about 18 seconds"},
        {50, "about 9 minutes"},   {54, "about 3 hours"},
        {60, "about 7 days"},      {71, "about 37 years"},
        {72, "about 75 years"},    {128, "longer than anybody lives"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *said = dialtone_strength_time(rows[i].bits);
        assert_string_equal(said, rows[i].said);
    }
}

static void test_the_warning_says_how_long_and_never_the_key(void **state)
{
    static const char key[] = "hunter2 hunter3";
    g_autofree char *said = dialtone_strength_warning((const guint8 *)key, strlen(key));
    g_autofree char *none = dialtone_strength_warning((const guint8 *)"7Jw2xN9rT4bQmZ6cVhPk", 20);
    g_autofree char *remark = dialtone_strength_remark((const guint8 *)key, strlen(key));
    g_autofree char *sentence = g_strdup_printf("Warning: %s.", remark);

    assert_non_null(said);
    assert_string_equal(said, sentence);
    assert_non_null(strstr(said, "weak"));
    assert_non_null(strstr(said, "second"));
    assert_non_null(strstr(said, "dialtone secret generate"));
    assert_null(strstr(said, "hunter"));
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c11_what_people_choose_is_weak),
        cmocka_unit_test(test_c11_what_chance_made_is_good),
        cmocka_unit_test(test_bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(test_a_longer_key_is_never_weaker_by_much),
        cmocka_unit_test(test_times_read_as_people_say_them),
        cmocka_unit_test(test_the_warning_says_how_long_and_never_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of the log: who reads what, and that nobody pushes out what concerns others. */
#include "service-kit.h"

#include "client/service/log.h"

enum { ALICE = 61001, BOB = 61002 };

static guint count(uid_t uid, guint max)
{
    g_autoptr(GVariant) lines = g_variant_ref_sink(service_log_read(uid, max));
    return (guint)g_variant_n_children(lines);
}

static void a_user_reads_their_own_lines_only(void **state)
{
    service_log(ALICE, "Office", "connected");
    service_log(0, NULL, "refused something");
    assert_int_equal(count(ALICE, 100), 1);
    assert_int_equal(count(BOB, 100), 0);
    assert_int_equal(count(0, 100), 2);
}

static void a_flood_of_one_user_leaves_others_their_lines(void **state)
{
    for (int i = 0; i < 5000; i++)
        service_log(BOB, "B", "failed: %d", i);
    assert_int_equal(count(ALICE, 1000), 1);
    assert_int_equal(count(BOB, 1000), 250);
}

static void the_last_lines_are_given_and_the_oldest_first(void **state)
{
    g_autoptr(GVariant) lines = g_variant_ref_sink(service_log_read(BOB, 2));
    const char *text = NULL;
    assert_int_equal(g_variant_n_children(lines), 2);
    g_variant_get_child(lines, 0, "(t&s&s)", NULL, NULL, &text);
    assert_string_equal(text, "failed: 4998");
    g_variant_get_child(lines, 1, "(t&s&s)", NULL, NULL, &text);
    assert_string_equal(text, "failed: 4999");
}

static void what_a_gateway_says_is_one_clean_line(void **state)
{
    const char *text = NULL;
    service_log(ALICE, "Office", "%s", "hello\n%n%s\x1b[31m<b>\xff");
    g_autoptr(GVariant) lines = g_variant_ref_sink(service_log_read(ALICE, 1));
    g_variant_get_child(lines, 0, "(t&s&s)", NULL, NULL, &text);
    assert_null(strchr(text, '\n'));
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "%n%s"));
    assert_true(g_utf8_validate(text, -1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_reads_their_own_lines_only),
        cmocka_unit_test(a_flood_of_one_user_leaves_others_their_lines),
        cmocka_unit_test(the_last_lines_are_given_and_the_oldest_first),
        cmocka_unit_test(what_a_gateway_says_is_one_clean_line),
    };
    return cmocka_run_group_tests_name("service log", tests, NULL, NULL);
}

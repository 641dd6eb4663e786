// SPDX-License-Identifier: GPL-2.0-or-later
/* When what was taken away is put back. */
#include "kit.h"

#include "platform/restorer.h"

#include <string.h>

typedef struct Count {
    GMainLoop *loop;
    guint calls, until, warnings;
    gint64 last;
    gint64 longest;          /* from one call to the next */
    PlatformRestorer *again; /* somebody removes it at once; NULL: nobody does */
} Count;

static void on_time(void *user_data)
{
    Count *count = user_data;
    gint64 now = g_get_monotonic_time();

    if (count->calls)
        count->longest = MAX(count->longest, now - count->last);
    count->last = now;
    count->calls++;
    if (count->again)
        platform_restorer_wake(count->again);
    if (count->calls >= count->until)
        g_main_loop_quit(count->loop);
}

static void on_warning(const char *warning, void *user_data)
{
    Count *count = user_data;

    assert_true(g_str_has_prefix(warning, "network-contested: "));
    assert_non_null(strstr(warning, "removing nothing; "));
    count->warnings++;
}

static gboolean on_end(gpointer user_data)
{
    g_main_loop_quit(user_data);
    return G_SOURCE_REMOVE;
}

static Count run(guint wakes, guint until, gboolean again, guint ms)
{
    Count count = {.loop = g_main_loop_new(NULL, FALSE), .until = until};
    const PlatformRestorerSetup setup = {"nothing", on_time, on_warning, &count};
    PlatformRestorer *restorer = platform_restorer_new(&setup);

    count.again = again ? restorer : NULL;
    for (guint i = 0; i < wakes; i++)
        platform_restorer_wake(restorer);
    guint end = g_timeout_add(ms, on_end, count.loop);

    g_main_loop_run(count.loop);
    if (count.calls >= until)
        g_source_remove(end);
    platform_restorer_free(restorer);
    g_main_loop_unref(count.loop);
    return count;
}

static void test_who_never_stops_is_answered_ever_more_slowly(void **state)
{
    const Count count = run(1, 9, TRUE, 20000);

    assert_int_equal(count.calls, 9);
    assert_true(count.longest >= 4 * G_USEC_PER_SEC);
    assert_int_equal(count.warnings, 1);
}

static void test_many_removals_at_one_go_are_answered_once(void **state)
{
    const Count count = run(1000, 2, FALSE, 1000);

    assert_int_equal(count.calls, 1);
    assert_int_equal(count.warnings, 0);
}

static void test_without_a_removal_nothing_happens(void **state)
{
    assert_int_equal(run(0, 1, FALSE, 600).calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_never_stops_is_answered_ever_more_slowly),
        cmocka_unit_test(test_many_removals_at_one_go_are_answered_once),
        cmocka_unit_test(test_without_a_removal_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

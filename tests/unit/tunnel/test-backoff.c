/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a lost tunnel is tried again: never at once, ever more rarely, and not for ever. */
#include "tunnel-kit.h"

#include "client/tunnel/backoff.h"

#define SECOND UINT64_C(1000000000)

static void pauses_grow_from_half_a_second_to_thirty(void **state)
{
    TunnelBackoff backoff = {.retry_for = G_MAXUINT64};
    uint64_t now = 5 * SECOND, when = 0, last = 0;
    tunnel_backoff_begin(&backoff, now);
    for (int i = 0; i < 20; i++) {
        assert_true(tunnel_backoff_next(&backoff, now, UINT32_MAX, &when));
        uint64_t pause = when - now;
        if (i == 0)
            assert_int_equal(pause, SECOND / 2);
        assert_true(pause >= last && pause <= 30 * SECOND);
        last = pause;
        now = when;
    }
    assert_int_equal(last, 30 * SECOND);
}

static void jitter_spreads_over_the_second_half(void **state)
{
    TunnelBackoff low = {.retry_for = G_MAXUINT64}, high = low;
    uint64_t a = 0, b = 0;
    tunnel_backoff_begin(&low, 1);
    tunnel_backoff_begin(&high, 1);
    assert_true(tunnel_backoff_next(&low, 1, 0, &a));
    assert_true(tunnel_backoff_next(&high, 1, UINT32_MAX, &b));
    assert_int_equal(a - 1, SECOND / 4);
    assert_int_equal(b - 1, SECOND / 2);
}

/* The last attempt begins at the end of RetryFor, not after it. */
static void the_end_of_retry_for_cuts_the_last_pause_short(void **state)
{
    TunnelBackoff backoff = {.retry_for = 2};
    uint64_t now = 0, when = 0;
    tunnel_backoff_begin(&backoff, SECOND);
    assert_int_equal(tunnel_backoff_deadline(&backoff), 3 * SECOND);
    now = SECOND;
    while (tunnel_backoff_next(&backoff, now, UINT32_MAX, &when)) {
        assert_true(when > now);
        assert_true(when <= 3 * SECOND);
        now = when;
    }
    assert_int_equal(now, 3 * SECOND);
}

static void an_outage_begins_once_and_ends(void **state)
{
    TunnelBackoff backoff = {.retry_for = 10};
    uint64_t when = 0;
    assert_true(tunnel_backoff_deadline(&backoff) == G_MAXUINT64);
    tunnel_backoff_begin(&backoff, SECOND);
    assert_true(tunnel_backoff_next(&backoff, SECOND, 0, &when));
    tunnel_backoff_begin(&backoff, 5 * SECOND);
    assert_int_equal(tunnel_backoff_deadline(&backoff), 11 * SECOND);
    tunnel_backoff_end(&backoff);
    assert_true(tunnel_backoff_deadline(&backoff) == G_MAXUINT64);
    tunnel_backoff_begin(&backoff, 20 * SECOND);
    assert_true(tunnel_backoff_next(&backoff, 20 * SECOND, UINT32_MAX, &when));
    assert_int_equal(when - 20 * SECOND, SECOND / 2);
}

static void sleep_is_not_counted(void **state)
{
    TunnelBackoff backoff = {.retry_for = 10};
    tunnel_backoff_slept(&backoff, 100 * SECOND); /* nothing is lost: nothing to put off */
    assert_int_equal(backoff.lost_at, 0);
    tunnel_backoff_begin(&backoff, SECOND);
    tunnel_backoff_slept(&backoff, 100 * SECOND);
    assert_int_equal(tunnel_backoff_deadline(&backoff), 111 * SECOND);
    tunnel_backoff_slept(&backoff, G_MAXUINT64);
    assert_true(tunnel_backoff_deadline(&backoff) == G_MAXUINT64);
}

static void a_retry_for_beyond_the_clock_is_for_ever(void **state)
{
    TunnelBackoff backoff = {.retry_for = G_MAXUINT64 / SECOND};
    tunnel_backoff_begin(&backoff, 100 * SECOND);
    assert_true(tunnel_backoff_deadline(&backoff) == G_MAXUINT64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_grow_from_half_a_second_to_thirty),
        cmocka_unit_test(jitter_spreads_over_the_second_half),
        cmocka_unit_test(the_end_of_retry_for_cuts_the_last_pause_short),
        cmocka_unit_test(an_outage_begins_once_and_ends),
        cmocka_unit_test(sleep_is_not_counted),
        cmocka_unit_test(a_retry_for_beyond_the_clock_is_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

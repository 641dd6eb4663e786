/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The edges between states. Scripts rely on it that `failed` is the last word, that `connected`
 * comes only at the end of an attempt, and that a tunnel that was lost says so before it is back.
 */
#include "tunnel-kit.h"

#include "client/tunnel/states.h"

static void nothing_follows_failed(void **state)
{
    for (int to = 0; to < DIALTONE_STATE_N; to++)
        assert_false(tunnel_state_may_follow(DIALTONE_STATE_FAILED, (DialtoneState)to));
}

static void every_state_but_the_last_may_fail_or_disconnect(void **state)
{
    for (int from = 0; from < DIALTONE_STATE_N; from++) {
        if (from == DIALTONE_STATE_FAILED || from == DIALTONE_STATE_DISCONNECTING)
            continue;
        assert_true(tunnel_state_may_follow((DialtoneState)from, DIALTONE_STATE_FAILED));
        assert_true(tunnel_state_may_follow((DialtoneState)from, DIALTONE_STATE_DISCONNECTING));
    }
}

static void connected_comes_only_from_where_sas_stand(void **state)
{
    for (int from = 0; from < DIALTONE_STATE_N; from++) {
        bool expected = from == DIALTONE_STATE_PHASE2 || from == DIALTONE_STATE_RECONNECTING ||
                        from == DIALTONE_STATE_NEEDS_SECRETS;
        assert_int_equal(tunnel_state_may_follow((DialtoneState)from, DIALTONE_STATE_CONNECTED),
                         expected);
    }
}

static void a_lost_tunnel_says_so_before_it_negotiates(void **state)
{
    static const DialtoneState attempt[] = {DIALTONE_STATE_RESOLVING, DIALTONE_STATE_PHASE1,
                                            DIALTONE_STATE_USER_AUTH, DIALTONE_STATE_CONFIG,
                                            DIALTONE_STATE_PHASE2};
    for (size_t i = 0; i < G_N_ELEMENTS(attempt); i++)
        assert_false(tunnel_state_may_follow(DIALTONE_STATE_CONNECTED, attempt[i]));
    assert_true(tunnel_state_may_follow(DIALTONE_STATE_CONNECTED, DIALTONE_STATE_RECONNECTING));
}

static void disconnecting_only_ends(void **state)
{
    for (int to = 0; to < DIALTONE_STATE_N; to++)
        assert_int_equal(tunnel_state_may_follow(DIALTONE_STATE_DISCONNECTING, (DialtoneState)to),
                         to == DIALTONE_STATE_IDLE || to == DIALTONE_STATE_FAILED);
}

static void values_outside_the_enumeration_follow_nothing(void **state)
{
    assert_false(tunnel_state_may_follow(DIALTONE_STATE_N, DIALTONE_STATE_FAILED));
    assert_false(tunnel_state_may_follow(DIALTONE_STATE_IDLE, DIALTONE_STATE_N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_follows_failed),
        cmocka_unit_test(every_state_but_the_last_may_fail_or_disconnect),
        cmocka_unit_test(connected_comes_only_from_where_sas_stand),
        cmocka_unit_test(a_lost_tunnel_says_so_before_it_negotiates),
        cmocka_unit_test(disconnecting_only_ends),
        cmocka_unit_test(values_outside_the_enumeration_follow_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

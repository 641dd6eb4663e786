/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choices between timings: they are arithmetic on what gateways say, so the edges are tried.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/policy.h"

static void test_every_life_is_renewed_before_its_end_and_after_its_beginning(void **state)
{
    static const uint32_t lives[] = {1,  2,  3,   4,    5,     9,     10,         11,        30,
                                     59, 60, 300, 3600, 28800, 86400, 0x7fffffff, 0xffffffff};

    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        const uint64_t life = lives[i] * IKE_SECOND;
        const uint64_t renewal = ike_policy_renewal(lives[i]);
        const uint64_t jitter = ike_policy_renewal_jitter(lives[i]);
        assert_true(renewal >= life / 2 && renewal < life);
        assert_true(jitter < renewal);
        /* Ten minutes are enough for anybody. */
        assert_true(life - renewal <= 600 * IKE_SECOND);
        assert_true(lives[i] < 10 || life - renewal >= 2 * IKE_SECOND);
    }
    assert_int_equal(ike_policy_renewal(0), 0);
}

static void test_waits_double_up_to_four_seconds_and_stay_there(void **state)
{
    static const uint64_t halves[] = {1, 2, 4, 8, 8, 8};

    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(ike_policy_retransmit(i), halves[i] * IKE_SECOND / 2);
    assert_int_equal(ike_policy_retransmit(1000), 4 * IKE_SECOND);
    assert_int_equal(ike_policy_retransmit(UINT32_MAX), 4 * IKE_SECOND);
}

static void test_the_shorter_of_two_lives_counts_and_zero_says_nothing(void **state)
{
    assert_int_equal(ike_policy_shorter(0, 0), 0);
    assert_int_equal(ike_policy_shorter(0, 7), 7);
    assert_int_equal(ike_policy_shorter(7, 0), 7);
    assert_int_equal(ike_policy_shorter(7, 8), 7);
    assert_int_equal(ike_policy_shorter(8, 7), 7);
    assert_int_equal(ike_policy_shorter(UINT32_MAX, UINT32_MAX), UINT32_MAX);
}

static void test_a_gateway_can_t_ask_for_new_keys_every_second(void **state)
{
    static const uint32_t rows[][3] = {
        /* ours, the gateway's, what counts */
        {3600, 0, 3600},    {3600, 1, 10}, {3600, 9, 10}, {3600, 10, 10}, {3600, 11, 11},
        {3600, 7200, 3600}, {5, 1, 5},     {5, 0, 5},     {1, 60, 1},     {UINT32_MAX, 1, 10},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ike_policy_lifetime(rows[i][0], rows[i][1]), rows[i][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_life_is_renewed_before_its_end_and_after_its_beginning),
        cmocka_unit_test(test_waits_double_up_to_four_seconds_and_stay_there),
        cmocka_unit_test(test_the_shorter_of_two_lives_counts_and_zero_says_nothing),
        cmocka_unit_test(test_a_gateway_can_t_ask_for_new_keys_every_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

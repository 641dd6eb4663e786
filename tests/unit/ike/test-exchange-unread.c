/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway that says PAYLOAD-MALFORMED about what it was sent twice. Where it has never read the
 * last message of a Quick Mode, its SA would carry nothing for ever; where it has, a second pair of
 * SAs takes the place of one that works.
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
#include "ike/vendor.h"

#include "gateway-kit.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 };

static KitList list;

static KitGateway *at_phase2(size_t networks)
{
    IkeConfig config = kit_config();

    config.networks_n = networks;
    for (size_t i = 0; i < networks; i++)
        config.networks[i] = (IkeNetwork){4, 16, {10, (uint8_t)(7 + i)}};
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    return gw;
}

static void say_unread(KitGateway *gw)
{
    kit_forget(gw);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_PAYLOAD_MALFORMED, NULL, 0), 0);
}

/* Until a Quick Mode message has gone out again. */
static void wait_for_repetition(KitGateway *gw)
{
    const uint64_t patience = gw->now + 5 * IKE_SECOND;

    kit_forget(gw);
    while (kit_count_packets(gw, IKE_EXCHANGE_QUICK) == 0 && gw->now < patience)
        assert_int_equal(kit_pass_time(gw, ike_session_deadline(gw->session), 1), 1);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 1);
}

static void expect_another_pair(KitGateway *gw)
{
    KitChain chain;

    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 1);
    assert_true(kit_qm2(gw, &chain, &list));
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
}

static void expect_peace(KitGateway *gw)
{
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 0);
    kit_pass_time(gw, gw->now + 20 * IKE_SECOND, 100);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 0);
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
    assert_int_equal(gw->events[IKE_EVENT_SA_GONE], 0);
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
}

static void test_a_qm3_that_was_never_read_begins_quick_mode_anew(void **state)
{
    KitGateway *gw = at_phase2(0);

    assert_true(kit_quick(gw));
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
    say_unread(gw);
    expect_another_pair(gw);
    kit_gateway_free(gw);
}

static void test_a_qm3_that_is_unread_only_when_repeated_was_read(void **state)
{
    KitGateway *gw = at_phase2(0);

    assert_true(kit_quick(gw));
    wait_for_repetition(gw);
    say_unread(gw);
    expect_peace(gw);
    kit_gateway_free(gw);
}

static void test_each_of_two_networks_keeps_its_pair(void **state)
{
    KitGateway *gw = at_phase2(2);

    while (gw->state != IKE_STATE_CONNECTED)
        assert_true(kit_quick(gw));
    wait_for_repetition(gw);
    say_unread(gw);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 0);
    wait_for_repetition(gw);
    say_unread(gw);
    expect_peace(gw);
    kit_gateway_free(gw);
}

static void test_a_qm1_that_went_twice_leaves_doubt_about_qm3(void **state)
{
    KitGateway *gw = at_phase2(0);

    wait_for_repetition(gw);
    assert_true(kit_quick(gw));
    wait_for_repetition(gw);
    say_unread(gw);
    expect_another_pair(gw);
    kit_gateway_free(gw);
}

static void test_a_qm2_that_came_twice_leaves_doubt_about_qm3(void **state)
{
    KitGateway *gw = at_phase2(0);
    KitChain chain;
    KitBytes qm2;

    assert_true(kit_qm2(gw, &chain, &list));
    kit_seal(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list, &qm2);
    kit_forget(gw);
    (void)kit_deliver(gw, &qm2);
    (void)kit_deliver(gw, &qm2);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 2);
    wait_for_repetition(gw);
    say_unread(gw);
    expect_another_pair(gw);
    kit_gateway_free(gw);
}

/* strongSwan keeps the IVs of three message IDs: behind others it can't read what it never read. */
static void test_a_qm3_behind_other_exchanges_may_never_have_been_read(void **state)
{
    KitGateway *gw = at_phase2(0);

    assert_true(kit_quick(gw));
    for (int i = 0; i < 2; i++)
        assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_INITIAL_CONTACT, NULL, 0), 0);
    wait_for_repetition(gw);
    say_unread(gw);
    expect_another_pair(gw);
    kit_gateway_free(gw);
}

/* A gateway repeats QM2 where it lacks QM3, long after QM3 has gone out for the last time. */
static void test_a_qm2_that_comes_again_late_says_what_is_missing(void **state)
{
    KitGateway *gw = at_phase2(0);
    KitChain chain;
    KitBytes qm2;

    assert_true(kit_qm2(gw, &chain, &list));
    kit_seal(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list, &qm2);
    (void)kit_deliver(gw, &qm2);
    kit_pass_time(gw, gw->now + 4 * IKE_SECOND, 100);
    kit_forget(gw);
    (void)kit_deliver(gw, &qm2);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 1);
    say_unread(gw);
    expect_another_pair(gw);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_qm3_that_was_never_read_begins_quick_mode_anew),
        cmocka_unit_test(test_a_qm3_that_is_unread_only_when_repeated_was_read),
        cmocka_unit_test(test_each_of_two_networks_keeps_its_pair),
        cmocka_unit_test(test_a_qm1_that_went_twice_leaves_doubt_about_qm3),
        cmocka_unit_test(test_a_qm2_that_came_twice_leaves_doubt_about_qm3),
        cmocka_unit_test(test_a_qm3_behind_other_exchanges_may_never_have_been_read),
        cmocka_unit_test(test_a_qm2_that_comes_again_late_says_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

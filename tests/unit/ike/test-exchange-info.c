/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another gateway in place of this one: Cisco's LOAD-BALANCE notify. Whoever could forge it would
 * choose whom a user's password is given to, so that only an authenticated gateway is believed, and
 * only about an address that a gateway can have. Relied on by client/tunnel, which calls it.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/vendor.h"

#include "gateway-kit.h"

enum {
    PLAIN = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH,
    VENDORS = PLAIN | IKE_VENDOR_UNITY,
};

static const uint8_t ELSEWHERE[] = {198, 51, 100, 9};

static KitGateway *authenticated(unsigned vendors)
{
    IkeConfig config = kit_config();

    config.xauth = IKE_XAUTH_REQUIRED;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, vendors);
    kit_collect(gw);
    kit_forget(gw);
    return gw;
}

static int redirect(KitGateway *gw, const void *data, size_t n)
{
    return kit_send_notify(gw, IKE_NOTIFY_CISCO_LOAD_BALANCE, data, n);
}

static void expect_unmoved(KitGateway *gw)
{
    kit_collect(gw);
    assert_int_equal(gw->events[IKE_EVENT_FAILED] + gw->events[IKE_EVENT_LOST], 0);
    assert_int_equal(gw->packets_n, 0);
}

static void notify_list(const KitGateway *gw, KitList *list, uint16_t type, const void *data,
                        size_t n)
{
    KitBytes body = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ISAKMP);
    kit_append_u8(&body, 16);
    kit_append_u16(&body, type);
    kit_append(&body, gw->cookie_i, 8);
    kit_append(&body, gw->cookie_r, 8);
    kit_append(&body, data, n);
    kit_list_add(list, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
}

static void test_in_the_clear_nobody_sends_us_anywhere(void **state)
{
    static KitList list;
    KitBytes datagram;
    IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);

    for (int authentic = 0; authentic <= 1; authentic++) {
        if (authentic)
            kit_phase1(gw, VENDORS);
        kit_collect(gw);
        kit_forget(gw);
        list.n = 0;
        notify_list(gw, &list, IKE_NOTIFY_CISCO_LOAD_BALANCE, ELSEWHERE, 4);
        kit_encode(gw, IKE_EXCHANGE_INFORMATIONAL, &list, &datagram);
        assert_int_equal(kit_deliver(gw, &datagram), 0);
        expect_unmoved(gw);
        assert_int_equal(gw->events[IKE_EVENT_NOTICE], 0);
    }
    kit_gateway_free(gw);
}

/* HASH_R says nothing of a notify that somebody adds to AM2. */
static void test_in_am2_nobody_sends_us_anywhere(void **state)
{
    static KitList list;
    IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);

    kit_am2(gw, &list, VENDORS);
    notify_list(gw, &list, IKE_NOTIFY_CISCO_LOAD_BALANCE, ELSEWHERE, 4);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &gw->am2);
    assert_int_equal(kit_deliver(gw, &gw->am2), 0);
    kit_collect(gw);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 0);
    kit_gateway_free(gw);
}

static void test_a_hash_that_does_not_fit_sends_us_nowhere(void **state)
{
    static KitList list;
    KitBytes datagram;
    KitChain chain;
    KitGateway *gw = authenticated(VENDORS);

    list.n = 0;
    notify_list(gw, &list, IKE_NOTIFY_CISCO_LOAD_BALANCE, ELSEWHERE, 4);
    kit_chain_new(gw, &chain);
    kit_seal(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list, &datagram);
    for (size_t i = 28; i < datagram.n; i++) {
        datagram.bytes[i] ^= 1;
        assert_int_equal(kit_deliver(gw, &datagram), 0);
        expect_unmoved(gw);
        datagram.bytes[i] ^= 1;
    }
    kit_gateway_free(gw);
}

static void test_no_host_has_these_addresses(void **state)
{
    static const struct {
        size_t n;
        uint8_t bytes[17];
    } rows[] = {
        {0, {0}},
        {3, {198, 51, 100}},
        {5, {198, 51, 100, 9, 0}},
        {16, {0x20, 1, 0x0d, 0xb8, [15] = 1}},
        {4, {0, 0, 0, 0}},
        {4, {0, 1, 2, 3}},
        {4, {127, 0, 0, 1}},
        {4, {224, 0, 0, 1}},
        {4, {239, 255, 255, 250}},
        {4, {240, 0, 0, 1}},
        {4, {255, 255, 255, 255}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        KitGateway *gw = authenticated(VENDORS);

        assert_int_equal(redirect(gw, rows[i].bytes, rows[i].n), 0);
        expect_unmoved(gw);
        assert_int_equal(gw->events[IKE_EVENT_NOTICE], 1);
        kit_gateway_free(gw);
    }
}

static void test_a_gateway_that_names_itself_goes_on(void **state)
{
    KitGateway *gw = authenticated(VENDORS);

    assert_int_equal(redirect(gw, gw->config.gateway.bytes, 4), 0);
    expect_unmoved(gw);
    kit_gateway_free(gw);
}

/* The number is a private one: elsewhere it may mean anything. */
static void test_without_unity_the_number_means_nothing(void **state)
{
    KitGateway *gw = authenticated(PLAIN);

    assert_int_equal(redirect(gw, ELSEWHERE, 4), 0);
    expect_unmoved(gw);
    kit_gateway_free(gw);
}

static void test_a_tunnel_that_stands_is_not_given_up(void **state)
{
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, VENDORS);

    kit_forget(gw);
    assert_int_equal(redirect(gw, ELSEWHERE, 4), 0);
    expect_unmoved(gw);
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
    kit_gateway_free(gw);
}

static void test_an_authenticated_gateway_names_another_one(void **state)
{
    KitGateway *gw = authenticated(VENDORS);

    assert_int_equal(redirect(gw, ELSEWHERE, 4), 0);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(gw->failure.reason, IKE_REASON_UNREACHABLE);
    assert_int_equal(gw->failure.detail, IKE_DETAIL_REDIRECTED);
    assert_int_equal(gw->failure.elsewhere.family, 4);
    assert_memory_equal(gw->failure.elsewhere.bytes, ELSEWHERE, 4);
    assert_int_equal(gw->failure.elsewhere.port, gw->config.gateway.port);
    /* It is told that nobody comes back to its SA, and nothing else. */
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
    assert_int_equal(gw->packets_n, 1);
    kit_gateway_free(gw);
}

/* The DELETE is the last word, whatever stands behind the notify. */
static void test_what_follows_the_redirect_is_not_answered(void **state)
{
    static KitList list;
    KitChain chain;
    KitGateway *gw = authenticated(VENDORS);

    list.n = 0;
    notify_list(gw, &list, IKE_NOTIFY_CISCO_LOAD_BALANCE, ELSEWHERE, 4);
    notify_list(gw, &list, IKE_NOTIFY_R_U_THERE, "\0\0\0\1", 4);
    notify_list(gw, &list, IKE_NOTIFY_CISCO_LOAD_BALANCE, ELSEWHERE, 4);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(gw->packets_n, 1);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_clear_nobody_sends_us_anywhere),
        cmocka_unit_test(test_in_am2_nobody_sends_us_anywhere),
        cmocka_unit_test(test_a_hash_that_does_not_fit_sends_us_nowhere),
        cmocka_unit_test(test_no_host_has_these_addresses),
        cmocka_unit_test(test_a_gateway_that_names_itself_goes_on),
        cmocka_unit_test(test_without_unity_the_number_means_nothing),
        cmocka_unit_test(test_a_tunnel_that_stands_is_not_given_up),
        cmocka_unit_test(test_an_authenticated_gateway_names_another_one),
        cmocka_unit_test(test_what_follows_the_redirect_is_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

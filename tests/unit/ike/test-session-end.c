/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a session ends, wherever it is: the gateway is told once, unless it was the one to say so,
 * and nothing comes after. And how an ISAKMP SA ends whose message IDs are used up.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/session-private.h"
#include "ike/vendor.h"

#include "gateway-kit.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH };

static void expect_nothing(KitGateway *gw)
{
    kit_collect(gw);
    assert_int_equal(gw->packets_n, 0);
    for (size_t i = 0; i <= IKE_EVENT_STOPPED; i++)
        assert_int_equal(gw->events[i], 0);
}

typedef enum Place { AM1_SENT, AM3_SENT, ASKED, PULLING, QM1_SENT, CONNECTED, RENEWING } Place;

static KitGateway *bring_to(Place place)
{
    IkeConfig config = kit_config();
    KitBytes body;
    KitChain chain;

    config.xauth = place == ASKED ? IKE_XAUTH_REQUIRED : IKE_XAUTH_NO;
    if (place == AM3_SENT || place == PULLING)
        config.config = IKE_CONFIG_PULL;
    if (place >= CONNECTED) {
        KitGateway *gw = kit_connected(&config, VENDORS);
        if (place == RENEWING)
            assert_int_equal(ike_session_renegotiate(gw->session, gw->now), 0);
        return gw;
    }
    KitGateway *gw = kit_gateway_new(&config);
    if (place == AM1_SENT)
        return gw;
    kit_phase1(gw, VENDORS);
    if (place == ASKED) {
        kit_config_begin(&body, IKE_CONFIG_REQUEST, 1);
        kit_config_bytes(&body, IKE_XAUTH_USER_NAME, "", 0);
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    }
    return gw;
}

static void test_b12_a_stop_in_every_state_says_goodbye_once(void **state)
{
    static const size_t deletes[] = {
        [AM1_SENT] = 0, [AM3_SENT] = 1,  [ASKED] = 1,    [PULLING] = 1,
        [QM1_SENT] = 1, [CONNECTED] = 2, [RENEWING] = 2,
    };

    for (Place place = AM1_SENT; place <= RENEWING; place++) {
        KitGateway *gw = bring_to(place);

        kit_collect(gw);
        kit_forget(gw);
        assert_int_equal(ike_session_stop(gw->session, gw->now), 0);
        kit_collect(gw);
        assert_int_equal(gw->events[IKE_EVENT_STOPPED], 1);
        assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), deletes[place]);
        assert_int_equal(gw->packets_n, deletes[place]);
        kit_gateway_free(gw);
    }
}

static void refuse_quick_mode(KitGateway *gw)
{
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_INVALID_ID_INFORMATION, "", 0), 0);
}

static void refuse_user(KitGateway *gw)
{
    KitBytes body;
    KitChain chain;

    kit_config_begin(&body, IKE_CONFIG_SET, 1);
    kit_config_basic(&body, IKE_XAUTH_STATUS, 0);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
}

static void stay_silent(KitGateway *gw)
{
    (void)kit_pass_time(gw, gw->now + 90 * IKE_SECOND, 500);
}

static void end_it(KitGateway *gw)
{
    static KitList list;
    KitChain chain;
    KitBytes body = {0};

    kit_append(&body, "\0\0\0\1\1\x10\0\1", 8);
    kit_append(&body, gw->cookie_i, 8);
    kit_append(&body, gw->cookie_r, 8);
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_DELETE, body.bytes, body.n);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
}

/* How many DELETEs go out beside what the exchange itself sends. */
static void test_b12_a_failure_in_every_state_says_goodbye_once(void **state)
{
    static const struct {
        Place place;
        void (*what)(KitGateway *gw);
        size_t deletes;
    } rows[] = {
        {AM1_SENT, stay_silent, 0},       {ASKED, refuse_user, 1}, {ASKED, end_it, 0},
        {PULLING, stay_silent, 1},        {PULLING, end_it, 0},    {QM1_SENT, stay_silent, 1},
        {QM1_SENT, refuse_quick_mode, 1}, {QM1_SENT, end_it, 0},   {CONNECTED, end_it, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        KitGateway *gw = bring_to(rows[i].place);

        kit_collect(gw);
        kit_forget(gw);
        rows[i].what(gw);
        assert_int_equal(gw->events[IKE_EVENT_FAILED] + gw->events[IKE_EVENT_LOST], 1);
        assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), rows[i].deletes);
        kit_forget(gw);
        stay_silent(gw);
        expect_nothing(gw);
        kit_gateway_free(gw);
    }
}

/* ---- message IDs ---- */

/* As if the gateway had begun `n` exchanges under its SA. */
static void use_up_ids(KitGateway *gw, size_t n)
{
    for (uint32_t i = 0; gw->session->current->seen_ids_n < n; i++)
        ike_isakmp_sa_use_id(gw->session, gw->session->current, 0x70000000 + i);
}

static void test_a_message_id_serves_once_for_the_whole_life_of_an_sa(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, VENDORS);
    static KitList list;
    KitBytes datagram, body = {0};
    KitChain chain;

    kit_append(&body, "\0\0\0\1\3\4\0\x0b\x12\x34\x56\x78", 12); /* INVALID-SPI */
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
    kit_chain_new(gw, &chain);
    kit_seal(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list, &datagram);
    assert_int_equal(kit_deliver(gw, &datagram), 0);
    assert_int_equal(gw->events[IKE_EVENT_NOTICE], 1);
    use_up_ids(gw, IKE_SEEN_IDS_MANY - 1);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_AGGRESSIVE), 0);
    /* Long before memory ends there is a new SA. */
    use_up_ids(gw, IKE_SEEN_IDS_MANY);
    (void)kit_tick(gw, gw->now);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_AGGRESSIVE), 1);
    /* And at its end nothing recorded is new, nor anything else. */
    use_up_ids(gw, IKE_SEEN_IDS_MAX);
    gw->now += 70 * IKE_SECOND;
    ike_session_traffic(gw->session, gw->in.spi_in, gw->now);
    (void)kit_tick(gw, gw->now);
    kit_forget(gw);
    assert_int_equal(kit_deliver(gw, &datagram), 0);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_INVALID_SPI, "", 0), 0);
    assert_int_equal(gw->events[IKE_EVENT_NOTICE], 0);
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
    kit_gateway_free(gw);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_b12_a_stop_in_every_state_says_goodbye_once),
        cmocka_unit_test(test_b12_a_failure_in_every_state_says_goodbye_once),
        cmocka_unit_test(test_a_message_id_serves_once_for_the_whole_life_of_an_sa),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session and its clock: it never asks to be woken at a time that is over, however it is left
 * alone, and what it does at its deadlines brings it forward. A main loop relies on both; otherwise
 * it burns a core or sleeps through a renewal.
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

enum { ALL_VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH };

/* After a tick, or a second one at the same time for what the first has marked, the next deadline
 * lies ahead; and a minute needs few ticks. */
static void expect_quiet(KitGateway *gw, uint64_t seconds, unsigned most)
{
    uint64_t end = gw->now + seconds * IKE_SECOND;
    unsigned ticks = 0;

    while (ike_session_deadline(gw->session) <= end) {
        uint64_t deadline = ike_session_deadline(gw->session);
        (void)kit_tick(gw, deadline > gw->now ? deadline : gw->now);
        if (ike_session_deadline(gw->session) <= gw->now)
            (void)kit_tick(gw, gw->now);
        assert_true(ike_session_deadline(gw->session) > gw->now);
        gw->packets_n = 0;
        assert_true(++ticks <= most);
    }
    gw->now = end;
}

static void test_no_deadline_is_over_when_nobody_answers_am1(void **state)
{
    IkeConfig config = kit_config();

    config.phase1[1] = kit_p1("aes128", "sha1", "modp1024");
    config.phase1[2] = kit_p1("aes128", "sha1", "ecp256");
    config.phase1_n = 3;
    KitGateway *gw = kit_gateway_new(&config);
    expect_quiet(gw, 60, 60);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(ike_session_deadline(gw->session), IKE_NEVER);
    kit_gateway_free(gw);
}

static void test_no_deadline_is_over_when_nobody_answers_after_phase_1(void **state)
{
    static const IkeConfigMode modes[] = {IKE_CONFIG_NONE, IKE_CONFIG_AUTO, IKE_CONFIG_PULL,
                                          IKE_CONFIG_PUSH, IKE_CONFIG_DHCP};
    static const IkeXauthMode users[] = {IKE_XAUTH_NO, IKE_XAUTH_REQUIRED, IKE_XAUTH_AUTO};

    for (size_t i = 0; i < 15; i++) {
        IkeConfig config = kit_config();

        config.config = modes[i % 5];
        config.hardware[0] = 0x42;
        config.xauth = users[i / 5];
        KitGateway *gw = kit_gateway_new(&config);
        kit_phase1(gw, ALL_VENDORS);
        expect_quiet(gw, 90, 120);
        assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
        kit_gateway_free(gw);
    }
}

static void test_no_deadline_is_over_while_a_person_types(void **state)
{
    IkeConfig config = kit_config();
    KitBytes body;
    KitChain chain;

    config.xauth = IKE_XAUTH_REQUIRED;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, ALL_VENDORS);
    kit_config_begin(&body, IKE_CONFIG_REQUEST, 1);
    kit_config_bytes(&body, IKE_XAUTH_USER_NAME, "", 0);
    kit_config_bytes(&body, IKE_XAUTH_USER_PASSWORD, "", 0);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    assert_int_equal(gw->events[IKE_EVENT_QUESTION], 1);
    expect_quiet(gw, 290, 100);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 0);
    expect_quiet(gw, 60, 100);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(gw->failure.reason, IKE_REASON_SECRET_MISSING);
    kit_gateway_free(gw);
}

static void test_no_deadline_is_over_when_a_connected_gateway_falls_silent(void **state)
{
    static const uint32_t lifetimes[] = {1, 2, 10, 60, 3600};

    for (size_t i = 0; i < sizeof(lifetimes) / sizeof(lifetimes[0]); i++) {
        IkeConfig config = kit_config();

        config.phase2_lifetime = lifetimes[i];
        for (int dpd = 0; dpd < 2; dpd++) {
            KitGateway *gw =
                kit_connected(&config, dpd != 0 ? (unsigned)ALL_VENDORS : IKE_VENDOR_NATT_RFC3947);
            expect_quiet(gw, 5000, 20000);
            assert_int_equal(gw->events[IKE_EVENT_LOST], 1);
            kit_gateway_free(gw);
        }
    }
}

static void test_no_deadline_is_over_while_a_child_is_renewed(void **state)
{
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, IKE_VENDOR_NATT_RFC3947);
    uint64_t renewal = gw->now + 3600 * IKE_SECOND;

    while (!kit_quick(gw)) {
        assert_true(gw->now < renewal);
        uint64_t deadline = ike_session_deadline(gw->session);
        assert_true(deadline > gw->now);
        kit_forget(gw);
        (void)kit_tick(gw, deadline);
    }
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 1);
    /* The new outbound SA waits for the gateway's first use of its own, or for a second. */
    expect_quiet(gw, 60, 30);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 1);
    assert_int_equal(gw->events[IKE_EVENT_SA_GONE], 1);
    kit_gateway_free(gw);
}

static void test_no_deadline_is_over_while_phase_1_is_renewed(void **state)
{
    IkeConfig config = kit_config();

    config.phase1_lifetime = 600;
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);
    expect_quiet(gw, 700, 400); /* nobody answers the renewal: the SA ends */
    assert_int_equal(gw->events[IKE_EVENT_LOST], 1);
    kit_gateway_free(gw);
}

/* ---- the user is asked again when the tunnel has stood for long ---- */

static void ask_user(KitGateway *gw, bool known)
{
    KitBytes body;
    KitChain chain;

    kit_config_begin(&body, IKE_CONFIG_REQUEST, 7);
    kit_config_bytes(&body, IKE_XAUTH_USER_NAME, "", 0);
    kit_config_bytes(&body, IKE_XAUTH_USER_PASSWORD, "", 0);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    if (!known) {
        assert_int_equal(gw->events[IKE_EVENT_QUESTION], 1);
        assert_int_equal(kit_answer(gw, "alice", "secret"), 0);
    }
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 1);
    kit_config_begin(&body, IKE_CONFIG_SET, 8);
    kit_config_basic(&body, IKE_XAUTH_STATUS, 1);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 2);
}

static void test_a_user_who_is_asked_again_keeps_the_tunnel(void **state)
{
    for (int known = 0; known < 2; known++) {
        IkeConfig config = kit_config();

        config.xauth = IKE_XAUTH_AUTO;
        config.offer_plain_psk = true;
        KitGateway *gw = kit_connected(&config, IKE_VENDOR_NATT_RFC3947);
        if (known != 0) {
            kit_secret(&gw->session->config.user, "alice");
            kit_secret(&gw->session->config.password, "secret");
        }
        ask_user(gw, known != 0);
        kit_pass_time(gw, gw->now + 400 * IKE_SECOND, 1000);
        assert_int_equal(kit_tick(gw, gw->now), 0);
        assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
        assert_int_equal(gw->session->state, IKE_STATE_CONNECTED);
        kit_gateway_free(gw);
    }
}

/* Answers a new Phase 1 of the session's, as the same gateway would. */
static void answer_phase1(KitGateway *gw)
{
    const KitBytes *am1 = kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);
    IkeMessage message;
    IkeHeader header;

    assert_non_null(am1);
    assert_int_equal(ike_header_read(kit_slice(am1), &header), 0);
    assert_int_equal(
        ike_payloads_read(
            &header, (IkeSlice){am1->bytes + IKE_HEADER_SIZE, am1->n - IKE_HEADER_SIZE}, &message),
        0);
    memcpy(gw->cookie_i, header.cookie_i, 8);
    gw->cookie_r[7]++;
    gw->ke_i.n = gw->nonce_i.n = 0;
    IkeSlice ke = ike_message_find(&message, IKE_PAYLOAD_KE)->body;
    IkeSlice nonce = ike_message_find(&message, IKE_PAYLOAD_NONCE)->body;
    kit_append(&gw->ke_i, ke.bytes, ke.n);
    kit_append(&gw->nonce_i, nonce.bytes, nonce.n);
    kit_forget(gw);
    kit_phase1(gw, ALL_VENDORS);
}

/* ---- lifetimes that nobody can keep up with ---- */

static void put_lifetime(KitBytes *data, uint16_t type, uint32_t seconds)
{
    kit_config_basic(data, type, IKE_LIFE_SECONDS);
    kit_append_u16(data, type + 1);
    kit_append_u16(data, 4);
    kit_append_u32(data, seconds);
}

static void test_a_gateway_that_wants_a_new_phase_1_each_second_gets_no_storm(void **state)
{
    for (uint32_t seconds = 0; seconds < 3; seconds++) {
        IkeConfig config = kit_config();
        KitGateway *gw = kit_connected(&config, ALL_VENDORS);
        KitBytes data = {0};
        uint64_t end = gw->now + 60 * IKE_SECOND;
        unsigned renewals = 0;

        while (gw->now < end) {
            data.n = 0;
            put_lifetime(&data, IKE_P1_LIFE_TYPE, seconds);
            assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_RESPONDER_LIFETIME, data.bytes, data.n),
                             0);
            kit_forget(gw);
            (void)kit_pass_time(gw, gw->now + IKE_SECOND, 1000);
            if (kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE) != NULL) {
                answer_phase1(gw);
                renewals++;
            }
            ike_session_traffic(gw->session, gw->in.spi_in, gw->now);
        }
        assert_true(seconds == 0 ? renewals == 0 : renewals >= 6 && renewals <= 12);
        assert_int_equal(gw->state, IKE_STATE_CONNECTED);
        kit_gateway_free(gw);
    }
}

static void test_a_lifetime_that_is_said_again_and_again_is_not_longer(void **state)
{
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, IKE_VENDOR_NATT_RFC3947);
    KitBytes data = {0};
    uint64_t end;

    put_lifetime(&data, IKE_P1_LIFE_TYPE, 600);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_RESPONDER_LIFETIME, data.bytes, data.n), 0);
    end = gw->session->current->expires_at;
    assert_int_equal(end, gw->now + 600 * IKE_SECOND);
    for (uint32_t seconds = 599; seconds > 500; seconds--) {
        gw->now += 4 * IKE_SECOND;
        data.n = 0;
        put_lifetime(&data, IKE_P1_LIFE_TYPE, seconds);
        assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_RESPONDER_LIFETIME, data.bytes, data.n), 0);
        assert_int_equal(gw->session->current->expires_at, end);
    }
    kit_gateway_free(gw);
}

/* Answers each Quick Mode with a lifetime of a second; how many there are in a minute. */
static unsigned count_quick_modes(bool by_volume)
{
    static KitList list;
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);
    uint64_t end = gw->now + 60 * IKE_SECOND;
    unsigned renewals = 0;
    KitChain chain;

    assert_int_equal(ike_session_renew_sa(gw->session, gw->in.spi_in, gw->now), 0);
    while (gw->now < end) {
        KitBytes body = {0};
        kit_collect(gw);
        if (kit_qm2(gw, &chain, &list)) {
            kit_append(&body, "\0\0\0\1\3\0\x60\0", 8); /* RESPONDER-LIFETIME */
            put_lifetime(&body, IKE_P2_LIFE_TYPE, 1);
            if (!by_volume)
                kit_list_add(&list, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
            assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list), 0);
            renewals++;
        }
        kit_forget(gw);
        (void)kit_pass_time(gw, gw->now + IKE_SECOND / 10, 1000);
        ike_session_traffic(gw->session, gw->in.spi_in, gw->now);
        if (by_volume)
            assert_int_equal(ike_session_renew_sa(gw->session, gw->in.spi_in, gw->now), 0);
    }
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
    kit_gateway_free(gw);
    return renewals;
}

static void test_a_gateway_that_wants_new_keys_each_second_gets_no_storm(void **state)
{
    unsigned by_time = count_quick_modes(false), by_volume = count_quick_modes(true);

    assert_true(by_time >= 5 && by_time <= 12);
    assert_true(by_volume >= 8 && by_volume <= 14);
}

/* ---- impatience ---- */

static void test_b11_renegotiating_in_a_storm_keeps_the_tunnel(void **state)
{
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);

    for (int i = 0; i < 12; i++) {
        kit_forget(gw);
        assert_int_equal(ike_session_renegotiate(gw->session, gw->now), 0);
        kit_collect(gw);
        kit_pass_time(gw, gw->now + 10 * IKE_MILLISECOND, 100);
        if (kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE) != NULL)
            answer_phase1(gw);
        assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
        assert_int_equal(gw->session->state, IKE_STATE_CONNECTED);
    }
    kit_gateway_free(gw);
}

static void test_a_burst_of_protected_messages_leaves_room_for_our_own(void **state)
{
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);
    uint8_t sequence[4] = {0};

    for (unsigned i = 0; i < 200; i++) {
        sequence[2] = (uint8_t)(i >> 8);
        sequence[3] = (uint8_t)i;
        kit_forget(gw);
        assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, sequence, 4), 0);
        assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
    }
    kit_forget(gw);
    assert_int_equal(ike_session_renegotiate(gw->session, gw->now), 0);
    kit_collect(gw);
    assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_AGGRESSIVE), 1);
    kit_gateway_free(gw);
}

static void test_a_burst_of_transactions_leaves_room_for_our_own(void **state)
{
    IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);
    KitBytes body;
    KitChain chain;

    for (unsigned i = 0; i < 200; i++) {
        kit_forget(gw);
        kit_config_begin(&body, IKE_CONFIG_SET, (uint16_t)i);
        kit_config_bytes(&body, IKE_UNITY_BANNER, "hello", 5);
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send_config(gw, &chain, &body), 0);
        assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 1);
    }
    assert_int_equal(ike_session_renegotiate(gw->session, gw->now), 0);
    kit_collect(gw);
    assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_AGGRESSIVE), 1);
    kit_gateway_free(gw);
}

/* A laptop that is carried through a building changes its network faster than DPD gives up. */
static void test_on_another_way_silence_is_counted_from_the_beginning(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);

    for (int i = 0; i < 20; i++) {
        kit_forget(gw);
        assert_int_equal(ike_session_network_changed(gw->session, gw->now), 0);
        kit_collect(gw);
        assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
        expect_quiet(gw, 6, 10);
    }
    assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
    expect_quiet(gw, 6, 10);
    assert_int_equal(gw->events[IKE_EVENT_LOST], 1);
    kit_gateway_free(gw);
}

/* Who only sees that answers have stopped asks for the one count that runs. */
static void test_being_asked_again_and_again_does_not_keep_a_dead_gateway_alive(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);

    for (int i = 0; i < 12; i++) {
        assert_int_equal(ike_session_probe(gw->session, gw->now), 0);
        expect_quiet(gw, 1, 5);
    }
    assert_int_equal(gw->events[IKE_EVENT_LOST], 1);
    kit_gateway_free(gw);
}

static void test_only_what_is_authentic_counts_as_heard(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, ALL_VENDORS);
    const uint64_t before = ike_session_last_heard(gw->session);
    KitBytes forged = {0};
    KitList list = {0};
    KitBytes body;
    KitChain chain;

    assert_true(before > 0 && before <= gw->now);
    gw->now += IKE_SECOND;
    kit_list_add(&list, IKE_PAYLOAD_NOTIFY, "\0\0\0\1\1\0\0\16", 8);
    kit_encode(gw, IKE_EXCHANGE_INFORMATIONAL, &list, &forged);
    assert_int_equal(kit_deliver(gw, &forged), 0);
    assert_true(ike_session_last_heard(gw->session) == before);
    kit_config_begin(&body, IKE_CONFIG_SET, 1);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    assert_true(ike_session_last_heard(gw->session) == gw->now);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_deadline_is_over_when_nobody_answers_am1),
        cmocka_unit_test(test_no_deadline_is_over_when_nobody_answers_after_phase_1),
        cmocka_unit_test(test_no_deadline_is_over_while_a_person_types),
        cmocka_unit_test(test_no_deadline_is_over_when_a_connected_gateway_falls_silent),
        cmocka_unit_test(test_no_deadline_is_over_while_a_child_is_renewed),
        cmocka_unit_test(test_no_deadline_is_over_while_phase_1_is_renewed),
        cmocka_unit_test(test_a_user_who_is_asked_again_keeps_the_tunnel),
        cmocka_unit_test(test_a_gateway_that_wants_a_new_phase_1_each_second_gets_no_storm),
        cmocka_unit_test(test_a_lifetime_that_is_said_again_and_again_is_not_longer),
        cmocka_unit_test(test_a_gateway_that_wants_new_keys_each_second_gets_no_storm),
        cmocka_unit_test(test_b11_renegotiating_in_a_storm_keeps_the_tunnel),
        cmocka_unit_test(test_a_burst_of_protected_messages_leaves_room_for_our_own),
        cmocka_unit_test(test_a_burst_of_transactions_leaves_room_for_our_own),
        cmocka_unit_test(test_on_another_way_silence_is_counted_from_the_beginning),
        cmocka_unit_test(test_being_asked_again_and_again_does_not_keep_a_dead_gateway_alive),
        cmocka_unit_test(test_only_what_is_authentic_counts_as_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

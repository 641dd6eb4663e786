/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner under attack: messages of the wrong kind, at the wrong time, in the wrong number, of
 * somebody else or of our own. Each case is a row of the list of what went wrong in other software;
 * what all share is that a message which is not right changes nothing and is answered by nothing.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/payload-notify.h"
#include "ike/session-private.h"
#include "ike/vendor.h"

#include "gateway-kit.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH };

static KitList list;

/* Nothing went out and nobody was told. */
static void expect_silence(const KitGateway *gw)
{
    assert_int_equal(gw->packets_n, 0);
    for (size_t i = 0; i <= IKE_EVENT_STOPPED; i++)
        assert_int_equal(gw->events[i], 0);
}

static void expect_phase1_still_works(KitGateway *gw)
{
    kit_forget(gw);
    assert_int_equal(kit_deliver(gw, &gw->am2), 0);
    assert_int_equal(gw->events[IKE_EVENT_PHASE1], 1);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_AGGRESSIVE), 1);
}

/* Opens a session and makes a good AM2 that is not sent yet. */
static KitGateway *before_am2(void)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);

    kit_am2(gw, &list, VENDORS);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &gw->am2);
    return gw;
}

static void put_length(KitBytes *b)
{
    b->bytes[24] = b->bytes[25] = 0;
    b->bytes[26] = (uint8_t)(b->n >> 8);
    b->bytes[27] = (uint8_t)b->n;
}

/* ---- before Phase 1 is authenticated ---- */

static void test_a9_no_truncation_of_am2_is_taken(void **state)
{
    KitGateway *gw = before_am2();

    for (int agree = 0; agree < 2; agree++) {
        for (size_t n = 0; n < gw->am2.n; n++) {
            KitBytes cut = gw->am2;
            cut.n = n;
            if (agree != 0 && n >= IKE_HEADER_SIZE)
                put_length(&cut);
            assert_int_equal(kit_deliver(gw, &cut), 0);
            expect_silence(gw);
        }
    }
    expect_phase1_still_works(gw);
    kit_gateway_free(gw);
}

static void test_a17_every_payload_number_in_am2_is_taken_or_ignored(void **state)
{
    for (unsigned type = 1; type < 256; type++) {
        KitGateway *gw = before_am2();
        KitBytes odd;

        kit_list_add(&list, (uint8_t)type, "0123456789abcdef0123", 20);
        kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &odd);
        assert_int_equal(kit_deliver(gw, &odd), 0);
        bool harmless = (type >= 128 && type != IKE_PAYLOAD_NATOA_DRAFT) ||
                        type == IKE_PAYLOAD_VENDOR || type == IKE_PAYLOAD_NOTIFY ||
                        type == IKE_PAYLOAD_CERTREQ || type == IKE_PAYLOAD_NATD;
        assert_int_equal(gw->events[IKE_EVENT_PHASE1], harmless ? 1 : 0);
        if (!harmless) {
            expect_silence(gw);
            expect_phase1_still_works(gw);
        }
        kit_gateway_free(gw);
    }
}

static void test_a17_every_first_payload_and_exchange_is_survived(void **state)
{
    KitGateway *gw = before_am2();

    for (unsigned type = 0; type < 256; type++) {
        for (unsigned exchange = 0; exchange < 256; exchange += type % 16 == 0 ? 1 : 51) {
            KitBytes odd = gw->am2;
            odd.bytes[16] = (uint8_t)type;
            odd.bytes[18] = (uint8_t)exchange;
            if (type == IKE_PAYLOAD_SA && exchange == IKE_EXCHANGE_AGGRESSIVE)
                continue;
            assert_int_equal(kit_deliver(gw, &odd), 0);
            expect_silence(gw);
        }
    }
    expect_phase1_still_works(gw);
    kit_gateway_free(gw);
}

static void test_a8_a_flood_of_payloads_is_refused_at_the_limit(void **state)
{
    for (size_t wanted = 63; wanted <= 66; wanted++) {
        KitGateway *gw = before_am2();
        KitBytes flood;

        while (list.n < wanted)
            kit_list_add(&list, IKE_PAYLOAD_VENDOR, "unknown", 7);
        kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &flood);
        assert_int_equal(kit_deliver(gw, &flood), 0);
        assert_int_equal(gw->events[IKE_EVENT_PHASE1], wanted <= 64 ? 1 : 0);
        kit_gateway_free(gw);
    }
}

static void test_each_payload_of_am2_twice_or_not_at_all_is_ignored(void **state)
{
    static const uint8_t types[] = {IKE_PAYLOAD_SA, IKE_PAYLOAD_KE, IKE_PAYLOAD_NONCE,
                                    IKE_PAYLOAD_ID, IKE_PAYLOAD_HASH};

    for (size_t i = 0; i < sizeof(types); i++) {
        for (int twice = 0; twice < 2; twice++) {
            KitGateway *gw = before_am2();
            KitPayload *payload = kit_list_find(&list, types[i]);
            KitBytes odd;

            if (twice != 0)
                kit_list_add(&list, payload->type, payload->bytes, payload->n);
            else
                payload->type = IKE_PAYLOAD_VENDOR;
            kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &odd);
            assert_int_equal(kit_deliver(gw, &odd), 0);
            expect_silence(gw);
            expect_phase1_still_works(gw);
            kit_gateway_free(gw);
        }
    }
}

static void test_a16_a_length_of_ke_nonce_or_hash_that_is_off_is_no_answer(void **state)
{
    static const uint8_t types[] = {IKE_PAYLOAD_KE, IKE_PAYLOAD_HASH, IKE_PAYLOAD_NONCE};
    static const size_t sizes[][6] = {
        {0, 1, 31, 33, 64, 512}, {0, 1, 16, 20, 31, 33}, {0, 1, 7, 257, 300, 512}};

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 6; j++) {
            KitGateway *gw = before_am2();
            KitPayload *payload = kit_list_find(&list, types[i]);
            KitBytes odd;

            payload->n = sizes[i][j];
            kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &odd);
            assert_int_equal(kit_deliver(gw, &odd), 0);
            expect_silence(gw);
            expect_phase1_still_works(gw);
            kit_gateway_free(gw);
        }
    }
}

static void test_b10_hash_r_counts_in_each_of_its_bytes(void **state)
{
    KitGateway *gw = before_am2();
    KitPayload *hash = kit_list_find(&list, IKE_PAYLOAD_HASH);

    for (size_t i = 0; i < hash->n; i++) {
        KitBytes forged;
        hash->bytes[i] ^= 1;
        kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &forged);
        hash->bytes[i] ^= 1;
        assert_int_equal(kit_deliver(gw, &forged), 0);
        expect_silence(gw);
    }
    expect_phase1_still_works(gw);
    kit_gateway_free(gw);
}

static void test_b4_nothing_protected_is_taken_before_phase_1(void **state)
{
    static const IkeExchangeType exchanges[] = {IKE_EXCHANGE_INFORMATIONAL,
                                                IKE_EXCHANGE_TRANSACTION, IKE_EXCHANGE_QUICK};
    KitGateway *gw = before_am2();

    for (size_t i = 0; i < 3; i++) {
        KitChain chain;
        KitList attributes = {0};

        kit_list_add(&attributes, IKE_PAYLOAD_ATTRIBUTES, "\1\0\0\1\x40\x89\0\0\x40\x8a\0\0", 12);
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send(gw, &chain, exchanges[i], IKE_HASH_1, &attributes), 0);
        expect_silence(gw);
    }
    expect_phase1_still_works(gw);
    kit_gateway_free(gw);
}

static void test_b5_another_gateway_id_gets_no_am3_and_no_password(void **state)
{
    IkeConfig config = kit_config();

    config.remote_id = (IkeIdentity){.type = IKE_ID_FQDN, .n = 13, .bytes = "xx.example.co"};
    config.xauth = IKE_XAUTH_REQUIRED;
    kit_secret(&config.user, "alice");
    kit_secret(&config.password, "secret");
    KitGateway *gw = kit_gateway_new(&config);
    kit_am2(gw, &list, VENDORS);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &gw->am2);
    assert_int_equal(kit_deliver(gw, &gw->am2), 0);
    assert_int_equal(gw->packets_n, 0);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(gw->failure.detail, IKE_DETAIL_WRONG_REMOTE_ID);
    assert_string_equal(gw->failure.text, "fqdn:gw.example.com");
    kit_gateway_free(gw);
}

static void test_b3_strangers_and_wrong_cookies_get_silence(void **state)
{
    KitGateway *gw = before_am2();
    const IkeAddress stranger = {4, {192, 0, 2, 66}, 500}, six = {6, {0x20, 1}, 500};
    KitBytes other = gw->am2;

    assert_int_equal(ike_session_receive(gw->session, gw->am2.bytes, gw->am2.n, stranger, gw->now),
                     0);
    assert_int_equal(ike_session_receive(gw->session, gw->am2.bytes, gw->am2.n, six, gw->now), 0);
    for (size_t i = 0; i < 8; i++) {
        other.bytes[i] ^= 0x80;
        assert_int_equal(kit_deliver(gw, &other), 0);
        other.bytes[i] ^= 0x80;
    }
    memset(other.bytes + 8, 0, 8); /* a responder without a cookie */
    assert_int_equal(kit_deliver(gw, &other), 0);
    kit_collect(gw);
    expect_silence(gw);
    expect_phase1_still_works(gw);
    kit_gateway_free(gw);
}

/* Datagrams of every exchange, flag and length, to a session that has no SA with those cookies. */
static void send_to_nobody(IkeSession *session, uint64_t now)
{
    static const size_t sizes[] = {0, 1, 27, 28, 29, 32, 60, 124, KIT_BYTES_MAX};
    const IkeAddress from = kit_config().gateway;
    KitBytes b = {.n = sizeof(b.bytes)};
    IkePacket packet;
    IkeEvent event;

    for (size_t i = 0; i < b.n; i++)
        b.bytes[i] = (uint8_t)(i * 37 + 1);
    b.bytes[17] = IKE_VERSION;
    for (unsigned row = 0; row < 256 * 4 * 9; row++) {
        b.n = sizes[row / 1024];
        b.bytes[16] = (uint8_t)(row % 7);
        b.bytes[18] = (uint8_t)(row % 256);
        b.bytes[19] = row / 256 % 2 != 0 ? IKE_FLAG_ENCRYPTION : 0;
        b.bytes[23] = (uint8_t)(row / 512 % 2);
        put_length(&b);
        uint8_t *exact = kit_exact(b.bytes, b.n);
        assert_int_equal(ike_session_receive(session, exact, b.n, from, now), 0);
        free(exact);
        assert_false(ike_session_next_packet(session, &packet));
        assert_false(ike_session_next_event(session, &event));
    }
}

static void test_a10_every_refusal_where_there_is_no_sa_is_silent(void **state)
{
    const IkeConfig config = kit_config();
    KitDice dice = {.state = 1};
    IkeSession *idle = NULL;
    KitGateway *gw = before_am2();

    assert_int_equal(ike_session_new(&idle, &config, kit_random, &dice), 0);
    send_to_nobody(idle, 5);
    ike_session_free(idle);
    send_to_nobody(gw->session, gw->now);
    expect_phase1_still_works(gw);
    assert_int_equal(ike_session_stop(gw->session, gw->now), 0);
    kit_collect(gw);
    send_to_nobody(gw->session, gw->now);
    kit_gateway_free(gw);
}

static void test_a11_cookies_of_a_refused_answer_open_nothing(void **state)
{
    KitGateway *gw = before_am2();
    KitPayload *sa = kit_list_find(&list, IKE_PAYLOAD_SA);
    KitBytes odd;
    KitChain chain;

    sa->bytes[sa->n - 13] ^= 0x40; /* the group becomes one that was not offered */
    kit_am2_sign(gw, &list);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &odd);
    assert_int_equal(kit_deliver(gw, &odd), 0);
    expect_silence(gw);
    KitList attributes = {0};
    kit_list_add(&attributes, IKE_PAYLOAD_ATTRIBUTES, "\1\0\0\1\x40\x89\0\0\x40\x8a\0\0", 12);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_TRANSACTION, IKE_HASH_1, &attributes), 0);
    expect_silence(gw);
    kit_gateway_free(gw);
}

static void test_our_own_am1_sent_back_is_no_answer(void **state)
{
    const IkeConfig config = kit_config();
    KitDice dice = {.state = 99};
    IkeSession *session = NULL;
    IkePacket packet;
    KitBytes am1 = {0};

    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), 0);
    assert_int_equal(ike_session_start(session, 1), 0);
    assert_true(ike_session_next_packet(session, &packet));
    kit_append(&am1, packet.bytes, packet.n);
    IkeEvent event;
    while (ike_session_next_event(session, &event)) {
    }
    for (int cookie = 0; cookie < 2; cookie++) {
        memset(am1.bytes + 8, cookie, 8);
        assert_int_equal(ike_session_receive(session, am1.bytes, am1.n, config.gateway, 2), 0);
        assert_false(ike_session_next_packet(session, &packet));
        assert_false(ike_session_next_event(session, &event));
    }
    ike_session_free(session);
}

/* ---- hints ---- */

static void deliver_hint(KitGateway *gw, uint16_t notify)
{
    KitBytes body = {0}, datagram;
    KitList hint = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ISAKMP);
    kit_append_u8(&body, 0);
    kit_append_u16(&body, notify);
    kit_list_add(&hint, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
    kit_encode(gw, IKE_EXCHANGE_INFORMATIONAL, &hint, &datagram);
    assert_int_equal(kit_deliver(gw, &datagram), 0);
}

static void test_b2_a_notify_in_the_clear_is_only_a_hint(void **state)
{
    KitGateway *gw = before_am2();

    deliver_hint(gw, IKE_NOTIFY_NO_PROPOSAL_CHOSEN);
    expect_silence(gw);
    expect_phase1_still_works(gw);
    /* And after Phase 1 it is nothing at all. */
    kit_forget(gw);
    for (unsigned notify = 0; notify < 65536; notify += 7)
        deliver_hint(gw, (uint16_t)notify);
    expect_silence(gw);
    kit_gateway_free(gw);
}

static void test_a_hint_that_stands_alone_ends_the_attempt_after_half_a_second(void **state)
{
    KitGateway *gw = before_am2();

    deliver_hint(gw, IKE_NOTIFY_NO_PROPOSAL_CHOSEN);
    kit_tick(gw, gw->now + 499 * IKE_MILLISECOND);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 0);
    kit_tick(gw, gw->now + 2 * IKE_MILLISECOND);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
    assert_int_equal(gw->failure.reason, IKE_REASON_NO_PROPOSAL_CHOSEN);
    assert_int_equal(gw->failure.notify, IKE_NOTIFY_NO_PROPOSAL_CHOSEN);
    kit_gateway_free(gw);
}

/* ---- duplicates ---- */

static void test_an_answer_that_is_repeated_gets_our_message_again_but_not_for_ever(void **state)
{
    KitGateway *gw = before_am2();

    expect_phase1_still_works(gw);
    const KitBytes am3 = *kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);
    size_t answered = 0;
    gw->marked = true;
    for (int i = 0; i < 100; i++) {
        kit_forget(gw);
        assert_int_equal(kit_deliver(gw, &gw->am2), 0);
        assert_true(gw->packets_n <= 1);
        assert_int_equal(gw->events[IKE_EVENT_PHASE1], 0);
        if (gw->packets_n == 1) {
            assert_int_equal(gw->packets[0].n, am3.n);
            assert_memory_equal(gw->packets[0].bytes, am3.bytes, am3.n);
            answered++;
        }
    }
    assert_true(answered >= 1 && answered <= 20);
    kit_gateway_free(gw);
}

static void test_another_am2_after_the_first_changes_nothing(void **state)
{
    KitGateway *gw = before_am2();
    KitBytes other;

    expect_phase1_still_works(gw);
    kit_list_find(&list, IKE_PAYLOAD_NONCE)->bytes[0] ^= 1;
    IkeKeys keys = gw->keys;
    kit_am2_sign(gw, &list);
    gw->keys = keys;
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &other);
    kit_forget(gw);
    assert_int_equal(kit_deliver(gw, &other), 0);
    expect_silence(gw);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a9_no_truncation_of_am2_is_taken),
        cmocka_unit_test(test_a17_every_payload_number_in_am2_is_taken_or_ignored),
        cmocka_unit_test(test_a17_every_first_payload_and_exchange_is_survived),
        cmocka_unit_test(test_a8_a_flood_of_payloads_is_refused_at_the_limit),
        cmocka_unit_test(test_each_payload_of_am2_twice_or_not_at_all_is_ignored),
        cmocka_unit_test(test_a16_a_length_of_ke_nonce_or_hash_that_is_off_is_no_answer),
        cmocka_unit_test(test_b10_hash_r_counts_in_each_of_its_bytes),
        cmocka_unit_test(test_b4_nothing_protected_is_taken_before_phase_1),
        cmocka_unit_test(test_b5_another_gateway_id_gets_no_am3_and_no_password),
        cmocka_unit_test(test_b3_strangers_and_wrong_cookies_get_silence),
        cmocka_unit_test(test_a10_every_refusal_where_there_is_no_sa_is_silent),
        cmocka_unit_test(test_a11_cookies_of_a_refused_answer_open_nothing),
        cmocka_unit_test(test_our_own_am1_sent_back_is_no_answer),
        cmocka_unit_test(test_b2_a_notify_in_the_clear_is_only_a_hint),
        cmocka_unit_test(test_a_hint_that_stands_alone_ends_the_attempt_after_half_a_second),
        cmocka_unit_test(test_an_answer_that_is_repeated_gets_our_message_again_but_not_for_ever),
        cmocka_unit_test(test_another_am2_after_the_first_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

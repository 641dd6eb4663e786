/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments at the boundary of the core: a gateway that sends them is understood, one that has said
 * that it takes them gets them where a message is too long for a path, and nobody else does.
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
#include "ike/session-private.h"
#include "ike/vendor.h"

#include "gateway-kit.h"

enum {
    VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD,
    RACOON_SLICE = 552 - IKE_HEADER_SIZE - IKE_FRAGMENT_HEADER_SIZE,
};

/* ---- the gateway's fragments ---- */

static int deliver_fragment(KitGateway *gw, const KitBytes *whole, uint16_t id, size_t index)
{
    size_t from = (index - 1) * RACOON_SLICE;
    size_t left = whole->n - from;
    size_t n = left < RACOON_SLICE ? left : RACOON_SLICE;
    KitBytes datagram = {0};

    kit_append(&datagram, whole->bytes, IKE_HEADER_SIZE);
    datagram.bytes[16] = IKE_PAYLOAD_FRAGMENT;
    size_t length = IKE_HEADER_SIZE + IKE_FRAGMENT_HEADER_SIZE + n;
    datagram.bytes[24] = datagram.bytes[25] = 0;
    datagram.bytes[26] = (uint8_t)(length >> 8);
    datagram.bytes[27] = (uint8_t)length;
    kit_append_u16(&datagram, 0);
    kit_append_u16(&datagram, (unsigned)(IKE_FRAGMENT_HEADER_SIZE + n));
    kit_append_u16(&datagram, id);
    kit_append_u8(&datagram, (unsigned)index);
    kit_append_u8(&datagram, n == left ? IKE_FRAGMENT_LAST : 0);
    kit_append(&datagram, whole->bytes + from, n);
    return kit_deliver(gw, &datagram);
}

static size_t fragments_of(const KitBytes *whole)
{
    return (whole->n + RACOON_SLICE - 1) / RACOON_SLICE;
}

static void deliver_in_fragments(KitGateway *gw, const KitBytes *whole, uint16_t id)
{
    for (size_t i = 1; i <= fragments_of(whole); i++)
        assert_int_equal(deliver_fragment(gw, whole, id, i), 0);
}

/* AM2 that is longer than one fragment: vendor IDs that nobody knows. */
static void long_am2(KitGateway *gw, KitBytes *am2)
{
    static KitList list;
    uint8_t vendor[400] = {0x55};

    kit_am2(gw, &list, VENDORS);
    for (int i = 0; i < 4; i++)
        (void)kit_list_add(&list, IKE_PAYLOAD_VENDOR, vendor, sizeof(vendor));
    kit_am2_sign(gw, &list);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, am2);
    assert_true(fragments_of(am2) > 3);
}

static void test_am2_in_fragments_is_am2(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    KitBytes am2;

    long_am2(gw, &am2);
    deliver_in_fragments(gw, &am2, 1);
    assert_int_equal(gw->events[IKE_EVENT_PHASE1], 1);
    kit_gateway_free(gw);
}

/* A repetition is one, in fragments too: AM3 goes out again, and nothing else happens. */
static void test_a6_am2_again_in_fragments_is_answered_from_the_cache(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    KitBytes am2;

    long_am2(gw, &am2);
    deliver_in_fragments(gw, &am2, 1);
    KitBytes am3 = *kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);
    kit_forget(gw);
    deliver_in_fragments(gw, &am2, 2);
    assert_int_equal(gw->packets_n, 1);
    assert_int_equal(gw->packets[0].n, am3.n);
    assert_memory_equal(gw->packets[0].bytes, am3.bytes, am3.n);
    kit_gateway_free(gw);
}

static void test_b3_a_fragment_is_answered_by_nothing(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    KitBytes am2;

    long_am2(gw, &am2);
    for (size_t i = 1; i < fragments_of(&am2); i++)
        assert_int_equal(deliver_fragment(gw, &am2, 1, i), 0);
    assert_int_equal(gw->packets_n, 0);
    kit_gateway_free(gw);
}

/* A7: cookies of no SA. Nothing is kept of it, so nothing is there when the rest has the right
 * ones.
 */
static void test_a7_a_fragment_before_there_is_an_sa(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    KitBytes am2, stray;

    long_am2(gw, &am2);
    stray = am2;
    stray.bytes[0] ^= 1;
    deliver_in_fragments(gw, &stray, 1);
    for (size_t i = 0; i < IKE_ISAKMP_SAS_MAX; i++)
        assert_true(gw->session->sas[i] == NULL || gw->session->sas[i]->reassembly == NULL);
    deliver_in_fragments(gw, &am2, 1);
    assert_int_equal(gw->events[IKE_EVENT_PHASE1], 1);
    kit_gateway_free(gw);
}

static void test_a6_forged_fragments_do_not_keep_am2_out_for_good(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    KitBytes am2, forged;

    long_am2(gw, &am2);
    forged = am2;
    memset(forged.bytes + IKE_HEADER_SIZE, 0xee, forged.n - IKE_HEADER_SIZE);
    assert_int_equal(deliver_fragment(gw, &forged, 1, 2), 0);
    deliver_in_fragments(gw, &am2, 1);
    assert_int_equal(gw->events[IKE_EVENT_PHASE1], 0);
    gw->now += IKE_REASSEMBLY_WAIT;
    deliver_in_fragments(gw, &am2, 1);
    assert_int_equal(gw->events[IKE_EVENT_PHASE1], 1);
    kit_gateway_free(gw);
}

/* An encrypted message in fragments, under an SA: R-U-THERE is answered. */
static void test_a_protected_message_in_fragments(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, VENDORS);
    static KitList list;
    KitChain chain;
    KitBytes sealed, body = {0};
    uint8_t vendor[700] = {0x55};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ISAKMP);
    kit_append_u8(&body, 16);
    kit_append_u16(&body, IKE_NOTIFY_R_U_THERE);
    kit_append(&body, gw->cookie_i, 8);
    kit_append(&body, gw->cookie_r, 8);
    kit_append_u32(&body, 77);
    list.n = 0;
    (void)kit_list_add(&list, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
    (void)kit_list_add(&list, IKE_PAYLOAD_VENDOR, vendor, sizeof(vendor));
    kit_chain_new(gw, &chain);
    kit_seal(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list, &sealed);
    kit_forget(gw);
    deliver_in_fragments(gw, &sealed, 1);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
    kit_gateway_free(gw);
}

/* ---- ours ---- */

/* A profile whose Quick Mode is longer than what a path carries whole. */
static IkeConfig config_of_long_quick_mode(void)
{
    IkeConfig config = kit_config();

    config.phase2_n = IKE_PHASE2_PROPOSALS_MAX;
    for (size_t i = 0; i < config.phase2_n; i++)
        config.phase2[i] = kit_p2(i % 2 == 0 ? "aes256" : "aes128", "sha256", "modp4096");
    return config;
}

/* What the session has sent of an exchange, put together where it is fragments. */
static size_t collect_whole(const KitGateway *gw, IkeExchangeType exchange, KitBytes *whole)
{
    size_t count = 0;

    whole->n = 0;
    for (size_t i = 0; i < gw->packets_n; i++) {
        const KitBytes *packet = &gw->packets[i];
        if (packet->bytes[18] != exchange)
            continue;
        count++;
        assert_true(packet->n <= IKE_WHOLE_MAX);
        assert_int_equal(packet->bytes[16], IKE_PAYLOAD_FRAGMENT);
        assert_int_equal(packet->bytes[IKE_HEADER_SIZE + 6], count);
        kit_append(whole, packet->bytes + IKE_HEADER_SIZE + IKE_FRAGMENT_HEADER_SIZE,
                   packet->n - IKE_HEADER_SIZE - IKE_FRAGMENT_HEADER_SIZE);
    }
    return count;
}

static void test_who_takes_fragments_gets_a_long_message_in_them(void **state)
{
    const IkeConfig config = config_of_long_quick_mode();
    KitGateway *gw = kit_gateway_new(&config);
    KitBytes whole, again, clear;
    IkeHeader header;
    IkeMessage message;
    KitChain chain;

    kit_phase1(gw, VENDORS | IKE_VENDOR_FRAGMENTATION);
    assert_true(collect_whole(gw, IKE_EXCHANGE_QUICK, &whole) > 1);
    assert_int_equal(ike_header_read(kit_slice(&whole), &header), 0);
    assert_int_equal(header.flags, IKE_FLAG_ENCRYPTION);
    kit_chain_begin(gw, &chain, header.message_id);
    assert_true(kit_open(gw, &chain, &whole, &clear, &message));
    assert_non_null(ike_message_find(&message, IKE_PAYLOAD_KE));
    /* The repetition has the same ID, so that what was lost of the first is filled in. */
    KitBytes first = *kit_last_packet(gw, IKE_EXCHANGE_QUICK);
    kit_forget(gw);
    (void)kit_pass_time(gw, gw->now + IKE_RETRANSMIT_FIRST, 9);
    assert_true(collect_whole(gw, IKE_EXCHANGE_QUICK, &again) > 1);
    assert_memory_equal(again.bytes, whole.bytes, whole.n);
    const KitBytes *last = kit_last_packet(gw, IKE_EXCHANGE_QUICK);
    assert_memory_equal(last->bytes, first.bytes, first.n);
    kit_gateway_free(gw);
}

static void test_who_has_not_said_so_gets_it_whole(void **state)
{
    const IkeConfig config = config_of_long_quick_mode();
    KitGateway *gw = kit_gateway_new(&config);

    kit_phase1(gw, VENDORS);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 1);
    assert_true(kit_last_packet(gw, IKE_EXCHANGE_QUICK)->n > IKE_WHOLE_MAX);
    kit_gateway_free(gw);
}

static void test_a_short_message_goes_whole_to_who_takes_fragments(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, VENDORS | IKE_VENDOR_FRAGMENTATION);

    for (size_t i = 0; i < gw->packets_n; i++)
        assert_int_not_equal(gw->packets[i].bytes[16], IKE_PAYLOAD_FRAGMENT);
    kit_gateway_free(gw);
}

static IkeConfig config_of_long_am1(void)
{
    IkeConfig config = kit_config();

    config.xauth = IKE_XAUTH_REQUIRED;
    config.offer_plain_psk = true;
    config.id.type = IKE_ID_KEY_ID;
    config.id.n = IKE_ID_MAX;
    config.phase1_n = IKE_PHASE1_PROPOSALS_MAX;
    for (size_t i = 0; i < config.phase1_n; i++)
        config.phase1[i] = kit_p1(i % 2 == 0 ? "aes256" : "aes128", "sha512", "modp4096");
    return config;
}

/* Before the gateway has spoken nobody knows; that both kinds are lost is less likely than that one
 * is. */
static void test_am1_goes_whole_first_and_then_by_turns(void **state)
{
    const IkeConfig config = config_of_long_am1();
    KitGateway *gw = kit_gateway_new(&config);
    static const bool fragments[] = {false, true, false};
    KitBytes whole;

    for (size_t i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
        kit_forget(gw);
        (void)kit_tick(gw, ike_session_deadline(gw->session));
        if (fragments[i]) {
            assert_int_equal(collect_whole(gw, IKE_EXCHANGE_AGGRESSIVE, &whole), 2);
        } else {
            assert_int_equal(gw->packets_n, 1);
            assert_true(gw->packets[0].n > IKE_WHOLE_MAX);
        }
    }
    kit_gateway_free(gw);
}

/* ---- what is written ---- */

static void test_what_is_sent_is_put_together_again(void **state)
{
    static const size_t sizes[] = {IKE_FRAGMENT_SLICE_MAX,
                                   IKE_FRAGMENT_SLICE_MAX + 1,
                                   IKE_WHOLE_MAX + 1,
                                   2 * IKE_FRAGMENT_SLICE_MAX,
                                   5000,
                                   IKE_MESSAGE_MAX};
    static uint8_t message[IKE_MESSAGE_MAX];
    const IkeHeader outline = {.exchange = IKE_EXCHANGE_QUICK, .flags = IKE_FLAG_ENCRYPTION};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        IkeReassembly *reassembly = ike_reassembly_new();
        uint8_t *out = malloc(IKE_WHOLE_MAX);
        IkeBuilder builder;
        IkeSlice whole = {NULL, 0};
        memset(message, (int)(0x30 + i), sizes[i]);
        ike_builder_begin(&builder, message, sizes[i], &outline);
        message[16] = IKE_PAYLOAD_HASH;
        builder.writer.n = sizes[i];
        ike_builder_end(&builder);
        for (size_t index = 1; index <= ike_fragment_count(sizes[i]); index++) {
            size_t n = ike_fragment_write(out, (IkeSlice){message, sizes[i]}, 9, index);
            IkeHeader header;
            assert_true(n <= IKE_WHOLE_MAX);
            assert_int_equal(ike_header_read((IkeSlice){out, n}, &header), 0);
            assert_int_equal(header.flags, 0); /* the slice is, the fragment is not encrypted */
            int r = ike_reassembly_take(reassembly, &header, (IkeSlice){out, n}, 1, &whole);
            assert_int_equal(r == 0, index == ike_fragment_count(sizes[i]));
        }
        assert_int_equal(whole.n, sizes[i]);
        assert_memory_equal(whole.bytes, message, sizes[i]);
        free(out);
        ike_reassembly_free(reassembly);
    }
}

/* An IPv6 packet of 1,280 bytes holds one with its headers and the marker. */
static void test_a_fragment_fits_every_path(void **state)
{
    assert_int_equal(40 + 8 + IKE_NON_ESP_MARKER_SIZE + IKE_WHOLE_MAX, 1280);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_am2_in_fragments_is_am2),
        cmocka_unit_test(test_a6_am2_again_in_fragments_is_answered_from_the_cache),
        cmocka_unit_test(test_b3_a_fragment_is_answered_by_nothing),
        cmocka_unit_test(test_a7_a_fragment_before_there_is_an_sa),
        cmocka_unit_test(test_a6_forged_fragments_do_not_keep_am2_out_for_good),
        cmocka_unit_test(test_a_protected_message_in_fragments),
        cmocka_unit_test(test_who_takes_fragments_gets_a_long_message_in_them),
        cmocka_unit_test(test_who_has_not_said_so_gets_it_whole),
        cmocka_unit_test(test_a_short_message_goes_whole_to_who_takes_fragments),
        cmocka_unit_test(test_am1_goes_whole_first_and_then_by_turns),
        cmocka_unit_test(test_what_is_sent_is_put_together_again),
        cmocka_unit_test(test_a_fragment_fits_every_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

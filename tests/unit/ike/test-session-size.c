/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions of a size, whose answers say what the path carries. Relied on by every packet of the
 * user's: an answer that counts for another size, or that nobody gave, makes a path look wider than
 * it is; one that never comes must not cost the tunnel.
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
#include "ike/reader.h"
#include "ike/session-private.h"

#include "gateway-kit.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH };

static KitGateway *connected(unsigned vendors)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, vendors);

    kit_forget(gw);
    return gw;
}

static void ask(KitGateway *gw, size_t size)
{
    assert_int_equal(ike_session_probe_size(gw->session, size, gw->now), 0);
    kit_collect(gw);
}

/* The sequence number in a packet of the session's, which is R-U-THERE and nothing else. */
static uint32_t sequence_of(KitGateway *gw, const KitBytes *packet)
{
    IkeReader id = ike_reader(packet->bytes + 20, 4);
    IkeMessage message;
    IkeNotify notify;
    KitBytes bytes;
    KitChain chain;

    kit_chain_begin(gw, &chain, ike_read_u32(&id));
    assert_true(kit_open(gw, &chain, packet, &bytes, &message));
    assert_int_equal(message.n, 2);
    assert_int_equal(message.payloads[0].type, IKE_PAYLOAD_HASH);
    assert_int_equal(message.payloads[1].type, IKE_PAYLOAD_NOTIFY);
    assert_true(ike_notify_read(message.payloads[1].body, &notify));
    assert_int_equal(notify.type, IKE_NOTIFY_R_U_THERE);
    /* What follows is zeros. */
    for (size_t i = message.payloads[1].end; i < message.bytes.n; i++)
        assert_int_equal(message.bytes.bytes[i], 0);
    IkeReader sequence = ike_reader_of(notify.data);
    return ike_read_u32(&sequence);
}

static void acknowledge(KitGateway *gw, uint32_t sequence)
{
    const uint8_t bytes[4] = {(uint8_t)(sequence >> 24), (uint8_t)(sequence >> 16),
                              (uint8_t)(sequence >> 8), (uint8_t)sequence};

    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE_ACK, bytes, 4), 0);
}

static void test_a_question_has_its_size_to_a_block_and_goes_whole(void **state)
{
    KitGateway *gw = connected(VENDORS);
    const size_t marker = gw->marked ? 4 : 0;

    /* A gateway that puts fragments together is asked no other way. */
    gw->session->current->vendors |= IKE_VENDOR_FRAGMENTATION;
    for (size_t size = 300; size <= 1472; size += 7) {
        kit_forget(gw);
        ask(gw, size);
        assert_int_equal(gw->packets_n, 1);
        assert_in_range(gw->packets[0].n + marker, size - 15, size);
        assert_true(gw->whole[0]);
        sequence_of(gw, &gw->packets[0]);
    }
    kit_gateway_free(gw);
}

static void test_each_answer_counts_once_and_for_its_own_size(void **state)
{
    KitGateway *gw = connected(VENDORS);
    uint32_t sequences[3];
    size_t sizes[3];

    for (size_t i = 0; i < 3; i++) {
        kit_forget(gw);
        ask(gw, 1000 + 100 * i);
        sizes[i] = gw->packets[0].n + (gw->marked ? 4 : 0);
        sequences[i] = sequence_of(gw, &gw->packets[0]);
    }
    for (size_t i = 3; i-- > 0;) {
        kit_forget(gw);
        acknowledge(gw, sequences[i]);
        assert_int_equal(gw->events[IKE_EVENT_CARRIED], 1);
        assert_int_equal(gw->carried, sizes[i]);
        acknowledge(gw, sequences[i]);
        assert_int_equal(gw->events[IKE_EVENT_CARRIED], 1);
    }
    kit_gateway_free(gw);
}

static void test_answers_to_nothing_and_to_plain_questions_carry_nothing(void **state)
{
    KitGateway *gw = connected(VENDORS);

    ask(gw, 1200);
    const uint32_t sequence = sequence_of(gw, &gw->packets[0]);
    for (uint32_t off = 1; off < 300; off++) {
        acknowledge(gw, sequence + off);
        acknowledge(gw, sequence - off);
    }
    assert_int_equal(gw->events[IKE_EVENT_CARRIED], 0);
    kit_forget(gw);
    assert_int_equal(ike_session_probe(gw->session, gw->now), 0);
    kit_collect(gw);
    assert_false(gw->whole[0]);
    acknowledge(gw, sequence_of(gw, &gw->packets[0]));
    assert_int_equal(gw->events[IKE_EVENT_CARRIED], 0);
    acknowledge(gw, sequence);
    assert_int_equal(gw->events[IKE_EVENT_CARRIED], 1);
    kit_gateway_free(gw);
}

static void test_a_size_that_was_asked_for_long_ago_is_forgotten(void **state)
{
    KitGateway *gw = connected(VENDORS);

    ask(gw, 1200);
    const uint32_t sequence = sequence_of(gw, &gw->packets[0]);
    for (size_t i = 0; i < IKE_PROBES_KEPT; i++) {
        kit_forget(gw);
        ask(gw, 1400);
    }
    acknowledge(gw, sequence);
    assert_int_equal(gw->events[IKE_EVENT_CARRIED], 0);
    kit_gateway_free(gw);
}

static void test_no_answer_is_no_end_and_nothing_is_said_again(void **state)
{
    KitGateway *gw = connected(VENDORS);

    for (int i = 0; i < 40; i++)
        ask(gw, 1472);
    kit_forget(gw);
    (void)kit_pass_time(gw, gw->now + 5 * IKE_SECOND, 20);
    for (size_t i = 0; i < gw->packets_n; i++)
        assert_false(gw->whole[i]);
    assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
    kit_gateway_free(gw);
}

static void test_who_has_not_offered_dpd_is_not_asked(void **state)
{
    KitGateway *gw = connected(IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_XAUTH);

    ask(gw, 1400);
    assert_int_equal(gw->packets_n, 0);
    kit_gateway_free(gw);
}

static void test_sizes_that_make_no_sense_are_not_asked_for(void **state)
{
    static const size_t sizes[] = {0, 1, 31, IKE_MESSAGE_MAX + 1, SIZE_MAX};
    KitGateway *gw = connected(VENDORS);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        ask(gw, sizes[i]);
    assert_int_equal(gw->packets_n, 0);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_question_has_its_size_to_a_block_and_goes_whole),
        cmocka_unit_test(test_each_answer_counts_once_and_for_its_own_size),
        cmocka_unit_test(test_answers_to_nothing_and_to_plain_questions_carry_nothing),
        cmocka_unit_test(test_a_size_that_was_asked_for_long_ago_is_forgotten),
        cmocka_unit_test(test_no_answer_is_no_end_and_nothing_is_said_again),
        cmocka_unit_test(test_who_has_not_offered_dpd_is_not_asked),
        cmocka_unit_test(test_sizes_that_make_no_sense_are_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quick Mode under attack, in both directions: answers that say too much, too little or something
 * else, and renewals that a gateway begins and does not finish.
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
#include "ike/proposal.h"
#include "ike/session-private.h"
#include "ike/vendor.h"

#include "gateway-kit.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 };

static KitList list;

static IkeConfig quick_config(const char *pfs)
{
    IkeConfig config = kit_config();

    config.phase2[0] = kit_p2("aes128", "sha256", pfs);
    return config;
}

/* A session whose QM1 waits for `list`. */
static KitGateway *before_qm2(const char *pfs, KitChain *chain)
{
    const IkeConfig config = quick_config(pfs);
    KitGateway *gw = kit_gateway_new(&config);

    kit_phase1(gw, VENDORS);
    assert_true(kit_qm2(gw, chain, &list));
    kit_forget(gw);
    return gw;
}

static void answer(KitGateway *gw, const KitChain *chain)
{
    KitChain copy = *chain;

    assert_int_equal(kit_send(gw, &copy, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list), 0);
}

/* ---- QM2 ---- */

static void test_a14_an_answer_that_was_not_offered_makes_no_sa(void **state)
{
    /* In the one transform: number, ID, and each attribute's low byte of type and value. */
    KitChain chain;
    KitGateway *gw = before_qm2(NULL, &chain);
    const size_t n = kit_list_find(&list, IKE_PAYLOAD_SA)->n;

    kit_gateway_free(gw);
    for (size_t at = 0; at < n; at++) {
        for (int bit = 0; bit < 8; bit += 3) {
            gw = before_qm2(NULL, &chain);
            KitPayload *sa = kit_list_find(&list, IKE_PAYLOAD_SA);
            assert_int_equal(sa->n, n);
            sa->bytes[at] ^= (uint8_t)(1 << bit);
            answer(gw, &chain);
            /* What may differ: numbers of proposal and transform, the SPI, a lifetime. */
            assert_true(gw->events[IKE_EVENT_SA_IN] == 0 ||
                        gw->out.chosen.cipher == ike_cipher_by_name("aes128"));
            assert_int_equal(gw->events[IKE_EVENT_SA_IN] + gw->events[IKE_EVENT_FAILED], 1);
            assert_true(gw->events[IKE_EVENT_SA_IN] == 0 || gw->in.spi_out > 255);
            kit_gateway_free(gw);
        }
    }
}

static void test_a14_keys_of_odd_length_and_ciphers_without_integrity_are_refused(void **state)
{
    /* ESP transform, ESP authentication, KEY_LENGTH; -1: absent */
    static const int answers[][3] = {{12, 5, 0},    {12, 5, 1},    {12, 5, 127},  {12, 5, 129},
                                     {12, 5, 256},  {12, 5, -1},   {12, -1, 128}, {12, 0, 128},
                                     {12, 9, 128},  {11, 5, -1},   {11, 5, 128},  {21, -1, 128},
                                     {23, -1, 128}, {20, -1, 128}, {0, 5, 128},   {255, 5, 128}};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        KitChain chain;
        KitGateway *gw = before_qm2(NULL, &chain);
        KitPayload *sa = kit_list_find(&list, IKE_PAYLOAD_SA);
        uint8_t bytes[128];
        IkeWriter w = ike_writer(bytes, sizeof(bytes));
        IkeSaWriter writer;

        ike_sa_write_begin(&writer, &w, IKE_PROTOCOL_ESP,
                           (IkeSlice){(const uint8_t *)"\x52\1\1\1", 4});
        ike_sa_write_transform(&writer, (uint8_t)answers[i][0]);
        ike_attribute_write(&w, IKE_P2_ENCAPSULATION, IKE_ENCAPSULATION_UDP_TUNNEL);
        if (answers[i][1] >= 0)
            ike_attribute_write(&w, IKE_P2_AUTH, (uint16_t)answers[i][1]);
        if (answers[i][2] >= 0)
            ike_attribute_write(&w, IKE_P2_KEY_LENGTH, (uint16_t)answers[i][2]);
        ike_sa_write_end(&writer);
        memcpy(sa->bytes, bytes, w.n);
        sa->n = w.n;
        answer(gw, &chain);
        assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
        assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
        assert_int_equal(gw->failure.reason, IKE_REASON_PHASE2_REFUSED);
        kit_gateway_free(gw);
    }
}

/* NAT-OA is for transport mode, and gateways add it nevertheless: 21, or 131 in the drafts. */
static void test_an_original_address_that_nobody_needs_does_no_harm(void **state)
{
    static const uint8_t types[] = {IKE_PAYLOAD_NATOA, IKE_PAYLOAD_NATOA_DRAFT, IKE_PAYLOAD_NATD,
                                    IKE_PAYLOAD_NATD_DRAFT};

    for (size_t i = 0; i < sizeof(types); i++) {
        KitChain chain;
        KitGateway *gw = before_qm2(NULL, &chain);
        kit_list_add(&list, types[i], "\1\0\0\0\x0a\1\2\3", 8);
        kit_list_add(&list, types[i], "\1\0\0\0\xc0\0\2\1", 8);
        answer(gw, &chain);
        assert_int_equal(gw->events[IKE_EVENT_CONNECTED], 1);
        kit_gateway_free(gw);
    }
}

static void test_a12_each_type_of_id_with_each_length_is_survived(void **state)
{
    for (int place = 0; place < 2; place++) {
        for (unsigned type = 0; type < 14; type++) {
            for (size_t n = 0; n <= 36; n += n < 10 ? 1 : 2) {
                KitChain chain;
                KitGateway *gw = before_qm2(NULL, &chain);
                KitPayload *id = &list.items[list.n - 1 - (size_t)place];

                assert_int_equal(id->type, IKE_PAYLOAD_ID);
                memset(id->bytes, 0xff, sizeof(id->bytes));
                id->bytes[0] = (uint8_t)type;
                id->n = n;
                answer(gw, &chain);
                assert_int_equal(gw->events[IKE_EVENT_SA_IN] + gw->events[IKE_EVENT_FAILED], 1);
                kit_gateway_free(gw);
            }
        }
    }
}

static void test_a_gateway_can_not_widen_what_was_asked_for(void **state)
{
    static const uint8_t wide[] = {4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    IkeConfig config = quick_config(NULL);
    KitChain chain;

    config.networks[0] = (IkeNetwork){4, 16, {10, 20}};
    config.networks_n = 1;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    assert_true(kit_qm2(gw, &chain, &list));
    for (size_t i = 1; i <= 2; i++) {
        memcpy(list.items[list.n - i].bytes, wide, sizeof(wide));
        list.items[list.n - i].n = sizeof(wide);
    }
    kit_forget(gw);
    answer(gw, &chain);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 1);
    assert_int_equal(gw->out.remote.prefix, 16);
    assert_int_equal(gw->out.local.prefix, 32);
    kit_gateway_free(gw);
}

static void test_a_network_beside_what_was_asked_for_is_refused(void **state)
{
    static const uint8_t beside[] = {4, 0, 0, 0, 10, 21, 0, 0, 255, 255, 0, 0};
    IkeConfig config = quick_config(NULL);
    KitChain chain;

    config.networks[0] = (IkeNetwork){4, 16, {10, 20}};
    config.networks_n = 1;
    for (size_t i = 1; i <= 2; i++) {
        KitGateway *gw = kit_gateway_new(&config);
        kit_phase1(gw, VENDORS);
        assert_true(kit_qm2(gw, &chain, &list));
        memcpy(list.items[list.n - i].bytes, beside, sizeof(beside));
        list.items[list.n - i].n = sizeof(beside);
        kit_forget(gw);
        answer(gw, &chain);
        assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
        assert_int_equal(gw->events[IKE_EVENT_FAILED], 1);
        kit_gateway_free(gw);
    }
}

static void test_a15_a_ke_that_is_missing_unasked_or_wrong_makes_no_sa(void **state)
{
    for (int i = 0; i < 6; i++) {
        KitChain chain;
        KitGateway *gw = before_qm2(i == 0 ? NULL : "ecp256", &chain);
        KitPayload *ke = kit_list_find(&list, IKE_PAYLOAD_KE);

        if (i == 0)
            kit_list_add(&list, IKE_PAYLOAD_KE, "unasked", 7);
        else if (i == 1)
            ke->type = IKE_PAYLOAD_VENDOR;
        else if (i == 2)
            ke->n--;
        else if (i == 3)
            ke->n++;
        else if (i == 4)
            memset(ke->bytes, 0, ke->n);
        else
            ke->bytes[ke->n - 1] ^= 1;
        answer(gw, &chain);
        assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
        assert_int_equal(gw->events[IKE_EVENT_CONNECTED], 0);
        kit_gateway_free(gw);
    }
}

static void test_a_delete_in_the_answer_of_its_own_sa_is_survived(void **state)
{
    KitChain chain;
    KitGateway *gw = before_qm2(NULL, &chain);
    KitBytes body = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ESP);
    kit_append_u8(&body, 4);
    kit_append_u16(&body, 1);
    kit_append_u32(&body, gw->last_spi);
    kit_list_add(&list, IKE_PAYLOAD_DELETE, body.bytes, body.n);
    answer(gw, &chain);
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 1);
    assert_int_equal(gw->events[IKE_EVENT_SA_GONE], 1);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 0);
    assert_int_equal(gw->events[IKE_EVENT_CONNECTED], 0);
    kit_gateway_free(gw);
}

/* ---- renewals that the gateway begins ---- */

static const uint8_t EVERYTHING[] = {4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t CLIENT[] = {1, 0, 0, 0, 10, 1, 2, 3};

static void fill_qm1(KitGateway *gw, KitChain *chain)
{
    const IkePhase2Offer offer = {.proposals = gw->config.phase2,
                                  .n = 1,
                                  .pfs = gw->config.phase2[0].pfs,
                                  .encapsulation = IKE_ENCAPSULATION_UDP_TUNNEL,
                                  .lifetime = 3600};
    uint8_t sa[256];
    IkeWriter w = ike_writer(sa, sizeof(sa));

    ike_phase2_offer_write(&w, &offer, ++gw->last_spi);
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_SA, sa, w.n);
    kit_list_add(&list, IKE_PAYLOAD_NONCE, "0123456789abcdef", 16);
    kit_list_add(&list, IKE_PAYLOAD_ID, EVERYTHING, sizeof(EVERYTHING));
    kit_list_add(&list, IKE_PAYLOAD_ID, CLIENT, sizeof(CLIENT));
    kit_chain_new(gw, chain);
    kit_append(&chain->nonce_i, "0123456789abcdef", 16);
}

/* QM1 out and QM2 in; false where none came. */
static bool begin_renewal(KitGateway *gw, KitChain *chain)
{
    KitBytes plain;
    IkeMessage qm2;

    fill_qm1(gw, chain);
    kit_forget(gw);
    (void)kit_send(gw, chain, IKE_EXCHANGE_QUICK, IKE_HASH_1, &list);
    const KitBytes *packet = kit_last_packet(gw, IKE_EXCHANGE_QUICK);
    if (packet == NULL)
        return false;
    assert_true(kit_open(gw, chain, packet, &plain, &qm2));
    IkeSlice nonce = ike_message_find(&qm2, IKE_PAYLOAD_NONCE)->body;
    kit_append(&chain->nonce_r, nonce.bytes, nonce.n);
    return true;
}

static void finish_renewal(KitGateway *gw, KitChain *chain)
{
    list.n = 0;
    assert_int_equal(kit_send(gw, chain, IKE_EXCHANGE_QUICK, IKE_HASH_3, &list), 0);
}

static KitGateway *connected(void)
{
    const IkeConfig config = quick_config(NULL);

    return kit_connected(&config, VENDORS);
}

static void test_a_renewal_by_the_gateway_goes_through(void **state)
{
    KitGateway *gw = connected();
    KitChain chain;
    uint32_t before = gw->out.spi_out;

    assert_true(begin_renewal(gw, &chain));
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 1);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 0);
    finish_renewal(gw, &chain);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 1);
    assert_int_equal(gw->out.spi_out, gw->last_spi);
    assert_int_not_equal(gw->out.spi_out, before);
    kit_gateway_free(gw);
}

/* What we refuse is answered once; whoever has recorded it can't fetch answers with it, nor use up
 * message IDs until the SA has to be renewed. */
static void test_b3_a_renewal_that_was_refused_is_not_answered_again(void **state)
{
    KitGateway *gw = connected();
    KitChain chain;
    KitBytes datagram;

    fill_qm1(gw, &chain);
    kit_list_find(&list, IKE_PAYLOAD_SA)->bytes[13] = 77; /* no protocol that anybody knows */
    kit_forget(gw);
    kit_seal(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_1, &list, &datagram);
    for (int i = 0; i < 5; i++)
        assert_int_equal(kit_deliver(gw, &datagram), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 0);
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
    kit_gateway_free(gw);
}

static void send_delete(KitGateway *gw, uint32_t spi)
{
    KitBytes body = {0};
    KitChain chain;

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ESP);
    kit_append_u8(&body, 4);
    kit_append_u16(&body, 1);
    kit_append_u32(&body, spi);
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_DELETE, body.bytes, body.n);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
}

static void test_a_lost_qm3_leaves_no_hole_when_the_old_sa_goes(void **state)
{
    KitGateway *gw = connected();
    KitChain chain;
    uint32_t before = gw->out.spi_out;

    assert_true(begin_renewal(gw, &chain));
    kit_forget(gw);
    send_delete(gw, before);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 1);
    assert_int_equal(gw->out.spi_out, gw->last_spi);
    kit_gateway_free(gw);
}

static void test_an_old_sa_that_is_deleted_at_once_leaves_no_hole(void **state)
{
    KitGateway *gw = connected();
    uint32_t before = gw->out.spi_out;

    gw->now += 10 * IKE_SECOND;
    assert_int_equal(ike_session_renew_sa(gw->session, gw->in.spi_in, gw->now), 0);
    kit_collect(gw);
    assert_true(kit_quick(gw));
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 1);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 0);
    send_delete(gw, before);
    assert_int_equal(gw->events[IKE_EVENT_SA_OUT], 1);
    assert_int_equal(gw->out.spi_out, gw->last_spi);
    kit_gateway_free(gw);
}

static void test_renewals_that_are_never_finished_do_not_end_the_tunnel(void **state)
{
    KitGateway *gw = connected();
    uint32_t in_use = gw->in.spi_in;
    KitChain chain;

    for (int i = 0; i < 600; i++) {
        (void)begin_renewal(gw, &chain);
        assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
        /* The exchanges are forgotten, the inbound SAs stand. */
        if (i % 60 == 59)
            assert_int_equal(kit_tick(gw, gw->now + 61 * IKE_SECOND), 0);
    }
    for (int i = 0; i < 60; i++)
        (void)begin_renewal(gw, &chain);
    /* There is still room for what we want ourselves, and the SA in use is still renewed. */
    kit_forget(gw);
    gw->now += 10 * IKE_SECOND;
    assert_int_equal(ike_session_renew_sa(gw->session, in_use, gw->now), 0);
    kit_collect(gw);
    assert_true(kit_quick(gw));
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 1);
    assert_int_equal(gw->session->state, IKE_STATE_CONNECTED);
    kit_gateway_free(gw);
}

static void test_c3_a_renewal_without_randomness_makes_no_sa(void **state)
{
    for (unsigned i = 1; i < 10; i++) {
        KitGateway *gw = connected();
        KitChain chain;

        gw->dice.fail_at = gw->dice.calls + i;
        gw->in.spi_in = 1000;
        (void)begin_renewal(gw, &chain);
        assert_true(gw->in.spi_in > 255);
        kit_gateway_free(gw);
    }
}

static void test_renewals_of_networks_that_are_not_ours_are_refused(void **state)
{
    static const uint8_t stranger[] = {1, 0, 0, 0, 10, 9, 9, 9};
    KitGateway *gw = connected();
    KitChain chain;

    fill_qm1(gw, &chain);
    KitPayload *id = &list.items[list.n - 1];
    memcpy(id->bytes, stranger, sizeof(stranger));
    kit_forget(gw);
    assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_1, &list), 0);
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
    kit_gateway_free(gw);
}

static void test_b4_a_renewal_before_the_tunnel_stands_is_ignored(void **state)
{
    IkeConfig config = quick_config(NULL);
    KitChain chain;

    config.config = IKE_CONFIG_PULL;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    assert_false(begin_renewal(gw, &chain));
    assert_int_equal(gw->packets_n, 0);
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 0);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a14_an_answer_that_was_not_offered_makes_no_sa),
        cmocka_unit_test(test_a14_keys_of_odd_length_and_ciphers_without_integrity_are_refused),
        cmocka_unit_test(test_an_original_address_that_nobody_needs_does_no_harm),
        cmocka_unit_test(test_a12_each_type_of_id_with_each_length_is_survived),
        cmocka_unit_test(test_a_gateway_can_not_widen_what_was_asked_for),
        cmocka_unit_test(test_a_network_beside_what_was_asked_for_is_refused),
        cmocka_unit_test(test_a15_a_ke_that_is_missing_unasked_or_wrong_makes_no_sa),
        cmocka_unit_test(test_a_delete_in_the_answer_of_its_own_sa_is_survived),
        cmocka_unit_test(test_a_renewal_by_the_gateway_goes_through),
        cmocka_unit_test(test_a_lost_qm3_leaves_no_hole_when_the_old_sa_goes),
        cmocka_unit_test(test_an_old_sa_that_is_deleted_at_once_leaves_no_hole),
        cmocka_unit_test(test_renewals_that_are_never_finished_do_not_end_the_tunnel),
        cmocka_unit_test(test_c3_a_renewal_without_randomness_makes_no_sa),
        cmocka_unit_test(test_renewals_of_networks_that_are_not_ours_are_refused),
        cmocka_unit_test(test_b3_a_renewal_that_was_refused_is_not_answered_again),
        cmocka_unit_test(test_b4_a_renewal_before_the_tunnel_stands_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

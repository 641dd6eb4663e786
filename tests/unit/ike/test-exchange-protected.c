/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner under an SA: messages with wrong or missing HASH, in the clear, replayed, reflected,
 * or authentic and mad. A gateway that knows the keys may end the tunnel, but it can't make the
 * client crash, leak, spin, or say that this machine is at fault.
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

static KitGateway *connected(void)
{
    const IkeConfig config = kit_config();

    return kit_connected(&config, VENDORS);
}

static void expect_silence(const KitGateway *gw)
{
    assert_int_equal(gw->packets_n, 0);
    for (size_t i = 0; i <= IKE_EVENT_STOPPED; i++)
        assert_int_equal(gw->events[i], 0);
}

static void expect_alive(KitGateway *gw)
{
    static uint32_t sequence = 1;
    const uint8_t bytes[4] = {0, 0, (uint8_t)(sequence >> 8), (uint8_t)sequence};

    sequence++;
    kit_forget(gw);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, bytes, 4), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_INFORMATIONAL), 1);
    assert_int_equal(gw->session->state, IKE_STATE_CONNECTED);
}

static void add_delete_esp(KitList *to, uint32_t spi)
{
    KitBytes body = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ESP);
    kit_append_u8(&body, 4);
    kit_append_u16(&body, 1);
    kit_append_u32(&body, spi);
    kit_list_add(to, IKE_PAYLOAD_DELETE, body.bytes, body.n);
}

static void add_delete_isakmp(KitList *to, const KitGateway *gw)
{
    KitBytes body = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ISAKMP);
    kit_append_u8(&body, 16);
    kit_append_u16(&body, 1);
    kit_append(&body, gw->cookie_i, 8);
    kit_append(&body, gw->cookie_r, 8);
    kit_list_add(to, IKE_PAYLOAD_DELETE, body.bytes, body.n);
}

static void add_notify(KitList *to, uint16_t type, uint32_t spi)
{
    KitBytes body = {0};

    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ESP);
    kit_append_u8(&body, 4);
    kit_append_u16(&body, type);
    kit_append_u32(&body, spi);
    kit_list_add(to, IKE_PAYLOAD_NOTIFY, body.bytes, body.n);
}

/* ---- B1: authentic or nothing ---- */

static void test_b1_a_hash_that_is_wrong_in_any_byte_is_silence(void **state)
{
    KitGateway *gw = connected();
    KitChain chain, again;
    KitBytes datagram;

    list.n = 0;
    add_delete_esp(&list, gw->out.spi_out);
    add_delete_isakmp(&list, gw);
    kit_chain_new(gw, &chain);
    for (size_t i = 0; i < gw->keys.hash->size; i++) {
        /* The wrong HASH is encrypted properly: nothing but its comparison can find it. */
        KitBytes plain;
        IkeMessage message;
        again = chain;
        kit_seal(gw, &again, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list, &datagram);
        again = chain;
        assert_true(kit_open(gw, &again, &datagram, &plain, &message));
        plain.bytes[4 + i] ^= 0x01;
        again = chain;
        assert_int_equal(
            ike_cbc_encrypt(gw->keys.cipher, gw->keys.key, again.iv, plain.bytes, plain.n), 0);
        memcpy(datagram.bytes + IKE_HEADER_SIZE, plain.bytes, plain.n);
        assert_int_equal(kit_deliver(gw, &datagram), 0);
        expect_silence(gw);
    }
    expect_alive(gw);
    kit_gateway_free(gw);
}

static void test_b1_a_message_in_the_clear_is_silence(void **state)
{
    static const IkeExchangeType exchanges[] = {IKE_EXCHANGE_INFORMATIONAL, IKE_EXCHANGE_QUICK,
                                                IKE_EXCHANGE_TRANSACTION, IKE_EXCHANGE_AGGRESSIVE};
    KitGateway *gw = connected();
    KitBytes datagram;

    list.n = 0;
    add_delete_isakmp(&list, gw);
    for (size_t i = 0; i < 4; i++) {
        for (uint8_t id = 0; id < 2; id++) {
            kit_encode(gw, exchanges[i], &list, &datagram);
            datagram.bytes[23] = id;
            assert_int_equal(kit_deliver(gw, &datagram), 0);
            /* Called encrypted, it is rubbish. */
            datagram.bytes[19] |= IKE_FLAG_ENCRYPTION;
            assert_int_equal(kit_deliver(gw, &datagram), 0);
        }
    }
    expect_silence(gw);
    expect_alive(gw);
    kit_gateway_free(gw);
}

static void test_a20_probes_with_wrong_cookies_or_without_a_hash_are_silence(void **state)
{
    KitGateway *gw = connected();
    KitChain chain;

    list.n = 0;
    add_notify(&list, IKE_NOTIFY_R_U_THERE, 1);
    for (int side = 0; side < 2; side++) {
        uint8_t *cookie = side == 0 ? gw->cookie_i : gw->cookie_r;
        cookie[3] ^= 1;
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
        cookie[3] ^= 1;
        expect_silence(gw);
    }
    /* A number that went before is not answered again. */
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "\0\0\1\0", 4), 0);
    kit_forget(gw);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "\0\0\0\xff", 4), 0);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "\0\0\0", 3), 0);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "", 0), 0);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE_ACK, "\0\0\0\1", 4), 0);
    expect_silence(gw);
    kit_gateway_free(gw);
}

/* ---- replays and reflections ---- */

static void test_what_was_said_once_does_nothing_the_second_time(void **state)
{
    KitGateway *gw = connected();
    KitChain chain;
    KitBytes datagram;

    list.n = 0;
    add_notify(&list, IKE_NOTIFY_INVALID_SPI, 77);
    kit_chain_new(gw, &chain);
    kit_seal(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list, &datagram);
    assert_int_equal(kit_deliver(gw, &datagram), 0);
    assert_int_equal(gw->events[IKE_EVENT_NOTICE], 1);
    kit_forget(gw);
    for (int later = 0; later < 3; later++) {
        assert_int_equal(kit_deliver(gw, &datagram), 0);
        assert_int_equal(gw->events[IKE_EVENT_NOTICE], 0);
        /* Not even when the exchange itself is long forgotten. */
        gw->now += 50 * IKE_SECOND;
        ike_session_traffic(gw->session, gw->in.spi_in, gw->now);
        assert_int_equal(kit_tick(gw, gw->now), 0);
        kit_forget(gw);
    }
    kit_gateway_free(gw);
}

static void test_our_own_messages_sent_back_do_nothing(void **state)
{
    IkeConfig config = kit_config();
    KitBytes ours[32];
    size_t n = 0;
    KitChain chain;

    config.config = IKE_CONFIG_PULL;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "\0\0\0\1", 4), 0);
    for (size_t i = 0; i < gw->packets_n; i++)
        ours[n++] = gw->packets[i]; /* AM3, REQUEST, ACK of a probe */
    KitBytes body;
    kit_config_begin(&body, IKE_CONFIG_SET, 1);
    kit_config_bytes(&body, IKE_CONFIG_IP4_ADDRESS, "\x0a\1\2\3", 4);
    kit_chain_new(gw, &chain);
    kit_forget(gw);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    for (size_t i = 0; i < gw->packets_n; i++)
        ours[n++] = gw->packets[i]; /* ACK, QM1 */
    assert_true(kit_quick(gw));
    for (size_t i = 0; i < gw->packets_n; i++)
        ours[n++] = gw->packets[i]; /* QM3 */
    assert_int_equal(gw->events[IKE_EVENT_CONNECTED], 1);
    assert_true(n >= 6);
    kit_forget(gw);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(kit_deliver(gw, &ours[i]), 0);
        /* With the cookies exchanged, too. */
        uint8_t cookie[8];
        memcpy(cookie, ours[i].bytes, 8);
        memcpy(ours[i].bytes, ours[i].bytes + 8, 8);
        memcpy(ours[i].bytes + 8, cookie, 8);
        assert_int_equal(kit_deliver(gw, &ours[i]), 0);
    }
    expect_silence(gw);
    expect_alive(gw);
    kit_gateway_free(gw);
}

/* ---- A17, A8: what stands in a message ---- */

static void test_a17_every_payload_number_under_every_exchange_is_survived(void **state)
{
    static const IkeExchangeType exchanges[] = {IKE_EXCHANGE_INFORMATIONAL, IKE_EXCHANGE_QUICK,
                                                IKE_EXCHANGE_TRANSACTION};
    static const char *const bodies[] = {"", "\0", "\1\0\0\1", "0123456789abcdef"};
    static const size_t sizes[] = {0, 1, 4, 16};

    for (size_t i = 0; i < 3; i++) {
        KitGateway *gw = connected();
        for (unsigned type = 1; type < 256; type++) {
            for (size_t j = 0; j < 4; j++) {
                KitChain chain;
                list.n = 0;
                kit_list_add(&list, (uint8_t)type, bodies[j], sizes[j]);
                kit_chain_new(gw, &chain);
                assert_int_equal(kit_send(gw, &chain, exchanges[i], IKE_HASH_1, &list), 0);
                gw->packets_n = 0;
            }
        }
        assert_int_equal(gw->events[IKE_EVENT_LOST], 0);
        expect_alive(gw);
        kit_gateway_free(gw);
    }
}

static void test_a8_sixty_five_protected_payloads_are_refused(void **state)
{
    KitGateway *gw = connected();

    for (size_t wanted = 62; wanted <= 66; wanted++) {
        KitChain chain;
        kit_forget(gw);
        list.n = 0;
        while (list.n < wanted)
            add_notify(&list, IKE_NOTIFY_INVALID_SPI, 1);
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
        assert_int_equal(gw->events[IKE_EVENT_NOTICE], wanted <= 63 ? wanted : 0);
    }
    expect_alive(gw);
    kit_gateway_free(gw);
}

/* ---- A13: the end of what is named again ---- */

static void test_a13_deletes_and_notifies_of_what_is_gone_are_survived(void **state)
{
    for (unsigned order = 0; order < 81; order++) {
        KitGateway *gw = connected();
        KitChain chain;
        unsigned rest = order;

        list.n = 0;
        for (int i = 0; i < 4; i++, rest /= 3) {
            if (rest % 3 == 0)
                add_delete_esp(&list, gw->out.spi_out);
            else if (rest % 3 == 1)
                add_delete_isakmp(&list, gw);
            else
                add_notify(&list, IKE_NOTIFY_INVALID_SPI, gw->out.spi_out);
        }
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
        assert_int_equal(kit_tick(gw, gw->now), 0);
        assert_int_equal(kit_tick(gw, gw->now + 2 * IKE_SECOND), 0);
        kit_gateway_free(gw);
    }
}

static void test_a_delete_of_many_spis_ends_each_of_them(void **state)
{
    IkeConfig config = kit_config();
    KitBytes body = {0};
    KitChain chain;

    config.networks_n = 40;
    for (size_t i = 0; i < config.networks_n; i++)
        config.networks[i] = (IkeNetwork){4, 24, {10, 1, (uint8_t)i}};
    KitGateway *gw = kit_connected(&config, VENDORS);
    kit_append_u32(&body, IKE_DOI_IPSEC);
    kit_append_u8(&body, IKE_PROTOCOL_ESP);
    kit_append_u8(&body, 4);
    kit_append_u16(&body, 40);
    for (uint32_t i = 1; i <= 40; i++)
        kit_append_u32(&body, 0x52000000 + i);
    list.n = 0;
    kit_list_add(&list, IKE_PAYLOAD_DELETE, body.bytes, body.n);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_INFORMATIONAL, IKE_HASH_1, &list), 0);
    assert_int_equal(gw->events[IKE_EVENT_SA_GONE], 40);
    kit_gateway_free(gw);
}

/* ---- hostile transactions ---- */

static void test_a23_a_gateway_that_asks_for_the_password_many_times_gets_it_once(void **state)
{
    IkeConfig config = kit_config();
    KitBytes body, plain;
    KitChain chain;
    IkeMessage message;

    config.xauth = IKE_XAUTH_REQUIRED;
    kit_secret(&config.user, "alice");
    kit_secret(&config.password, "x");
    config.password.n = IKE_SECRET_MAX;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    kit_config_begin(&body, IKE_CONFIG_REQUEST, 1);
    for (int i = 0; i < 200; i++)
        kit_config_bytes(&body, IKE_XAUTH_USER_PASSWORD, "", 0);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    assert_int_equal(gw->events[IKE_EVENT_FAILED], 0);
    const KitBytes *reply = kit_last_packet(gw, IKE_EXCHANGE_TRANSACTION);
    assert_non_null(reply);
    assert_true(kit_open(gw, &chain, reply, &plain, &message));
    assert_int_equal(ike_message_find(&message, IKE_PAYLOAD_ATTRIBUTES)->body.n,
                     4 + 4 + IKE_SECRET_MAX);
    kit_gateway_free(gw);
}

static void test_a5_attributes_that_do_not_end_where_they_say_are_silence(void **state)
{
    static const uint8_t good[] = {1, 0, 0, 1, 0x40, 0x89, 0, 2, 'h', 'i', 0x40, 0x8a, 0, 0};
    IkeConfig config = kit_config();

    config.xauth = IKE_XAUTH_REQUIRED;
    kit_secret(&config.user, "alice");
    kit_secret(&config.password, "secret");
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    kit_forget(gw);
    for (size_t n = 0; n < sizeof(good); n++) {
        KitChain chain;
        /* Up to three zero bytes behind the last attribute are padding. */
        bool whole = n == 4 || n == 10;
        if (whole)
            continue;
        list.n = 0;
        kit_list_add(&list, IKE_PAYLOAD_ATTRIBUTES, good, n);
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_TRANSACTION, IKE_HASH_1, &list), 0);
        expect_silence(gw);
    }
    for (unsigned off = 0; off < 65536; off += 1021) {
        KitChain chain;
        uint8_t wrong[sizeof(good)];
        memcpy(wrong, good, sizeof(good));
        wrong[12] = (uint8_t)(off >> 8);
        wrong[13] = (uint8_t)off;
        if (off == 0)
            continue;
        list.n = 0;
        kit_list_add(&list, IKE_PAYLOAD_ATTRIBUTES, wrong, sizeof(wrong));
        kit_chain_new(gw, &chain);
        assert_int_equal(kit_send(gw, &chain, IKE_EXCHANGE_TRANSACTION, IKE_HASH_1, &list), 0);
        expect_silence(gw);
    }
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_b1_a_hash_that_is_wrong_in_any_byte_is_silence),
        cmocka_unit_test(test_b1_a_message_in_the_clear_is_silence),
        cmocka_unit_test(test_a20_probes_with_wrong_cookies_or_without_a_hash_are_silence),
        cmocka_unit_test(test_what_was_said_once_does_nothing_the_second_time),
        cmocka_unit_test(test_our_own_messages_sent_back_do_nothing),
        cmocka_unit_test(test_a17_every_payload_number_under_every_exchange_is_survived),
        cmocka_unit_test(test_a8_sixty_five_protected_payloads_are_refused),
        cmocka_unit_test(test_a13_deletes_and_notifies_of_what_is_gone_are_survived),
        cmocka_unit_test(test_a_delete_of_many_spis_ends_each_of_them),
        cmocka_unit_test(test_a23_a_gateway_that_asks_for_the_password_many_times_gets_it_once),
        cmocka_unit_test(test_a5_attributes_that_do_not_end_where_they_say_are_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config as gateways really do it: in one message or in several, in any order, again and
 * again, and more of it than anybody has room for. What was said once is never lost and never
 * doubled.
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

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD };

static KitGateway *configuring(void)
{
    IkeConfig config = kit_config();

    config.config = IKE_CONFIG_PUSH;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    kit_forget(gw);
    return gw;
}

static void send_set(KitGateway *gw, const KitBytes *body)
{
    KitChain chain;

    kit_forget(gw);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, body), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 1);
}

static void push(KitGateway *gw, uint16_t type, const void *bytes, size_t n)
{
    KitBytes body;

    kit_config_begin(&body, IKE_CONFIG_SET, 1);
    kit_config_bytes(&body, type, bytes, n);
    send_set(gw, &body);
}

static void push_address(KitGateway *gw, uint8_t last)
{
    const uint8_t address[] = {10, 1, 2, last};

    push(gw, IKE_CONFIG_IP4_ADDRESS, address, 4);
}

static void push_dns(KitGateway *gw, uint8_t last)
{
    const uint8_t address[] = {10, 0, 0, last};

    push(gw, IKE_CONFIG_IP4_DNS, address, 4);
}

static void push_network(KitGateway *gw, uint8_t second)
{
    const uint8_t network[14] = {10, second, 0, 0, 255, 255, 0, 0};

    push(gw, IKE_UNITY_SPLIT_INCLUDE, network, 14);
}

static void test_what_comes_before_the_address_is_not_lost(void **state)
{
    KitGateway *gw = configuring();

    push_dns(gw, 53);
    assert_int_equal(gw->events[IKE_EVENT_CONFIG], 0);
    push_network(gw, 7);
    push(gw, IKE_UNITY_DEFAULT_DOMAIN, "office.example", 14);
    assert_int_equal(gw->state, IKE_STATE_CONFIG);
    push_address(gw, 3);
    assert_int_equal(gw->events[IKE_EVENT_CONFIG], 1);
    assert_int_equal(gw->inner.address.bytes[3], 3);
    assert_int_equal(gw->inner.dns_n, 1);
    assert_int_equal(gw->inner.dns[0].bytes[3], 53);
    assert_int_equal(gw->inner.networks_n, 1);
    assert_string_equal(gw->inner.domain, "office.example");
    assert_int_equal(gw->state, IKE_STATE_PHASE2);
    kit_gateway_free(gw);
}

static void test_what_is_said_twice_counts_once(void **state)
{
    KitGateway *gw = configuring();

    push_address(gw, 3);
    for (int i = 0; i < 20; i++) {
        push_dns(gw, 53);
        assert_int_equal(gw->events[IKE_EVENT_CONFIG], i == 0);
        push_network(gw, 7);
        assert_int_equal(gw->events[IKE_EVENT_CONFIG], i == 0);
    }
    push_dns(gw, 54);
    assert_int_equal(gw->inner.address.bytes[3], 3);
    assert_int_equal(gw->inner.dns_n, 2);
    assert_int_equal(gw->inner.networks_n, 1);
    kit_gateway_free(gw);
}

/* A gateway that changes its mind says all of it again. */
static void test_a26_an_address_that_comes_again_brings_all_anew(void **state)
{
    KitGateway *gw = configuring();

    push_dns(gw, 53);
    push_network(gw, 7);
    push_address(gw, 3);
    push_address(gw, 4);
    assert_int_equal(gw->events[IKE_EVENT_CONFIG], 1);
    assert_int_equal(gw->inner.address.bytes[3], 4);
    assert_int_equal(gw->inner.dns_n, 0);
    assert_int_equal(gw->inner.networks_n, 0);
    push_dns(gw, 55);
    push_network(gw, 8);
    assert_int_equal(gw->inner.dns_n, 1);
    assert_int_equal(gw->inner.dns[0].bytes[3], 55);
    assert_int_equal(gw->inner.networks[0].bytes[1], 8);
    kit_gateway_free(gw);
}

static void test_a22_a_network_more_than_there_is_room_for_is_told(void **state)
{
    for (size_t n = IKE_NETWORKS_MAX - 1; n <= IKE_NETWORKS_MAX + 1; n++) {
        KitGateway *gw = configuring();
        KitBytes body;

        kit_config_begin(&body, IKE_CONFIG_SET, 1);
        kit_config_bytes(&body, IKE_CONFIG_IP4_ADDRESS, "\x0a\1\2\3", 4);
        for (size_t i = 0; i < n; i++) {
            const uint8_t network[14] = {10, (uint8_t)i, 0, 0, 255, 255, 0, 0};
            /* Repetitions take no room. */
            for (size_t times = 0; times <= (i % 3 == 0); times++)
                kit_config_bytes(&body, IKE_UNITY_SPLIT_INCLUDE, network, 14);
        }
        send_set(gw, &body);
        assert_int_equal(gw->inner.networks_n, n < IKE_NETWORKS_MAX ? n : IKE_NETWORKS_MAX);
        assert_int_equal(gw->events[IKE_EVENT_NOTICE], n > IKE_NETWORKS_MAX);
        if (n > IKE_NETWORKS_MAX)
            assert_int_equal(gw->failure.detail, IKE_DETAIL_NETWORKS_CUT);
        /* Said again with another address, it makes no second line on a terminal. */
        body.bytes[11]++; /* the address */
        send_set(gw, &body);
        assert_int_equal(gw->events[IKE_EVENT_CONFIG], 1);
        assert_int_equal(gw->events[IKE_EVENT_NOTICE], 0);
        kit_gateway_free(gw);
    }
}

/* Until the SAs are renewed no packet of the new address could go. */
static void test_a26_another_address_brings_new_sas(void **state)
{
    KitGateway *gw = configuring();

    push_address(gw, 3);
    assert_true(kit_quick(gw));
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
    assert_int_equal(gw->in.local.bytes[3], 3);
    kit_forget(gw);
    push_address(gw, 3);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 0);
    push_address(gw, 4);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_QUICK), 1);
    assert_true(kit_quick(gw));
    assert_int_equal(gw->events[IKE_EVENT_SA_IN], 1);
    assert_int_equal(gw->in.local.bytes[3], 4);
    kit_gateway_free(gw);
}

static void test_an_address_that_expires_at_once_is_not_asked_for_all_the_time(void **state)
{
    KitGateway *gw = configuring();
    KitBytes body;

    kit_config_begin(&body, IKE_CONFIG_SET, 1);
    kit_config_bytes(&body, IKE_CONFIG_IP4_ADDRESS, "\x0a\1\2\3", 4);
    kit_config_bytes(&body, IKE_CONFIG_ADDRESS_EXPIRY, "\0\0\0\1", 4);
    send_set(gw, &body);
    assert_true(kit_quick(gw));
    for (int i = 0; i < 12; i++) {
        kit_forget(gw);
        (void)kit_pass_time(gw, gw->now + 5 * IKE_SECOND, 100);
        assert_true(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION) <= 3);
        send_set(gw, &body);
    }
    assert_int_equal(gw->state, IKE_STATE_CONNECTED);
    kit_gateway_free(gw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_before_the_address_is_not_lost),
        cmocka_unit_test(test_what_is_said_twice_counts_once),
        cmocka_unit_test(test_a26_an_address_that_comes_again_brings_all_anew),
        cmocka_unit_test(test_a22_a_network_more_than_there_is_room_for_is_told),
        cmocka_unit_test(test_a26_another_address_brings_new_sas),
        cmocka_unit_test(test_an_address_that_expires_at_once_is_not_asked_for_all_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

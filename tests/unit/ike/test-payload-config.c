/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config and XAUTH attributes: they come after Phase 1, from a gateway that may be a rogue
 * one, and end in routes, name servers and texts.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/payload-config.h"

#include "core-kit.h"

static IkeAttribute attribute(uint16_t type, const void *bytes, size_t n)
{
    return (IkeAttribute){.type = type, .value = {bytes, n}};
}

static bool take(IkeInnerConfig *inner, uint16_t type, const void *bytes, size_t n)
{
    uint8_t *copy = kit_exact(bytes, n);
    const IkeAttribute a = attribute(type, copy, n);
    bool taken = ike_inner_config_take(inner, &a);

    free(copy);
    return taken;
}

static void test_a5_an_attribute_fits_to_the_byte(void **state)
{
    static const uint8_t good[] = {3, 0, 0, 9, 0, 1, 0, 4, 10, 1, 2, 3};

    for (size_t n = 0; n <= sizeof(good); n++) {
        uint8_t *copy = kit_exact(good, n);
        IkeConfigMessage message;
        bool readable = ike_config_read((IkeSlice){copy, n}, &message);
        assert_int_equal(readable, n >= 4);
        /* A single zero behind the header passes for padding. */
        if (readable)
            assert_int_equal(ike_config_well_formed(&message),
                             n == 4 || n == 5 || n == sizeof(good));
        free(copy);
    }
    for (unsigned length = 0; length < 65536; length += length < 40 ? 1 : 997) {
        uint8_t odd[sizeof(good)];
        IkeConfigMessage message;
        memcpy(odd, good, sizeof(good));
        odd[6] = (uint8_t)(length >> 8);
        odd[7] = (uint8_t)length;
        uint8_t *copy = kit_exact(odd, sizeof(odd));
        assert_true(ike_config_read((IkeSlice){copy, sizeof(odd)}, &message));
        /* At 0 what follows is read as an attribute, which happens not to fit. */
        assert_int_equal(ike_config_well_formed(&message), length == 4);
        free(copy);
    }
}

static void test_only_the_four_messages_exist(void **state)
{
    for (unsigned type = 0; type < 256; type++) {
        const uint8_t bytes[] = {(uint8_t)type, 0, 0x12, 0x34};
        IkeConfigMessage message;
        assert_int_equal(ike_config_read((IkeSlice){bytes, 4}, &message), type >= 1 && type <= 4);
        if (type == 2)
            assert_int_equal(message.identifier, 0x1234);
    }
}

static void test_up_to_three_zeros_behind_the_last_attribute_are_padding(void **state)
{
    for (size_t zeros = 0; zeros < 8; zeros++) {
        KitBytes b = {0};
        IkeConfigMessage message;
        kit_append(&b, "\1\0\0\1\x80\x01\0\1", 8);
        for (size_t i = 0; i < zeros; i++)
            kit_append_u8(&b, 0);
        assert_true(ike_config_read(kit_slice(&b), &message));
        /* Four zeros are an attribute of type 0. */
        assert_true(ike_config_well_formed(&message));
        b.bytes[b.n - 1] ^= zeros > 0 ? 9 : 0;
        if (zeros > 0 && zeros < 4)
            assert_false(ike_config_well_formed(&message));
    }
}

static void test_a22_lists_of_name_servers_and_networks_are_bounded(void **state)
{
    for (size_t n = 0; n <= 200; n += n < 12 ? 1 : 7) {
        IkeInnerConfig inner = {0};
        for (size_t i = 0; i < n; i++) {
            const uint8_t address[4] = {10, 0, (uint8_t)i, 53};
            const uint8_t network[14] = {10, (uint8_t)i, 0, 0, 255, 255, 0, 0};
            assert_true(take(&inner, IKE_CONFIG_IP4_DNS, address, 4));
            assert_true(take(&inner, IKE_UNITY_SPLIT_INCLUDE, network, 14));
        }
        assert_int_equal(inner.dns_n, n < IKE_DNS_MAX ? n : IKE_DNS_MAX);
        assert_int_equal(inner.networks_n, n < IKE_NETWORKS_MAX ? n : IKE_NETWORKS_MAX);
    }
}

static void test_a22_one_attribute_with_very_many_entries_is_bounded(void **state)
{
    static uint8_t bytes[14 * 500];
    IkeInnerConfig inner = {0};

    memset(bytes, 255, sizeof(bytes));
    for (unsigned i = 0; i < 500; i++) {
        bytes[14 * i] = (uint8_t)(i >> 8);
        bytes[14 * i + 1] = (uint8_t)i;
    }
    assert_true(take(&inner, IKE_UNITY_SPLIT_INCLUDE, bytes, sizeof(bytes)));
    assert_true(inner.networks_cut);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i % 4 == 0 ? 10 : i / 4);
    assert_true(take(&inner, IKE_CONFIG_IP4_DNS, bytes, sizeof(bytes)));
    assert_int_equal(inner.networks_n, IKE_NETWORKS_MAX);
    assert_int_equal(inner.dns_n, IKE_DNS_MAX);
}

static void test_addresses_that_are_no_hosts_are_none(void **state)
{
    static const uint8_t wrong[][4] = {{0, 0, 0, 0},     {0, 1, 2, 3},   {127, 0, 0, 1},
                                       {224, 0, 0, 251}, {240, 0, 0, 1}, {255, 255, 255, 255}};
    IkeInnerConfig inner = {0};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)take(&inner, IKE_CONFIG_IP4_ADDRESS, wrong[i], 4);
        (void)take(&inner, IKE_CONFIG_IP4_DNS, wrong[i], 4);
    }
    assert_int_equal(inner.address.family, 0);
    assert_int_equal(inner.dns_n, 0);
}

static void test_every_attribute_with_every_length_is_survived(void **state)
{
    static const uint16_t types[] = {1,     2,      3,      4,     5,     6,     7,     8,
                                     10,    13,     14,     15,    16520, 16524, 16527, 28672,
                                     28673, 28674,  28675,  28676, 28677, 28678, 28679, 28680,
                                     28681, 0x0015, 0x7d88, 0,     0x7fff};
    uint8_t bytes[64];

    memset(bytes, 0xff, sizeof(bytes));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        IkeInnerConfig inner = {0};
        for (size_t n = 0; n <= sizeof(bytes); n++)
            (void)take(&inner, types[i], bytes, n);
        const IkeAttribute basic = {.type = types[i], .basic = true, .number = 65535};
        (void)ike_inner_config_take(&inner, &basic);
        assert_true(inner.address.family == 0 || inner.address.family == 4);
        for (size_t j = 0; j < inner.networks_n; j++)
            assert_true(inner.networks[j].prefix <= 32);
    }
}

static void test_addresses_of_the_wrong_length_are_none(void **state)
{
    for (size_t n = 0; n <= 20; n++) {
        IkeInnerConfig inner = {0};
        (void)take(&inner, IKE_CONFIG_IP4_ADDRESS,
                   "\x0a\1\2\3\x0a\1\2\3\x0a\1\2\3\x0a\1\2\3\x0a\1\2\3", n);
        assert_int_equal(inner.address.family, n == 4 ? 4 : 0);
    }
}

static void test_a_network_has_no_bits_beside_its_mask_and_no_holes_in_it(void **state)
{
    IkeInnerConfig inner = {0};

    assert_true(take(&inner, IKE_UNITY_SPLIT_INCLUDE, "\x0a\1\2\3\xff\xff\0\0\0\0\0\0\0\0", 14));
    assert_int_equal(inner.networks_n, 1);
    assert_memory_equal(inner.networks[0].bytes, "\x0a\1\0\0", 4);
    assert_int_equal(inner.networks[0].prefix, 16);
    assert_true(take(&inner, IKE_UNITY_SPLIT_INCLUDE, "\x0a\1\2\3\xff\0\xff\0\0\0\0\0\0\0", 14));
    assert_int_equal(inner.networks_n, 1);
    /* Address and mask alone, as some gateways send it. */
    assert_true(take(&inner, IKE_UNITY_SPLIT_INCLUDE, "\xac\x10\0\0\xff\xf0\0\0", 8));
    assert_true(take(&inner, IKE_CONFIG_IP4_SUBNET, "\xc0\xa8\0\0\xff\xff\0\0", 8));
    assert_int_equal(inner.networks_n, 3);
    assert_int_equal(inner.networks[1].prefix, 12);
}

static void test_only_a_plain_zero_forbids_to_keep_the_password(void **state)
{
    IkeInnerConfig inner = {0};
    IkeAttribute said = {.type = IKE_UNITY_SAVE_PASSWORD, .basic = true, .number = 1};

    assert_true(ike_inner_config_take(&inner, &said));
    assert_false(inner.password_unkept);
    (void)take(&inner, IKE_UNITY_SAVE_PASSWORD, "", 0);
    assert_false(inner.password_unkept);
    said.number = 0;
    assert_true(ike_inner_config_take(&inner, &said));
    assert_true(inner.password_unkept);
    said.number = 1;
    assert_true(ike_inner_config_take(&inner, &said));
    assert_false(inner.password_unkept);
}

/* The same entries, and never taken for what the tunnel protects. */
static void test_local_networks_are_bounded_and_apart(void **state)
{
    IkeInnerConfig inner = {0};
    uint8_t entry[14] = {0, 0, 0, 0, 255, 255, 255, 255};

    assert_true(take(&inner, IKE_UNITY_LOCAL_LAN, entry, sizeof(entry)));
    assert_int_equal(inner.local_lans_n, 1);
    assert_int_equal(inner.local_lans[0].prefix, 32);
    for (uint8_t i = 0; i < 3 * IKE_LOCAL_LANS_MAX; i++) {
        memcpy(entry, (const uint8_t[]){192, 168, i, 0, 255, 255, 255, 0}, 8);
        assert_true(take(&inner, IKE_UNITY_LOCAL_LAN, entry, sizeof(entry)));
        assert_true(take(&inner, IKE_UNITY_LOCAL_LAN, entry, sizeof(entry)));
    }
    assert_int_equal(inner.local_lans_n, IKE_LOCAL_LANS_MAX);
    assert_int_equal(inner.local_lans[IKE_LOCAL_LANS_MAX - 1].bytes[2], IKE_LOCAL_LANS_MAX - 2);
    assert_int_equal(inner.networks_n, 0);
    assert_false(inner.networks_cut);
}

static void test_a23_a25_texts_end_and_have_no_zeros_within(void **state)
{
    static const size_t sizes[] = {
        0, 1, 5, IKE_TEXT_MAX - 2, IKE_TEXT_MAX - 1, IKE_TEXT_MAX, IKE_TEXT_MAX + 1, 60000};
    static const uint16_t types[] = {IKE_UNITY_BANNER, IKE_UNITY_DEFAULT_DOMAIN,
                                     IKE_UNITY_SPLIT_DNS, IKE_UNITY_BACKUP_SERVERS};
    uint8_t *bytes = malloc(60000);

    for (size_t i = 0; i < 60000; i++)
        bytes[i] = (uint8_t) "%s%n\0<b>\xff\x1b"[i % 10];
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            IkeInnerConfig inner = {0};
            assert_true(take(&inner, types[t], bytes, sizes[i]));
            const char *texts[] = {inner.banner, inner.domain, inner.split_dns,
                                   inner.backup_servers};
            const char *text = texts[t];
            assert_true(strnlen(text, IKE_TEXT_MAX) < IKE_TEXT_MAX);
            assert_true(strlen(text) <= sizes[i]);
        }
    }
    free(bytes);
}

static void test_texts_lose_their_trailing_zeros(void **state)
{
    char text[8];

    ike_text_copy(text, sizeof(text), (IkeSlice){(const uint8_t *)"hi\0\0", 4});
    assert_string_equal(text, "hi");
    ike_text_copy(text, sizeof(text), (IkeSlice){(const uint8_t *)"a\0b", 3});
    assert_string_equal(text, "a b");
    ike_text_copy(text, 1, (IkeSlice){(const uint8_t *)"abc", 3});
    assert_string_equal(text, "");
    ike_text_copy(text, sizeof(text), (IkeSlice){NULL, 0});
    assert_string_equal(text, "");
}

static void test_what_is_not_of_the_inner_network_is_left_alone(void **state)
{
    IkeInnerConfig inner = {0}, before = {0};

    assert_false(take(&inner, IKE_XAUTH_STATUS, "\0\1", 2));
    assert_false(take(&inner, IKE_XAUTH_MESSAGE, "hello", 5));
    assert_false(take(&inner, 0x7d88, "x", 1));
    assert_memory_equal(&inner, &before, sizeof(inner));
}

/* ---- IPv6 ---- */

static const uint8_t HOST6[17] = {0xfd, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 64};

static void test_an_ipv6_address_stands_beside_the_other(void **state)
{
    IkeInnerConfig inner = {0};
    const uint8_t four[4] = {10, 1, 2, 3};

    assert_false(ike_inner_has_address(&inner));
    assert_int_equal(ike_inner_host(&inner, 0).family, 0);
    assert_true(take(&inner, IKE_CONFIG_IP6_ADDRESS, HOST6, 16));
    assert_true(ike_inner_has_address(&inner));
    assert_int_equal(ike_inner_host(&inner, 4).family, 0);
    assert_true(take(&inner, IKE_CONFIG_IP4_ADDRESS, four, 4));
    assert_true(take(&inner, IKE_CONFIG_IP6_NETMASK, HOST6, 16));
    IkeNetwork host4 = ike_inner_host(&inner, 4), host6 = ike_inner_host(&inner, 6);
    assert_int_equal(host4.prefix, 32);
    assert_memory_equal(host4.bytes, four, 4);
    assert_int_equal(host6.prefix, 128);
    assert_memory_equal(host6.bytes, HOST6, 16);
    /* As in IKEv2, with a prefix. */
    IkeInnerConfig other = {0};
    assert_true(take(&other, IKE_CONFIG_IP6_ADDRESS, HOST6, 17));
    assert_memory_equal(&other.address6, &inner.address6, sizeof(inner.address6));
}

static void test_ipv6_addresses_that_are_no_hosts_are_none(void **state)
{
    static const uint8_t wrong[][16] = {
        {0}, {[15] = 1}, {0xff, 2, [15] = 1}, {0xfe, 0x80, [15] = 1}, {0xfe, 0xbf, [15] = 1}};
    IkeInnerConfig inner = {0};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)take(&inner, IKE_CONFIG_IP6_ADDRESS, wrong[i], 16);
        (void)take(&inner, IKE_CONFIG_IP6_DNS, wrong[i], 16);
    }
    for (size_t n = 0; n < 16; n++)
        (void)take(&inner, IKE_CONFIG_IP6_ADDRESS, HOST6, n);
    assert_int_equal(inner.address6.family, 0);
    assert_int_equal(inner.dns_n, 0);
}

static void test_ipv6_name_servers_and_networks(void **state)
{
    uint8_t two[32], network[17] = {0xfd, 0, 0, 0x10, 0xff, 0xff, [16] = 33};
    IkeInnerConfig inner = {0};

    memcpy(two, HOST6, 16);
    memcpy(two + 16, HOST6, 16);
    two[31] = 2;
    assert_true(take(&inner, IKE_CONFIG_IP6_DNS, two, sizeof(two)));
    assert_int_equal(inner.dns_n, 2);
    assert_int_equal(inner.dns[1].family, 6);
    assert_memory_equal(inner.dns[1].bytes, two + 16, 16);
    assert_true(take(&inner, IKE_CONFIG_IP6_SUBNET, network, 17));
    assert_true(take(&inner, IKE_CONFIG_IP6_SUBNET, network, 16));
    network[16] = 129;
    assert_true(take(&inner, IKE_CONFIG_IP6_SUBNET, network, 17));
    assert_int_equal(inner.networks_n, 1);
    assert_int_equal(inner.networks[0].prefix, 33);
    assert_int_equal(inner.networks[0].bytes[4], 0x80);
    assert_int_equal(inner.networks[0].bytes[5], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a5_an_attribute_fits_to_the_byte),
        cmocka_unit_test(test_only_the_four_messages_exist),
        cmocka_unit_test(test_up_to_three_zeros_behind_the_last_attribute_are_padding),
        cmocka_unit_test(test_a22_lists_of_name_servers_and_networks_are_bounded),
        cmocka_unit_test(test_a22_one_attribute_with_very_many_entries_is_bounded),
        cmocka_unit_test(test_addresses_that_are_no_hosts_are_none),
        cmocka_unit_test(test_every_attribute_with_every_length_is_survived),
        cmocka_unit_test(test_addresses_of_the_wrong_length_are_none),
        cmocka_unit_test(test_a_network_has_no_bits_beside_its_mask_and_no_holes_in_it),
        cmocka_unit_test(test_local_networks_are_bounded_and_apart),
        cmocka_unit_test(test_only_a_plain_zero_forbids_to_keep_the_password),
        cmocka_unit_test(test_a23_a25_texts_end_and_have_no_zeros_within),
        cmocka_unit_test(test_texts_lose_their_trailing_zeros),
        cmocka_unit_test(test_what_is_not_of_the_inner_network_is_left_alone),
        cmocka_unit_test(test_an_ipv6_address_stands_beside_the_other),
        cmocka_unit_test(test_ipv6_addresses_that_are_no_hosts_are_none),
        cmocka_unit_test(test_ipv6_name_servers_and_networks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and networks: text that must not be taken, and prefixes against a naive reading. */
#include "kit.h"

#include "platform/address.h"

#include <string.h>
#include <sys/socket.h>

/* CVE-2025-12106: text to address parsers read over the end of what they refuse. Exact-size heap
   copies let the sanitizer see it. */
static void test_a24_text_that_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4 ",
        " 1.2.3.4",
        "0x1.2.3.4",
        "01.2.3.4",
        "1.2.3.4\n",
        "1.2.3.-4",
        ":",
        ":::",
        "1:2:3",
        "::g",
        "::1%lo",
        "[::1]",
        "12345::",
        "::1/",
        "1::2::3",
        "::ffff:1.2.3",
        "1.2.3.4:53",
        "::1 ",
        "1:2:3:4:5:6:7:8:9",
        "vpn.example",
        "1.2.3.4%eth0",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *copy = g_memdup2(bad[i], strlen(bad[i]) + 1);
        PlatformAddress address = {.family = 77};

        assert_false(platform_address_parse(copy, &address));
        assert_int_equal(address.family, 77);
    }
}

static void test_addresses_come_back_as_they_were_written(void **state)
{
    static const char *const good[] = {
        "0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        PlatformAddress address;
        char text[PLATFORM_ADDRESS_TEXT];

        assert_true(platform_address_parse(good[i], &address));
        assert_string_equal(platform_address_format(&address, text), good[i]);
    }
}

static void test_only_4_and_16_bytes_are_an_address(void **state)
{
    static const uint8_t bytes[32];
    PlatformAddress address;

    for (size_t n = 0; n <= sizeof bytes; n++)
        assert_int_equal(platform_address_from_bytes(bytes, n, &address), n == 4 || n == 16);
}

static void test_lengths_that_are_no_prefix_are_refused(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/",   "10.0.0.0/33", "10.0.0.0/-1",  "10.0.0.0/+8", "10.0.0.0/ 8",
        "10.0.0.0/8 ", "10.0.0.0/08", "10.0.0.0/8/8", "/8",          "10.0.0.0/999999999999",
        "::/129",      "10/8",        "10.0.0.0/0x8", "10.0.0.0/8a",
    };
    PlatformPrefix prefix;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(platform_prefix_parse(bad[i], &prefix));
    assert_true(platform_prefix_parse("10.0.0.0/8", &prefix));
    assert_int_equal(prefix.length, 8);
    assert_true(platform_prefix_parse("10.1.2.3", &prefix));
    assert_int_equal(prefix.length, 32);
    assert_true(platform_prefix_parse("::/0", &prefix));
    assert_int_equal(prefix.length, 0);
}

static bool bit(const PlatformAddress *address, unsigned i)
{
    return address->bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Bit by bit, as one would explain it. */
static bool naive_contains(const PlatformPrefix *prefix, const PlatformAddress *address)
{
    if (prefix->address.family != address->family)
        return false;
    for (unsigned i = 0; i < prefix->length; i++) {
        if (bit(&prefix->address, i) != bit(address, i))
            return false;
    }
    return true;
}

static void make_random(GRand *rand, PlatformPrefix *prefix)
{
    bool four = g_rand_boolean(rand);

    *prefix = (PlatformPrefix){.address.family = four ? AF_INET : AF_INET6};
    prefix->length = (uint8_t)g_rand_int_range(rand, 0, four ? 33 : 129);
    /* Few different bits, so that networks often meet. */
    for (size_t i = 0; i < (four ? 4u : 16u); i++)
        prefix->address.bytes[i] =
            (uint8_t)(g_rand_int_range(rand, 0, 2) << g_rand_int_range(rand, 0, 8));
}

static void test_containing_and_overlapping_agree_with_a_naive_reading(void **state)
{
    GRand *rand = g_rand_new_with_seed(20240717);
    unsigned met = 0;

    for (int i = 0; i < 200000; i++) {
        PlatformPrefix a, b;

        make_random(rand, &a);
        make_random(rand, &b);
        bool contains = naive_contains(&a, &b.address);

        assert_int_equal(platform_prefix_contains(&a, &b.address), contains);
        assert_int_equal(platform_prefix_overlaps(&a, &b),
                         a.length <= b.length ? contains : naive_contains(&b, &a.address));
        met += contains;
    }
    assert_true(met > 1000);
    g_rand_free(rand);
}

static void test_a_network_with_host_bits_is_not_canonical(void **state)
{
    PlatformPrefix prefix;

    for (unsigned length = 0; length <= 32; length++) {
        prefix = (PlatformPrefix){{AF_INET, {255, 255, 255, 255}}, (uint8_t)length};
        assert_int_equal(platform_prefix_is_canonical(&prefix), length == 32);
    }
    assert_true(platform_prefix_parse("10.0.0.0/8", &prefix) &&
                platform_prefix_is_canonical(&prefix));
    assert_true(platform_prefix_parse("10.0.0.1/8", &prefix) &&
                !platform_prefix_is_canonical(&prefix));
    prefix.length = 33;
    assert_false(platform_prefix_is_canonical(&prefix));
    prefix = (PlatformPrefix){0};
    assert_false(platform_prefix_is_canonical(&prefix));
}

static void test_only_hosts_are_unicast(void **state)
{
    static const char *const bad[] = {
        "0.0.0.0",         "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::",      "::1",       "fe80::1",     "febf::1",   "ff02::1"};
    static const char *const good[] = {"10.0.0.1", "192.0.2.1", "223.255.255.255", "2001:db8::1",
                                       "fd00::1",  "::2",       "fec0::1"};
    PlatformAddress address;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_true(platform_address_parse(bad[i], &address) &&
                    !platform_address_is_unicast(&address));
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(platform_address_parse(good[i], &address) &&
                    platform_address_is_unicast(&address));
}

static void test_socket_addresses_keep_address_and_port(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "2001:db8::7"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct sockaddr_storage storage;
        PlatformAddress in, out;
        uint16_t port;

        assert_true(platform_address_parse(texts[i], &in));
        assert_true(platform_address_to_sockaddr(&in, 4500, &storage) > 0);
        assert_true(platform_address_from_sockaddr(&storage, &out, &port));
        assert_true(platform_address_equal(&in, &out));
        assert_int_equal(port, 4500);
        storage.ss_family = AF_UNIX;
        assert_false(platform_address_from_sockaddr(&storage, &out, &port));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a24_text_that_is_no_address_is_refused),
        cmocka_unit_test(test_addresses_come_back_as_they_were_written),
        cmocka_unit_test(test_only_4_and_16_bytes_are_an_address),
        cmocka_unit_test(test_lengths_that_are_no_prefix_are_refused),
        cmocka_unit_test(test_containing_and_overlapping_agree_with_a_naive_reading),
        cmocka_unit_test(test_a_network_with_host_bits_is_not_canonical),
        cmocka_unit_test(test_only_hosts_are_unicast),
        cmocka_unit_test(test_socket_addresses_keep_address_and_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

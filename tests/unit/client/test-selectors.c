/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors: what an SA does not cover must not pass, whatever the prefix. */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/tunnel/selectors.h"

static const IkeNetwork ANY4 = {.family = 4}, ANY6 = {.family = 6};

static void packet4(uint8_t *packet, const uint8_t *from, const uint8_t *to)
{
    memset(packet, 0, 20);
    packet[0] = 0x45;
    memcpy(packet + 12, from, 4);
    memcpy(packet + 16, to, 4);
}

static void test_a_short_packet_has_no_addresses(void **state)
{
    uint8_t packet[40];
    PacketAddresses addresses;

    for (unsigned version = 0; version < 16; version++) {
        for (size_t n = 0; n <= 40; n++) {
            uint8_t *exact = malloc(n ? n : 1);
            bool want = (version == 4 && n >= 20) || (version == 6 && n >= 40);

            memset(packet, (int)(version << 4), sizeof(packet));
            memcpy(exact, packet, n);
            assert_int_equal(selectors_read(exact, n, &addresses), want);
            free(exact);
        }
    }
}

/* Bit by bit, as a child would do it. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
            return false;
    return true;
}

static void test_every_prefix_of_ipv4(void **state)
{
    static const uint8_t NET[4] = {0xa5, 0x5a, 0xc3, 0x3c}, ME[4] = {10, 0, 0, 1};
    uint8_t packet[20], other[4];
    PacketAddresses addresses;

    for (unsigned prefix = 0; prefix <= 32; prefix++) {
        IkeNetwork remote = {.family = 4, .prefix = (uint8_t)prefix};
        Selectors selectors;

        memcpy(remote.bytes, NET, 4);
        selectors_init(&selectors, &ANY4, &remote);
        for (unsigned bit = 0; bit < 32; bit++) {
            memcpy(other, NET, 4);
            other[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
            packet4(packet, ME, other);
            assert_true(selectors_read(packet, 20, &addresses));
            assert_int_equal(selectors_cover_out(&selectors, &addresses), bit >= prefix);
            packet4(packet, other, ME);
            assert_true(selectors_read(packet, 20, &addresses));
            assert_int_equal(selectors_cover_in(&selectors, &addresses), bit >= prefix);
        }
    }
}

static void test_every_prefix_of_ipv6(void **state)
{
    uint8_t packet[40] = {0x60}, net[16];
    PacketAddresses addresses;

    srand(1);
    for (unsigned prefix = 0; prefix <= 128; prefix++) {
        IkeNetwork local = {.family = 6, .prefix = (uint8_t)prefix};
        Selectors selectors;

        for (int i = 0; i < 16; i++)
            net[i] = (uint8_t)rand();
        memcpy(local.bytes, net, 16);
        selectors_init(&selectors, &local, &ANY6);
        for (unsigned bit = 0; bit < 128; bit++) {
            memcpy(packet + 8, net, 16);
            packet[8 + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
            assert_true(selectors_read(packet, 40, &addresses));
            assert_int_equal(selectors_cover_out(&selectors, &addresses),
                             same_prefix(packet + 8, net, prefix));
        }
    }
}

static void test_families_do_not_mix(void **state)
{
    uint8_t four[20] = {0x45}, six[40] = {0x60};
    PacketAddresses addresses;
    Selectors selectors;

    selectors_init(&selectors, &ANY4, &ANY4);
    assert_true(selectors_read(six, 40, &addresses));
    assert_false(selectors_cover_out(&selectors, &addresses));
    assert_false(selectors_cover_in(&selectors, &addresses));
    selectors_init(&selectors, &ANY6, &ANY6);
    assert_true(selectors_read(four, 20, &addresses));
    assert_false(selectors_cover_out(&selectors, &addresses));
    assert_false(selectors_cover_in(&selectors, &addresses));
}

static void test_host_bits_do_not_count(void **state)
{
    IkeNetwork a = {.family = 4, .prefix = 8, .bytes = {10, 1, 2, 3}},
               b = {.family = 4, .prefix = 8, .bytes = {10}},
               c = {.family = 4, .prefix = 9, .bytes = {10}},
               wild = {.family = 4, .prefix = 200, .bytes = {10, 1, 2, 3}};
    Selectors one, two;

    selectors_init(&one, &ANY4, &a);
    selectors_init(&two, &ANY4, &b);
    assert_true(selectors_equal(&one, &two));
    selectors_init(&two, &ANY4, &c);
    assert_false(selectors_equal(&one, &two));
    assert_true(selectors_order(&two, &one) < 0);
    selectors_init(&two, &c, &b);
    assert_true(selectors_order(&two, &one) < 0);
    assert_false(selectors_equal(&one, &two));
    selectors_init(&one, &ANY4, &wild); /* a prefix that cannot be is one host */
    assert_int_equal(one.remote.prefix, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_packet_has_no_addresses),
        cmocka_unit_test(test_every_prefix_of_ipv4),
        cmocka_unit_test(test_every_prefix_of_ipv6),
        cmocka_unit_test(test_families_do_not_mix),
        cmocka_unit_test(test_host_bits_do_not_count),
    };

    return cmocka_run_group_tests_name("selectors", tests, NULL, NULL);
}

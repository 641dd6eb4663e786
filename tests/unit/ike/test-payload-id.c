/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities and networks: no part of a value is looked at before its length is right for its type,
 * text is printable in buffers of any size, and a network is neither wider nor narrower than it was
 * written.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/payload-id.h"

#include "core-kit.h"

static bool read_exact(const uint8_t *bytes, size_t n, IkeIdentity *id)
{
    uint8_t *copy = kit_exact(bytes, n), protocol;
    uint16_t port;
    bool good = ike_id_read((IkeSlice){copy, n}, id, &protocol, &port);

    free(copy);
    return good;
}

static bool network_exact(const uint8_t *bytes, size_t n, IkeNetwork *network)
{
    uint8_t *copy = kit_exact(bytes, n);
    bool good = ike_network_read_id((IkeSlice){copy, n}, network);

    free(copy);
    return good;
}

static void test_a18_every_type_with_every_length_is_read_or_refused(void **state)
{
    static const size_t sizes[256] = {[1] = 4, [4] = 8, [5] = 16, [6] = 32, [7] = 8};
    uint8_t bytes[4 + IKE_ID_MAX + 8];
    IkeIdentity id;

    memset(bytes, 'a', sizeof(bytes));
    for (unsigned type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        for (size_t n = 0; n <= sizeof(bytes); n++) {
            bool wanted = type != 0 && n > 4 && n <= 4 + IKE_ID_MAX &&
                          (sizes[type] == 0 || n == 4 + sizes[type]);
            assert_int_equal(read_exact(bytes, n, &id), wanted);
            if (wanted)
                assert_int_equal(id.n, n - 4);
        }
    }
}

static void test_a18_garbage_is_shown_as_printable_text_in_any_buffer(void **state)
{
    KitDice dice = {.state = 18};

    for (unsigned round = 0; round < 4000; round++) {
        uint8_t bytes[300];
        IkeIdentity id;
        (void)kit_random(&dice, bytes, sizeof(bytes));
        bytes[0] = (uint8_t)(round % 14);
        if (!read_exact(bytes, 5 + bytes[1] % 250, &id))
            continue;
        for (size_t size = 1; size < 600; size = size * 2 + 1) {
            char *text = malloc(size);
            ike_id_format(&id, text, size);
            size_t n = strnlen(text, size);
            assert_true(n < size);
            for (size_t i = 0; i < n; i++)
                assert_true(text[i] > ' ' && text[i] < 0x7f);
            free(text);
        }
    }
}

static void test_text_says_what_kind_it_is(void **state)
{
    static const struct {
        IkeIdentity id;
        const char *text;
    } rows[] = {
        {{IKE_ID_ANY, 0, ""}, "any"},
        {{IKE_ID_FQDN, 14, "gw.example.com"}, "fqdn:gw.example.com"},
        {{IKE_ID_USER_FQDN, 3, "a@b"}, "email:a@b"},
        {{IKE_ID_IPV4, 4, {192, 0, 2, 1}}, "ip:192.0.2.1"},
        {{IKE_ID_IPV6, 16, {0x20, 1, 0x0d, 0xb8}}, "ip:2001:db8:0:0:0:0:0:0"},
        {{IKE_ID_KEY_ID, 5, "group"}, "keyid:group"},
        {{IKE_ID_KEY_ID, 2, {0x01, 0xff}}, "keyid:01ff"},
        {{IKE_ID_DER_ASN1_DN, 2, {0x30, 0x00}}, "dn:3000"},
        {{IKE_ID_FQDN, 4, "%s\n<"}, "fqdn:%s?<"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        ike_id_format(&rows[i].id, text, sizeof(text));
        assert_string_equal(text, rows[i].text);
    }
}

static void test_names_are_equal_without_regard_to_case_and_nothing_else_is(void **state)
{
    const IkeIdentity a = {IKE_ID_FQDN, 14, "gw.example.com"},
                      b = {IKE_ID_FQDN, 14, "GW.Example.COM"};
    IkeIdentity c = b;

    assert_true(ike_id_equal(&a, &b));
    c.type = IKE_ID_USER_FQDN;
    assert_false(ike_id_equal(&a, &c)); /* another type */
    c = b;
    c.n--;
    assert_false(ike_id_equal(&a, &c)); /* a prefix */
    assert_false(ike_id_equal(&c, &a));
    for (size_t i = 0; i < a.n; i++) {
        c = a;
        c.bytes[i] ^= 1;
        assert_false(ike_id_equal(&a, &c));
        c.bytes[i] = 0; /* a NUL ends nothing */
        assert_false(ike_id_equal(&a, &c));
    }
    IkeIdentity key = {IKE_ID_KEY_ID, 5, "group"}, upper = {IKE_ID_KEY_ID, 5, "GROUP"};
    assert_false(ike_id_equal(&key, &upper));
    /* '@' and '`', '[' and '{' differ by the bit that letters differ by. */
    IkeIdentity at = {IKE_ID_FQDN, 2, "@["}, tick = {IKE_ID_FQDN, 2, "`{"};
    assert_false(ike_id_equal(&at, &tick));
}

static void test_what_is_written_is_read(void **state)
{
    const IkeIdentity id = {IKE_ID_USER_FQDN, 17, "alice@example.com"};
    uint8_t bytes[64], protocol;
    uint16_t port;
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    IkeIdentity back = {0};

    ike_id_write(&w, &id, 17, 500);
    assert_true(ike_id_read(ike_writer_slice(&w, 0), &back, &protocol, &port));
    assert_int_equal(protocol, 17);
    assert_int_equal(port, 500);
    assert_true(ike_id_equal(&id, &back));
}

/* ---- networks ---- */

static void test_every_network_comes_back(void **state)
{
    for (int six = 0; six < 2; six++) {
        for (unsigned prefix = 0; prefix <= (six ? 128 : 32); prefix++) {
            IkeNetwork network = {.family = six ? 6 : 4, .prefix = (uint8_t)prefix}, back;
            uint8_t bytes[40];
            IkeWriter w = ike_writer(bytes, sizeof(bytes));

            for (unsigned bit = 0; bit < prefix; bit++)
                network.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
            ike_network_write_id(&w, &network);
            assert_true(network_exact(bytes, w.n, &back));
            assert_true(ike_network_equal(&network, &back));
            assert_memory_equal(network.bytes, back.bytes, 16);
        }
    }
}

static void test_bits_beside_the_prefix_are_dropped(void **state)
{
    IkeNetwork network;

    assert_true(network_exact((const uint8_t *)"\4\0\0\0\x0a\1\2\3\xff\xff\0\0", 12, &network));
    assert_int_equal(network.prefix, 16);
    assert_memory_equal(network.bytes, "\x0a\1\0\0", 4);
}

static void test_masks_with_holes_are_no_networks(void **state)
{
    static const uint32_t masks[] = {1,          0xff,       0x00ffffff, 0xff00ff00,
                                     0xffff0001, 0xfffffffd, 0x7fffffff, 0x80000001};
    IkeNetwork network;

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        KitBytes b = {0};
        kit_append(&b, "\4\0\0\0\x0a\1\2\3", 8);
        kit_append_u32(&b, masks[i]);
        assert_false(network_exact(b.bytes, b.n, &network));
    }
}

static void test_a_range_is_a_network_only_where_it_is_all_of_one(void **state)
{
    static const struct {
        uint32_t first, last;
        int prefix; /* -1: none */
    } rows[] = {
        {0x0a000000, 0x0affffff, 8},  {0x0a000000, 0x0a0000ff, 24}, {0x0a000001, 0x0a000001, 32},
        {0x00000000, 0xffffffff, 0},  {0x0a000001, 0x0a000002, -1}, {0x0a000000, 0x0a000002, -1},
        {0x0a000001, 0x0a0000ff, -1}, {0x0a0000ff, 0x0a000000, -1}, {0xffffffff, 0x00000000, -1},
        {0x0a000000, 0x0a0001fe, -1}, {0x0a000004, 0x0a00000b, -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        KitBytes b = {0};
        IkeNetwork network;
        kit_append(&b, "\7\0\0\0", 4);
        kit_append_u32(&b, rows[i].first);
        kit_append_u32(&b, rows[i].last);
        assert_int_equal(network_exact(b.bytes, b.n, &network), rows[i].prefix >= 0);
        if (rows[i].prefix >= 0)
            assert_int_equal(network.prefix, rows[i].prefix);
    }
}

static void test_a12_names_are_no_networks(void **state)
{
    uint8_t bytes[4 + 40];
    IkeNetwork network;

    memset(bytes, 0xff, sizeof(bytes));
    for (unsigned type = 0; type < 256; type++) {
        bool address = type == 1 || (type >= 4 && type <= 7);
        bytes[0] = (uint8_t)type;
        for (size_t n = 0; n <= sizeof(bytes); n++)
            if (!address)
                assert_false(network_exact(bytes, n, &network));
            else
                (void)network_exact(bytes, n, &network);
    }
}

static void test_containment_is_by_prefix_and_family(void **state)
{
    const IkeNetwork all4 = {4, 0, {0}}, all6 = {6, 0, {0}}, ten = {4, 8, {10}},
                     within = {4, 9, {10, 128}}, beside = {4, 9, {11, 128}};

    assert_true(ike_network_contains(&all4, &ten));
    assert_true(ike_network_contains(&ten, &within));
    assert_false(ike_network_contains(&within, &ten));
    assert_false(ike_network_contains(&ten, &beside));
    assert_false(ike_network_contains(&all6, &ten));
    assert_false(ike_network_contains(&all4, &all6));
    char text[48];
    ike_network_format(&within, text, sizeof(text));
    assert_string_equal(text, "10.128.0.0/9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a18_every_type_with_every_length_is_read_or_refused),
        cmocka_unit_test(test_a18_garbage_is_shown_as_printable_text_in_any_buffer),
        cmocka_unit_test(test_text_says_what_kind_it_is),
        cmocka_unit_test(test_names_are_equal_without_regard_to_case_and_nothing_else_is),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_every_network_comes_back),
        cmocka_unit_test(test_bits_beside_the_prefix_are_dropped),
        cmocka_unit_test(test_masks_with_holes_are_no_networks),
        cmocka_unit_test(test_a_range_is_a_network_only_where_it_is_all_of_one),
        cmocka_unit_test(test_a12_names_are_no_networks),
        cmocka_unit_test(test_containment_is_by_prefix_and_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor IDs: a hash that is cut short is nobody's, and what follows a known one is not read.
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

#include "core-kit.h"

static const struct {
    const char *hex;
    unsigned vendor;
} KNOWN[] = {
    {"09002689dfd6b712", IKE_VENDOR_XAUTH},
    {"afcad71368a1f1c96b8696fc77570100", IKE_VENDOR_DPD},
    {"4a131c81070358455c5728f20e95452f", IKE_VENDOR_NATT_RFC3947},
    {"cd60464335df21f87cfdb2fc68b6a448", IKE_VENDOR_NATT_02},
    {"90cb80913ebb696e086381b5ec427b1f", IKE_VENDOR_NATT_02N},
    {"7d9419a65310ca6f2c179d9215529d56", IKE_VENDOR_NATT_03},
    {"4048b7d56ebce88525e7de7f00d6c2d380000000", IKE_VENDOR_FRAGMENTATION},
    {"12f5f28c457168a9702d9fe274cc0100", IKE_VENDOR_UNITY},
    {"882fe56d6fd20dbc2251613b2ebe5beb", IKE_VENDOR_STRONGSWAN},
    {"8299031757a36082c6a621de00000000", IKE_VENDOR_FORTIGATE},
    {"1d6e178f6c2c0be284985465450fe9d4", IKE_VENDOR_FORTIGATE},
    {"7003cbc1097dbe9c2600ba6983bc8b35", IKE_VENDOR_RACOON},
    {"fd808804df73b15150709d878044cde0ac1efcde", IKE_VENDOR_JUNOS},
    {"699369228741c6d4ca094c93e242c9de19e7b7c60000000500000500", IKE_VENDOR_NETSCREEN},
};

static unsigned recognise(const KitBytes *b, size_t n)
{
    uint8_t *copy = kit_exact(b->bytes, n);
    unsigned vendor = ike_vendor_recognise((IkeSlice){copy, n});

    free(copy);
    return vendor;
}

static void test_known_vendors_are_recognised(void **state)
{
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
        KitBytes b;
        kit_unhex(KNOWN[i].hex, &b);
        assert_int_equal(recognise(&b, b.n), KNOWN[i].vendor);
    }
}

/* Fragmentation without its capability, or with a part of it, is none. */
static void test_a2_a3_a_vendor_id_that_is_cut_short_is_unknown(void **state)
{
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
        KitBytes b;
        kit_unhex(KNOWN[i].hex, &b);
        size_t shortest = b.n;
        while (shortest > 0 && recognise(&b, shortest - 1) == KNOWN[i].vendor)
            shortest--;
        assert_true(shortest >= 8);
        assert_true(shortest >= 12 || KNOWN[i].vendor == IKE_VENDOR_XAUTH);
        for (size_t n = 0; n < shortest; n++)
            assert_int_equal(recognise(&b, n), 0);
    }
}

static void test_a_vendor_id_that_differs_in_a_bit_is_unknown(void **state)
{
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
        for (size_t at = 0; at < 8; at++) {
            KitBytes b;
            kit_unhex(KNOWN[i].hex, &b);
            b.bytes[at] ^= 1;
            assert_int_equal(recognise(&b, b.n), 0);
        }
    }
}

static void test_what_is_sent_is_recognised_and_poses_as_nobody(void **state)
{
    const unsigned ours = IKE_VENDOR_XAUTH | IKE_VENDOR_DPD | IKE_VENDORS_NATT |
                          IKE_VENDOR_FRAGMENTATION | IKE_VENDOR_UNITY;
    uint8_t bytes[512];
    IkeHeader header = {0};
    IkeBuilder builder;
    IkeMessage message;
    unsigned seen = 0;

    ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
    ike_vendor_add(&builder, ours);
    ike_builder_end(&builder);
    assert_int_equal(ike_header_read(ike_writer_slice(&builder.writer, 0), &header), 0);
    assert_int_equal(
        ike_payloads_read(&header, ike_writer_slice(&builder.writer, IKE_HEADER_SIZE), &message),
        0);
    for (size_t i = 0; i < message.n; i++)
        seen |= ike_vendor_recognise(message.payloads[i].body);
    assert_int_equal(seen, ours);
    assert_int_equal(message.n, 8);
    /* DPD 1.0 (RFC 3706, 5.1) */
    KitBytes dpd;
    kit_unhex(KNOWN[1].hex, &dpd);
    bool found = false;
    for (size_t i = 0; i < message.n; i++)
        found |= message.payloads[i].body.n == dpd.n &&
                 memcmp(message.payloads[i].body.bytes, dpd.bytes, dpd.n) == 0;
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_vendors_are_recognised),
        cmocka_unit_test(test_a2_a3_a_vendor_id_that_is_cut_short_is_unknown),
        cmocka_unit_test(test_a_vendor_id_that_differs_in_a_bit_is_unknown),
        cmocka_unit_test(test_what_is_sent_is_recognised_and_poses_as_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

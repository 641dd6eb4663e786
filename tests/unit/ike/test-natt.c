/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAT traversal: which dialect is spoken, and the hash of an address (RFC 3947, 3.2).
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/natt.h"
#include "ike/vendor.h"

#include "core-kit.h"

static void test_the_best_dialect_that_was_returned_is_spoken(void **state)
{
    const IkeNattDialect *rfc = ike_natt_dialect(IKE_VENDORS_NATT);
    const IkeNattDialect *draft = ike_natt_dialect(IKE_VENDOR_NATT_02 | IKE_VENDOR_NATT_03);

    assert_int_equal(rfc->natd, IKE_PAYLOAD_NATD);
    assert_int_equal(rfc->tunnel_mode, 3);
    assert_int_equal(draft->vendor, IKE_VENDOR_NATT_03);
    assert_int_equal(draft->natd, 130);
    assert_int_equal(draft->tunnel_mode, 61443);
    assert_int_equal(ike_natt_dialect(IKE_VENDOR_NATT_02)->natd, 130);
    assert_int_equal(ike_natt_dialect(IKE_VENDOR_NATT_02N)->tunnel_mode, 61443);
    assert_null(ike_natt_dialect(0));
    assert_null(ike_natt_dialect(~(unsigned)IKE_VENDORS_NATT));
}

static void test_the_hash_is_of_cookies_address_and_port_in_network_order(void **state)
{
    static const uint8_t cookies[] = "11111111"
                                     "22222222";
    const IkeAddress four = {4, {192, 0, 2, 1, 9, 9}, 0x1194},
                     six = {6, {0x20, 1, 0x0d, 0xb8}, 500};
    const IkeHash *hash = ike_hash_by_name("sha256");
    uint8_t got[IKE_HASH_MAX], expected[IKE_HASH_MAX];

    for (int i = 0; i < 2; i++) {
        const IkeAddress *address = i == 0 ? &four : &six;
        KitBytes b = {0};
        kit_append(&b, cookies, 16);
        kit_append(&b, address->bytes, i == 0 ? 4 : 16);
        kit_append_u16(&b, address->port);
        const IkeSlice whole = kit_slice(&b);
        assert_int_equal(ike_hash(hash, &whole, 1, expected), 0);
        assert_int_equal(
            ike_natt_hash(hash, (IkeSlice){cookies, 8}, (IkeSlice){cookies + 8, 8}, address, got),
            0);
        assert_memory_equal(got, expected, hash->size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_dialect_that_was_returned_is_spoken),
        cmocka_unit_test(test_the_hash_is_of_cookies_address_and_port_in_network_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded cursor: all of ike/ relies on it that nothing is read behind the end, whatever is
 * asked for, and that a failure stays one. Compared with a plain index on random input.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/reader.h"

#include "core-kit.h"

static void test_more_than_is_left_gives_nothing_and_fails_for_good(void **state)
{
    static const size_t wanted[] = {4, 5, 0x7fffffff, 0xffffffff, SIZE_MAX - 1, SIZE_MAX};

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        uint8_t *bytes = kit_exact((const uint8_t *)"abc", 3);
        IkeReader r = ike_reader(bytes, 3);
        IkeSlice s = ike_reader_take(&r, wanted[i]);

        assert_int_equal(s.n, 0);
        assert_null(s.bytes);
        assert_false(ike_reader_ok(&r));
        /* What would have fitted does not any more: no half of a structure is believed. */
        assert_int_equal(ike_reader_take(&r, 1).n, 0);
        assert_int_equal(ike_read_u8(&r), 0);
        assert_int_equal(ike_read_u16(&r), 0);
        assert_int_equal(ike_read_u32(&r), 0);
        assert_int_equal(ike_reader_rest(&r).n, 0);
        assert_false(ike_reader_done(&r));
        free(bytes);
    }
}

static void test_numbers_that_are_cut_short_are_zero(void **state)
{
    static const uint8_t all[4] = {0xff, 0xff, 0xff, 0xff};

    for (size_t n = 0; n <= 4; n++) {
        uint8_t *bytes = kit_exact(all, n);
        IkeReader r8 = ike_reader(bytes, n), r16 = r8, r32 = r8;

        assert_int_equal(ike_read_u8(&r8), n >= 1 ? 0xff : 0);
        assert_int_equal(ike_read_u16(&r16), n >= 2 ? 0xffff : 0);
        assert_int_equal(ike_read_u32(&r32), n >= 4 ? 0xffffffff : 0);
        assert_int_equal(ike_reader_ok(&r8), n >= 1);
        assert_int_equal(ike_reader_ok(&r16), n >= 2);
        assert_int_equal(ike_reader_ok(&r32), n >= 4);
        free(bytes);
    }
}

static void test_bytes_that_do_not_fit_leave_zeros_and_not_what_stood_there(void **state)
{
    uint8_t out[8];

    for (size_t n = 0; n <= sizeof(out); n++) {
        uint8_t *bytes = kit_exact((const uint8_t *)"12345678", n);
        IkeReader r = ike_reader(bytes, n);

        memset(out, 0xee, sizeof(out));
        ike_read_bytes(&r, out, sizeof(out));
        for (size_t i = 0; i < sizeof(out); i++)
            assert_int_equal(out[i], n == sizeof(out) ? (uint8_t)('1' + i) : 0);
        free(bytes);
    }
}

static void test_nothing_is_a_valid_thing_to_read(void **state)
{
    IkeReader r = ike_reader(NULL, 0);
    uint8_t out = 7;

    assert_true(ike_reader_done(&r));
    assert_int_equal(ike_reader_take(&r, 0).n, 0);
    ike_read_bytes(&r, &out, 0);
    assert_int_equal(out, 7);
    assert_true(ike_reader_done(&r));
    assert_int_equal(ike_read_u8(&r), 0);
    assert_false(ike_reader_ok(&r));
}

static void test_numbers_are_in_network_order(void **state)
{
    static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
    IkeReader r = ike_reader(bytes, sizeof(bytes));

    assert_int_equal(ike_read_u8(&r), 0x01);
    assert_int_equal(ike_read_u16(&r), 0x0203);
    assert_int_equal(ike_read_u32(&r), 0x04050607);
    assert_true(ike_reader_done(&r));
}

static void test_random_reads_agree_with_a_plain_index(void **state)
{
    KitDice dice = {.state = 4711};

    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64], ask[2];
        size_t at = 0, n;
        bool failed = false;

        kit_random(&dice, bytes, sizeof(bytes));
        n = bytes[0] % sizeof(bytes);
        uint8_t *copy = kit_exact(bytes, n);
        IkeReader r = ike_reader(copy, n);
        for (int i = 0; i < 8; i++) {
            kit_random(&dice, ask, 2);
            size_t wanted = ask[0] % 20;
            failed = failed || wanted > n - at;
            IkeSlice s = ike_reader_take(&r, wanted);
            assert_int_equal(ike_reader_ok(&r), !failed);
            assert_int_equal(s.n, failed ? 0 : wanted);
            if (failed)
                continue;
            assert_memory_equal(s.bytes, bytes + at, wanted);
            at += wanted;
            assert_int_equal(r.left, n - at);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_is_left_gives_nothing_and_fails_for_good),
        cmocka_unit_test(test_numbers_that_are_cut_short_are_zero),
        cmocka_unit_test(test_bytes_that_do_not_fit_leave_zeros_and_not_what_stood_there),
        cmocka_unit_test(test_nothing_is_a_valid_thing_to_read),
        cmocka_unit_test(test_numbers_are_in_network_order),
        cmocka_unit_test(test_random_reads_agree_with_a_plain_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

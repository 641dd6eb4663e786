/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded builder: what does not fit is not written at all, not by a byte, and a message that
 * was cut short is never taken for a whole one.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/writer.h"

#include "core-kit.h"

static void write_everything(IkeWriter *w)
{
    ike_write_u8(w, 0x01);
    ike_write_u16(w, 0x0203);
    ike_write_u32(w, 0x04050607);
    ike_write_bytes(w, (const uint8_t *)"\x08\x09", 2);
    ike_write_slice(w, (IkeSlice){(const uint8_t *)"\x0a", 1});
}

static void test_every_size_of_buffer_holds_only_what_fits(void **state)
{
    static const uint8_t whole[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

    for (size_t size = 0; size <= sizeof(whole); size++) {
        uint8_t *buffer = malloc(size);
        IkeWriter w = ike_writer(buffer, size);

        write_everything(&w);
        assert_int_equal(ike_writer_ok(&w), size == sizeof(whole));
        assert_true(w.n <= size);
        assert_memory_equal(buffer, whole, w.n);
        free(buffer);
    }
}

static void test_a_failed_writer_stays_failed(void **state)
{
    uint8_t buffer[4];
    IkeWriter w = ike_writer(buffer, sizeof(buffer));

    assert_null(ike_writer_room(&w, 5));
    assert_null(ike_writer_room(&w, 1));
    ike_write_u8(&w, 1);
    assert_int_equal(w.n, 0);
    assert_false(ike_writer_ok(&w));
}

static void test_enormous_rooms_do_not_wrap_around(void **state)
{
    static const size_t wanted[] = {5, 0x80000000, SIZE_MAX - 1, SIZE_MAX};

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        uint8_t buffer[6];
        IkeWriter w = ike_writer(buffer, sizeof(buffer));

        ike_write_u16(&w, 1);
        assert_null(ike_writer_room(&w, wanted[i]));
        assert_int_equal(w.n, 2);
    }
}

static void test_values_are_put_only_where_something_was_written(void **state)
{
    static const size_t places[] = {4, 5, 100, SIZE_MAX - 3, SIZE_MAX};
    uint8_t *buffer = malloc(8);
    IkeWriter w = ike_writer(buffer, 8);

    memset(buffer, 0xee, 8);
    ike_write_u32(&w, 0);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        ike_writer_put_u8(&w, places[i], 0x55);
    ike_writer_put_u16(&w, 3, 0x1122); /* its second byte would lie behind the end */
    assert_int_equal(buffer[3], 0x11);
    for (size_t i = 4; i < 8; i++)
        assert_int_equal(buffer[i], 0xee);
    free(buffer);
}

static void test_a_failed_writer_is_not_patched(void **state)
{
    uint8_t buffer[2] = {0};
    IkeWriter w = ike_writer(buffer, sizeof(buffer));

    ike_write_u16(&w, 0);
    ike_write_u8(&w, 0);
    ike_writer_put_u16(&w, 0, 0xffff);
    assert_int_equal(buffer[0] | buffer[1], 0);
}

static void test_room_is_zeroed(void **state)
{
    uint8_t buffer[16];
    IkeWriter w = ike_writer(buffer, sizeof(buffer));

    memset(buffer, 0xee, sizeof(buffer));
    uint8_t *room = ike_writer_room(&w, 16);
    assert_ptr_equal(room, buffer);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(buffer[i], 0);
    assert_non_null(ike_writer_room(&w, 0));
    assert_int_equal(ike_writer_slice(&w, 10).n, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_of_buffer_holds_only_what_fits),
        cmocka_unit_test(test_a_failed_writer_stays_failed),
        cmocka_unit_test(test_enormous_rooms_do_not_wrap_around),
        cmocka_unit_test(test_values_are_put_only_where_something_was_written),
        cmocka_unit_test(test_a_failed_writer_is_not_patched),
        cmocka_unit_test(test_room_is_zeroed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

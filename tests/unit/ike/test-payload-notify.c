/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOTIFY and DELETE: lengths, counts and sizes at their edges.
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

#include "core-kit.h"

static bool notify_exact(const KitBytes *b, size_t n)
{
    uint8_t *copy = kit_exact(b->bytes, n);
    IkeNotify notify;
    bool good = ike_notify_read((IkeSlice){copy, n}, &notify);

    free(copy);
    return good;
}

static bool delete_exact(const KitBytes *b, size_t n)
{
    uint8_t *copy = kit_exact(b->bytes, n);
    IkeDelete deletion;
    bool good = ike_delete_read((IkeSlice){copy, n}, &deletion);

    if (good)
        assert_int_equal(deletion.spis.left, (size_t)deletion.count * deletion.spi_size);
    free(copy);
    return good;
}

static void put_head(KitBytes *b, uint32_t doi, uint8_t size, uint16_t number)
{
    b->n = 0;
    kit_append_u32(b, doi);
    kit_append_u8(b, IKE_PROTOCOL_ESP);
    kit_append_u8(b, size);
    kit_append_u16(b, number);
}

static void test_a9_every_truncation_of_a_notify_is_refused_up_to_its_data(void **state)
{
    KitBytes b;

    put_head(&b, IKE_DOI_IPSEC, 4, 14);
    kit_append(&b, "SPI!data", 8);
    for (size_t n = 0; n <= b.n; n++)
        assert_int_equal(notify_exact(&b, n), n >= 12);
}

static void test_the_size_of_an_spi_in_a_notify_must_fit(void **state)
{
    for (unsigned size = 0; size < 256; size++) {
        KitBytes b;
        put_head(&b, IKE_DOI_IPSEC, (uint8_t)size, 14);
        kit_append(&b, "0123456789abcdef", 16);
        assert_int_equal(notify_exact(&b, b.n), size <= 16);
    }
}

static void test_the_doi_of_a_notify_is_ipsec_or_none(void **state)
{
    static const uint32_t others[] = {2, 0x01000000, 0x80000001, 0xffffffff};
    KitBytes b;

    put_head(&b, 0, 0, 14);
    assert_true(notify_exact(&b, b.n));
    for (size_t i = 0; i < 4; i++) {
        put_head(&b, others[i], 0, 14);
        assert_false(notify_exact(&b, b.n));
    }
}

static void test_a_notify_comes_back(void **state)
{
    uint8_t bytes[128];
    const IkeHeader header = {0};
    const IkeNotify notify = {.protocol = 1,
                              .type = 36136,
                              .spi = {(const uint8_t *)"12345678", 8},
                              .data = {(const uint8_t *)"abcd", 4}};
    IkeNotify back;
    IkeBuilder builder;

    ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
    ike_notify_add(&builder, &notify);
    assert_true(ike_notify_read(
        ike_writer_slice(&builder.writer, IKE_HEADER_SIZE + IKE_PAYLOAD_HEADER_SIZE), &back));
    assert_int_equal(back.type, 36136);
    assert_int_equal(back.protocol, 1);
    assert_memory_equal(back.spi.bytes, "12345678", 8);
    assert_int_equal(back.data.n, 4);
}

static void test_a9_every_truncation_and_excess_of_a_delete_is_refused(void **state)
{
    KitBytes b;

    put_head(&b, IKE_DOI_IPSEC, 4, 3);
    kit_append(&b, "111122223333x", 13);
    for (size_t n = 0; n <= b.n; n++)
        assert_int_equal(delete_exact(&b, n), n == 20);
}

static void test_counts_and_sizes_of_a_delete_must_agree_with_its_length(void **state)
{
    for (unsigned size = 0; size < 256; size++) {
        for (unsigned count = 0; count < 70000; count += count < 20 ? 1 : 4093) {
            KitBytes b;
            put_head(&b, IKE_DOI_IPSEC, (uint8_t)size, (uint16_t)count);
            kit_append(&b, "0123456789abcdef", 16);
            bool fits = (size_t)size * (uint16_t)count == 16;
            assert_int_equal(delete_exact(&b, b.n), fits);
        }
    }
}

static void test_a_delete_of_nothing_is_refused(void **state)
{
    KitBytes b;

    put_head(&b, IKE_DOI_IPSEC, 4, 0);
    assert_false(delete_exact(&b, b.n));
    put_head(&b, 0, 4, 1);
    kit_append(&b, "SPI!", 4);
    assert_false(delete_exact(&b, b.n)); /* another DOI */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a9_every_truncation_of_a_notify_is_refused_up_to_its_data),
        cmocka_unit_test(test_the_size_of_an_spi_in_a_notify_must_fit),
        cmocka_unit_test(test_the_doi_of_a_notify_is_ipsec_or_none),
        cmocka_unit_test(test_a_notify_comes_back),
        cmocka_unit_test(test_a9_every_truncation_and_excess_of_a_delete_is_refused),
        cmocka_unit_test(test_counts_and_sizes_of_a_delete_must_agree_with_its_length),
        cmocka_unit_test(test_a_delete_of_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

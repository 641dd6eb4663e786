/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syntax of SA payloads: an attribute's length has been believed too early in many programs, so
 * each length field is tried at, below and above what is right, in buffers that end where they end.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/payload-sa.h"

#include "core-kit.h"

/* Reads all of an SA payload; counts what it finds. False: malformed. */
static bool walk(IkeSlice body, size_t *proposals_n, size_t *transforms_n, size_t *attributes_n)
{
    IkeReader proposals;
    IkeProposal proposal;
    IkeTransform transform;
    IkeAttribute attribute;

    *proposals_n = *transforms_n = *attributes_n = 0;
    if (!ike_sa_open(body, &proposals))
        return false;
    while (ike_proposal_read(&proposals, &proposal)) {
        ++*proposals_n;
        while (ike_transform_read(&proposal.transforms, &transform)) {
            ++*transforms_n;
            while (ike_attribute_read(&transform.attributes, &attribute))
                ++*attributes_n;
            if (!ike_reader_done(&transform.attributes))
                return false;
        }
        if (!ike_reader_done(&proposal.transforms))
            return false;
    }
    return ike_reader_done(&proposals);
}

static bool walk_exact(const KitBytes *b, size_t n)
{
    uint8_t *copy = kit_exact(b->bytes, n);
    size_t p, t, a;
    bool good = walk((IkeSlice){copy, n}, &p, &t, &a);

    free(copy);
    return good && p > 0;
}

/* DOI 1, situation 1; one proposal with an SPI and two transforms. */
static void good_sa(KitBytes *b)
{
    IkeWriter w = ike_writer(b->bytes, sizeof(b->bytes));
    IkeSaWriter sa;

    ike_sa_write_begin(&sa, &w, IKE_PROTOCOL_ESP, (IkeSlice){(const uint8_t *)"SPI!", 4});
    ike_sa_write_transform(&sa, 12);
    ike_attribute_write(&w, 1, 1);
    ike_attribute_write_u32(&w, 2, 3600);
    ike_sa_write_transform(&sa, 20);
    ike_attribute_write(&w, 6, 256);
    ike_attribute_write_bytes(&w, 7, (IkeSlice){(const uint8_t *)"abc", 3});
    ike_sa_write_end(&sa);
    b->n = w.n;
}

static void test_what_is_written_is_read(void **state)
{
    KitBytes b;
    size_t p, t, a;

    good_sa(&b);
    assert_true(walk(kit_slice(&b), &p, &t, &a));
    assert_int_equal(p, 1);
    assert_int_equal(t, 2);
    assert_int_equal(a, 4);
}

static void test_a9_every_truncation_is_malformed(void **state)
{
    KitBytes b;

    good_sa(&b);
    for (size_t n = 0; n < b.n; n++)
        assert_false(walk_exact(&b, n));
    assert_true(walk_exact(&b, b.n));
}

static void test_a1_lengths_of_every_level_that_are_off_are_malformed(void **state)
{
    /* where: proposal, first and second transform, the long attributes of each */
    static const size_t fields[] = {10, 22, 42, 34, 54};
    KitBytes b;

    good_sa(&b);
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        const unsigned right = (unsigned)b.bytes[fields[f]] << 8 | b.bytes[fields[f] + 1];
        assert_true(right > 0 && right <= b.n);
        for (unsigned wrong = 0; wrong < 65536; wrong += wrong < 300 ? 1 : 499) {
            KitBytes odd = b;
            if (wrong == right)
                continue;
            odd.bytes[fields[f]] = (uint8_t)(wrong >> 8);
            odd.bytes[fields[f] + 1] = (uint8_t)wrong;
            assert_false(walk_exact(&odd, odd.n));
        }
    }
}

static void test_a1_the_header_of_an_attribute_must_fit(void **state)
{
    for (size_t n = 0; n < 8; n++) {
        uint8_t *bytes = kit_exact((const uint8_t *)"\x80\x01\x00\x01\x00\x02\x00\x00", n);
        IkeReader r = ike_reader(bytes, n);
        IkeAttribute attribute;
        size_t count = 0;
        while (ike_attribute_read(&r, &attribute))
            count++;
        assert_int_equal(count, n / 4);
        assert_int_equal(ike_reader_done(&r), n % 4 == 0);
        free(bytes);
    }
}

static void test_an_spi_that_does_not_fit_is_malformed(void **state)
{
    KitBytes b;

    good_sa(&b);
    for (unsigned size = 49; size < 256; size++) {
        b.bytes[14] = (uint8_t)size;
        assert_false(walk_exact(&b, b.n));
    }
}

static void test_the_last_of_a_list_says_so_and_only_the_last(void **state)
{
    static const size_t fields[] = {8, 20, 40};

    for (size_t f = 0; f < 3; f++) {
        for (unsigned next = 0; next < 256; next++) {
            KitBytes b;
            good_sa(&b);
            if (b.bytes[fields[f]] == next)
                continue;
            b.bytes[fields[f]] = (uint8_t)next;
            assert_false(walk_exact(&b, b.n));
        }
    }
}

static void test_doi_and_situation_are_those_of_ipsec(void **state)
{
    for (size_t at = 0; at < 8; at++) {
        KitBytes b;
        good_sa(&b);
        b.bytes[at] ^= 2;
        assert_false(walk_exact(&b, b.n));
    }
}

static void test_numbers_are_read_in_both_forms(void **state)
{
    uint32_t number = 7;
    IkeAttribute a = {.basic = true, .number = 65535};

    assert_true(ike_attribute_number(&a, &number));
    assert_int_equal(number, 65535);
    for (size_t n = 0; n <= 12; n++) {
        uint8_t bytes[12];
        memset(bytes, 0xff, sizeof(bytes));
        a = (IkeAttribute){.value = {bytes, n}};
        assert_int_equal(ike_attribute_number(&a, &number), n >= 1 && n <= 8);
        if (n >= 1 && n <= 8)
            assert_int_equal(number, n < 4 ? (1u << 8 * n) - 1 : UINT32_MAX);
    }
    a.value = (IkeSlice){(const uint8_t *)"\0\0\0\0\1\0\0\0", 8};
    assert_true(ike_attribute_number(&a, &number));
    assert_int_equal(number, 0x01000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a9_every_truncation_is_malformed),
        cmocka_unit_test(test_a1_lengths_of_every_level_that_are_off_are_malformed),
        cmocka_unit_test(test_a1_the_header_of_an_attribute_must_fit),
        cmocka_unit_test(test_an_spi_that_does_not_fit_is_malformed),
        cmocka_unit_test(test_the_last_of_a_list_says_so_and_only_the_last),
        cmocka_unit_test(test_doi_and_situation_are_those_of_ipsec),
        cmocka_unit_test(test_numbers_are_read_in_both_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

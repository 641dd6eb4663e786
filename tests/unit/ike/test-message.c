/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Headers and chains of payloads. All of ike/ relies on it that a message that was accepted here is
 * exactly as long as it says and that each payload lies within it.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/message.h"

#include "core-kit.h"

static void put_header(KitBytes *b, uint8_t next)
{
    b->n = 0;
    kit_append(b, "IIIIIIIIRRRRRRRR", 16);
    kit_append_u8(b, next);
    kit_append_u8(b, IKE_VERSION);
    kit_append_u8(b, IKE_EXCHANGE_AGGRESSIVE);
    kit_append_u8(b, 0);
    kit_append_u32(b, 0x01020304);
    kit_append_u32(b, 0);
}

static void put_payload(KitBytes *b, uint8_t next, const char *body)
{
    kit_append_u8(b, next);
    kit_append_u8(b, 0);
    kit_append_u16(b, (unsigned)(4 + strlen(body)));
    kit_append(b, body, strlen(body));
}

static void put_length(KitBytes *b, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        b->bytes[24 + i] = (uint8_t)(n >> (24 - 8 * i));
}

static void three_payloads(KitBytes *b)
{
    put_header(b, IKE_PAYLOAD_SA);
    put_payload(b, IKE_PAYLOAD_KE, "first");
    put_payload(b, IKE_PAYLOAD_NONCE, "");
    put_payload(b, IKE_PAYLOAD_NONE, "third");
    put_length(b, (uint32_t)b->n);
}

/* Reads a datagram from a buffer that ends where it ends. */
static int parse(const uint8_t *bytes, size_t n, IkeMessage *message)
{
    IkeHeader header;
    int r = ike_header_read((IkeSlice){bytes, n}, &header);

    if (r == 0)
        r = ike_payloads_read(&header, (IkeSlice){bytes + IKE_HEADER_SIZE, n - IKE_HEADER_SIZE},
                              message);
    return r;
}

static int parse_exact(const KitBytes *b, size_t n, size_t *payloads)
{
    uint8_t *copy = kit_exact(b->bytes, n);
    IkeMessage message;
    int r = parse(copy, n, &message);

    if (r == 0)
        *payloads = message.n;
    free(copy);
    return r;
}

static void test_a9_every_truncation_is_refused(void **state)
{
    KitBytes b;
    size_t count = 0;

    three_payloads(&b);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(parse_exact(&b, n, &count), IKE_MESSAGE_MALFORMED);
    /* Also where the header was made to agree, so that only the payloads are short. */
    for (size_t n = IKE_HEADER_SIZE; n < b.n; n++) {
        put_length(&b, (uint32_t)n);
        assert_int_equal(parse_exact(&b, n, &count), IKE_MESSAGE_MALFORMED);
    }
    put_length(&b, (uint32_t)b.n);
    assert_int_equal(parse_exact(&b, b.n, &count), 0);
    assert_int_equal(count, 3);
}

static void test_a9_the_header_says_how_long_the_datagram_is(void **state)
{
    KitBytes b;
    size_t count;

    three_payloads(&b);
    const uint32_t n = (uint32_t)b.n;
    const uint32_t wrong[] = {0,     1,     27,          28,         n - 1,
                              n + 1, n + 4, 0x10000 + n, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        put_length(&b, wrong[i]);
        assert_int_equal(parse_exact(&b, b.n, &count), IKE_MESSAGE_MALFORMED);
    }
}

static void test_a9_a_version_that_is_not_ours_is_refused(void **state)
{
    for (unsigned version = 0; version < 256; version++) {
        KitBytes b;
        size_t count;

        three_payloads(&b);
        b.bytes[17] = (uint8_t)version;
        assert_int_equal(parse_exact(&b, b.n, &count),
                         version == IKE_VERSION ? 0 : IKE_MESSAGE_MALFORMED);
    }
}

static void test_each_length_of_a_payload_one_off_never_reads_too_far(void **state)
{
    static const int32_t off[] = {-5, -4, -3, -2, -1, 1, 2, 3, 4, 0x7fff};
    static const size_t fields[] = {30, 39, 43};
    static const uint16_t right[] = {9, 4, 9};

    for (size_t f = 0; f < 3; f++) {
        for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
            KitBytes b;
            size_t count;
            three_payloads(&b);
            uint16_t wrong = (uint16_t)(right[f] + off[i]);
            b.bytes[fields[f]] = (uint8_t)(wrong >> 8);
            b.bytes[fields[f] + 1] = (uint8_t)wrong;
            int r = parse_exact(&b, b.n, &count);
            /* The last one may be shorter: what follows is padding. */
            bool padded = f == 2 && off[i] < 0 && wrong >= 4;
            if (wrong < 4 || (f == 2 && off[i] > 0) || off[i] == 0x7fff)
                assert_int_equal(r, IKE_MESSAGE_MALFORMED);
            assert_true(r == IKE_MESSAGE_MALFORMED || padded || f < 2);
        }
    }
}

static void test_reserved_bytes_are_zero(void **state)
{
    for (unsigned value = 1; value < 256; value++) {
        KitBytes b;
        size_t count;

        three_payloads(&b);
        b.bytes[29] = (uint8_t)value;
        assert_int_equal(parse_exact(&b, b.n, &count), IKE_MESSAGE_MALFORMED);
    }
}

static void test_a8_sixty_four_payloads_are_read_and_sixty_five_are_refused(void **state)
{
    for (size_t wanted = IKE_PAYLOADS_MAX - 1; wanted <= IKE_PAYLOADS_MAX + 2; wanted++) {
        KitBytes b;
        size_t count = 0;

        put_header(&b, 200);
        for (size_t i = 0; i < wanted; i++)
            put_payload(&b, i + 1 < wanted ? 200 : IKE_PAYLOAD_NONE, "");
        put_length(&b, (uint32_t)b.n);
        bool fits = wanted <= IKE_PAYLOADS_MAX;
        assert_int_equal(parse_exact(&b, b.n, &count), fits ? 0 : IKE_MESSAGE_MALFORMED);
        assert_int_equal(count, fits ? wanted : 0);
    }
}

static void test_a_message_without_payloads_is_refused(void **state)
{
    KitBytes b;
    size_t count;

    put_header(&b, IKE_PAYLOAD_NONE);
    put_length(&b, (uint32_t)b.n);
    assert_int_equal(parse_exact(&b, b.n, &count), IKE_MESSAGE_MALFORMED);
}

static void test_more_than_the_limit_is_not_looked_at(void **state)
{
    for (size_t n = IKE_MESSAGE_MAX - 1; n <= IKE_MESSAGE_MAX + 1; n++) {
        uint8_t *bytes = calloc(1, n);
        KitBytes b;
        IkeHeader header;

        put_header(&b, IKE_PAYLOAD_NONE);
        put_length(&b, (uint32_t)n);
        memcpy(bytes, b.bytes, b.n);
        assert_int_equal(ike_header_read((IkeSlice){bytes, n}, &header),
                         n <= IKE_MESSAGE_MAX ? 0 : IKE_MESSAGE_MALFORMED);
        free(bytes);
    }
}

static void test_payloads_keep_type_body_and_end(void **state)
{
    KitBytes b;
    IkeMessage message;

    three_payloads(&b);
    kit_append(&b, "\0\0\0\0\0", 5); /* padding */
    put_length(&b, (uint32_t)b.n);
    assert_int_equal(parse(b.bytes, b.n, &message), 0);
    assert_int_equal(message.payloads[0].type, IKE_PAYLOAD_SA);
    assert_int_equal(message.payloads[1].type, IKE_PAYLOAD_KE);
    assert_int_equal(message.payloads[2].type, IKE_PAYLOAD_NONCE);
    assert_memory_equal(message.payloads[0].body.bytes, "first", 5);
    assert_int_equal(message.payloads[1].body.n, 0);
    assert_int_equal(message.payloads[0].end, 9);
    assert_int_equal(message.payloads[2].end, 22);
    assert_int_equal(message.header.message_id, 0x01020304);
    assert_ptr_equal(ike_message_find(&message, IKE_PAYLOAD_KE), &message.payloads[1]);
    assert_null(ike_message_find(&message, IKE_PAYLOAD_HASH));
    assert_int_equal(ike_message_count(&message, IKE_PAYLOAD_NONCE), 1);
    assert_int_equal(ike_message_count(&message, IKE_PAYLOAD_ID), 0);
}

static void test_what_was_built_is_read_back(void **state)
{
    uint8_t bytes[128];
    IkeHeader header = {.exchange = IKE_EXCHANGE_QUICK, .flags = 1, .message_id = 77};
    IkeBuilder builder;
    IkeMessage message;

    memcpy(header.cookie_i, "12345678", 8);
    ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
    ike_builder_add(&builder, IKE_PAYLOAD_HASH, (IkeSlice){(const uint8_t *)"hash", 4});
    size_t start = ike_builder_open(&builder, IKE_PAYLOAD_NATD_DRAFT);
    ike_write_u8(&builder.writer, 9);
    ike_builder_close(&builder, start);
    ike_builder_end(&builder);
    assert_true(ike_writer_ok(&builder.writer));
    assert_int_equal(parse(bytes, builder.writer.n, &message), 0);
    assert_int_equal(message.n, 2);
    assert_int_equal(message.header.exchange, IKE_EXCHANGE_QUICK);
    assert_memory_equal(message.header.cookie_i, "12345678", 8);
    assert_int_equal(message.payloads[0].body.n, 4);
    assert_int_equal(message.payloads[1].type, IKE_PAYLOAD_NATD_DRAFT);
    assert_int_equal(message.payloads[1].body.bytes[0], 9);
}

static void test_a_builder_that_is_too_small_says_so(void **state)
{
    for (size_t size = 0; size < 40; size++) {
        uint8_t *bytes = malloc(size);
        const IkeHeader header = {.exchange = IKE_EXCHANGE_QUICK};
        IkeBuilder builder;

        ike_builder_begin(&builder, bytes, size, &header);
        ike_builder_add(&builder, IKE_PAYLOAD_HASH, (IkeSlice){(const uint8_t *)"12345678", 8});
        ike_builder_end(&builder);
        assert_false(ike_writer_ok(&builder.writer));
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a9_every_truncation_is_refused),
        cmocka_unit_test(test_a9_the_header_says_how_long_the_datagram_is),
        cmocka_unit_test(test_a9_a_version_that_is_not_ours_is_refused),
        cmocka_unit_test(test_each_length_of_a_payload_one_off_never_reads_too_far),
        cmocka_unit_test(test_reserved_bytes_are_zero),
        cmocka_unit_test(test_a8_sixty_four_payloads_are_read_and_sixty_five_are_refused),
        cmocka_unit_test(test_a_message_without_payloads_is_refused),
        cmocka_unit_test(test_more_than_the_limit_is_not_looked_at),
        cmocka_unit_test(test_payloads_keep_type_body_and_end),
        cmocka_unit_test(test_what_was_built_is_read_back),
        cmocka_unit_test(test_a_builder_that_is_too_small_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments (security rows A4, A6 and A7): what a peer may send is put together whatever its order,
 * and what nobody honest sends changes nothing. Each datagram is handed over in a buffer of exactly
 * its size, so that a sanitizer sees the first byte too far.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/fragment.h"
#include "ike/policy.h"

#include "core-kit.h"

enum { ID = 0x1234, RACOON_SLICE = 552 - IKE_HEADER_SIZE - IKE_FRAGMENT_HEADER_SIZE };

typedef struct Bench {
    IkeReassembly *reassembly;
    uint64_t now;
    uint8_t message[IKE_MESSAGE_MAX];
    size_t message_n;
    size_t slice_n; /* of each fragment but the last */
    uint16_t id;
    IkeSlice whole;
} Bench;

/* ---- what a peer would send ---- */

static void put_header(uint8_t *bytes, uint8_t next, size_t n)
{
    IkeHeader header = {
        .exchange = IKE_EXCHANGE_AGGRESSIVE, .cookie_i = "initiate", .cookie_r = "responds"};
    IkeBuilder builder;

    ike_builder_begin(&builder, bytes, IKE_HEADER_SIZE, &header);
    ike_builder_end(&builder);
    bytes[16] = next;
    bytes[26] = (uint8_t)(n >> 8);
    bytes[27] = (uint8_t)n;
}

static void make_message(Bench *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        b->message[i] = (uint8_t)(i * 7 + (i >> 8));
    put_header(b->message, IKE_PAYLOAD_SA, n);
    b->message_n = n;
}

static Bench *bench_new(size_t message_n, size_t slice_n)
{
    Bench *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    b->reassembly = ike_reassembly_new();
    assert_non_null(b->reassembly);
    b->now = 1000 * IKE_SECOND;
    b->slice_n = slice_n;
    b->id = ID;
    make_message(b, message_n);
    return b;
}

static void bench_free(Bench *b)
{
    assert_null(ike_reassembly_free(b->reassembly));
    free(b);
}

static size_t count_of(const Bench *b)
{
    return (b->message_n + b->slice_n - 1) / b->slice_n;
}

/* Any datagram that says it carries a fragment. */
static int take(Bench *b, const uint8_t *bytes, size_t n)
{
    uint8_t *copy = kit_exact(bytes, n);
    IkeHeader header;
    int r = IKE_REASSEMBLY_REFUSED;

    b->whole = (IkeSlice){NULL, 0};
    if (ike_header_read((IkeSlice){copy, n}, &header) == 0)
        r = ike_reassembly_take(b->reassembly, &header, (IkeSlice){copy, n}, b->now, &b->whole);
    free(copy);
    return r;
}

static void make(KitBytes *out, uint16_t id, uint8_t index, uint8_t flags, IkeSlice slice)
{
    out->n = IKE_HEADER_SIZE;
    put_header(out->bytes, IKE_PAYLOAD_FRAGMENT,
               IKE_HEADER_SIZE + IKE_FRAGMENT_HEADER_SIZE + slice.n);
    kit_append_u16(out, 0);
    kit_append_u16(out, (unsigned)(IKE_FRAGMENT_HEADER_SIZE + slice.n));
    kit_append_u16(out, id);
    kit_append_u8(out, index);
    kit_append_u8(out, flags);
    kit_append(out, slice.bytes, slice.n);
}

static int take_made(Bench *b, uint8_t index, uint8_t flags, const void *bytes, size_t n)
{
    KitBytes datagram;

    make(&datagram, b->id, index, flags, (IkeSlice){bytes, n});
    return take(b, datagram.bytes, datagram.n);
}

/* The message's fragment number `index`, as it should be. */
static int take_nth(Bench *b, size_t index)
{
    size_t from = (index - 1) * b->slice_n;
    size_t left = b->message_n - from;
    size_t n = left < b->slice_n ? left : b->slice_n;

    return take_made(b, (uint8_t)index, n == left ? IKE_FRAGMENT_LAST : 0, b->message + from, n);
}

static void expect_whole(const Bench *b, int r)
{
    assert_int_equal(r, 0);
    assert_int_equal(b->whole.n, b->message_n);
    assert_memory_equal(b->whole.bytes, b->message, b->message_n);
}

static void take_all(Bench *b)
{
    for (size_t i = 1; i < count_of(b); i++)
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, count_of(b)));
}

/* ---- the orders of honest networks ---- */

static void test_a6_in_order(void **state)
{
    const size_t slices[] = {1000, RACOON_SLICE, 257, 4000 /* alone */};

    for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
        Bench *b = bench_new(3001, slices[i]);
        take_all(b);
        bench_free(b);
    }
}

static void test_a6_out_of_order_in_every_order(void **state)
{
    static const uint8_t swaps[24][4] = {
        {1, 2, 3, 4}, {1, 2, 4, 3}, {1, 3, 2, 4}, {1, 3, 4, 2}, {1, 4, 2, 3}, {1, 4, 3, 2},
        {2, 1, 3, 4}, {2, 1, 4, 3}, {2, 3, 1, 4}, {2, 3, 4, 1}, {2, 4, 1, 3}, {2, 4, 3, 1},
        {3, 1, 2, 4}, {3, 1, 4, 2}, {3, 2, 1, 4}, {3, 2, 4, 1}, {3, 4, 1, 2}, {3, 4, 2, 1},
        {4, 1, 2, 3}, {4, 1, 3, 2}, {4, 2, 1, 3}, {4, 2, 3, 1}, {4, 3, 1, 2}, {4, 3, 2, 1}};

    for (size_t i = 0; i < 24; i++) {
        Bench *b = bench_new(4 * 600 - 17, 600);
        for (size_t at = 0; at < 3; at++)
            assert_int_equal(take_nth(b, swaps[i][at]), IKE_REASSEMBLY_WAITING);
        expect_whole(b, take_nth(b, swaps[i][3]));
        bench_free(b);
    }
}

static void test_a6_each_fragment_twice(void **state)
{
    Bench *b = bench_new(3000, 1000);

    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
    }
    /* Flags that nobody knows mean nothing. */
    assert_int_equal(take_made(b, 1, 0xfe, b->message, 1000), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_made(b, 3, 0xff, b->message + 2000, 1000));
    bench_free(b);
}

/* Under the same ID, as strongSwan repeats a message, and under the next one, as racoon does. */
static void test_a6_the_whole_message_again_twice(void **state)
{
    for (uint16_t step = 0; step < 2; step++) {
        Bench *b = bench_new(3000, RACOON_SLICE);
        for (int again = 0; again < 3; again++) {
            take_all(b);
            b->id = (uint16_t)(b->id + step);
        }
        bench_free(b);
    }
}

/* What one copy lost comes with the next. */
static void test_a6_two_lossy_copies_make_a_whole(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_nth(b, 3), IKE_REASSEMBLY_WAITING);
    b->now += IKE_SECOND;
    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, 2));
    bench_free(b);
}

/* ---- games with the end ---- */

static void test_a6_a_second_different_tail_is_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_nth(b, 3), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_made(b, 2, IKE_FRAGMENT_LAST, "end", 3), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 4, IKE_FRAGMENT_LAST, "end", 3), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 3, IKE_FRAGMENT_LAST, "end", 3), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, 2));
    bench_free(b);
}

static void test_a6_an_index_behind_the_tail_is_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_nth(b, 3), IKE_REASSEMBLY_WAITING);
    for (uint8_t index = 4; index < 12; index++)
        assert_int_equal(take_made(b, index, 0, "more", 4), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, 1));
    bench_free(b);
}

static void test_a6_a_tail_before_what_has_come_is_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_made(b, 1, IKE_FRAGMENT_LAST, "end", 3), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, 3));
    bench_free(b);
}

/* The same bytes, once with and once without the flag. */
static void test_a6_the_last_flag_can_be_neither_added_nor_taken_away(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_made(b, 1, IKE_FRAGMENT_LAST, b->message, 1000), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_nth(b, 3), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_made(b, 3, 0, b->message + 2000, 1000), IKE_REASSEMBLY_REFUSED);
    expect_whole(b, take_nth(b, 2));
    bench_free(b);
}

/* A4: nothing stands before the end. */
static void test_a4_an_end_alone_is_not_the_whole(void **state)
{
    Bench *b = bench_new(3000, 1000);

    for (uint8_t index = 2; index <= IKE_FRAGMENTS_MAX; index++) {
        b->id++;
        assert_int_equal(take_made(b, index, IKE_FRAGMENT_LAST, "end", 3), IKE_REASSEMBLY_WAITING);
    }
    b->id++;
    take_all(b);
    bench_free(b);
}

/* ---- lies ---- */

static void test_a6_a_duplicate_that_differs_is_dropped(void **state)
{
    Bench *b = bench_new(3000, 1000);
    uint8_t forged[1001];

    memcpy(forged, b->message, sizeof(forged));
    forged[500] ^= 1;
    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_made(b, 1, 0, forged, 1000), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 1, 0, b->message, 999), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 1, 0, b->message, 1001), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, 3));
    bench_free(b);
}

static void test_a6_index_zero_and_beyond_the_limit_are_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_made(b, 0, 0, "x", 1), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 0, IKE_FRAGMENT_LAST, "x", 1), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, IKE_FRAGMENTS_MAX + 1, 0, "x", 1), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 255, IKE_FRAGMENT_LAST, "x", 1), IKE_REASSEMBLY_REFUSED);
    take_all(b);
    bench_free(b);
}

static void test_a7_a_slice_of_nothing_is_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_made(b, 1, 0, "", 0), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, 1, IKE_FRAGMENT_LAST, "", 0), IKE_REASSEMBLY_REFUSED);
    take_all(b);
    bench_free(b);
}

/* Each length that the payload can claim, but the right one. Less is a shorter slice. */
static void test_a7_a_length_that_lies_is_never_believed(void **state)
{
    Bench *b = bench_new(3000, 1000);
    KitBytes datagram;

    for (unsigned length = 0; length <= 0xffff; length++) {
        make(&datagram, b->id, 1, 0, (IkeSlice){b->message, 100});
        datagram.bytes[IKE_HEADER_SIZE + 2] = (uint8_t)(length >> 8);
        datagram.bytes[IKE_HEADER_SIZE + 3] = (uint8_t)length;
        int r = take(b, datagram.bytes, datagram.n);
        bool fits = length > IKE_FRAGMENT_HEADER_SIZE && length <= IKE_FRAGMENT_HEADER_SIZE + 100;
        assert_int_equal(r, fits ? IKE_REASSEMBLY_WAITING : IKE_REASSEMBLY_REFUSED);
        b->now += IKE_REASSEMBLY_WAIT; /* it is forgotten */
    }
    bench_free(b);
}

static void test_a9_every_truncation_is_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);
    KitBytes datagram;

    make(&datagram, b->id, 1, 0, (IkeSlice){b->message, 100});
    for (size_t n = 0; n < datagram.n; n++) {
        KitBytes cut = datagram;
        put_header(cut.bytes, IKE_PAYLOAD_FRAGMENT, n);
        assert_int_equal(take(b, cut.bytes, n), IKE_REASSEMBLY_REFUSED);
    }
    bench_free(b);
}

static void test_another_payload_behind_a_fragment_is_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    for (size_t at = IKE_HEADER_SIZE; at < IKE_HEADER_SIZE + 2; at++) {
        KitBytes datagram;
        make(&datagram, b->id, 1, 0, (IkeSlice){b->message, 100});
        datagram.bytes[at] = IKE_PAYLOAD_VENDOR;
        assert_int_equal(take(b, datagram.bytes, datagram.n), IKE_REASSEMBLY_REFUSED);
    }
    bench_free(b);
}

/* ---- what was put together is no message of theirs ---- */

static void expect_no_message(Bench *b)
{
    for (size_t i = 1; i < count_of(b); i++)
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
    assert_int_equal(take_nth(b, count_of(b)), IKE_REASSEMBLY_REFUSED);
    assert_null(b->whole.bytes);
}

static void test_the_message_inside_has_to_be_the_one_outside(void **state)
{
    /* cookies, version, length */
    static const uint8_t offsets[] = {0, 7, 8, 15, 17, 24, 26, 27};

    for (size_t i = 0; i < sizeof(offsets); i++) {
        Bench *b = bench_new(3000, 1000);
        b->message[offsets[i]] ^= 1;
        expect_no_message(b);
        make_message(b, 3000);
        take_all(b);
        bench_free(b);
    }
}

static void test_fragments_of_fragments_are_rejected(void **state)
{
    Bench *b = bench_new(3000, 1000);

    b->message[16] = IKE_PAYLOAD_FRAGMENT;
    expect_no_message(b);
    bench_free(b);
}

static void test_less_than_a_header_is_no_message(void **state)
{
    for (size_t n = 1; n < IKE_HEADER_SIZE; n++) {
        Bench *b = bench_new(IKE_HEADER_SIZE, 1000);
        b->message_n = n;
        expect_no_message(b);
        bench_free(b);
    }
}

/* ---- bounds ---- */

static void test_a6_the_longest_message_fits_and_no_byte_more(void **state)
{
    Bench *b = bench_new(IKE_MESSAGE_MAX, RACOON_SLICE);

    assert_true(count_of(b) <= IKE_FRAGMENTS_MAX);
    take_all(b);
    b->id++;
    for (size_t i = 1; i < count_of(b); i++)
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
    size_t left = IKE_MESSAGE_MAX - (count_of(b) - 1) * RACOON_SLICE;
    uint8_t more[RACOON_SLICE + 1] = {0};
    uint8_t last = (uint8_t)count_of(b);
    assert_int_equal(take_made(b, last, IKE_FRAGMENT_LAST, more, left + 1), IKE_REASSEMBLY_REFUSED);
    assert_int_equal(take_made(b, last, 0, more, left + 1), IKE_REASSEMBLY_REFUSED);
    expect_whole(b, take_nth(b, last));
    bench_free(b);
}

/* No allocation follows the first: what a peer can make us keep is the size of IkeReassembly. */
static void test_a6_endless_fragments_fill_what_is_there(void **state)
{
    Bench *b = bench_new(3000, 1000);
    static uint8_t junk[1000];

    for (unsigned i = 0; i < 100000; i++) {
        b->id = (uint16_t)(i / 3);
        int r = take_made(b, (uint8_t)(1 + i % IKE_FRAGMENTS_MAX), 0, junk, sizeof(junk));
        assert_int_not_equal(r, 0);
    }
    b->id = 0xffff;
    take_all(b);
    bench_free(b);
}

static void test_a6_one_message_takes_no_more_than_its_bytes(void **state)
{
    Bench *b = bench_new(3000, 1000);
    static uint8_t junk[1000];
    size_t kept = 0;

    for (uint8_t index = 1; index <= IKE_FRAGMENTS_MAX; index++)
        kept += take_made(b, index, 0, junk, sizeof(junk)) == IKE_REASSEMBLY_WAITING;
    assert_int_equal(kept, IKE_MESSAGE_MAX / sizeof(junk));
    bench_free(b);
}

static void test_a6_what_stays_incomplete_is_forgotten(void **state)
{
    Bench *b = bench_new(2000, 1000);

    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    b->now += IKE_REASSEMBLY_WAIT - 1;
    expect_whole(b, take_nth(b, 2));
    assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    b->now += IKE_REASSEMBLY_WAIT;
    assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_WAITING);
    bench_free(b);
}

/* A forged fragment can delay a message no longer than that, however often it is repeated. */
static void test_a6_a_forged_fragment_holds_for_a_time_only(void **state)
{
    Bench *b = bench_new(3000, 1000);

    assert_int_equal(take_made(b, 2, 0, "forged", 6), IKE_REASSEMBLY_WAITING);
    for (int i = 0; i < 9; i++) {
        b->now += IKE_REASSEMBLY_WAIT / 10;
        assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_REFUSED);
        assert_int_equal(take_made(b, 2, 0, "forged", 6), IKE_REASSEMBLY_WAITING);
    }
    b->now += IKE_REASSEMBLY_WAIT / 10;
    take_all(b);
    bench_free(b);
}

static void test_a6_overlapping_ids_are_kept_apart(void **state)
{
    Bench *b = bench_new(3000, 1000);

    for (size_t i = 1; i < 3; i++) {
        b->id = ID;
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
        b->id = ID + 1;
        assert_int_equal(take_nth(b, i), IKE_REASSEMBLY_WAITING);
    }
    b->id = ID;
    expect_whole(b, take_nth(b, 3));
    b->id = ID + 1;
    expect_whole(b, take_nth(b, 3));
    bench_free(b);
}

/* The third takes the place of the oldest, not of the one that comes on. */
static void test_a6_the_oldest_makes_room(void **state)
{
    Bench *b = bench_new(2000, 1000);

    for (uint16_t id = ID; id < ID + 3; id++) {
        b->id = id;
        b->now += IKE_MILLISECOND;
        assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    }
    b->id = ID + 1;
    expect_whole(b, take_nth(b, 2));
    b->id = ID + 2;
    expect_whole(b, take_nth(b, 2));
    b->id = ID;
    assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_WAITING);
    bench_free(b);
}

/* strongSwan gives each message the ID 1, and to the fragments of each the exchange type and the
 * message ID of Phase 1. Late copies of the first message don't spoil the second. */
static void test_one_id_for_one_message_after_the_other(void **state)
{
    Bench *b = bench_new(2000, 1000);

    for (size_t n = 2000; n < 2400; n += 100) {
        make_message(b, n);
        b->message[18] = IKE_EXCHANGE_QUICK;
        b->message[20] = (uint8_t)n;
        memset(b->message + IKE_HEADER_SIZE, (int)n, n - IKE_HEADER_SIZE);
        take_all(b);
        assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
    }
    bench_free(b);
}

/* A copy of the end alone repeats the message; whoever gets it knows a repetition when he sees one.
 */
static void test_the_end_again_is_the_message_again(void **state)
{
    Bench *b = bench_new(3000, 1000);

    take_all(b);
    assert_int_equal(take_nth(b, 2), IKE_REASSEMBLY_WAITING);
    expect_whole(b, take_nth(b, 3));
    bench_free(b);
}

/* Other cookies are another peer's, or another SA's. */
static void test_the_cookies_tell_messages_apart(void **state)
{
    Bench *b = bench_new(2000, 1000);
    KitBytes other;

    for (size_t at = 0; at < 16; at++) {
        assert_int_equal(take_nth(b, 1), IKE_REASSEMBLY_WAITING);
        make(&other, ID, 2, IKE_FRAGMENT_LAST, (IkeSlice){b->message + 1000, 1000});
        other.bytes[at] ^= 1;
        assert_int_equal(take(b, other.bytes, other.n), IKE_REASSEMBLY_WAITING);
        b->now += IKE_REASSEMBLY_WAIT;
    }
    take_all(b);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a6_in_order),
        cmocka_unit_test(test_a6_out_of_order_in_every_order),
        cmocka_unit_test(test_a6_each_fragment_twice),
        cmocka_unit_test(test_a6_the_whole_message_again_twice),
        cmocka_unit_test(test_a6_two_lossy_copies_make_a_whole),
        cmocka_unit_test(test_a6_a_second_different_tail_is_rejected),
        cmocka_unit_test(test_a6_an_index_behind_the_tail_is_rejected),
        cmocka_unit_test(test_a6_a_tail_before_what_has_come_is_rejected),
        cmocka_unit_test(test_a6_the_last_flag_can_be_neither_added_nor_taken_away),
        cmocka_unit_test(test_a4_an_end_alone_is_not_the_whole),
        cmocka_unit_test(test_a6_a_duplicate_that_differs_is_dropped),
        cmocka_unit_test(test_a6_index_zero_and_beyond_the_limit_are_rejected),
        cmocka_unit_test(test_a7_a_slice_of_nothing_is_rejected),
        cmocka_unit_test(test_a7_a_length_that_lies_is_never_believed),
        cmocka_unit_test(test_a9_every_truncation_is_rejected),
        cmocka_unit_test(test_another_payload_behind_a_fragment_is_rejected),
        cmocka_unit_test(test_the_message_inside_has_to_be_the_one_outside),
        cmocka_unit_test(test_fragments_of_fragments_are_rejected),
        cmocka_unit_test(test_less_than_a_header_is_no_message),
        cmocka_unit_test(test_a6_the_longest_message_fits_and_no_byte_more),
        cmocka_unit_test(test_a6_endless_fragments_fill_what_is_there),
        cmocka_unit_test(test_a6_one_message_takes_no_more_than_its_bytes),
        cmocka_unit_test(test_a6_what_stays_incomplete_is_forgotten),
        cmocka_unit_test(test_a6_a_forged_fragment_holds_for_a_time_only),
        cmocka_unit_test(test_a6_overlapping_ids_are_kept_apart),
        cmocka_unit_test(test_a6_the_oldest_makes_room),
        cmocka_unit_test(test_one_id_for_one_message_after_the_other),
        cmocka_unit_test(test_the_end_again_is_the_message_again),
        cmocka_unit_test(test_the_cookies_tell_messages_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joining: what segmentation did not make stays apart, hostile or not; what it made comes back as
 * it was before. */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/tunnel/datapath-join.h"
#include "super-kit.h"

typedef struct Written {
    uint8_t bytes[64][70000];
    size_t n[64], segments[64], count;
} Written;

static Written written;

static void keep(void *context, const struct iovec *parts, size_t n, size_t segments)
{
    Written *to = context;

    assert_true(to->count < 64);
    to->n[to->count] = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(to->bytes[to->count] + to->n[to->count], parts[i].iov_base, parts[i].iov_len);
        to->n[to->count] += parts[i].iov_len;
    }
    to->segments[to->count++] = segments;
}

static Segments segments;
static Join join;

static void start_join(void)
{
    memset(&join, 0, sizeof(join));
    written.count = 0;
    join.write = keep;
    join.context = &written;
    join.udp = true;
}

static void join_all(Segments *from)
{
    for (size_t i = 0; i < from->count; i++)
        join_packet(&join, from->bytes[i], from->n[i]);
    join_flush(&join);
}

static void test_joining_undoes_cutting(void **state)
{
    static const size_t PAYLOADS[] = {1001, 2000, 5500, 60000};
    static const unsigned TYPES[] = {TCP4, TCP6, UDP};
    static Super super;

    for (int t = 0; t < 3; t++) {
        for (size_t p = 0; p < 4; p++) {
            struct virtio_net_hdr header;

            make(&super, TYPES[t], PAYLOADS[p], 1000, 0x18);
            cut(&segments, &super);
            start_join();
            join_all(&segments);
            assert_int_equal(written.count, 1);
            assert_int_equal(written.segments[0], (PAYLOADS[p] + 999) / 1000);
            assert_int_equal(written.n[0], super.n);
            memcpy(&header, written.bytes[0], VNET);
            assert_int_equal(header.hdr_len, super.headers);
            header.hdr_len = 9999;
            assert_memory_equal(&header, super.bytes, VNET);
            if (TYPES[t] != TCP6)
                set16(super.bytes + VNET + 10, ~sum_of(super.bytes + VNET, 20, 0) & 0xffff);
            assert_memory_equal(written.bytes[0] + VNET, super.bytes + VNET, super.n - VNET);
        }
    }
}

/* Changes one byte of the third segment, makes its checksums right again where told to, and
 * expects that nothing is joined over it, nothing lost and nothing reordered. */
static void expect_kept_apart(unsigned type, size_t at, uint8_t change, bool mend)
{
    static Super super;
    uint8_t *packet = segments.bytes[2], *checksum = packet + 20 + (type == UDP ? 6 : 16);
    size_t total = 0;

    make(&super, type, 5000, 1000, 0x10);
    cut(&segments, &super);
    packet[at] ^= change;
    if (mend) {
        set16(packet + 10, 0);
        set16(packet + 10, ~sum_of(packet, transport_of(packet), 0) & 0xffff);
        set16(checksum, 0);
        set16(checksum,
              ~sum_of(packet + 20, segments.n[2] - 20, pseudo(packet, segments.n[2] - 20)) &
                  0xffff);
    }
    start_join();
    join_all(&segments);
    for (size_t i = 0; i < written.count; i++)
        total += written.segments[i];
    assert_int_equal(total, 5);
    assert_true(written.count >= 2);
    for (size_t i = 0; i < written.count; i++)
        if (written.segments[i] > 1)
            assert_null(memmem(written.bytes[i], written.n[i], packet + super.headers, 900));
}

static void test_only_equals_are_joined(void **state)
{
    static const struct {
        size_t at;
        uint8_t change;
    } CHANGES[] = {
        {1, 4},    /* type of service */
        {6, 0x40}, /* DF */
        {8, 1},    /* hop limit */
        {13, 1},   /* source address */
        {17, 1},   /* destination address */
        {20, 1},   /* source port */
        {23, 1},   /* destination port */
        {26, 1},   /* sequence number */
        {30, 1},   /* acknowledgement */
        {33, 1},   /* flags: FIN, SYN, RST, URG, ECE */
        {33, 2},   {33, 4}, {33, 0x20}, {33, 0x40}, {33, 0x10}, {34, 1}, /* window */
        {39, 1},                                                         /* urgent pointer */
        {45, 1},                                                         /* time stamp */
    };

    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++)
        expect_kept_apart(TCP4, CHANGES[i].at, CHANGES[i].change, true);
    for (size_t i = 0; i < 7; i++)
        expect_kept_apart(UDP, CHANGES[i].at, CHANGES[i].change, true);
    expect_kept_apart(UDP, 25, 1, true); /* its own length */
}

/* Datagrams keep their bounds and their number; one without a checksum vouches for nothing. */
static void test_datagrams_are_joined_where_tun_takes_them(void **state)
{
    static const size_t COUNTS[] = {64, 64, 64, 2};
    static Segments trains[3];
    static Super super;

    make(&super, UDP, 128, 2, 0);
    start_join();
    for (int i = 0; i < 3; i++) {
        cut(&trains[i], &super);
        for (size_t j = 0; j < 64; j++)
            join_packet(&join, trains[i].bytes[j], trains[i].n[j]);
    }
    make(&super, UDP, 1001, 1000, 0);
    cut(&segments, &super);
    join_all(&segments);
    assert_int_equal(written.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(written.segments[i], COUNTS[i]);

    for (int udp = 0; udp < 2; udp++) {
        cut(&segments, &super);
        start_join();
        join.udp = udp;
        if (udp)
            set16(segments.bytes[0] + 26, 0);
        join_all(&segments);
        assert_int_equal(written.count, 2);
        assert_memory_equal(written.bytes[0] + VNET, segments.bytes[0], segments.n[0]);
    }
}

/* A joined packet vouches for the checksums of its segments. */
static void test_wrong_checksums_are_not_laundered(void **state)
{
    for (size_t at = 10; at < 1052; at += at < 60 ? 1 : 97)
        expect_kept_apart(TCP4, at, 0x10, false);
    for (size_t at = 10; at < 1028; at += at < 36 ? 1 : 97)
        expect_kept_apart(UDP, at, 0x10, false);
}

static void test_a_push_ends_a_packet(void **state)
{
    static Super super;

    make(&super, TCP4, 5000, 1000, 0x10);
    cut(&segments, &super);
    segments.bytes[1][33] |= 8;
    set16(segments.bytes[1] + 36, at16(segments.bytes[1] + 36) - 8);
    start_join();
    join_all(&segments);
    assert_int_equal(written.count, 2);
    assert_int_equal(written.segments[0], 2);
    assert_int_equal(written.bytes[0][VNET + 33], 0x18);
    assert_int_equal(written.segments[1], 3);
    assert_int_equal(written.bytes[1][VNET + 33], 0x10);
}

/* Segmentation makes no segment that is larger than the one before. */
static void test_a_larger_segment_begins_anew(void **state)
{
    static Super super;
    static Segments small, large;

    make(&super, TCP4, 2000, 1000, 0x10);
    cut(&large, &super);
    make(&super, TCP4, 1000, 500, 0x10);
    cut(&small, &super);
    start_join();
    join_packet(&join, small.bytes[0], small.n[0]);
    join_packet(&join, small.bytes[1], small.n[1]);
    join_packet(&join, large.bytes[1], large.n[1]); /* goes on where the small ones end */
    join_flush(&join);
    assert_int_equal(written.count, 2);
    assert_int_equal(written.segments[0], 2);
    assert_int_equal(written.segments[1], 1);
}

/* Twenty flows in turn, more than are kept open: all comes out, in the order of each flow. */
static void test_flows_keep_their_order(void **state)
{
    static Super super;
    static Segments flows[20];
    size_t total = 0;
    uint32_t next[20];

    start_join();
    for (size_t i = 0; i < 20; i++) {
        make(&super, TCP4, 3000, 1000, 0x10);
        super.bytes[VNET + 20] = (uint8_t)i;
        set16(super.bytes + VNET + 36, (unsigned)pseudo(super.bytes + VNET, super.n - VNET - 20));
        cut(&flows[i], &super);
        next[i] = 0xfffff000;
    }
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < 20; i++)
            join_packet(&join, flows[i].bytes[round], flows[i].n[round]);
    join_flush(&join);
    for (size_t i = 0; i < written.count; i++) {
        uint8_t *packet = written.bytes[i] + VNET;

        assert_int_equal(at32(packet + 24), next[packet[20]]);
        next[packet[20]] += (uint32_t)(written.n[i] - VNET - 52);
        total += written.segments[i];
    }
    assert_int_equal(total, 60);
}

static size_t headers_of(const uint8_t *packet)
{
    size_t transport = transport_of(packet);

    return transport + (packet[transport == 20 ? 9 : 6] == 17 ? 8 : 32);
}

static void test_random_packets_do_no_harm(void **state)
{
    static const unsigned TYPES[] = {TCP4, TCP6, UDP};
    static Super super;

    srand(11);
    for (int i = 0; i < 20000; i++) {
        uint8_t *exact[40];
        size_t n = (size_t)rand() % 40, bytes = 0, out = 0;

        start_join();
        make(&super, TYPES[rand() % 3], 3000, 100, 0x10);
        cut(&segments, &super);
        for (size_t j = 0; j < n; j++) {
            size_t of = (size_t)rand() % segments.count, size = segments.n[of];

            if (rand() % 8 == 0)
                segments.bytes[of][rand() % 60] ^= (uint8_t)rand();
            if (rand() % 8 == 0)
                size = 20 + (size_t)rand() % (size - 20);
            exact[j] = malloc(size);
            memcpy(exact[j], segments.bytes[of], size);
            join_packet(&join, exact[j], size);
            bytes += size;
        }
        join_flush(&join);
        for (size_t j = 0; j < written.count; j++)
            out += written.n[j] - VNET +
                   (written.segments[j] - 1) * headers_of(written.bytes[j] + VNET);
        assert_int_equal(out, bytes);
        for (size_t j = 0; j < n; j++)
            free(exact[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_equals_are_joined),
        cmocka_unit_test(test_datagrams_are_joined_where_tun_takes_them),
        cmocka_unit_test(test_wrong_checksums_are_not_laundered),
        cmocka_unit_test(test_random_packets_do_no_harm),
        cmocka_unit_test(test_joining_undoes_cutting),
        cmocka_unit_test(test_a_push_ends_a_packet),
        cmocka_unit_test(test_a_larger_segment_begins_anew),
        cmocka_unit_test(test_flows_keep_their_order),
    };

    return cmocka_run_group_tests_name("datapath-join", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large packets: hostile headers first; then what is cut must be what the kernel would have sent,
 * and joining it again must give back what was cut.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/tunnel/datapath-join.h"
#include "client/tunnel/datapath-split.h"
#include "datapath-kit.h"

enum { TCP4 = 1, TCP6 = 4, UDP = 5, VNET = SPLIT_VNET_HEADER };

static unsigned at16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void set16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t at32(const uint8_t *at)
{
    return (uint32_t)at16(at) << 16 | at16(at + 2);
}

static unsigned long sum_of(const uint8_t *bytes, size_t n, unsigned long sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? bytes[i] : (unsigned long)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static unsigned long pseudo(const uint8_t *packet, size_t size)
{
    bool four = packet[0] >> 4 == 4;

    return sum_of(packet + (four ? 12 : 8), four ? 8 : 32, packet[four ? 9 : 6] + size);
}

static size_t transport_of(const uint8_t *packet)
{
    return packet[0] >> 4 == 4 ? (size_t)(packet[0] & 15) * 4 : 40;
}

static void expect_whole(const uint8_t *packet, size_t n)
{
    size_t transport = transport_of(packet);

    if (packet[0] >> 4 == 4) {
        assert_int_equal(sum_of(packet, transport, 0), 0xffff);
        assert_int_equal(at16(packet + 2), n);
    } else {
        assert_int_equal(at16(packet + 4), n - 40);
    }
    assert_int_equal(sum_of(packet + transport, n - transport, pseudo(packet, n - transport)),
                     0xffff);
}

/* A large packet as TUN hands it over: `payload` bytes behind TCP with 12 bytes of options, or
 * behind UDP. */
typedef struct Super {
    uint8_t bytes[70000];
    size_t n, transport, headers;
} Super;

static void make(Super *super, unsigned type, size_t payload, unsigned size, uint8_t flags)
{
    bool six = type == TCP6, udp = type == UDP;
    uint8_t *packet = super->bytes + VNET, *at;
    struct virtio_net_hdr header = {.flags = 1, .gso_type = (uint8_t)type};

    memset(super->bytes, 0, 200);
    super->transport = six ? 40 : 20;
    super->headers = super->transport + (udp ? 8 : 32);
    super->n = VNET + super->headers + payload;
    header.gso_size = (uint16_t)size;
    header.hdr_len = 9999; /* it lies */
    header.csum_start = (uint16_t)super->transport;
    header.csum_offset = udp ? 6 : 16;
    memcpy(super->bytes, &header, VNET);
    packet[0] = six ? 0x60 : 0x45;
    packet[six ? 6 : 9] = udp ? 17 : 6;
    packet[six ? 7 : 8] = 61;
    set16(packet + (six ? 4 : 2), (unsigned)(super->n - VNET - (six ? 40 : 0)));
    if (!six) {
        set16(packet + 4, 0xfffe); /* the identification wraps on its way */
        packet[6] = 0x40;
    }
    memcpy(packet + (six ? 8 : 12), (uint8_t[]){10, 1, 0, 1, 192, 168, 3, 4}, 8);
    at = packet + super->transport;
    memcpy(at, (uint8_t[]){0x30, 0x39, 0, 80, 0xff, 0xff, 0xf0, 0, 1, 2, 3, 4, 0x80}, 13);
    if (udp) {
        set16(at + 4, (unsigned)(8 + payload));
    } else {
        at[13] = flags;
        set16(at + 14, 0x7210);
        memcpy(at + 20, (uint8_t[]){1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 12);
    }
    set16(at + header.csum_offset, (unsigned)pseudo(packet, super->n - VNET - super->transport));
    for (size_t i = 0; i < payload; i++)
        packet[super->headers + i] = (uint8_t)(i * 31 + i / 256);
}

static void test_random_headers_do_no_harm(void **state)
{
    static Super super;

    srand(3);
    for (int i = 0; i < 200000; i++) {
        static const uint8_t TYPES[] = {0, 1, 3, 4, 5, 0x81, 0x84, 77};
        struct virtio_net_hdr header;
        size_t n, steps = 0;
        uint8_t *exact;
        Split split;

        make(&super, (unsigned)(uint8_t[]){1, 4, 5}[rand() % 3], (size_t)rand() % 200,
             1 + rand() % 99, (uint8_t)rand());
        memcpy(&header, super.bytes, VNET);
        header.gso_type = TYPES[rand() % 8];
        header.flags = (uint8_t)(rand() % 2);
        if (rand() % 3 == 0)
            header.gso_size = (uint16_t)(rand() % 4 ? rand() % 300 : rand());
        if (rand() % 3 == 0)
            header.csum_start = (uint16_t)(rand() % 4 ? rand() % 300 : rand());
        if (rand() % 3 == 0)
            header.csum_offset = (uint16_t)(rand() % 4 ? rand() % 300 : rand());
        memcpy(super.bytes, &header, VNET);
        for (int j = rand() % 4; j > 0; j--)
            super.bytes[VNET + rand() % 60] = (uint8_t)rand();
        n = rand() % 2 ? super.n : (size_t)rand() % super.n;
        exact = malloc(n ? n : 1);
        memcpy(exact, super.bytes, n);
        if (split_begin(&split, exact, n)) {
            while (!split_done(&split)) {
                uint8_t *out = malloc(split_size(&split));

                split_next(&split, out);
                free(out);
                assert_true(++steps <= 300);
            }
        }
        free(exact);
    }
}

static void test_what_does_not_fit_is_refused(void **state)
{
    static Super super;
    Split split;

    for (size_t n = 0; n <= VNET; n++)
        assert_false(split_begin(&split, super.bytes, n));
    make(&super, 3, 3000, 1000, 16); /* UDP fragments were never asked for */
    assert_false(split_begin(&split, super.bytes, super.n));
    make(&super, TCP4, 3000, 0, 16);
    assert_false(split_begin(&split, super.bytes, super.n));
    make(&super, TCP4, 0, 1000, 16);
    assert_false(split_begin(&split, super.bytes, super.n));
    make(&super, TCP4, 3000, 1000, 16);
    super.bytes[VNET + 9] = 17;
    assert_false(split_begin(&split, super.bytes, super.n));
    make(&super, TCP4, 3000, 1000, 16);
    super.bytes[VNET + 20 + 12] = 0x40; /* a TCP header of 16 bytes */
    assert_false(split_begin(&split, super.bytes, super.n));
    make(&super, TCP4, 3000, 1000, 16);
    super.bytes[6]++; /* the checksum begins elsewhere than TCP */
    assert_false(split_begin(&split, super.bytes, super.n));
}

static void expect_segment(const Super *super, const uint8_t *segment, size_t n, unsigned number)
{
    const uint8_t *packet = super->bytes + VNET, *tcp = segment + super->transport;
    size_t at = super->headers + (size_t)number * 1000;
    bool last = VNET + at + 1000 >= super->n;

    expect_whole(segment, n);
    assert_int_equal(n, last ? super->headers + (super->n - VNET - at) : super->headers + 1000);
    assert_memory_equal(segment + super->headers, packet + at, n - super->headers);
    if (packet[0] >> 4 == 4)
        assert_int_equal(at16(segment + 4), (0xfffe + number) & 0xffff);
    if (super->headers - super->transport == 8) {
        assert_int_equal(at16(tcp + 4), n - super->transport);
        return;
    }
    assert_int_equal(at32(tcp + 4), 0xfffff000 + number * 1000);
    /* FIN and PSH are the last one's, CWR the first one's. */
    assert_int_equal(tcp[13], (last ? 0x19 : 0x10) | (number == 0 ? 0x80 : 0));
    assert_memory_equal(tcp + 14, packet + super->transport + 14, 2);
    assert_memory_equal(tcp + 20, packet + super->transport + 20, 12);
}

static void test_segments_are_what_the_kernel_would_send(void **state)
{
    static const unsigned TYPES[] = {TCP4, TCP6, UDP, TCP4 | 0x80};
    static const size_t PAYLOADS[] = {1, 999, 1000, 1001, 2000, 2001, 64000};
    static Super super;
    uint8_t segment[2000];

    for (size_t t = 0; t < 4; t++) {
        for (size_t p = 0; p < 7; p++) {
            unsigned number = 0;
            Split split;

            make(&super, TYPES[t], PAYLOADS[p], 1000, 0x99);
            assert_true(split_begin(&split, super.bytes, super.n));
            for (; !split_done(&split); number++) {
                size_t n = split_size(&split);

                split_next(&split, segment);
                expect_segment(&super, segment, n, number);
            }
            assert_int_equal(number, (PAYLOADS[p] + 999) / 1000);
        }
    }
}

static void test_checksums_left_to_us_are_finished(void **state)
{
    static Super super;
    static uint8_t out[2000];
    Split split;

    for (size_t payload = 0; payload < 600; payload += 7) {
        static const unsigned TYPES[] = {TCP4, TCP6, UDP};

        for (size_t t = 0; t < 3; t++) {
            make(&super, TYPES[t], payload, 1000, 2);
            super.bytes[1] = 0; /* one packet */
            if (TYPES[t] != TCP6)
                set16(super.bytes + VNET + 10, ~sum_of(super.bytes + VNET, 20, 0) & 0xffff);
            assert_true(split_begin(&split, super.bytes, super.n));
            assert_int_equal(split_size(&split), super.n - VNET);
            split_next(&split, out);
            assert_true(split_done(&split));
            expect_whole(out, super.n - VNET);
        }
    }
    /* One that is finished already is not touched. */
    super.bytes[0] = 0;
    assert_true(split_begin(&split, super.bytes, super.n));
    split_next(&split, out);
    assert_memory_equal(out, super.bytes + VNET, super.n - VNET);
}

/* ---- joining ---- */

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

typedef struct Segments {
    uint8_t bytes[64][1500];
    size_t n[64], count;
} Segments;

static Segments segments;
static Join join;

static void start_join(void)
{
    memset(&join, 0, sizeof(join));
    written.count = 0;
    join.write = keep;
    join.context = &written;
}

static void cut(Segments *to, const Super *super)
{
    Split split;

    assert_true(split_begin(&split, super->bytes, super->n));
    for (to->count = 0; !split_done(&split); to->count++) {
        to->n[to->count] = split_size(&split);
        split_next(&split, to->bytes[to->count]);
    }
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
    static Super super;

    for (int six = 0; six < 2; six++) {
        for (size_t p = 0; p < 4; p++) {
            struct virtio_net_hdr header;

            make(&super, six ? TCP6 : TCP4, PAYLOADS[p], 1000, 0x18);
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
            if (!six)
                set16(super.bytes + VNET + 10, ~sum_of(super.bytes + VNET, 20, 0) & 0xffff);
            assert_memory_equal(written.bytes[0] + VNET, super.bytes + VNET, super.n - VNET);
        }
    }
}

/* Changes one byte of the third segment, makes its checksums right again where told to, and
 * expects that nothing is joined over it, nothing lost and nothing reordered. */
static void expect_kept_apart(size_t at, uint8_t change, bool mend)
{
    static Super super;
    uint8_t *packet = segments.bytes[2];
    size_t total = 0;

    make(&super, TCP4, 5000, 1000, 0x10);
    cut(&segments, &super);
    packet[at] ^= change;
    if (mend) {
        set16(packet + 10, 0);
        set16(packet + 10, ~sum_of(packet, transport_of(packet), 0) & 0xffff);
        set16(packet + 20 + 16, 0);
        set16(packet + 20 + 16,
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
            assert_null(memmem(written.bytes[i], written.n[i], packet + 52, 900));
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
        expect_kept_apart(CHANGES[i].at, CHANGES[i].change, true);
}

/* A joined packet vouches for the checksums of its segments. */
static void test_wrong_checksums_are_not_laundered(void **state)
{
    for (size_t at = 10; at < 1052; at += at < 60 ? 1 : 97)
        expect_kept_apart(at, 0x10, false);
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

static void test_random_packets_do_no_harm(void **state)
{
    static Super super;

    srand(11);
    for (int i = 0; i < 20000; i++) {
        uint8_t *exact[40];
        size_t n = (size_t)rand() % 40, bytes = 0, out = 0;

        start_join();
        make(&super, rand() % 2 ? TCP6 : TCP4, 3000, 100, 0x10);
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
                   (written.segments[j] - 1) * (written.bytes[j][VNET] >> 4 == 4 ? 52 : 72);
        assert_int_equal(out, bytes);
        for (size_t j = 0; j < n; j++)
            free(exact[j]);
    }
}

/* ---- in the data path ---- */

static void test_a_large_packet_through_the_data_path(void **state)
{
    static Super super;
    static uint8_t got[KIT_ROOM];
    KitPair pair;
    Kit kit;
    size_t joined = 0;

    kit_start(&kit);
    kit_pair(&pair, 0, "10.1.0.1/32", "192.168.0.0/16");
    datapath_attach_tun(kit.path, kit.tun_inside, true);
    kit.tun_inside = -1;
    kit_use(&kit, &pair);
    make(&super, TCP4, 64000, 1000, 0x18);
    cut(&segments, &super);
    for (int round = 0; round < 20; round++) {
        assert_int_equal(send(kit.tun, super.bytes, super.n, 0), super.n);
        for (size_t i = 0; i < segments.count; i++) {
            assert_int_equal(kit_gateway_gets(&kit, &pair, got), segments.n[i]);
            assert_memory_equal(got, segments.bytes[i], segments.n[i]);
        }
    }
    /* Back: the addresses are the other way round, the sums the same. */
    for (size_t i = 0; i < segments.count; i++) {
        memcpy(got, segments.bytes[i] + 12, 4);
        memcpy(segments.bytes[i] + 12, segments.bytes[i] + 16, 4);
        memcpy(segments.bytes[i] + 16, got, 4);
        kit_gateway_sends(&kit, &pair, kit.gateway, segments.bytes[i], segments.n[i]);
    }
    while (joined < 64000) {
        size_t n = kit_get(kit.tun, got, sizeof(got));

        assert_true(n > VNET + 52);
        assert_memory_equal(got + VNET + 52, super.bytes + VNET + 52 + joined, n - VNET - 52);
        joined += n - VNET - 52;
    }
    /* The counter follows the write. */
    for (int i = 0; i < 2000 && kit_stats(&kit).packets_in < 64; i++)
        poll(NULL, 0, 1);
    assert_int_equal(kit_stats(&kit).packets_in, 64);
    assert_int_equal(kit_stats(&kit).packets_out, 20 * 64);
    /* Too large for the path, and for a slot. */
    for (unsigned size = 1500; size < 9000; size += 3000) {
        make(&super, TCP4, 20000, size, 0x10);
        assert_int_equal(send(kit.tun, super.bytes, super.n, 0), super.n);
        assert_true(kit_get(kit.tun, got, sizeof(got)) > VNET + 48);
        assert_int_equal(got[VNET + 9], 1);
        assert_true(kit_silent(kit.tun));
    }
    kit_stop(&kit);
    kit_pair_clear(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_headers_do_no_harm),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
        cmocka_unit_test(test_segments_are_what_the_kernel_would_send),
        cmocka_unit_test(test_checksums_left_to_us_are_finished),
        cmocka_unit_test(test_only_equals_are_joined),
        cmocka_unit_test(test_wrong_checksums_are_not_laundered),
        cmocka_unit_test(test_random_packets_do_no_harm),
        cmocka_unit_test(test_joining_undoes_cutting),
        cmocka_unit_test(test_a_push_ends_a_packet),
        cmocka_unit_test(test_a_larger_segment_begins_anew),
        cmocka_unit_test(test_flows_keep_their_order),
        cmocka_unit_test(test_a_large_packet_through_the_data_path),
    };

    return cmocka_run_group_tests_name("datapath-offload", tests, NULL, NULL);
}

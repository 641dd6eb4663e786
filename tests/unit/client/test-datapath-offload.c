/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large packets: hostile headers first; then what is cut must be what the kernel would have sent,
 * in the whole data path too. test-datapath-join.c puts it together again. */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath-kit.h"
#include "super-kit.h"

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

/* ---- in the data path ---- */

static void test_a_large_packet_through_the_data_path(void **state)
{
    static Super super;
    static Segments segments;
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

/* A round holds more packets than one message with UDP_SEGMENT may carry: 64 in kernels before 6.9,
 * which refuse more with EINVAL. */
static void test_a_train_is_no_longer_than_any_kernel_takes(void **state)
{
    enum { SEGMENTS = 200, SEGMENT = 100, HEADERS = 52 };
    static Super super;
    static uint8_t got[KIT_ROOM];
    size_t one, trains = 0;
    EspShape shape;
    KitPair pair;
    Kit kit;

    kit_start(&kit);
    kit_pair(&pair, 0, "10.1.0.1/32", "192.168.0.0/16");
    shape = esp_sa_shape(pair.gateway_open);
    one = (HEADERS + SEGMENT + 2u + shape.alignment - 1) / shape.alignment * shape.alignment +
          shape.fixed;
    datapath_attach_tun(kit.path, kit.tun_inside, true);
    kit.tun_inside = -1;
    kit_use(&kit, &pair);
    assert_int_equal(setsockopt(kit.gateway, IPPROTO_UDP, UDP_GRO, &(int){1}, sizeof(int)), 0);
    make(&super, TCP4, SEGMENTS * SEGMENT, SEGMENT, 0x18);
    assert_int_equal(send(kit.tun, super.bytes, super.n, 0), super.n);
    for (size_t left = SEGMENTS * one, n; left > 0; left -= n, trains++) {
        n = kit_get(kit.gateway, got, sizeof(got));
        assert_true(n > 0 && n <= left);
        assert_true(n % one == 0 && n <= 64 * one);
    }
    assert_true(trains < SEGMENTS / 2);
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
        cmocka_unit_test(test_a_large_packet_through_the_data_path),
        cmocka_unit_test(test_a_train_is_no_longer_than_any_kernel_takes),
    };

    return cmocka_run_group_tests_name("datapath-offload", tests, NULL, NULL);
}

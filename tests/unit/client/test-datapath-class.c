/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic classes: what of the inner packet's is seen outside, and what the way has marked outside
 * that must be known inside. Relied on by calls in a busy network, and by everybody on a path that
 * marks instead of dropping: a mark that is lost is congestion that nobody answers to.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/tunnel/datapath-control.h"
#include "client/tunnel/datapath-inner.h"

#include "datapath-kit.h"

enum { SIZE = 100, NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, DROP = 9 };

static Kit kit;
static KitPair pair;
static uint8_t packet[2000], got[KIT_ROOM];

static int start(void **state)
{
    kit_start(&kit);
    kit_pair(&pair, 0, "10.20.1.10/32", "10.10.0.0/16");
    kit_use(&kit, &pair);
    kit_attach_tun(&kit);
    return 0;
}

static int stop(void **state)
{
    kit_stop(&kit);
    kit_pair_clear(&pair);
    return 0;
}

static void set_class(uint8_t *bytes, unsigned class)
{
    bytes[1] = (uint8_t) class;
    memset(bytes + 10, 0, 2);
    uint32_t sum = ~inner_sum(bytes, 20, 0);
    bytes[10] = (uint8_t)(sum >> 8);
    bytes[11] = (uint8_t)sum;
}

/* ---- the table ---- */

/* RFC 6040, figure 4: a row for each inner codepoint, in the order of the numbers. */
static const uint8_t TABLE[4][4] = {
    [NOT_ECT] = {NOT_ECT, NOT_ECT, NOT_ECT, DROP},
    [ECT_1] = {ECT_1, ECT_1, ECT_1, CE},
    [ECT_0] = {ECT_0, ECT_1, ECT_0, CE},
    [CE] = {CE, CE, CE, CE},
};

static void test_the_table_of_rfc_6040_for_every_class_of_ipv4(void **state)
{
    for (unsigned outer = 0; outer < 256; outer++) {
        for (unsigned inner = 0; inner < 256; inner++) {
            const unsigned want = TABLE[inner & 3][outer & 3];

            kit_packet(packet, SIZE, "10.10.0.9", "10.20.1.10");
            packet[4] = (uint8_t)(outer * 5);
            set_class(packet, inner);
            assert_int_equal(inner_combine_ecn(packet, outer), want != DROP);
            assert_int_equal(packet[1], want == DROP ? inner : (inner & ~3u) | want);
            assert_int_equal(inner_sum(packet, 20, 0), 0xffff);
        }
    }
}

static void test_and_of_ipv6(void **state)
{
    for (unsigned outer = 0; outer < 4; outer++) {
        for (unsigned inner = 0; inner < 256; inner++) {
            const unsigned want = TABLE[inner & 3][outer];
            const unsigned class = want == DROP ? inner : (inner & ~3u) | want;
            uint8_t six[40] = {(uint8_t)(0x60 | inner >> 4), (uint8_t)(inner << 4 | 0xa), 0xbc,
                               0xde};

            assert_int_equal(inner_outer_class(six), inner & 0xfc);
            assert_int_equal(inner_combine_ecn(six, outer), want != DROP);
            assert_int_equal(six[0], 0x60 | class >> 4);
            assert_int_equal(six[1], (class << 4 & 0xf0) | 0xa);
            assert_int_equal(six[2], 0xbc);
        }
    }
}

/* ---- out ---- */

static int class_at_gateway(void)
{
    struct iovec part = {got, sizeof(got)};
    struct pollfd one = {.fd = kit.gateway, .events = POLLIN};
    DatapathControl control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
    uint8_t class = 0xff;

    assert_int_equal(poll(&one, 1, 2000), 1);
    ssize_t n = recvmsg(kit.gateway, &message, 0);
    assert_true(n > 0);
    assert_int_equal(datapath_control_read(&message, (size_t)n, &class), n);
    return class;
}

/* Neighbours of one size and another class must not become one message of segments. */
static void test_the_dscp_is_copied_out_packet_by_packet_and_ecn_is_not(void **state)
{
    static const uint8_t classes[] = {0,    0,    0xb8, 0xb8, 0xbb, 0x28, 0,    0x01,
                                      0x02, 0x03, 0xff, 0xfc, 0xe0, 0xe1, 0x20, 0};

    assert_int_equal(setsockopt(kit.gateway, IPPROTO_IP, IP_RECVTOS, &(int){1}, sizeof(int)), 0);
    for (size_t i = 0; i < sizeof(classes); i++) {
        kit_packet(packet, SIZE, "10.20.1.10", "10.10.0.9");
        set_class(packet, classes[i]);
        assert_int_equal(send(kit.tun, packet, SIZE, 0), SIZE);
    }
    for (size_t i = 0; i < sizeof(classes); i++)
        assert_int_equal(class_at_gateway(), classes[i] & 0xfc);
}

/* ---- in ---- */

static void gateway_sends(unsigned outer, unsigned inner)
{
    const int value = (int)outer;

    assert_int_equal(setsockopt(kit.gateway, IPPROTO_IP, IP_TOS, &value, sizeof(value)), 0);
    kit_packet(packet, SIZE, "10.10.0.9", "10.20.1.10");
    set_class(packet, inner);
    kit_gateway_sends(&kit, &pair, kit.gateway, packet, SIZE);
}

static void test_what_the_way_has_marked_is_known_inside(void **state)
{
    unsigned dropped = 0;

    for (unsigned outer = 0; outer < 4; outer++) {
        for (unsigned inner = 0; inner < 4; inner++) {
            const unsigned want = TABLE[inner][outer];

            gateway_sends(0xb8 | outer, 0x48 | inner);
            if (want == DROP) {
                assert_true(kit_dropped(&kit, DATAPATH_DROP_MALFORMED, ++dropped));
                continue;
            }
            assert_int_equal(kit_get(kit.tun, got, sizeof(got)), SIZE);
            assert_int_equal(got[1], 0x48 | want);
            assert_int_equal(inner_sum(got, 20, 0), 0xffff);
        }
    }
    assert_true(kit_silent(kit.tun));
}

/* ---- control messages ---- */

static int ipv6_socket(struct sockaddr_in6 *at)
{
    socklen_t n = sizeof(*at);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    *at = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (fd < 0 || bind(fd, (struct sockaddr *)at, n) < 0)
        skip();
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &(int){1}, sizeof(int)), 0);
    return fd;
}

static void test_a_train_of_segments_has_its_class_by_ipv6(void **state)
{
    struct sockaddr_in6 at;
    int fd = ipv6_socket(&at);
    struct iovec part = {packet, 250};
    DatapathControl control;
    struct msghdr message = {
        .msg_name = &at, .msg_namelen = sizeof(at), .msg_iov = &part, .msg_iovlen = 1};

    datapath_control_segments(&message, &control, 100);
    datapath_control_class(&message, &control, 6, 0xb8);
    assert_int_equal(sendmsg(fd, &message, 0), 250);
    for (size_t i = 0; i < 3; i++) {
        uint8_t class = 0;

        part = (struct iovec){got, sizeof(got)};
        message = (struct msghdr){.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = &control,
                                  .msg_controllen = sizeof(control.bytes)};
        assert_int_equal(recvmsg(fd, &message, 0), i < 2 ? 100 : 50);
        assert_int_equal(datapath_control_read(&message, 7, &class), 7);
        assert_int_equal(class, 0xb8);
    }
    close(fd);
}

static void test_controls_that_are_cut_short_or_strange_say_nothing(void **state)
{
    static const struct cmsghdr strange[] = {
        {.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_TCLASS, .cmsg_len = CMSG_LEN(3)},
        {.cmsg_level = IPPROTO_UDP, .cmsg_type = 104, .cmsg_len = CMSG_LEN(1)},
        {.cmsg_level = IPPROTO_IP, .cmsg_type = IP_TOS, .cmsg_len = CMSG_LEN(0)},
        {.cmsg_level = SOL_SOCKET, .cmsg_type = IP_TOS, .cmsg_len = CMSG_LEN(4)},
        {.cmsg_level = IPPROTO_IP, .cmsg_type = 77, .cmsg_len = CMSG_LEN(4)},
    };

    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        DatapathControl control;
        struct msghdr message = {.msg_control = &control,
                                 .msg_controllen = CMSG_SPACE(sizeof(int))};
        uint8_t class = 5;

        memset(&control, 0xee, sizeof(control));
        control.header = strange[i];
        assert_int_equal(datapath_control_read(&message, 1000, &class), 1000);
        assert_int_equal(class, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_of_rfc_6040_for_every_class_of_ipv4),
        cmocka_unit_test(test_and_of_ipv6),
        cmocka_unit_test_setup_teardown(test_the_dscp_is_copied_out_packet_by_packet_and_ecn_is_not,
                                        start, stop),
        cmocka_unit_test_setup_teardown(test_what_the_way_has_marked_is_known_inside, start, stop),
        cmocka_unit_test(test_a_train_of_segments_has_its_class_by_ipv6),
        cmocka_unit_test(test_controls_that_are_cut_short_or_strange_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

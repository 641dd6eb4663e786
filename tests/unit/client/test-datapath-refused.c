/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels and ways out that refuse an offload: it is not used from then on, that is told once, and
 * no packet is lost by it. And offloads that the profile rules out: the kernel is not even asked.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath-kit.h"

enum { PACKETS = 20, SIZE = 400, VNET = 10, USO = 0x60 };

static Kit kit;
static KitPair pair;
static uint8_t packet[SIZE], got[KIT_ROOM];

/* What the kernel says to each, 0: yes; and how often it was asked. */
static int segment_error, gro_error, tcp_error, uso_error;
static int segments_asked, gro_asked, tun_asked;

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);
int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t n);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t n);
int __wrap_ioctl(int fd, unsigned long request, unsigned long argument);

static int answer(int error)
{
    errno = error;
    return error != 0 ? -1 : 0;
}

/* By the sending thread. */
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
    int error = __atomic_load_n(&segment_error, __ATOMIC_SEQ_CST);

    if (messages[0].msg_hdr.msg_controllen == 0)
        return __real_sendmmsg(fd, messages, n, flags);
    __atomic_fetch_add(&segments_asked, 1, __ATOMIC_SEQ_CST);
    return error != 0 ? answer(error) : __real_sendmmsg(fd, messages, n, flags);
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t n)
{
    if (level != IPPROTO_UDP || option != UDP_GRO)
        return __real_setsockopt(fd, level, option, value, n);
    gro_asked++;
    return gro_error != 0 ? answer(gro_error) : __real_setsockopt(fd, level, option, value, n);
}

/* A socket stands in for TUN: nothing that is asked of it here means anything to the real one. */
int __wrap_ioctl(int fd, unsigned long request, unsigned long argument)
{
    if (request != TUNSETOFFLOAD)
        return 0;
    tun_asked++;
    return answer((argument & USO) != 0 ? uso_error : tcp_error);
}

static void segments_are(int error)
{
    __atomic_store_n(&segment_error, error, __ATOMIC_SEQ_CST);
}

static int asked_for_segments(void)
{
    return __atomic_load_n(&segments_asked, __ATOMIC_SEQ_CST);
}

static void start(unsigned without)
{
    segments_asked = gro_asked = tun_asked = 0;
    kit_start_without(&kit, without);
    kit_pair(&pair, 0, "10.1.0.1/32", "192.168.0.0/16");
    kit_use(&kit, &pair);
}

static void stop(void)
{
    kit_stop(&kit);
    kit_pair_clear(&pair);
    segment_error = gro_error = tcp_error = uso_error = 0;
}

static void attach(bool vnet)
{
    datapath_attach_tun(kit.path, kit.tun_inside, vnet);
    kit.tun_inside = -1;
}

/* So many that are alike make a train, where they are read in one round: those of before attach()
 * are. */
static void send_out(bool vnet)
{
    uint8_t bytes[VNET + SIZE] = {0};
    size_t skip = vnet ? 0 : VNET;

    kit_packet(bytes + VNET, SIZE, "10.1.0.1", "192.168.3.4");
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(send(kit.tun, bytes + skip, sizeof(bytes) - skip, 0),
                         sizeof(bytes) - skip);
}

static void arrives_out(void)
{
    kit_packet(packet, SIZE, "10.1.0.1", "192.168.3.4");
    for (int i = 0; i < PACKETS; i++) {
        assert_int_equal(kit_gateway_gets(&kit, &pair, got), SIZE);
        assert_memory_equal(got, packet, SIZE);
    }
}

static void comes_in(bool vnet)
{
    size_t header = vnet ? VNET : 0;

    kit_packet(packet, SIZE, "192.168.3.4", "10.1.0.1");
    for (int i = 0; i < PACKETS; i++)
        kit_gateway_sends(&kit, &pair, kit.gateway, packet, SIZE);
    for (int i = 0; i < PACKETS; i++) {
        assert_int_equal(kit_get(kit.tun, got, sizeof(got)), SIZE + header);
        assert_memory_equal(got + header, packet, SIZE);
    }
}

static void nothing_more_is_refused(void)
{
    DatapathEvent event;

    while (datapath_next_event(kit.path, &event))
        assert_int_not_equal(event.type, DATAPATH_EVENT_OFFLOAD);
}

static void refused_once(DialtoneOffload offload, int error)
{
    DatapathEvent event;

    assert_true(kit_event(&kit, DATAPATH_EVENT_OFFLOAD, &event));
    assert_int_equal(event.offload, offload);
    assert_int_equal(event.error, error);
    nothing_more_is_refused();
    assert_int_equal(datapath_offloads(kit.path) & offload, 0);
}

static void test_trains_that_the_way_out_refuses(void **state)
{
    static const int ERRORS[] = {EIO, EINVAL, EOPNOTSUPP};

    for (size_t i = 0; i < G_N_ELEMENTS(ERRORS); i++) {
        segments_are(ERRORS[i]);
        start(0);
        send_out(false);
        attach(false);
        arrives_out();
        refused_once(DIALTONE_OFFLOAD_GSO, ERRORS[i]);
        assert_int_equal(asked_for_segments(), 1);
        send_out(false);
        arrives_out();
        assert_int_equal(asked_for_segments(), 1);
        assert_int_equal(kit_stats(&kit).drops[DATAPATH_DROP_SEND], 0);
        stop();
    }
}

static void one_by_one_but_all(void)
{
    nothing_more_is_refused();
    assert_int_equal(datapath_offloads(kit.path) & DIALTONE_OFFLOAD_GSO, 0);
    assert_int_equal(kit_stats(&kit).drops[DATAPATH_DROP_SEND], 0);
}

/* A new address or MTU of the peer's is another try. */
static void trains_go_again(void)
{
    segments_are(0);
    datapath_set_peer(kit.path, &kit.gateway_at, KIT_MTU);
    send_out(false);
    arrives_out();
    assert_true(datapath_offloads(kit.path) & DIALTONE_OFFLOAD_GSO);
}

/* Nothing is lost where the kernel may cut what is too large into fragments. */
static void test_trains_of_what_is_larger_than_the_link(void **state)
{
    segments_are(EMSGSIZE);
    start(0);
    send_out(false);
    attach(false);
    arrives_out();
    assert_int_equal(asked_for_segments(), 1);
    one_by_one_but_all();
    trains_go_again();
    stop();
}

/* Kernels of before 2025 have another word for it, which is no news where trains went out before.
 */
static void test_trains_that_have_become_larger_than_the_link(void **state)
{
    segments_are(0);
    start(0);
    send_out(false);
    attach(false);
    arrives_out();
    assert_int_equal(asked_for_segments(), 1);
    segments_are(EINVAL);
    for (int round = 0; round < 100 && asked_for_segments() < 2; round++) {
        send_out(false);
        arrives_out();
    }
    assert_int_equal(asked_for_segments(), 2);
    one_by_one_but_all();
    trains_go_again();
    stop();
}

/* Another way out is another question, and the same answer no news. */
static void test_another_way_out_may_take_trains(void **state)
{
    segments_are(EIO);
    start(0);
    send_out(false);
    attach(false);
    arrives_out();
    refused_once(DIALTONE_OFFLOAD_GSO, EIO);
    for (int round = 0; round < 100 && asked_for_segments() < 2; round++) {
        datapath_set_peer(kit.path, &kit.gateway_at, KIT_MTU);
        send_out(false);
        arrives_out();
    }
    assert_true(asked_for_segments() >= 2);
    nothing_more_is_refused();
    trains_go_again();
    stop();
}

static void test_a_kernel_that_knows_large_packets_for_tcp_alone(void **state)
{
    uso_error = EINVAL;
    start(0);
    attach(true);
    refused_once(DIALTONE_OFFLOAD_USO, EINVAL);
    assert_true(datapath_offloads(kit.path) & DIALTONE_OFFLOAD_VNET_HDR);
    send_out(true);
    arrives_out();
    comes_in(true);
    stop();
}

static void test_a_kernel_that_knows_no_large_packets(void **state)
{
    tcp_error = uso_error = EINVAL;
    start(0);
    attach(true);
    refused_once(DIALTONE_OFFLOAD_VNET_HDR, EINVAL);
    assert_int_equal(datapath_offloads(kit.path) & DIALTONE_OFFLOAD_USO, 0);
    send_out(true);
    arrives_out();
    comes_in(true);
    stop();
}

static void test_a_kernel_that_joins_no_datagrams(void **state)
{
    gro_error = ENOPROTOOPT;
    start(0);
    attach(false);
    refused_once(DIALTONE_OFFLOAD_GRO, ENOPROTOOPT);
    send_out(false);
    arrives_out();
    comes_in(false);
    stop();
}

static void test_what_the_profile_rules_out_is_not_asked_for(void **state)
{
    for (int vnet = 0; vnet < 2; vnet++) {
        start(DIALTONE_OFFLOADS_ALL);
        send_out(vnet);
        attach(vnet);
        arrives_out();
        comes_in(vnet);
        assert_int_equal(asked_for_segments() + gro_asked + tun_asked, 0);
        assert_int_equal(datapath_offloads(kit.path), 0);
        nothing_more_is_refused();
        stop();
    }
}

/* Whoever shows the counters is told of the first packet, and of no other until they ask again. */
static void test_traffic_is_told_once_for_each_question(void **state)
{
    DatapathEvent event;

    start(0);
    attach(false);
    comes_in(false);
    assert_true(kit_event(&kit, DATAPATH_EVENT_INBOUND, &event));
    assert_false(datapath_next_event(kit.path, &event));
    datapath_watch_traffic(kit.path);
    comes_in(false);
    assert_true(kit_event(&kit, DATAPATH_EVENT_TRAFFIC, &event));
    comes_in(false);
    assert_false(datapath_next_event(kit.path, &event));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trains_that_the_way_out_refuses),
        cmocka_unit_test(test_trains_of_what_is_larger_than_the_link),
        cmocka_unit_test(test_trains_that_have_become_larger_than_the_link),
        cmocka_unit_test(test_another_way_out_may_take_trains),
        cmocka_unit_test(test_a_kernel_that_knows_large_packets_for_tcp_alone),
        cmocka_unit_test(test_a_kernel_that_knows_no_large_packets),
        cmocka_unit_test(test_a_kernel_that_joins_no_datagrams),
        cmocka_unit_test(test_what_the_profile_rules_out_is_not_asked_for),
        cmocka_unit_test(test_traffic_is_told_once_for_each_question),
    };

    return cmocka_run_group_tests_name("datapath-refused", tests, NULL, NULL);
}

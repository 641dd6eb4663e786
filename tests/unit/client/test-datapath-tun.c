/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path at a real TUN, in a network namespace of the test's own: interfaces that are not up
 * yet, are taken down, or go away. Skipped where namespaces or TUN are not to be had.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath-kit.h"

static Kit kit;
static KitPair pair;
static uint8_t packet[2000], got[KIT_ROOM];
static bool possible;

static void set_up(const char *name, bool up)
{
    struct ifreq request = {.ifr_flags = 0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static int open_tun(bool vnet)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (vnet)
        request.ifr_flags |= IFF_VNET_HDR;
    strcpy(request.ifr_name, "dp0");
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int enter_namespace(void **state)
{
    int fd;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return 0;
    set_up("lo", true);
    fd = open_tun(false);
    possible = fd >= 0;
    if (possible)
        close(fd);
    return 0;
}

static void start(bool vnet)
{
    kit_start(&kit);
    kit_pair(&pair, 0, "10.1.0.1/32", "192.168.0.0/16");
    datapath_attach_tun(kit.path, open_tun(vnet), vnet);
    kit_use(&kit, &pair);
}

static void stop(void)
{
    kit_stop(&kit);
    kit_pair_clear(&pair);
}

static void gateway_sends(void)
{
    kit_packet(packet, 60, "192.168.3.4", "10.1.0.1");
    kit_gateway_sends(&kit, &pair, kit.gateway, packet, 60);
}

static bool received(uint64_t n)
{
    for (int i = 0; i < 2000 && kit_stats(&kit).packets_in < n; i++)
        poll(NULL, 0, 1);
    return kit_stats(&kit).packets_in == n;
}

/* A gateway may speak before the interface is up; that is no reason to make another one. */
static void test_an_interface_that_is_not_up_yet_is_not_lost(void **state)
{
    DatapathEvent event;

    if (!possible)
        skip();
    for (int vnet = 0; vnet < 2; vnet++) {
        start(vnet);
        gateway_sends();
        assert_true(kit_dropped(&kit, DATAPATH_DROP_TUN, 1));
        assert_true(kit_event(&kit, DATAPATH_EVENT_INBOUND, &event));
        assert_false(datapath_next_event(kit.path, &event));
        set_up("dp0", true);
        gateway_sends();
        assert_true(received(1));
        stop();
    }
}

static void test_an_interface_that_is_taken_down_is_named_once(void **state)
{
    DatapathEvent event;

    if (!possible)
        skip();
    for (int vnet = 0; vnet < 2; vnet++) {
        start(vnet);
        set_up("dp0", true);
        gateway_sends();
        assert_true(received(1));
        set_up("dp0", false);
        for (int i = 0; i < 10; i++)
            gateway_sends();
        assert_true(kit_dropped(&kit, DATAPATH_DROP_TUN, 10));
        assert_true(kit_event(&kit, DATAPATH_EVENT_TUN_GONE, &event));
        assert_int_equal(event.error, EIO);
        assert_false(datapath_next_event(kit.path, &event));
        set_up("dp0", true);
        gateway_sends();
        assert_true(received(2));
        stop();
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Its descriptor polls readable for ever; the thread must not spin on it. */
static void test_an_interface_that_is_removed_is_named_and_left(void **state)
{
    DatapathEvent event;
    double before;

    if (!possible || system("ip -V >/dev/null 2>&1") != 0)
        skip();
    start(true);
    set_up("dp0", true);
    assert_int_equal(system("ip link del dp0"), 0);
    assert_true(kit_event(&kit, DATAPATH_EVENT_TUN_GONE, &event));
    assert_int_equal(event.error, EBADFD);
    gateway_sends();
    gateway_sends();
    assert_true(kit_dropped(&kit, DATAPATH_DROP_TUN, 2));
    before = cpu_seconds();
    poll(NULL, 0, 300);
    assert_true(cpu_seconds() - before < 0.1);
    while (datapath_next_event(kit.path, &event))
        assert_int_not_equal(event.type, DATAPATH_EVENT_TUN_GONE);
    datapath_attach_tun(kit.path, open_tun(true), true);
    set_up("dp0", true);
    gateway_sends();
    assert_true(received(1));
    stop();
}

/* A datagram of the kernel's goes out with its checksum finished, though TUN left it to us. */
static void test_the_kernels_packets_go_out_whole(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    unsigned long sum = 0;
    size_t n;
    int fd;

    if (!possible || system("ip -V >/dev/null 2>&1") != 0)
        skip();
    start(true);
    assert_int_equal(system("ip addr add 10.1.0.1/32 dev dp0 && ip link set dp0 up mtu 1400 && "
                            "ip route add 192.168.0.0/16 dev dp0"),
                     0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(inet_pton(AF_INET, "192.168.3.4", &to.sin_addr), 1);
    assert_int_equal(sendto(fd, "hello kernel", 12, 0, (struct sockaddr *)&to, sizeof(to)), 12);
    n = kit_gateway_gets(&kit, &pair, got);
    assert_int_equal(n, 20 + 8 + 12);
    for (size_t i = 12; i < n; i++)
        sum += i % 2 ? got[i] : (unsigned long)got[i] << 8;
    sum += 17 + n - 20;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    assert_int_equal(sum, 0xffff);
    assert_memory_equal(got + 28, "hello kernel", 12);
    close(fd);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_interface_that_is_not_up_yet_is_not_lost),
        cmocka_unit_test(test_an_interface_that_is_taken_down_is_named_once),
        cmocka_unit_test(test_an_interface_that_is_removed_is_named_and_left),
        cmocka_unit_test(test_the_kernels_packets_go_out_whole),
    };

    return cmocka_run_group_tests_name("datapath-tun", tests, enter_namespace, NULL);
}

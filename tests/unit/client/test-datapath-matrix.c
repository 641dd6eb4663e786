/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever offloads are in use, the same traffic arrives: two data paths back to back, each at a
 * real TUN in a network namespace of its own, and the kernel's TCP and UDP between the two. Skipped
 * where namespaces or TUN are not to be had.
 *
 * Both ends leave out the same first, so that all that is left of an offload is gone; then each
 * has what the other lacks.
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
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/tunnel/datapath.h"

enum {
    COMBINATIONS = DIALTONE_OFFLOADS_ALL + 1,
    PATH_MTU = 1500,
    PATIENCE_MS = 10000,
    STREAM = 200000,
    PORT = 5000,
    TRAIN = 20,
    TRAIN_SIZE = 1000,
};

typedef struct End {
    int space; /* its network namespace */
    int udp;
    IkeAddress at;
    Datapath *path;
    unsigned without;
} End;

static End ends[2];
static int outer = -1; /* the namespace between them */
static bool possible;

static void enter(int space)
{
    assert_int_equal(setns(space, CLONE_NEWNET), 0);
}

static int new_space(void)
{
    int fd;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return -1;
    if (system("ip link set lo up") != 0)
        return -1;
    fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd;
}

static int make_spaces(void **state)
{
    int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (tun < 0)
        return 0;
    close(tun);
    outer = new_space();
    ends[0].space = outer >= 0 ? new_space() : -1;
    ends[1].space = ends[0].space >= 0 ? new_space() : -1;
    possible = ends[1].space >= 0;
    return 0;
}

/* ---- the ends ---- */

static void open_udp(End *end)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);

    end->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(end->udp, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)setsockopt(end->udp, SOL_SOCKET, SO_RCVBUFFORCE, &(int){4 << 20}, sizeof(int));
    assert_int_equal(getsockname(end->udp, (struct sockaddr *)&address, &n), 0);
    end->at = (IkeAddress){.family = 4, .port = ntohs(address.sin_port)};
    memcpy(end->at.bytes, &address.sin_addr, 4);
}

static int open_tun(bool vnet)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "dp0"};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (vnet)
        request.ifr_flags |= IFF_VNET_HDR;
    assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
    return fd;
}

static EspSa *make_sa(int (*new_sa)(EspSa **, const EspParameters *), uint32_t spi, bool plain)
{
    uint8_t keymat[ESP_KEYMAT_MAX];
    EspParameters parameters = {.spi = spi,
                                .cipher = ike_cipher_by_name("aes128"),
                                .integrity = ike_hash_by_name("sha1"),
                                .keymat = keymat,
                                .iv_seed = {spi, 1},
                                .plain_crypto = plain};
    EspSa *sa = NULL;

    memset(keymat, (int)(spi & 255), sizeof(keymat));
    assert_int_equal(new_sa(&sa, &parameters), 0);
    return sa;
}

/* One pair for each family; end 0 sends to SPIs from 1,000 on. Returns the MTU inside. */
static unsigned use_sas(End *end, unsigned number)
{
    static const uint8_t FAMILIES[] = {4, 6};
    bool plain = (end->without & DIALTONE_OFFLOAD_MULTI_BUFFER) != 0;
    unsigned mtu = 0;

    for (unsigned i = 0; i < 2; i++) {
        uint32_t in = 1000 * (2 - number) + i, out = 1000 * (1 + number) + i;
        IkeSaInfo info = {.spi_in = in, .spi_out = out};
        EspSa *seal = make_sa(esp_seal_new, out, plain);

        info.local.family = info.remote.family = FAMILIES[i];
        mtu = datapath_inner_mtu(seal, &ends[1 - number].at, PATH_MTU);
        datapath_add_in(end->path, make_sa(esp_open_new, in, plain), &info);
        datapath_set_out(end->path, seal, &info);
    }
    return mtu;
}

static void start_end(unsigned number, unsigned without)
{
    End *end = &ends[number];
    bool vnet = (without & DIALTONE_OFFLOAD_VNET_HDR) == 0;
    char command[400];
    unsigned mtu;

    end->without = without;
    end->path =
        datapath_new(&(DatapathSetup){.udp4 = end->udp, .udp6 = -1, .without = without}, NULL);
    assert_non_null(end->path);
    datapath_set_peer(end->path, &ends[1 - number].at, PATH_MTU);
    mtu = use_sas(end, number);
    enter(end->space);
    datapath_attach_tun(end->path, open_tun(vnet), vnet);
    snprintf(command, sizeof(command),
             "ip addr add 10.9.0.%u/24 dev dp0 && ip -6 addr add fd09::%u/64 dev dp0 nodad && "
             "ip link set dp0 mtu %u txqueuelen 2000 up",
             number + 1, number + 1, mtu);
    assert_int_equal(system(command), 0);
}

static void start(unsigned first, unsigned second)
{
    enter(outer);
    open_udp(&ends[0]);
    open_udp(&ends[1]);
    start_end(0, first);
    start_end(1, second);
}

/* Kernels before 6.2 have no uso, and not every processor encrypts several packets at once. */
static void expect_offloads(const End *end)
{
    unsigned wanted = DIALTONE_OFFLOADS_ALL & ~end->without;
    unsigned sure = DIALTONE_OFFLOAD_VNET_HDR | DIALTONE_OFFLOAD_GSO | DIALTONE_OFFLOAD_GRO;

    if ((wanted & DIALTONE_OFFLOAD_VNET_HDR) == 0)
        wanted &= ~(unsigned)DIALTONE_OFFLOAD_USO;
    assert_int_equal(datapath_offloads(end->path) & sure, wanted & sure);
    assert_int_equal(datapath_offloads(end->path) & ~wanted, 0);
}

static void stop(void)
{
    for (unsigned i = 0; i < 2; i++) {
        expect_offloads(&ends[i]);
        ends[i].path = datapath_free(ends[i].path);
    }
}

/* ---- traffic ---- */

static socklen_t inner_address(int family, unsigned number, struct sockaddr_storage *address)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    address->ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        in4->sin_port = htons(PORT);
        in4->sin_addr.s_addr = htonl(0x0a090001 + number);
        return sizeof(*in4);
    }
    in6->sin6_port = htons(PORT);
    in6->sin6_addr = (struct in6_addr){{{0xfd, 9, [15] = (uint8_t)(number + 1)}}};
    return sizeof(*in6);
}

/* A socket of an end's, bound to its address. */
static int bound(int family, int type, unsigned number)
{
    struct sockaddr_storage address;
    socklen_t n = inner_address(family, number, &address);
    int fd;

    enter(ends[number].space);
    fd = socket(family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    return fd;
}

static void wait_for(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};

    assert_int_equal(poll(&one, 1, PATIENCE_MS), 1);
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)((at * 2654435761u) >> 13);
}

static void fill(uint8_t *bytes, size_t n, size_t at)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(at + i);
}

/* All that is sent arrives, in order and as it was. */
static void stream(int from, int to)
{
    static uint8_t out[STREAM], in[65536];
    size_t sent = 0, got = 0;

    fill(out, sizeof(out), 0);
    while (got < STREAM) {
        struct pollfd two[2] = {{.fd = sent < STREAM ? from : -1, .events = POLLOUT},
                                {.fd = to, .events = POLLIN}};
        ssize_t n;

        assert_true(poll(two, 2, PATIENCE_MS) > 0);
        if (two[0].revents != 0 && (n = send(from, out + sent, STREAM - sent, MSG_DONTWAIT)) > 0)
            sent += (size_t)n;
        if (two[1].revents == 0)
            continue;
        n = recv(to, in, sizeof(in), MSG_DONTWAIT);
        assert_true(n > 0 && got + (size_t)n <= STREAM);
        assert_memory_equal(in, out + got, n);
        got += (size_t)n;
    }
}

static void expect_tcp(int family)
{
    struct sockaddr_storage address;
    socklen_t n = inner_address(family, 1, &address);
    int listener = bound(family, SOCK_STREAM, 1), client = bound(family, SOCK_STREAM, 0), server;

    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, n), 0);
    wait_for(listener, POLLIN);
    server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(server >= 0);
    stream(client, server);
    stream(server, client);
    /* No TIME_WAIT, for the port is used again. */
    for (int i = 0; i < 2; i++)
        (void)setsockopt(i == 0 ? server : client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                         sizeof(struct linger));
    close(server);
    close(client);
    close(listener);
}

static void expect_datagram(int fd, size_t n, size_t at)
{
    static uint8_t in[65536], out[65536];

    fill(out, n, at);
    wait_for(fd, POLLIN);
    assert_int_equal(recv(fd, in, sizeof(in), 0), n);
    assert_memory_equal(in, out, n);
}

/* Small ones, full ones, some that the kernel cuts in fragments; and a train that it may leave
 * whole until TUN. */
static void expect_udp(int family, unsigned from)
{
    static const size_t SIZES[] = {1, 64, 1200, 8000, 30000};
    static uint8_t out[65536];
    struct sockaddr_storage address;
    socklen_t n = inner_address(family, 1 - from, &address);
    int sender = bound(family, SOCK_DGRAM, from), receiver = bound(family, SOCK_DGRAM, 1 - from);

    assert_int_equal(connect(sender, (struct sockaddr *)&address, n), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++) {
        fill(out, SIZES[i], i);
        assert_int_equal(send(sender, out, SIZES[i], 0), SIZES[i]);
        expect_datagram(receiver, SIZES[i], i);
    }
    assert_int_equal(setsockopt(sender, IPPROTO_UDP, UDP_SEGMENT, &(int){TRAIN_SIZE}, sizeof(int)),
                     0);
    fill(out, TRAIN * TRAIN_SIZE, 0);
    assert_int_equal(send(sender, out, TRAIN * TRAIN_SIZE, 0), TRAIN * TRAIN_SIZE);
    for (size_t i = 0; i < TRAIN; i++)
        expect_datagram(receiver, TRAIN_SIZE, i * TRAIN_SIZE);
    close(sender);
    close(receiver);
}

static void expect_traffic(unsigned first, unsigned second)
{
    print_message("without %02x, without %02x\n", first, second);
    start(first, second);
    for (int i = 0; i < 2; i++) {
        int family = i == 0 ? AF_INET : AF_INET6;

        expect_tcp(family);
        expect_udp(family, 0);
        expect_udp(family, 1);
    }
    stop();
}

static void test_both_ends_leave_out_the_same(void **state)
{
    if (!possible)
        skip();
    for (unsigned without = 0; without < COMBINATIONS; without++)
        expect_traffic(without, without);
}

static void test_each_end_has_what_the_other_lacks(void **state)
{
    bool full = g_strcmp0(g_getenv("DIALTONE_FULL"), "yes") == 0;

    if (!possible)
        skip();
    for (unsigned without = 0; without < COMBINATIONS; without += full ? 1 : 5)
        expect_traffic(without, COMBINATIONS - 1 - without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_leave_out_the_same),
        cmocka_unit_test(test_each_end_has_what_the_other_lacks),
    };

    return cmocka_run_group_tests_name("datapath-matrix", tests, make_spaces, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 inside and outside: the data path over ::1, with an SA between IPv6 networks. */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath-kit.h"

static Datapath *path;
static EspSa *gateway_seal, *gateway_open;
static int tun, gateway;
static struct sockaddr_in6 path_at;
static IkeAddress gateway_at;
static uint8_t packet[2000], got[KIT_ROOM];

static int udp_socket(struct sockaddr_in6 *at)
{
    socklen_t n = sizeof(*at);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    *at = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) < 0)
        return -1;
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
    return fd;
}

static EspSa *make(int (*new_sa)(EspSa **, const EspParameters *), uint32_t spi)
{
    uint8_t keymat[ESP_KEYMAT_MAX] = {(uint8_t)spi};
    EspParameters parameters = {.spi = spi,
                                .cipher = ike_cipher_by_name("aes256"),
                                .integrity = ike_hash_by_name("sha256"),
                                .keymat = keymat};
    EspSa *sa = NULL;

    assert_int_equal(new_sa(&sa, &parameters), 0);
    return sa;
}

static void start(void)
{
    IkeSaInfo info = {.local = {.family = 6, .prefix = 128}, .remote = {.family = 6, .prefix = 32}};
    struct sockaddr_in6 at;
    DatapathSetup setup = {.udp4 = -1};
    int pair[2];

    gateway = udp_socket(&at);
    setup.udp6 = udp_socket(&path_at);
    if (gateway < 0 || setup.udp6 < 0)
        skip();
    gateway_at = (IkeAddress){.family = 6, .port = ntohs(at.sin6_port)};
    memcpy(gateway_at.bytes, &at.sin6_addr, 16);
    assert_int_equal(inet_pton(AF_INET6, "fd00::1", info.local.bytes), 1);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::", info.remote.bytes), 1);
    path = datapath_new(&setup, NULL);
    assert_non_null(path);
    datapath_set_peer(path, &gateway_at, 1500);
    datapath_add_in(path, make(esp_open_new, 1001), &info);
    datapath_set_out(path, make(esp_seal_new, 2002), &info);
    gateway_seal = make(esp_seal_new, 1001);
    gateway_open = make(esp_open_new, 2002);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    tun = pair[0];
    datapath_attach_tun(path, pair[1], false);
}

static int stop(void **state)
{
    path = datapath_free(path);
    gateway_seal = esp_sa_free(gateway_seal);
    gateway_open = esp_sa_free(gateway_open);
    close(tun);
    close(gateway);
    return 0;
}

static void make_packet(size_t n, const char *from, const char *to)
{
    for (size_t i = 0; i < n; i++)
        packet[i] = (uint8_t)i;
    memcpy(packet, (uint8_t[]){0x60, 0, 0, 0, (uint8_t)((n - 40) >> 8), (uint8_t)(n - 40), 17, 64},
           8);
    assert_int_equal(inet_pton(AF_INET6, from, packet + 8), 1);
    assert_int_equal(inet_pton(AF_INET6, to, packet + 24), 1);
}

static void gateway_sends(size_t n)
{
    uint8_t room[2000];
    EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = n};

    memcpy(one.data, packet, n);
    assert_int_equal(esp_seal(gateway_seal, &one, 1), 1);
    assert_int_equal(
        sendto(gateway, one.data, one.n, 0, (struct sockaddr *)&path_at, sizeof(path_at)), one.n);
}

static void test_foreign_addresses_stay_out(void **state)
{
    start();
    make_packet(100, "2001:db9::1", "fd00::1");
    gateway_sends(100);
    make_packet(100, "2001:db8::1", "fd00::2");
    gateway_sends(100);
    make_packet(100, "2001:db8:1::1", "fd00::1");
    gateway_sends(100);
    assert_int_equal(kit_get(tun, got, sizeof(got)), 100);
    assert_memory_equal(got, packet, 100);
    assert_true(kit_silent(tun));
}

static void test_packets_go_out(void **state)
{
    EspPacket one = {.data = got};

    start();
    make_packet(100, "fd00::1", "2001:db8:ffff::1");
    assert_int_equal(send(tun, packet, 100, 0), 100);
    one.n = kit_get(gateway, got, sizeof(got));
    assert_int_equal(esp_open(gateway_open, &one, 1), 1);
    assert_int_equal(one.next_header, 41);
    assert_int_equal(one.n, 100);
    assert_memory_equal(one.data, packet, 100);
}

static void test_too_big_packets_are_answered(void **state)
{
    unsigned mtu;

    start();
    mtu = datapath_inner_mtu(gateway_seal, &gateway_at, 1500);
    assert_in_range(mtu, 1380, 1420);
    make_packet(mtu + 1, "fd00::1", "2001:db8::1");
    assert_int_equal(send(tun, packet, mtu + 1, 0), mtu + 1);
    assert_int_equal(kit_get(tun, got, sizeof(got)), 1280);
    assert_int_equal(got[6], 58);
    assert_int_equal(got[40], 2);
    assert_int_equal(got[46] << 8 | got[47], mtu);
    assert_memory_equal(got + 24, packet + 8, 16);
}

static void test_ike_comes_and_goes(void **state)
{
    static DatapathIke ike;
    struct pollfd one;

    start();
    assert_int_equal(
        sendto(gateway, "\0\0\0\0abc", 7, 0, (struct sockaddr *)&path_at, sizeof(path_at)), 7);
    one = (struct pollfd){.fd = datapath_ike_fd(path), .events = POLLIN};
    assert_int_equal(poll(&one, 1, 2000), 1);
    assert_true(datapath_take_ike(path, &ike));
    assert_int_equal(ike.from.family, 6);
    assert_memory_equal(ike.from.bytes, gateway_at.bytes, 16);
    assert_int_equal(ike.from.port, gateway_at.port);
    assert_int_equal(datapath_send(path, &ike.from, ike.bytes, ike.n), 0);
    assert_int_equal(kit_get(gateway, got, sizeof(got)), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_foreign_addresses_stay_out, stop),
        cmocka_unit_test_teardown(test_packets_go_out, stop),
        cmocka_unit_test_teardown(test_too_big_packets_are_answered, stop),
        cmocka_unit_test_teardown(test_ike_comes_and_goes, stop),
    };

    return cmocka_run_group_tests_name("datapath-ipv6", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ESP without UDP: raw sockets on two addresses of the loopback. Skipped where they need root. */
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

enum { IP_HEADER = 20 };

static Kit kit;
static KitPair pair;
static int gateway = -1; /* raw */
static IkeAddress raw_at, raw_gateway_at;
static uint8_t packet[2000], got[KIT_ROOM];

static int raw_socket(const char *text, IkeAddress *at)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ESP);

    if (fd < 0)
        return -1;
    assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    *at = (IkeAddress){.family = 4};
    memcpy(at->bytes, &address.sin_addr, 4);
    return fd;
}

static int start(void **state)
{
    DatapathSetup setup = {.udp6 = -1, .raw = true, .esp6 = -1};

    setup.esp4 = raw_socket("127.0.0.1", &raw_at);
    gateway = raw_socket("127.0.0.2", &raw_gateway_at);
    kit_start(&kit);
    if (gateway < 0)
        return 0;
    datapath_free(kit.path);
    setup.udp4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    kit.path = datapath_new(&setup, NULL);
    assert_non_null(kit.path);
    datapath_set_peer(kit.path, &raw_gateway_at, KIT_MTU);
    kit_attach_tun(&kit);
    kit_pair(&pair, 1, "10.20.1.10/32", "10.10.0.0/24");
    kit_use(&kit, &pair);
    return 0;
}

static int stop(void **state)
{
    kit_stop(&kit);
    kit_pair_clear(&pair);
    if (gateway >= 0)
        close(gateway);
    gateway = -1;
    return 0;
}

static void need_raw(void)
{
    if (gateway < 0)
        skip();
}

static void send_to_path(const void *bytes, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET};

    memcpy(&to.sin_addr, raw_at.bytes, 4);
    assert_int_equal(sendto(gateway, bytes, n, 0, (struct sockaddr *)&to, sizeof(to)), n);
}

static void test_a_packet_leaves_as_protocol_50(void **state)
{
    EspPacket one = {.data = got + IP_HEADER};

    need_raw();
    kit_packet(packet, 100, "10.20.1.10", "10.10.0.9");
    assert_int_equal(send(kit.tun, packet, 100, 0), 100);
    size_t n = kit_get(gateway, got, sizeof(got));
    assert_true(n > IP_HEADER);
    assert_int_equal(got[9], IPPROTO_ESP);
    one.n = n - IP_HEADER;
    assert_int_equal(esp_open(pair.gateway_open, &one, 1), 1);
    assert_int_equal(one.n, 100);
    assert_memory_equal(one.data, packet, 100);
}

static void test_a_packet_comes_in(void **state)
{
    uint8_t room[2000];
    EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = 100};

    need_raw();
    kit_packet(packet, 100, "10.10.0.9", "10.20.1.10");
    memcpy(one.data, packet, 100);
    assert_int_equal(esp_seal(pair.gateway_seal, &one, 1), 1);
    send_to_path(one.data, one.n);
    assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 100);
    assert_memory_equal(got, packet, 100);
}

/* What reaches a raw socket is of anybody's: another tunnel's ESP, or nobody's. */
static void test_what_is_not_ours_is_dropped(void **state)
{
    static const uint8_t stray[64] = {0x0a, 0x0b, 0x0c, 0x0d};

    need_raw();
    send_to_path(stray, sizeof(stray));
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 1));
    for (size_t n = 1; n < ESP_HEADER_SIZE; n++)
        send_to_path(stray, n);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_MALFORMED, ESP_HEADER_SIZE - 1));
    assert_true(kit_silent(kit.tun));
}

/* Zeros are no marker of IKE here, and 0xff is no keepalive. */
static void test_there_is_no_ike_in_protocol_50(void **state)
{
    static const uint8_t marked[64] = {0};

    need_raw();
    send_to_path(marked, sizeof(marked));
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 1));
    send_to_path("\xff", 1);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_MALFORMED, 1));
    assert_int_equal(kit_stats(&kit).keepalives, 0);
    assert_true(kit_silent(datapath_ike_fd(kit.path)));
}

static void test_what_is_sealed_elsewhere_leaves_and_comes_too(void **state)
{
    static const uint8_t esp[40] = {0x33, 0x44, 0x55, 0x66, 0, 0, 0, 1};
    static DatapathIke ike;

    need_raw();
    assert_int_equal(datapath_send(kit.path, &raw_gateway_at, esp, sizeof(esp)), 0);
    assert_int_equal(kit_get(gateway, got, sizeof(got)), IP_HEADER + sizeof(esp));
    assert_memory_equal(got + IP_HEADER, esp, sizeof(esp));
    datapath_hand_over(kit.path, 0x33445566);
    send_to_path(esp, sizeof(esp));
    struct pollfd one = {.fd = datapath_ike_fd(kit.path), .events = POLLIN};
    assert_int_equal(poll(&one, 1, 2000), 1);
    assert_true(datapath_take_ike(kit.path, &ike));
    assert_int_equal(ike.n, sizeof(esp));
    assert_memory_equal(ike.bytes, esp, sizeof(esp));
}

static void test_the_mtu_has_no_udp_header_in_it(void **state)
{
    IkeAddress in_udp = raw_gateway_at;

    need_raw();
    in_udp.port = 4500;
    unsigned plain = datapath_inner_mtu(pair.gateway_seal, &raw_gateway_at, KIT_MTU);
    unsigned encapsulated = datapath_inner_mtu(pair.gateway_seal, &in_udp, KIT_MTU);
    assert_true(plain > encapsulated);
    assert_true(plain <= encapsulated + 8);
}

static void test_raw_sockets_are_told_from_none(void **state)
{
    const IkeAddress six = {.family = 6};

    need_raw();
    assert_true(datapath_has_raw(kit.path, &raw_gateway_at));
    assert_false(datapath_has_raw(kit.path, &six));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_packet_leaves_as_protocol_50, start, stop),
        cmocka_unit_test_setup_teardown(test_a_packet_comes_in, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(test_there_is_no_ike_in_protocol_50, start, stop),
        cmocka_unit_test_setup_teardown(test_what_is_sealed_elsewhere_leaves_and_comes_too, start,
                                        stop),
        cmocka_unit_test_setup_teardown(test_the_mtu_has_no_udp_header_in_it, start, stop),
        cmocka_unit_test_setup_teardown(test_raw_sockets_are_told_from_none, start, stop),
    };

    return cmocka_run_group_tests_name("datapath-raw", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path, adversary first: what must not get through in either direction, and with which
 * counter; then what must.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <time.h>

#include <cmocka.h>

#include "datapath-kit.h"

static Kit kit;
static KitPair pair;
static uint8_t packet[KIT_ROOM], got[KIT_ROOM];

static int setup(void **state)
{
    kit_start(&kit);
    kit_pair(&pair, 0, "10.1.0.1/32", "192.168.0.0/16");
    return 0;
}

static int setup_running(void **state)
{
    setup(state);
    kit_attach_tun(&kit);
    kit_use(&kit, &pair);
    return 0;
}

static int teardown(void **state)
{
    kit_stop(&kit);
    kit_pair_clear(&pair);
    return 0;
}

/* A packet that must come out of TUN; what was sent before it and did not is dropped for good. */
static void expect_inbound_works(void)
{
    kit_packet(packet, 77, "192.168.3.4", "10.1.0.1");
    kit_gateway_sends(&kit, &pair, kit.gateway, packet, 77);
    assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 77);
    assert_memory_equal(got, packet, 77);
    assert_true(kit_silent(kit.tun));
}

static void expect_outbound_works(KitPair *by, const char *to)
{
    kit_packet(packet, 99, "10.1.0.1", to);
    assert_int_equal(send(kit.tun, packet, 99, 0), 99);
    assert_int_equal(kit_gateway_gets(&kit, by, got), 99);
    assert_memory_equal(got, packet, 99);
}

/* ---- inbound ---- */

static void test_unknown_spi_goes_nowhere(void **state)
{
    KitPair other;

    kit_pair(&other, 1, "10.1.0.1/32", "192.168.0.0/16");
    kit_packet(packet, 60, "192.168.3.4", "10.1.0.1");
    kit_gateway_sends(&kit, &other, kit.gateway, packet, 60);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 1));
    expect_inbound_works();
    kit_pair_clear(&other);
}

static void test_forged_and_cut_packets_go_nowhere(void **state)
{
    uint8_t room[200], copy[200];
    EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = 60};

    kit_packet(one.data, 60, "192.168.3.4", "10.1.0.1");
    assert_int_equal(esp_seal(pair.gateway_seal, &one, 1), 1);
    for (size_t i = 4; i < one.n; i++) {
        memcpy(copy, one.data, one.n);
        copy[i] ^= 2; /* and number 3 is as new as number 1 */
        kit_send_raw(&kit, kit.gateway, copy, one.n);
    }
    assert_true(kit_dropped(&kit, DATAPATH_DROP_FORGED, one.n - 4));
    for (size_t n = 5; n < one.n; n++)
        kit_send_raw(&kit, kit.gateway, one.data, n);
    kit_send_raw(&kit, kit.gateway, one.data, one.n);
    assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 60);
    assert_int_equal(kit_stats(&kit).drops[DATAPATH_DROP_FORGED] +
                         kit_stats(&kit).drops[DATAPATH_DROP_MALFORMED],
                     one.n - 4 + one.n - 5);
    expect_inbound_works();
}

static void test_replayed_packets_go_nowhere(void **state)
{
    uint8_t room[200];
    EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = 60};

    kit_packet(one.data, 60, "192.168.3.4", "10.1.0.1");
    assert_int_equal(esp_seal(pair.gateway_seal, &one, 1), 1);
    for (int i = 0; i < 100; i++)
        kit_send_raw(&kit, kit.gateway, one.data, one.n);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_REPLAYED, 99));
    assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 60);
    expect_inbound_works();
}

static void test_inner_addresses_are_those_of_the_sa(void **state)
{
    static const char *const WRONG[][2] = {{"192.169.3.4", "10.1.0.1"},
                                           {"10.1.0.1", "192.168.3.4"},
                                           {"192.168.3.4", "10.1.0.2"},
                                           {"127.0.0.1", "10.1.0.1"},
                                           {"192.168.3.4", "224.0.0.1"}};
    size_t n = sizeof(WRONG) / sizeof(WRONG[0]);

    for (size_t i = 0; i < n; i++) {
        kit_packet(packet, 60, WRONG[i][0], WRONG[i][1]);
        kit_gateway_sends(&kit, &pair, kit.gateway, packet, 60);
    }
    assert_true(kit_dropped(&kit, DATAPATH_DROP_SELECTOR, n));
    expect_inbound_works();
}

static void test_esp_before_there_is_a_tun_is_dropped(void **state)
{
    kit_use(&kit, &pair);
    kit_packet(packet, 60, "192.168.3.4", "10.1.0.1");
    kit_gateway_sends(&kit, &pair, kit.gateway, packet, 60);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_TUN, 1));
    kit_attach_tun(&kit);
    expect_inbound_works();
}

static void test_a_removed_sa_is_deaf(void **state)
{
    expect_inbound_works();
    datapath_remove(kit.path, pair.info.spi_in, 0);
    kit_gateway_sends(&kit, &pair, kit.gateway, packet, 77);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 1));
    expect_outbound_works(&pair, "192.168.3.4");
    datapath_remove(kit.path, pair.info.spi_in, 0);
}

/* ---- IKE ---- */

static DatapathIke ike;

static bool get_ike(void)
{
    struct pollfd one = {.fd = datapath_ike_fd(kit.path), .events = POLLIN};

    return poll(&one, 1, 2000) == 1 && datapath_take_ike(kit.path, &ike);
}

static void test_ike_comes_by_marker_and_by_port(void **state)
{
    static const uint8_t MARKED[] = {0, 0, 0, 0, 1, 2, 3, 4, 5};

    kit_send_raw(&kit, kit.gateway, MARKED, sizeof(MARKED));
    assert_true(get_ike());
    assert_int_equal(ike.n, sizeof(MARKED));
    assert_memory_equal(ike.bytes, MARKED, sizeof(MARKED));
    assert_int_equal(ike.from.port, kit.gateway_at.port);
    assert_memory_equal(ike.from.bytes, kit.gateway_at.bytes, 4);
    /* The kit's other socket has the plain IKE port. */
    kit_send_raw(&kit, kit.elsewhere, MARKED + 4, 5);
    assert_true(get_ike());
    assert_int_equal(ike.n, 5);
    assert_memory_equal(ike.bytes, MARKED + 4, 5);
    assert_int_equal(ike.from.port, kit.elsewhere_at.port);
    assert_false(datapath_take_ike(kit.path, &ike));
}

/* Gateways of one profile may each have their own port for plain IKE. */
static void test_ike_comes_from_other_ports_too(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    memset(packet, 7, 60);
    for (size_t n = 5; n < 28; n++)
        kit_send_raw(&kit, fd, packet, n);
    kit_send_raw(&kit, fd, packet, 28);
    assert_true(get_ike());
    assert_int_equal(ike.n, 28);
    assert_int_not_equal(ike.from.port, kit.gateway_at.port);
    assert_false(datapath_take_ike(kit.path, &ike));
    /* From ESP's own port the same is ESP of an SA that is not there. */
    kit_send_raw(&kit, kit.gateway, packet, 28);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 20 + 1));
    assert_false(datapath_take_ike(kit.path, &ike));
    close(fd);
}

/* The session opens the packets of such an SA by itself; they meet no TUN, whatever is in them. */
static void test_esp_of_an_spi_that_is_handed_over_goes_to_the_session(void **state)
{
    static const uint8_t esp[40] = {0x33, 0x44, 0x55, 0x66, 0, 0, 0, 1};

    kit_attach_tun(&kit);
    kit_send_raw(&kit, kit.gateway, esp, sizeof(esp));
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 1));
    datapath_hand_over(kit.path, 0x33445566);
    kit_send_raw(&kit, kit.gateway, esp, sizeof(esp));
    assert_true(get_ike());
    assert_int_equal(ike.n, sizeof(esp));
    assert_memory_equal(ike.bytes, esp, sizeof(esp));
    assert_int_equal(ike.from.port, kit.gateway_at.port);
    kit_send_raw(&kit, kit.gateway, esp, 7);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_MALFORMED, 1));
    assert_true(kit_silent(kit.tun));
    datapath_remove(kit.path, 0x33445566, 0);
    kit_send_raw(&kit, kit.gateway, esp, sizeof(esp));
    assert_true(kit_dropped(&kit, DATAPATH_DROP_UNKNOWN_SPI, 2));
    assert_false(datapath_take_ike(kit.path, &ike));
}

static void test_keepalives_and_scraps_are_not_ike(void **state)
{
    for (size_t n = 0; n < 8; n++)
        kit_send_raw(&kit, kit.gateway, "\xff\1\1\1\1\1\1", n);
    kit_send_raw(&kit, kit.gateway, "\0\0\0", 3);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_MALFORMED, 7));
    assert_int_equal(kit_stats(&kit).keepalives, 1);
    assert_false(datapath_take_ike(kit.path, &ike));
}

static void test_ike_that_is_too_long_or_not_read_is_dropped(void **state)
{
    memset(packet, 0, 60000);
    kit_send_raw(&kit, kit.gateway, packet, DATAPATH_IKE_MAX + 1);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_IKE, 1));
    kit_send_raw(&kit, kit.gateway, packet, DATAPATH_IKE_MAX);
    assert_true(get_ike());
    assert_int_equal(ike.n, DATAPATH_IKE_MAX);
    for (int i = 0; i < 2000; i++)
        kit_send_raw(&kit, kit.gateway, packet, 1000);
    for (int i = 0; i < 2000 && kit_stats(&kit).drops[DATAPATH_DROP_IKE] < 2; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_true(kit_stats(&kit).drops[DATAPATH_DROP_IKE] > 1);
    /* ESP goes on while the control thread sleeps. */
    kit_use(&kit, &pair);
    kit_attach_tun(&kit);
    expect_inbound_works();
}

static void test_ike_goes_out(void **state)
{
    uint64_t before = datapath_last_sent(kit.path);
    IkeAddress nowhere = {.family = 6, .port = 500};

    assert_int_equal(datapath_send(kit.path, &kit.gateway_at, (const uint8_t *)"hello", 5), 0);
    assert_int_equal(kit_get(kit.gateway, got, sizeof(got)), 5);
    assert_memory_equal(got, "hello", 5);
    assert_true(datapath_last_sent(kit.path) > before);
    assert_int_equal(datapath_send(kit.path, &nowhere, got, 5), -EAFNOSUPPORT);
    nowhere.family = 0;
    assert_int_equal(datapath_send(kit.path, &nowhere, got, 5), -EAFNOSUPPORT);
}

/* ---- outbound ---- */

static void test_what_no_sa_covers_is_dropped(void **state)
{
    static const char *const WRONG[][2] = {
        {"10.1.0.1", "192.169.0.1"}, {"10.1.0.2", "192.168.0.1"}, {"10.1.0.1", "224.0.0.251"}};

    for (size_t i = 0; i < 3; i++) {
        kit_packet(packet, 60, WRONG[i][0], WRONG[i][1]);
        assert_int_equal(send(kit.tun, packet, 60, 0), 60);
    }
    assert_int_equal(send(kit.tun, "\x45\0\0\1", 4, 0), 4);
    memset(packet, 0x60, 60); /* IPv6 where there is no IPv6 SA */
    assert_int_equal(send(kit.tun, packet, 60, 0), 60);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_NO_SA, 5));
    expect_outbound_works(&pair, "192.168.0.1");
    datapath_remove(kit.path, 0, pair.info.spi_out);
    kit_packet(packet, 60, "10.1.0.1", "192.168.0.1");
    assert_int_equal(send(kit.tun, packet, 60, 0), 60);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_NO_SA, 6));
    assert_true(kit_silent(kit.gateway));
}

static void test_the_most_specific_network_wins(void **state)
{
    static const char *const NETS[] = {"0.0.0.0/0", "192.168.7.0/24", "192.168.7.8/32",
                                       "192.168.7.0/25"};
    static const char *const HOSTS[] = {"8.8.8.8", "192.168.7.200", "192.168.7.8", "192.168.7.9"};
    KitPair more[4];

    for (unsigned i = 0; i < 4; i++) {
        kit_pair(&more[i], i + 1, "10.1.0.1/32", NETS[i]);
        kit_use(&kit, &more[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        expect_outbound_works(&more[i], HOSTS[i]);
    expect_outbound_works(&pair, "192.168.6.1");
    for (unsigned i = 0; i < 4; i++)
        kit_pair_clear(&more[i]);
}

/* Sends a packet to TUN that keeps the sending thread awake and one right behind a command, which
 * must leave by the SA that the command brought. */
static void replace_sa_behind_a_packet(KitPair *before, KitPair *after, size_t header)
{
    uint8_t bytes[10 + 99] = {0}; /* without offloads the virtio header is all zero */

    kit_packet(bytes + header, 99, "10.1.0.1", "192.168.3.4");
    assert_int_equal(send(kit.tun, bytes, header + 99, 0), header + 99);
    kit_use(&kit, after);
    assert_int_equal(send(kit.tun, bytes, header + 99, 0), header + 99);
    size_t n = kit_get(kit.gateway, got, sizeof(got));
    assert_true(n > 4); /* the first one, by either SA */
    assert_int_equal(kit_gateway_gets(&kit, after, got), 99);
    assert_memory_equal(got, bytes + header, 99);
    datapath_remove(kit.path, before->info.spi_in, 0);
    kit_pair_clear(before);
}

/* Whatever the thread is at just then: it has many chances to get it wrong. */
static void replace_sa_often(size_t header)
{
    enum { TIMES = 2000 };

    for (unsigned i = 1; i <= TIMES; i++) {
        KitPair next;

        kit_pair(&next, i, "10.1.0.1/32", "192.168.0.0/16");
        replace_sa_behind_a_packet(&pair, &next, header);
        pair = next;
    }
}

static void test_a_command_holds_for_the_packet_behind_it(void **state)
{
    replace_sa_often(0);
}

static void test_a_command_holds_with_virtio_headers_too(void **state)
{
    datapath_attach_tun(kit.path, kit.tun_inside, true);
    kit.tun_inside = -1;
    kit_use(&kit, &pair);
    replace_sa_often(10);
}

static void test_a_new_sa_takes_the_place_of_the_old(void **state)
{
    KitPair next;

    expect_outbound_works(&pair, "192.168.3.4");
    kit_pair(&next, 1, "10.1.0.1/32", "192.168.0.0/16");
    kit_use(&kit, &next);
    expect_outbound_works(&next, "192.168.3.4");
    /* The old SA is gone from this direction; its DELETE must not take the new one along. */
    datapath_remove(kit.path, 0, pair.info.spi_out);
    expect_outbound_works(&next, "192.168.3.4");
    /* The other direction knows both, until the gateway has changed over. */
    expect_inbound_works();
    kit_gateway_sends(&kit, &next, kit.gateway, packet, 99);
    kit_pair_clear(&next);
}

static void test_too_big_packets_are_answered(void **state)
{
    unsigned mtu = datapath_inner_mtu(pair.gateway_seal, &kit.gateway_at, KIT_MTU);

    assert_in_range(mtu, 1400, 1480);
    kit_packet(packet, mtu + 1, "10.1.0.1", "192.168.3.4");
    assert_int_equal(send(kit.tun, packet, mtu + 1, 0), mtu + 1);
    assert_true(kit_get(kit.tun, got, sizeof(got)) > 48);
    assert_int_equal(got[9], 1);
    assert_int_equal(got[20], 3);
    assert_int_equal(got[21], 4);
    assert_int_equal(got[26] << 8 | got[27], mtu);
    assert_memory_equal(got + 28, packet, 28);
    assert_memory_equal(got + 16, packet + 12, 4);
    assert_int_equal(kit_stats(&kit).drops[DATAPATH_DROP_TOO_BIG], 1);
    /* Longer than any buffer of the data path. */
    kit_packet(packet, 9000, "10.1.0.1", "192.168.3.4");
    assert_int_equal(send(kit.tun, packet, 9000, 0), 9000);
    assert_true(kit_get(kit.tun, got, sizeof(got)) > 48);
    kit_packet(packet, mtu, "10.1.0.1", "192.168.3.4");
    assert_int_equal(send(kit.tun, packet, mtu, 0), mtu);
    assert_int_equal(kit_gateway_gets(&kit, &pair, got), mtu);
    assert_memory_equal(got, packet, mtu);
}

static void test_a_burst_keeps_its_order_and_sizes(void **state)
{
    enum { N = 150 };

    for (unsigned i = 0; i < N; i++) {
        size_t n = i % 7 == 0 ? 100 + i : i % 11 == 0 ? 40 : 1200;

        kit_packet(packet, n, "10.1.0.1", "192.168.3.4");
        packet[4] = (uint8_t)i;
        assert_int_equal(send(kit.tun, packet, n, 0), n);
    }
    for (unsigned i = 0; i < N; i++) {
        size_t n = i % 7 == 0 ? 100 + i : i % 11 == 0 ? 40 : 1200;

        assert_int_equal(kit_gateway_gets(&kit, &pair, got), n);
        assert_int_equal(got[4], i);
    }
    assert_int_equal(kit_stats(&kit).packets_out, N);
}

#define RUNNING(test) cmocka_unit_test_setup_teardown(test, setup_running, teardown)
#define BEFORE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING(test_unknown_spi_goes_nowhere),
        RUNNING(test_forged_and_cut_packets_go_nowhere),
        RUNNING(test_replayed_packets_go_nowhere),
        RUNNING(test_inner_addresses_are_those_of_the_sa),
        BEFORE(test_esp_before_there_is_a_tun_is_dropped),
        RUNNING(test_a_removed_sa_is_deaf),
        BEFORE(test_ike_comes_by_marker_and_by_port),
        BEFORE(test_ike_comes_from_other_ports_too),
        BEFORE(test_esp_of_an_spi_that_is_handed_over_goes_to_the_session),
        BEFORE(test_keepalives_and_scraps_are_not_ike),
        BEFORE(test_ike_that_is_too_long_or_not_read_is_dropped),
        BEFORE(test_ike_goes_out),
        RUNNING(test_what_no_sa_covers_is_dropped),
        RUNNING(test_the_most_specific_network_wins),
        RUNNING(test_a_command_holds_for_the_packet_behind_it),
        BEFORE(test_a_command_holds_with_virtio_headers_too),
        RUNNING(test_a_new_sa_takes_the_place_of_the_old),
        RUNNING(test_too_big_packets_are_answered),
        RUNNING(test_a_burst_keeps_its_order_and_sizes),
    };

    return cmocka_run_group_tests_name("datapath", tests, NULL, NULL);
}

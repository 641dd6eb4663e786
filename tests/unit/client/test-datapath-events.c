/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the data path tells the control thread, how its threads bear changes under load, that they
 * sleep while nothing happens, and that they end.
 */
#undef NDEBUG
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

/* ---- events ---- */

static void test_first_packet_of_an_sa_is_an_event(void **state)
{
    DatapathEvent event;
    KitPair next;
    uint32_t spi;

    assert_int_equal(datapath_last_inbound(kit.path, NULL), 0);
    expect_inbound_works();
    assert_true(kit_event(&kit, DATAPATH_EVENT_INBOUND, &event));
    assert_int_equal(event.spi, pair.info.spi_in);
    assert_true(datapath_last_inbound(kit.path, &spi) > 0);
    assert_int_equal(spi, pair.info.spi_in);
    expect_inbound_works();
    kit_pair(&next, 1, "10.1.0.1/32", "192.168.0.0/16");
    kit_use(&kit, &next);
    kit_gateway_sends(&kit, &next, kit.gateway, packet, 77);
    assert_true(kit_event(&kit, DATAPATH_EVENT_INBOUND, &event));
    assert_int_equal(event.spi, next.info.spi_in);
    assert_false(datapath_next_event(kit.path, &event));
    kit_pair_clear(&next);
}

static void test_soft_limits_are_events(void **state)
{
    DatapathEvent event;
    KitPair next;

    kit_pair(&next, 1, "10.1.0.1/32", "192.168.0.0/16");
    esp_sa_set_soft_limit(next.in, 0, 3);
    esp_sa_set_soft_limit(next.out, 0, 2);
    kit_use(&kit, &next);
    for (int i = 0; i < 5; i++)
        expect_outbound_works(&next, "192.168.3.4");
    assert_true(kit_event(&kit, DATAPATH_EVENT_RENEW, &event));
    assert_int_equal(event.spi, next.info.spi_out);
    kit_packet(packet, 60, "192.168.3.4", "10.1.0.1");
    for (int i = 0; i < 5; i++)
        kit_gateway_sends(&kit, &next, kit.gateway, packet, 60);
    assert_true(kit_event(&kit, DATAPATH_EVENT_RENEW, &event));
    assert_int_equal(event.spi, next.info.spi_in);
    for (int i = 0; i < 5; i++)
        assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 60);
    assert_false(datapath_next_event(kit.path, &event));
    kit_pair_clear(&next);
}

/* A path is only named by packets that are authentic and new, and each path once. */
static void test_another_path_is_an_event(void **state)
{
    uint8_t room[200];
    EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = 60};
    DatapathEvent event;
    IkeAddress at = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    kit_packet(one.data, 60, "192.168.3.4", "10.1.0.1");
    assert_int_equal(esp_seal(pair.gateway_seal, &one, 1), 1);
    kit_send_raw(&kit, kit.gateway, one.data, one.n);
    assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 60);
    assert_true(kit_event(&kit, DATAPATH_EVENT_INBOUND, &event));
    kit_send_raw(&kit, fd, one.data, one.n);
    one.data[20] ^= 1;
    kit_send_raw(&kit, fd, one.data, one.n);
    assert_true(kit_dropped(&kit, DATAPATH_DROP_REPLAYED, 2));
    assert_false(datapath_next_event(kit.path, &event));
    kit_packet(packet, 60, "192.168.3.4", "10.1.0.1");
    for (int i = 0; i < 3; i++) {
        kit_gateway_sends(&kit, &pair, fd, packet, 60);
        assert_int_equal(kit_get(kit.tun, got, sizeof(got)), 60);
        if (i == 0) {
            assert_true(kit_event(&kit, DATAPATH_EVENT_PATH, &event));
            at = event.path;
        }
        assert_false(datapath_next_event(kit.path, &event));
    }
    assert_int_equal(at.family, 4);
    assert_int_not_equal(at.port, kit.gateway_at.port);
    /* The other way is taken when the control thread says so. */
    datapath_set_peer(kit.path, &kit.elsewhere_at, KIT_MTU);
    kit_packet(packet, 60, "10.1.0.1", "192.168.3.4");
    assert_int_equal(send(kit.tun, packet, 60, 0), 60);
    assert_true(kit_get(kit.elsewhere, got, sizeof(got)) > 60);
    close(fd);
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void test_silence_is_an_event_once_a_second(void **state)
{
    struct timespec start;
    DatapathEvent event;
    double said = 0;
    int silences = 0;

    expect_inbound_works();
    while (datapath_next_event(kit.path, &event))
        ;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (silences < 2 && seconds_since(&start) < 20) {
        expect_outbound_works(&pair, "192.168.3.4");
        while (datapath_next_event(kit.path, &event)) {
            double now = seconds_since(&start);

            assert_int_equal(event.type, DATAPATH_EVENT_SILENCE);
            assert_true(now - said > 0.9); /* not less than a second, but for our own delay */
            said = now;
            silences++;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_int_equal(silences, 2);
    expect_inbound_works();
    expect_outbound_works(&pair, "192.168.3.4");
    expect_inbound_works();
    assert_false(datapath_next_event(kit.path, &event));
}

static void test_a_tun_that_goes_is_an_event(void **state)
{
    DatapathEvent event;
    int ends[2];

    shutdown(kit.tun, SHUT_RDWR);
    assert_true(kit_event(&kit, DATAPATH_EVENT_TUN_GONE, &event));
    close(kit.tun);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    kit.tun = ends[0];
    datapath_attach_tun(kit.path, ends[1], false);
    expect_outbound_works(&pair, "192.168.3.4");
    expect_inbound_works();
}

/* ---- threads ---- */

static void *pour(void *data)
{
    uint8_t mine[1300];
    int *stop = data;

    kit_packet(mine, sizeof(mine), "10.1.0.1", "192.168.3.4");
    while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
        if (send(kit.tun, mine, sizeof(mine), MSG_DONTWAIT) < 0)
            sched_yield();
    return NULL;
}

static void *flood(void *data)
{
    uint8_t room[1500];
    EspSa *sa = pair.gateway_seal;
    int *stop = data;

    while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
        EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = 1300};

        kit_packet(one.data, one.n, "192.168.3.4", "10.1.0.1");
        if (esp_seal(sa, &one, 1) == 1)
            kit_send_raw(&kit, kit.gateway, one.data, one.n);
        recv(kit.tun, room, sizeof(room), MSG_DONTWAIT);
        recv(kit.gateway, room, sizeof(room), MSG_DONTWAIT);
    }
    return NULL;
}

/* SAs, peers and interfaces change under load in both directions; sanitizers watch. */
static void test_b11_rekeying_under_traffic(void **state)
{
    pthread_t threads[2];
    int stop = 0, ends[2];

    assert_int_equal(pthread_create(&threads[0], NULL, pour, &stop), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, flood, &stop), 0);
    for (unsigned i = 1; i < 400; i++) {
        KitPair next;

        kit_pair(&next, i, "10.1.0.1/32", "192.168.0.0/16");
        kit_use(&kit, &next);
        if (i % 3 == 0)
            datapath_remove(kit.path, KIT_SPI_IN + i - 1, KIT_SPI_OUT + i);
        if (i % 5 == 0)
            datapath_set_peer(kit.path, &kit.gateway_at, 1400 + i % 100);
        if (i % 50 == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0) {
            datapath_attach_tun(kit.path, ends[1], false);
            close(ends[0]);
        }
        kit_pair_clear(&next);
        (void)kit_stats(&kit);
        (void)datapath_last_inbound(kit.path, NULL);
    }
    kit.path = datapath_free(kit.path);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void test_the_end_is_prompt(void **state)
{
    struct timespec start, end;
    pthread_t thread;
    int stop = 0;

    assert_int_equal(pthread_create(&thread, NULL, pour, &stop), 0);
    assert_true(kit_gateway_gets(&kit, &pair, got) > 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    kit.path = datapath_free(kit.path);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - start.tv_sec < 5);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

/* Voluntary context switches of a thread of the data path; each wake-up is followed by one. */
static unsigned long sleeps_of(const char *task)
{
    char path[64], line[128];
    unsigned long n = 0;
    bool ours = false;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", task);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        ours = ours || strncmp(line, "Name:\tdialtone-", 15) == 0;
        (void)sscanf(line, "voluntary_ctxt_switches: %lu", &n);
    }
    if (file != NULL)
        fclose(file);
    return ours ? n : 0;
}

static unsigned long sleeps(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    unsigned long sum = 0;

    assert_non_null(tasks);
    while ((task = readdir(tasks)) != NULL)
        sum += sleeps_of(task->d_name);
    closedir(tasks);
    return sum;
}

static void test_idle_threads_do_not_wake(void **state)
{
    unsigned long before;

    expect_outbound_works(&pair, "192.168.3.4");
    expect_inbound_works();
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    before = sleeps();
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    assert_int_equal(sleeps(), before);
    assert_true(before > 0);
}

static void test_nothing_is_needed_to_end(void **state)
{
    KitPair unused;

    /* Commands that no thread has taken yet are freed with their SAs. */
    for (unsigned i = 0; i < 20; i++) {
        kit_pair(&unused, i, "10.1.0.1/32", "192.168.0.0/16");
        kit_use(&kit, &unused);
        kit_pair_clear(&unused);
    }
    kit.path = datapath_free(kit.path);
    assert_null(datapath_free(NULL));
}

#define RUNNING(test) cmocka_unit_test_setup_teardown(test, setup_running, teardown)
#define BEFORE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING(test_first_packet_of_an_sa_is_an_event),
        RUNNING(test_soft_limits_are_events),
        RUNNING(test_another_path_is_an_event),
        RUNNING(test_silence_is_an_event_once_a_second),
        RUNNING(test_a_tun_that_goes_is_an_event),
        RUNNING(test_b11_rekeying_under_traffic),
        RUNNING(test_the_end_is_prompt),
        RUNNING(test_idle_threads_do_not_wake),
        BEFORE(test_nothing_is_needed_to_end),
    };

    return cmocka_run_group_tests_name("datapath-events", tests, NULL, NULL);
}

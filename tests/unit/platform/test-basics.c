// SPDX-License-Identifier: GPL-2.0-or-later
/* Clock, timers, random bytes, memory for secrets, batches of datagrams. */
#include "kit.h"

#include "platform/address.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/random.h"
#include "platform/secret-memory.h"
#include "platform/udp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* ---- clock ---- */

static void test_the_clock_never_goes_back(void **state)
{
    uint64_t last = platform_clock_now();

    assert_true(last > 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t now = platform_clock_now();

        assert_true(now >= last);
        last = now;
    }
}

static void test_a_machine_is_the_same_one_each_time(void **state)
{
    char first[PLATFORM_MACHINE_ID_TEXT], second[PLATFORM_MACHINE_ID_TEXT];

    platform_machine_id(first);
    platform_machine_id(second);
    assert_string_equal(first, second);
    assert_true(first[0] != '\0' && strpbrk(first, "\n ") == NULL);
}

typedef struct Fired {
    unsigned n;
    uint64_t at;
} Fired;

static void on_fired(void *user_data)
{
    Fired *fired = user_data;

    fired->n++;
    fired->at = platform_clock_now();
}

static void run_for(unsigned ms)
{
    uint64_t end = platform_clock_now() + ms * MS;

    while (platform_clock_now() < end) {
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(1000);
    }
}

static void test_a_timer_fires_once_at_its_time_and_not_before(void **state)
{
    Fired fired = {0};
    g_autoptr(PlatformClockTimer) timer = platform_clock_timer_new(NULL, on_fired, &fired);
    uint64_t deadline = platform_clock_now() + 50 * MS;

    run_for(20);
    assert_int_equal(fired.n, 0);
    platform_clock_timer_set(timer, deadline);
    run_for(150);
    assert_int_equal(fired.n, 1);
    assert_true(fired.at >= deadline && fired.at < deadline + 100 * MS);
}

static void test_a_deadline_that_is_past_fires_at_once_even_zero(void **state)
{
    Fired fired = {0};
    g_autoptr(PlatformClockTimer) timer = platform_clock_timer_new(NULL, on_fired, &fired);

    platform_clock_timer_set(timer, platform_clock_now() - 1000 * MS);
    run_for(10);
    assert_int_equal(fired.n, 1);
    platform_clock_timer_set(timer, 0);
    run_for(10);
    assert_int_equal(fired.n, 2);
}

static void test_never_disarms_and_free_forgets(void **state)
{
    Fired fired = {0};
    PlatformClockTimer *timer = platform_clock_timer_new(NULL, on_fired, &fired);

    platform_clock_timer_set(timer, platform_clock_now() + 10 * MS);
    platform_clock_timer_set(timer, PLATFORM_CLOCK_NEVER);
    run_for(40);
    assert_int_equal(fired.n, 0);
    platform_clock_timer_set(timer, platform_clock_now() + 10 * MS);
    platform_clock_timer_free(timer);
    platform_clock_timer_free(NULL);
    run_for(40);
    assert_int_equal(fired.n, 0);
}

/* ---- random ---- */

static void test_random_bytes_fill_all_that_was_asked_for_and_no_more(void **state)
{
    uint8_t bytes[4096 + 2] = {0};
    unsigned seen[256] = {0}, different = 0;

    platform_random(bytes + 1, 4096);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[4097], 0);
    for (int i = 1; i <= 4096; i++)
        different += seen[bytes[i]]++ == 0;
    assert_true(different > 240);
    assert_true(platform_random_u32() != platform_random_u32() ||
                platform_random_u32() != platform_random_u32());
}

/* ---- secrets ---- */

/* The sanitizer makes mlock() do nothing, and say that it did. */
#ifdef __SANITIZE_ADDRESS__
enum { LOCKS_ARE_REAL = false };
#else
enum { LOCKS_ARE_REAL = true };
#endif

/* The line of /proc/self/smaps that describes this mapping's flags. */
static bool has_flag(const void *address, const char *flag)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false, found = false;

    while (fgets(line, sizeof line, file)) {
        unsigned long from, to;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = from <= (uintptr_t)address && (uintptr_t)address < to;
        if (inside && g_str_has_prefix(line, "VmFlags:"))
            found = strstr(line, flag) != NULL;
    }
    fclose(file);
    return found;
}

static void test_e14_secrets_are_locked_and_left_out_of_dumps_and_children(void **state)
{
    char *secret = platform_secret_alloc(6000);
    int status;

    assert_non_null(secret);
    assert_int_equal(platform_secret_size(secret), 6000);
    for (int i = 0; i < 6000; i++)
        assert_int_equal(secret[i], 0);
    strcpy(secret, "correct horse");
    assert_true(has_flag(secret, " dd"));
    assert_true(has_flag(secret, " wf"));
    if (LOCKS_ARE_REAL)
        assert_int_equal(has_flag(secret, " lo"), platform_secret_is_locked(secret));
    pid_t pid = fork();

    if (pid == 0)
        _exit(secret[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(secret, "correct horse");
    assert_null(platform_secret_free(secret));
    assert_null(platform_secret_free(NULL));
}

static void test_a_secret_that_cannot_be_locked_says_so(void **state)
{
    int status;

    if (!LOCKS_ARE_REAL)
        skip();
    pid_t pid = fork();

    if (pid == 0) {
        const struct rlimit none = {0, 0};

        /* Root may lock all the same. */
        if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 || (geteuid() == 0 && setuid(64000) < 0))
            _exit(2);
        char *secret = platform_secret_alloc(10);

        _exit(!secret || platform_secret_is_locked(secret));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_absurd_sizes_give_no_memory(void **state)
{
    assert_null(platform_secret_alloc(SIZE_MAX));
    assert_null(platform_secret_alloc(SIZE_MAX - 64));
    assert_null(platform_secret_alloc(SIZE_MAX / 2));
    void *empty = platform_secret_alloc(0);

    assert_non_null(empty);
    platform_secret_free(empty);
}

static void test_wiping_leaves_nothing(void **state)
{
    char text[] = "secret";

    platform_secret_wipe(text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++)
        assert_int_equal(text[i], 0);
}

/* ---- datagrams ---- */

typedef struct Pair {
    int a, b;
    struct sockaddr_storage to_b;
    socklen_t to_b_length;
} Pair;

static void open_pair(Pair *pair, int family)
{
    const PlatformUdpOptions options = {.family = family, .buffer = 200000, .dont_fragment = true};
    uint16_t port;
    PlatformAddress loopback;

    platform_address_parse(family == AF_INET ? "127.0.0.1" : "::1", &loopback);
    assert_int_equal(platform_udp_open(&options, &pair->a, &port), 0);
    assert_true(port > 0);
    assert_int_equal(platform_udp_open(&options, &pair->b, &port), 0);
    pair->to_b_length = platform_address_to_sockaddr(&loopback, port, &pair->to_b);
}

static void close_pair(Pair *pair)
{
    close(pair->a);
    close(pair->b);
}

static void await(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&watched, 1, 2000), 1);
}

static void exchange(int family)
{
    static uint8_t out[PLATFORM_UDP_BATCH][100], in[PLATFORM_UDP_BATCH][60];
    PlatformDatagram sent[PLATFORM_UDP_BATCH] = {0}, got[PLATFORM_UDP_BATCH] = {0};
    Pair pair;
    int n = 0;

    open_pair(&pair, family);
    for (size_t i = 0; i < PLATFORM_UDP_BATCH; i++) {
        memset(out[i], (int)i + 1, sizeof out[i]);
        sent[i] = (PlatformDatagram){
            .data = out[i], .length = i + 1, .peer = pair.to_b, .peer_length = pair.to_b_length};
        got[i] = (PlatformDatagram){.data = in[i], .capacity = sizeof in[i]};
    }
    assert_int_equal(platform_udp_receive(pair.b, got, PLATFORM_UDP_BATCH), -EAGAIN);
    assert_int_equal(platform_udp_send(pair.a, sent, PLATFORM_UDP_BATCH), PLATFORM_UDP_BATCH);
    while (n < PLATFORM_UDP_BATCH) {
        await(pair.b);
        int r = platform_udp_receive(pair.b, got + n, (size_t)(PLATFORM_UDP_BATCH - n));

        assert_true(r > 0);
        n += r;
    }
    for (size_t i = 0; i < PLATFORM_UDP_BATCH; i++) {
        PlatformAddress from;
        uint16_t port;

        assert_int_equal(got[i].truncated, i + 1 > sizeof in[i]);
        assert_int_equal(in[i][0], i + 1);
        assert_true(platform_address_from_sockaddr(&got[i].peer, &from, &port));
    }
    close_pair(&pair);
}

static void test_a_batch_arrives_in_order_and_what_does_not_fit_is_marked(void **state)
{
    exchange(AF_INET);
}

static void test_the_same_over_ipv6(void **state)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool usable = fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0;

    if (fd >= 0)
        close(fd);
    if (!usable)
        skip();
    exchange(AF_INET6);
}

static void test_more_than_a_batch_is_taken_a_batch_at_a_time(void **state)
{
    static uint8_t byte;
    PlatformDatagram sent[PLATFORM_UDP_BATCH + 5] = {0};
    Pair pair;

    open_pair(&pair, AF_INET);
    for (size_t i = 0; i < G_N_ELEMENTS(sent); i++)
        sent[i] = (PlatformDatagram){
            .data = &byte, .length = 1, .peer = pair.to_b, .peer_length = pair.to_b_length};
    assert_int_equal(platform_udp_send(pair.a, sent, G_N_ELEMENTS(sent)), PLATFORM_UDP_BATCH);
    close_pair(&pair);
}

static void test_other_families_and_marks_without_privilege_are_refused(void **state)
{
    int fd = -7, status;
    uint16_t port;

    assert_int_equal(platform_udp_open(&(PlatformUdpOptions){.family = AF_UNIX}, &fd, &port),
                     -EAFNOSUPPORT);
    assert_int_equal(fd, -7);
    pid_t pid = fork();

    if (pid == 0) {
        if (geteuid() == 0 && setuid(64000) < 0)
            _exit(2);
        _exit(platform_udp_open(&(PlatformUdpOptions){.family = AF_INET, .mark = 1}, &fd, &port) !=
              -EPERM);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_clock_never_goes_back),
        cmocka_unit_test(test_a_machine_is_the_same_one_each_time),
        cmocka_unit_test(test_a_timer_fires_once_at_its_time_and_not_before),
        cmocka_unit_test(test_a_deadline_that_is_past_fires_at_once_even_zero),
        cmocka_unit_test(test_never_disarms_and_free_forgets),
        cmocka_unit_test(test_random_bytes_fill_all_that_was_asked_for_and_no_more),
        cmocka_unit_test(test_e14_secrets_are_locked_and_left_out_of_dumps_and_children),
        cmocka_unit_test(test_a_secret_that_cannot_be_locked_says_so),
        cmocka_unit_test(test_absurd_sizes_give_no_memory),
        cmocka_unit_test(test_wiping_leaves_nothing),
        cmocka_unit_test(test_a_batch_arrives_in_order_and_what_does_not_fit_is_marked),
        cmocka_unit_test(test_the_same_over_ipv6),
        cmocka_unit_test(test_more_than_a_batch_is_taken_a_batch_at_a_time),
        cmocka_unit_test(test_other_families_and_marks_without_privilege_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A sleep that is noticed by the clocks. Relied on by each tunnel where there is no logind: one
 * that is missed leaves `connected` standing for a gateway that has long forgotten us; one that was
 * none has it asked for nothing. The clocks are played. */
#include "kit.h"

#include "platform/sleep-clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)

static int64_t monotonic, boot;
static bool plays;
static unsigned told, armed;
static uint64_t slept;
static int pipes[2];

int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_timerfd_create(int id, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *was);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    if (!plays || (id != CLOCK_MONOTONIC && id != CLOCK_BOOTTIME))
        return __real_clock_gettime(id, now);
    int64_t ns = id == CLOCK_BOOTTIME ? boot : monotonic;

    *now = (struct timespec){ns / SECOND, ns % SECOND};
    return 0;
}

/* The kernel's timer is one end of a pipe here. */
int __wrap_timerfd_create(int id, int flags)
{
    assert_int_equal(id, CLOCK_REALTIME);
    assert_int_equal(pipe(pipes), 0);
    return pipes[0];
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *was)
{
    assert_true(flags & TFD_TIMER_CANCEL_ON_SET);
    armed++;
    return 0;
}

static void on_slept(uint64_t how_long, void *user_data)
{
    told++;
    slept = how_long;
}

static PlatformSleepClock *clock_of_ours;

static int setup(void **state)
{
    plays = true;
    monotonic = 10 * HOUR;
    boot = monotonic + 3 * HOUR; /* it has slept before */
    told = armed = 0;
    clock_of_ours = platform_sleep_clock_new(on_slept, NULL);
    assert_non_null(clock_of_ours);
    return 0;
}

static int teardown(void **state)
{
    platform_sleep_clock_free(clock_of_ours);
    close(pipes[1]);
    plays = false;
    return 0;
}

static void pass(int64_t awake, int64_t asleep)
{
    monotonic += awake;
    boot += awake + asleep;
}

static void time_that_passes_is_no_sleep(void **state)
{
    for (int i = 0; i < 1000; i++) {
        pass(HOUR, 0);
        platform_sleep_clock_look(clock_of_ours);
    }
    assert_int_equal(told, 0);
}

static void eight_hours_are_told_once(void **state)
{
    pass(SECOND, 8 * HOUR);
    platform_sleep_clock_look(clock_of_ours);
    platform_sleep_clock_look(clock_of_ours);
    assert_int_equal(told, 1);
    assert_int_equal(slept, 8 * HOUR);
}

static void clocks_that_are_read_one_after_the_other_differ_by_little(void **state)
{
    for (int i = 0; i < 1000; i++) {
        pass(SECOND, i % 2 == 0 ? 1000000 : -1000000);
        platform_sleep_clock_look(clock_of_ours);
    }
    assert_int_equal(told, 0);
}

static void a_clock_that_steps_back_is_survived(void **state)
{
    pass(SECOND, -4 * HOUR);
    platform_sleep_clock_look(clock_of_ours);
    assert_int_equal(told, 0);
}

static void the_kernel_s_word_wakes_us_up(void **state)
{
    const uint64_t one = 1;

    pass(SECOND, HOUR);
    assert_int_equal(write(pipes[1], &one, sizeof one), sizeof one);
    g_main_context_iteration(NULL, FALSE);
    assert_int_equal(told, 1);
    assert_int_equal(armed, 2); /* for the next time */
    /* Somebody has set the clock. */
    assert_int_equal(write(pipes[1], &one, sizeof one), sizeof one);
    g_main_context_iteration(NULL, FALSE);
    assert_int_equal(told, 1);
    assert_int_equal(armed, 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(time_that_passes_is_no_sleep),
        CASE(eight_hours_are_told_once),
        CASE(clocks_that_are_read_one_after_the_other_differ_by_little),
        CASE(a_clock_that_steps_back_is_survived),
        CASE(the_kernel_s_word_wakes_us_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

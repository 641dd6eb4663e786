// SPDX-License-Identifier: GPL-2.0-or-later
/* The difference of CLOCK_BOOTTIME and CLOCK_MONOTONIC is the time that the machine has slept since
 * it was started. It is looked at when something wakes us up anyway, and when the kernel says so: a
 * timer on CLOCK_REALTIME that is to be cancelled when that clock is set (timerfd_create(2))
 * becomes readable when the machine resumes, for that sets it. So nothing has to be looked at again
 * and again. A clock that was set by hand wakes us up for nothing.
 */
#include "platform/sleep-clock.h"

#include <glib-unix.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
/* The two clocks are read one after the other. */
#define LEAST (NS_PER_S / 2)

struct PlatformSleepClock {
    int fd;
    GSource *source;
    uint64_t asleep; /* in all, when it was looked at last */
    PlatformSleepClockFunc func;
    void *user_data;
};

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t asleep(void)
{
    uint64_t monotonic = read_clock(CLOCK_MONOTONIC);
    uint64_t boot = read_clock(CLOCK_BOOTTIME);

    return boot > monotonic ? boot - monotonic : 0;
}

static void arm(const PlatformSleepClock *clock)
{
    /* Never reached; as far as a 32-bit time goes. */
    const struct itimerspec far = {.it_value.tv_sec = INT32_MAX};

    timerfd_settime(clock->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

void platform_sleep_clock_look(PlatformSleepClock *clock)
{
    uint64_t now = asleep();
    uint64_t slept = now > clock->asleep ? now - clock->asleep : 0;

    /* Small steps add up: the clocks of a virtual machine may differ by a little each time. */
    if (slept < LEAST)
        return;
    clock->asleep = now;
    clock->func(slept, clock->user_data);
}

static gboolean on_set(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformSleepClock *clock = user_data;
    uint64_t expirations;

    /* ECANCELED is what it is there for. */
    if (read(fd, &expirations, sizeof expirations) < 0 || expirations > 0)
        arm(clock);
    platform_sleep_clock_look(clock);
    return G_SOURCE_CONTINUE;
}

PlatformSleepClock *platform_sleep_clock_new(PlatformSleepClockFunc func, void *user_data)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd < 0)
        return NULL;
    PlatformSleepClock *clock = g_new0(PlatformSleepClock, 1);

    *clock =
        (PlatformSleepClock){.fd = fd, .asleep = asleep(), .func = func, .user_data = user_data};
    arm(clock);
    clock->source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(clock->source, G_SOURCE_FUNC(on_set), clock, NULL);
    g_source_attach(clock->source, g_main_context_get_thread_default());
    return clock;
}

void platform_sleep_clock_free(PlatformSleepClock *clock)
{
    if (!clock)
        return;
    g_source_destroy(clock->source);
    g_source_unref(clock->source);
    close(clock->fd);
    g_free(clock);
}

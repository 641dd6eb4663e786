// SPDX-License-Identifier: GPL-2.0-or-later
/* CLOCK_BOOTTIME as 64 bits of nanoseconds, and a timer on it.
 *
 * GLib's own timeouts stand still while the machine sleeps: a lifetime that ended meanwhile would
 * be noticed late. A timerfd on CLOCK_BOOTTIME fires at once after waking up.
 */
#include "platform/clock.h"

#include <glib-unix.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

struct PlatformClockTimer {
    int fd;
    GSource *source;
    PlatformClockFunc func;
    void *user_data;
};

uint64_t platform_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static gboolean on_timer(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformClockTimer *timer = user_data;
    uint64_t expirations;

    /* Set anew between poll and now: nothing to be read, and not yet time. */
    if (read(fd, &expirations, sizeof expirations) != sizeof expirations)
        return G_SOURCE_CONTINUE;
    timer->func(timer->user_data);
    return G_SOURCE_CONTINUE;
}

PlatformClockTimer *platform_clock_timer_new(GMainContext *context, PlatformClockFunc func,
                                             void *user_data)
{
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd < 0)
        return NULL;
    PlatformClockTimer *timer = g_new0(PlatformClockTimer, 1);

    timer->fd = fd;
    timer->func = func;
    timer->user_data = user_data;
    timer->source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(timer->source, G_SOURCE_FUNC(on_timer), timer, NULL);
    g_source_attach(timer->source, context ? context : g_main_context_get_thread_default());
    return timer;
}

void platform_clock_timer_set(PlatformClockTimer *timer, uint64_t deadline)
{
    struct itimerspec spec = {0};

    if (deadline != PLATFORM_CLOCK_NEVER) {
        /* All zero would disarm. */
        deadline = MAX(deadline, 1);
        spec.it_value.tv_sec = (time_t)(deadline / NS_PER_S);
        spec.it_value.tv_nsec = (long)(deadline % NS_PER_S);
    }
    timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void platform_clock_timer_free(PlatformClockTimer *timer)
{
    if (!timer)
        return;
    g_source_destroy(timer->source);
    g_source_unref(timer->source);
    close(timer->fd);
    g_free(timer);
}

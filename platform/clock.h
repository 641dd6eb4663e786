/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one clock: monotonic, and counting while the machine sleeps (CLOCK_BOOTTIME), in ns. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define PLATFORM_CLOCK_NEVER UINT64_MAX

uint64_t platform_clock_now(void);

/* A timer in a main context, on the same clock. One shot: set it again when it fired. */
typedef struct PlatformClockTimer PlatformClockTimer;
typedef void (*PlatformClockFunc)(void *user_data);

/* context NULL: the thread's default. NULL when the kernel has no timerfd left. */
PlatformClockTimer *platform_clock_timer_new(GMainContext *context, PlatformClockFunc func,
                                             void *user_data);
/* An absolute time of platform_clock_now(); one that is past fires at once; NEVER disarms. */
void platform_clock_timer_set(PlatformClockTimer *timer, uint64_t deadline);
void platform_clock_timer_free(PlatformClockTimer *timer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformClockTimer, platform_clock_timer_free)

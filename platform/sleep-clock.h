/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices that the machine was asleep, by its clocks: no other process is needed for it. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct PlatformSleepClock PlatformSleepClock;

/* How long it slept, in ns. */
typedef void (*PlatformSleepClockFunc)(uint64_t slept, void *user_data);

/* In the thread's default main context. NULL when the kernel has no timerfd left. */
PlatformSleepClock *platform_sleep_clock_new(PlatformSleepClockFunc func, void *user_data);
void platform_sleep_clock_free(PlatformSleepClock *clock);
/* Looks now, and tells at once: whoever wakes up first may be somebody else's timer. */
void platform_sleep_clock_look(PlatformSleepClock *clock);

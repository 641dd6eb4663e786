/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemd-logind says of sleep, where there is one. */
#pragma once

#include <glib.h>

typedef struct PlatformSleepWatch PlatformSleepWatch;

typedef enum PlatformSleep {
    PLATFORM_SLEEP_BEGINS, /* when the callback returns, the machine may sleep */
    PLATFORM_SLEEP_OVER,
} PlatformSleep;

/* In turn, and BEGINS first. */
typedef void (*PlatformSleepFunc)(PlatformSleep what, void *user_data);

/* In the thread's default main context. Waits for nobody, and fails never: without a bus, or
   without logind on it, nothing is told until there is one. */
PlatformSleepWatch *platform_sleep_watch_new(PlatformSleepFunc func, void *user_data);
void platform_sleep_watch_free(PlatformSleepWatch *watch);

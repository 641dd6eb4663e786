/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches over the routes and rules of a table, and says when some were taken away. */
#pragma once

#include <stdint.h>

typedef struct PlatformNetlinkGuard PlatformNetlinkGuard;

typedef void (*PlatformNetlinkGuardFunc)(void *user_data);

/* Calls func soon after a removal, our own ones included, in the thread's default main context.
   NULL where the kernel does not let us watch. */
PlatformNetlinkGuard *platform_netlink_guard_new(uint32_t table, PlatformNetlinkGuardFunc func,
                                                 void *user_data);
void platform_netlink_guard_free(PlatformNetlinkGuard *guard);

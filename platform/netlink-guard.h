/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches over the routes and rules of a table, and says when some were taken away. */
#pragma once

#include "platform/netlink.h"
#include "platform/restorer.h"

#include <stdint.h>

typedef struct PlatformNetlinkGuard PlatformNetlinkGuard;

/* Has it restored soon after a removal by anybody but @own, in the thread's default main context.
   NULL where the kernel does not let us watch. */
PlatformNetlinkGuard *platform_netlink_guard_new(uint32_t table, const PlatformNetlink *own,
                                                 const PlatformRestorerSetup *setup);
void platform_netlink_guard_free(PlatformNetlinkGuard *guard);

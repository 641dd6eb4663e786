/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches over the routes and rules of a table, and says when some were taken away. */
#pragma once

#include <stdint.h>

typedef struct HelperGuard HelperGuard;

typedef void (*HelperGuardFunc)(void *user_data);

/* Calls func soon after a removal, our own ones included, in the thread's default main context.
   NULL where the kernel does not let us watch. */
HelperGuard *helper_guard_new(uint32_t table, HelperGuardFunc func, void *user_data);
void helper_guard_free(HelperGuard *guard);

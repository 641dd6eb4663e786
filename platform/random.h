/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random bytes of the kernel. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Never gives less than asked for; waits only before the kernel's pool was first seeded. Aborts
   where the kernel refuses getrandom(2), for no caller could go on. */
void platform_random(void *data, size_t n);
uint32_t platform_random_u32(void);

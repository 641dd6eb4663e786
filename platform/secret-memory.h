/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for secrets: locked, left out of core dumps and of children, wiped when freed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; at least one page each, so for a handful of secrets. NULL when there is no memory. */
void *platform_secret_alloc(size_t n);
/* Takes what platform_secret_alloc() gave, or NULL. Returns NULL. */
void *platform_secret_free(void *secret);
/* False when the limit on locked memory forbade to lock it: it could be swapped out. */
bool platform_secret_is_locked(const void *secret);
size_t platform_secret_size(const void *secret);
/* Not optimised away. For secrets that passed through other memory. */
void platform_secret_wipe(void *data, size_t n);

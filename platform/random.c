// SPDX-License-Identifier: GPL-2.0-or-later
/* Random bytes straight from getrandom(2): no descriptor that could be missing in a sandbox, and no
 * state in the process that a fork could copy.
 */
#include "platform/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void platform_random(void *data, size_t n)
{
    uint8_t *p = data;

    while (n > 0) {
        ssize_t r = getrandom(p, n, 0);

        if (r < 0) {
            if (errno == EINTR)
                continue;
            abort();
        }
        p += r;
        n -= (size_t)r;
    }
}

uint32_t platform_random_u32(void)
{
    uint32_t value;

    platform_random(&value, sizeof value);
    return value;
}

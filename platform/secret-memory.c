// SPDX-License-Identifier: GPL-2.0-or-later
/* One mapping a secret, so that locking, MADV_DONTDUMP and wiping never touch a neighbour.
 *
 * A header stands before the secret in the same mapping. The mapping is wiped in children too
 * (MADV_WIPEONFORK), so only the process that made a secret has it.
 */
#include "platform/secret-memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Header {
    size_t mapped;
    size_t size;
    bool locked;
} Header;

enum { HEADER_SIZE = 64 };
_Static_assert(sizeof(Header) <= HEADER_SIZE, "the header has to fit");

static Header *header_of(const void *secret)
{
    return (Header *)((uintptr_t)secret - HEADER_SIZE);
}

void *platform_secret_alloc(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (n > SIZE_MAX - HEADER_SIZE - page)
        return NULL;
    size_t mapped = (n + HEADER_SIZE + page - 1) / page * page;
    void *map = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    /* Fails only where the kernel lacks them; the process is not dumpable anyway. */
    madvise(map, mapped, MADV_DONTDUMP);
    madvise(map, mapped, MADV_WIPEONFORK);
    bool locked = mlock(map, mapped) == 0;
    Header *header = map;

    *header = (Header){.mapped = mapped, .size = n, .locked = locked};
    return (uint8_t *)map + HEADER_SIZE;
}

void *platform_secret_free(void *secret)
{
    if (!secret)
        return NULL;
    Header *header = header_of(secret);
    size_t mapped = header->mapped;

    platform_secret_wipe(header, mapped);
    munmap(header, mapped);
    return NULL;
}

bool platform_secret_is_locked(const void *secret)
{
    return header_of(secret)->locked;
}

size_t platform_secret_size(const void *secret)
{
    return header_of(secret)->size;
}

void platform_secret_wipe(void *data, size_t n)
{
    explicit_bzero(data, n);
}

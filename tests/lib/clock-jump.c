/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sleep of hours for a process that is tested, by LD_PRELOAD: CLOCK_BOOTTIME goes ahead by what
 * stands in a file ($DIALTONE_TEST_SLEPT: nanoseconds, 8 bytes), as after a resume. Timers on it,
 * and those that the kernel would cancel at a resume, are looked at five times a second: to whoever
 * set them they fire early, or for nothing, which does no harm.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define LOOK     (NS_PER_S / 5)

enum { FDS = 1024 };

typedef int (*GetTime)(clockid_t id, struct timespec *now);
typedef int (*Create)(int id, int flags);
typedef int (*SetTime)(int fd, int flags, const struct itimerspec *to, struct itimerspec *was);

static const volatile int64_t *slept; /* NULL: nothing is changed */
static char clocks[FDS];              /* of timers; 0: not one of those */
static GetTime real_gettime;
static Create real_create;
static SetTime real_settime;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DIALTONE_TEST_SLEPT");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    real_gettime = (GetTime)dlsym(RTLD_NEXT, "clock_gettime");
    real_create = (Create)dlsym(RTLD_NEXT, "timerfd_create");
    real_settime = (SetTime)dlsym(RTLD_NEXT, "timerfd_settime");
    if (fd < 0)
        return;
    void *page = mmap(NULL, sizeof(*slept), PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        slept = page;
    close(fd);
}

static int64_t ahead(void)
{
    return slept != NULL ? *slept : 0;
}

static int64_t to_ns(const struct timespec *t)
{
    return t->tv_sec * NS_PER_S + t->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
    return (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int r = real_gettime(id, now);

    if (r == 0 && id == CLOCK_BOOTTIME)
        *now = from_ns(to_ns(now) + ahead());
    return r;
}

int timerfd_create(int id, int flags)
{
    int fd = real_create(id, flags);

    if (fd >= 0 && fd < FDS)
        clocks[fd] = (char)id;
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *was)
{
    const struct itimerspec look = {.it_interval = from_ns(LOOK), .it_value = from_ns(LOOK)};
    struct timespec now;

    if (slept == NULL || fd < 0 || fd >= FDS || to_ns(&to->it_value) == 0)
        return real_settime(fd, flags, to, was);
    if ((flags & TFD_TIMER_CANCEL_ON_SET) != 0)
        return real_settime(fd, 0, &look, was);
    if (clocks[fd] != CLOCK_BOOTTIME || (flags & TFD_TIMER_ABSTIME) == 0)
        return real_settime(fd, flags, to, was);
    real_gettime(CLOCK_BOOTTIME, &now);
    int64_t when = to_ns(&to->it_value) - ahead(), soon = to_ns(&now) + LOOK;
    when = when < 1 ? 1 : when;
    const struct itimerspec sooner = {.it_value = from_ns(when < soon ? when : soon)};
    return real_settime(fd, flags, &sooner, was);
}

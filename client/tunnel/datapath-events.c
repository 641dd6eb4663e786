/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the threads of the data path tell the control thread: events, times, counters. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/tunnel/datapath-private.h"

static bool same_event(const DatapathEvent *a, const DatapathEvent *b)
{
    return a->type == b->type && a->spi == b->spi && a->error == b->error &&
           a->offload == b->offload && datapath_same_address(&a->path, &b->path);
}

static bool queued(const DatapathEvents *events, const DatapathEvent *event)
{
    for (size_t i = 0; i < events->n; i++)
        if (same_event(&events->ring[(events->first + i) % DATAPATH_EVENTS], event))
            return true;
    return false;
}

void datapath_raise(Datapath *path, const DatapathEvent *event)
{
    DatapathEvents *events = &path->events;
    ssize_t written;

    pthread_mutex_lock(&events->lock);
    /* A full ring belongs to a control thread that has been deaf for a thousand events. */
    if (!queued(events, event) && events->n < DATAPATH_EVENTS) {
        events->ring[(events->first + events->n++) % DATAPATH_EVENTS] = *event;
        written = write(events->fd, &(uint64_t){1}, sizeof(uint64_t));
        (void)written;
    }
    pthread_mutex_unlock(&events->lock);
}

bool datapath_next_event(Datapath *self, DatapathEvent *event)
{
    DatapathEvents *events = &self->events;
    bool some;

    pthread_mutex_lock(&events->lock);
    some = events->n > 0;
    if (some) {
        *event = events->ring[events->first];
        events->first = (events->first + 1) % DATAPATH_EVENTS;
        events->n--;
    } else {
        uint64_t count;
        ssize_t taken = read(events->fd, &count, sizeof(count));

        (void)taken;
    }
    pthread_mutex_unlock(&events->lock);
    return some;
}

int datapath_event_fd(const Datapath *self)
{
    return self->events.fd;
}

/* ---- offloads ---- */

unsigned datapath_offloads(const Datapath *self)
{
    return __atomic_load_n(&self->offloads, __ATOMIC_RELAXED);
}

bool datapath_offload_use(Datapath *path, DialtoneOffload offload, bool on)
{
    if (on && (path->without & offload) == 0) {
        __atomic_fetch_or(&path->offloads, offload, __ATOMIC_RELAXED);
        return true;
    }
    __atomic_fetch_and(&path->offloads, ~(unsigned)offload, __ATOMIC_RELAXED);
    return false;
}

/* After each run of packets, so the constant itself is compared and not its text. */
void datapath_note_provider(Datapath *path, const char *provider)
{
    if (provider == path->provider)
        return;
    path->provider = provider;
    datapath_offload_use(path, DIALTONE_OFFLOAD_MULTI_BUFFER, strcmp(provider, "OpenSSL") != 0);
}

void datapath_offload_refused(Datapath *path, DialtoneOffload offload, int error)
{
    DatapathEvent event = {.type = DATAPATH_EVENT_OFFLOAD, .offload = offload, .error = error};

    datapath_offload_use(path, offload, false);
    if ((__atomic_fetch_or(&path->refused, offload, __ATOMIC_RELAXED) & offload) == 0)
        datapath_raise(path, &event);
}

/* ---- times and counters ---- */

/* Either the control thread, which asks and then reads, sees what was counted, or the thread that
 * counted sees that it was asked. */
void datapath_watch_traffic(Datapath *self)
{
    __atomic_store_n(&self->traffic_wanted, 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void datapath_tell_traffic(Datapath *path)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&path->traffic_wanted, __ATOMIC_RELAXED) &&
        __atomic_exchange_n(&path->traffic_wanted, 0, __ATOMIC_RELAXED))
        datapath_raise(path, &(DatapathEvent){.type = DATAPATH_EVENT_TRAFFIC});
}

uint64_t datapath_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * IKE_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t datapath_last_inbound(const Datapath *self, uint32_t *spi)
{
    if (spi != NULL)
        *spi = __atomic_load_n(&self->last_inbound_spi, __ATOMIC_RELAXED);
    return __atomic_load_n(&self->last_inbound, __ATOMIC_RELAXED);
}

uint64_t datapath_last_sent(const Datapath *self)
{
    return __atomic_load_n(&self->last_sent, __ATOMIC_RELAXED);
}

/* The struct is nothing but counters, and each has one writer. */
void datapath_stats(const Datapath *self, DatapathStats *stats)
{
    const uint64_t *a = (const uint64_t *)&self->send_stats;
    const uint64_t *b = (const uint64_t *)&self->receive_stats;
    uint64_t *sum = (uint64_t *)stats;

    for (size_t i = 0; i < sizeof(*stats) / sizeof(uint64_t); i++)
        sum[i] =
            __atomic_load_n(&a[i], __ATOMIC_RELAXED) + __atomic_load_n(&b[i], __ATOMIC_RELAXED);
}

const char *datapath_drop_name(DatapathDrop drop)
{
    static const char *const NAMES[DATAPATH_DROPS] = {
        [DATAPATH_DROP_NO_SA] = "no-sa",
        [DATAPATH_DROP_TOO_BIG] = "too-big",
        [DATAPATH_DROP_EXHAUSTED] = "exhausted",
        [DATAPATH_DROP_SEND] = "send",
        [DATAPATH_DROP_UNKNOWN_SPI] = "unknown-spi",
        [DATAPATH_DROP_MALFORMED] = "malformed",
        [DATAPATH_DROP_REPLAYED] = "replayed",
        [DATAPATH_DROP_FORGED] = "forged",
        [DATAPATH_DROP_SELECTOR] = "selector",
        [DATAPATH_DROP_TUN] = "tun",
        [DATAPATH_DROP_IKE] = "ike",
    };

    return drop < DATAPATH_DROPS ? NAMES[drop] : NULL;
}

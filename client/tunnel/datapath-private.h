/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the data path share. Who owns what:
 *
 * - An SA, its selectors and the peer's address belong to one thread. The control thread sends a
 *   command; the thread takes it before it looks at packets that came later, and frees what it no
 *   longer needs. So no packet meets a lock.
 * - Counters and times have one writing thread and are read with relaxed atomics.
 * - Events go the other way, under a lock that is taken once an event.
 */
#ifndef CLIENT_TUNNEL_DATAPATH_PRIVATE_H
#define CLIENT_TUNNEL_DATAPATH_PRIVATE_H

#include <pthread.h>
#include <sys/socket.h>

#include "client/tunnel/datapath-inbox.h"
#include "client/tunnel/datapath.h"

enum {
    DATAPATH_BATCH = 256, /* packets of one round: some large packets of TUN, which fit the cache */
    DATAPATH_SLOT = 2048,
    DATAPATH_INNER_MAX = DATAPATH_SLOT - ESP_HEAD_ROOM - ESP_TAIL_ROOM,
    DATAPATH_SAS = 256, /* a direction: every network, its former SA, and room */
    DATAPATH_EVENTS = 1024,
};

/* ---- the data path ---- */

typedef struct DatapathSender DatapathSender;
typedef struct DatapathReceiver DatapathReceiver;

typedef struct DatapathEvents {
    pthread_mutex_t lock;
    DatapathEvent ring[DATAPATH_EVENTS];
    size_t first, n;
    int fd; /* eventfd */
} DatapathEvents;

struct Datapath {
    int udp4, udp6;
    int esp4, esp6; /* raw, -1: none */
    uint16_t ike_port;
    DatapathSizes sizes;
    int ike_in, ike_out; /* the receiving thread's and the control thread's end */
    DatapathInbox send_inbox, receive_inbox;
    DatapathSender *sender;
    DatapathReceiver *receiver;
    pthread_t send_thread, receive_thread;
    bool sending, receiving; /* the threads run */
    DatapathEvents events;

    uint64_t last_inbound, last_sent; /* atomics */
    uint32_t last_inbound_spi;        /* atomic */
    uint32_t inner_mtu;               /* atomic; of the narrowest outbound SA, 0: none */
    unsigned without;                 /* offloads that are not to be used */
    unsigned offloads, refused;       /* atomics: those in use; those that events were raised for */
    const char *provider;             /* of the sending thread's SAs, as it was noted last */
    int traffic_wanted;               /* atomic: the next packet raises an event */
    DatapathStats send_stats, receive_stats;
};

/* Tells the control thread, once. */
void datapath_tun_lost(Datapath *path, DatapathTun *tun, int error);
/* TUN refused a packet. True: it is gone for good, do not touch it any more. */
bool datapath_tun_refused(Datapath *path, DatapathTun *tun, int error);

static inline void datapath_tun_works(DatapathTun *tun)
{
    if (!__atomic_load_n(&tun->worked, __ATOMIC_RELAXED))
        __atomic_store_n(&tun->worked, 1, __ATOMIC_RELAXED);
}

/* What a thread of the data path does first: takes its name, and becomes batch work (sched(7)). The
 * two wake each other, and whoever is to handle what they have just made: so none takes the
 * processor from one that is in the middle of a round, and each finds more to do when its turn
 * comes. Where that is refused, nothing but time is lost. By the thread itself, which alone may
 * give itself a name in the tunnel's sandbox. */
void datapath_begin_thread(const char *name);

DatapathSender *datapath_sender_new(Datapath *path);
DatapathSender *datapath_sender_free(DatapathSender *sender);
void *datapath_sender_run(void *sender);
DatapathReceiver *datapath_receiver_new(Datapath *path);
DatapathReceiver *datapath_receiver_free(DatapathReceiver *receiver);
void *datapath_receiver_run(void *receiver);

/* From now on it is in use, if `on` and the profile let it, or is not. Returns that. */
bool datapath_offload_use(Datapath *path, DialtoneOffload offload, bool on);
/* Whose ciphers an SA uses now: whether packets are encrypted several at a time. */
void datapath_note_provider(Datapath *path, const char *provider);
/* It is not used from now on; the control thread is told, once. */
void datapath_offload_refused(Datapath *path, DialtoneOffload offload, int error);

/* After each round that counted something. */
void datapath_tell_traffic(Datapath *path);

/* An event that waits already in the same words is not queued twice. */
void datapath_raise(Datapath *path, const DatapathEvent *event);

uint64_t datapath_now(void);
socklen_t datapath_to_sockaddr(const IkeAddress *address, struct sockaddr_storage *to);
bool datapath_from_sockaddr(const struct sockaddr_storage *from, IkeAddress *address);
bool datapath_same_address(const IkeAddress *a, const IkeAddress *b);

static inline void datapath_count(uint64_t *counter, uint64_t more)
{
    __atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

#endif

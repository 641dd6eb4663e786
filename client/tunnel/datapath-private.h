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

#include "client/tunnel/datapath.h"
#include "client/tunnel/selectors.h"

enum {
    DATAPATH_BATCH = 64, /* packets of one round; also what one UDP_SEGMENT may carry */
    DATAPATH_SLOT = 2048,
    DATAPATH_INNER_MAX = DATAPATH_SLOT - ESP_HEAD_ROOM - ESP_TAIL_ROOM,
    DATAPATH_SAS = 256, /* a direction: every network, its former SA, and room */
    DATAPATH_EVENTS = 1024,
};

/* A TUN is written by both threads and closed by the last that lets it go. */
typedef struct DatapathTun {
    int fd;
    bool vnet;
    int holders;
    int worked; /* it has taken or given a packet */
    int lost;   /* the control thread has been told that it is gone */
} DatapathTun;

DatapathTun *datapath_tun_new(int fd, bool vnet, int holders);
DatapathTun *datapath_tun_release(DatapathTun *tun);
/* One finished packet; 0 or a negative errno. */
int datapath_tun_write(const DatapathTun *tun, const uint8_t *packet, size_t n);

/* ---- commands ---- */

typedef enum DatapathCommandKind {
    DATAPATH_COMMAND_SA,     /* add or replace; inbound without .sa: .spi is handed over */
    DATAPATH_COMMAND_REMOVE, /* .spi */
    DATAPATH_COMMAND_PEER,
    DATAPATH_COMMAND_TUN,
} DatapathCommandKind;

typedef struct DatapathCommand DatapathCommand;
struct DatapathCommand {
    DatapathCommand *next;
    DatapathCommandKind kind;
    EspSa *sa;
    Selectors selectors;
    uint32_t spi;
    IkeAddress peer;
    unsigned path_mtu;
    DatapathTun *tun;
};

typedef struct DatapathInbox {
    pthread_mutex_t lock;
    DatapathCommand *first, **end;
    int waiting; /* something is there, or the thread is to end; read without the lock */
    bool stop;
    int wake; /* eventfd */
} DatapathInbox;

int datapath_inbox_init(DatapathInbox *inbox);
void datapath_inbox_clear(DatapathInbox *inbox);
/* Takes the command's SA and TUN over. */
void datapath_inbox_post(DatapathInbox *inbox, const DatapathCommand *command);
void datapath_inbox_stop(DatapathInbox *inbox);
/* All commands, to be freed one by one; false: the thread is to end. */
bool datapath_inbox_take(DatapathInbox *inbox, DatapathCommand **list);
/* Frees a command whose SA and TUN were taken out or are not wanted. Returns the next one. */
DatapathCommand *datapath_command_free(DatapathCommand *command);

static inline bool datapath_inbox_waiting(const DatapathInbox *inbox)
{
    return __atomic_load_n(&inbox->waiting, __ATOMIC_ACQUIRE) != 0;
}

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

DatapathSender *datapath_sender_new(Datapath *path);
DatapathSender *datapath_sender_free(DatapathSender *sender);
void *datapath_sender_run(void *sender);
DatapathReceiver *datapath_receiver_new(Datapath *path);
DatapathReceiver *datapath_receiver_free(DatapathReceiver *receiver);
void *datapath_receiver_run(void *receiver);

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

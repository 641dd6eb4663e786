/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both threads of the data path hold: the interface, and the inbox of commands. */
#ifndef CLIENT_TUNNEL_DATAPATH_INBOX_H
#define CLIENT_TUNNEL_DATAPATH_INBOX_H

#include <pthread.h>

#include "client/tunnel/datapath.h"
#include "client/tunnel/selectors.h"

/* A TUN is written by both threads and closed by the last that lets it go. */
typedef struct DatapathTun {
    int fd;
    bool vnet;  /* it was opened with IFF_VNET_HDR, */
    bool large; /* and takes and gives large packets */
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

#endif

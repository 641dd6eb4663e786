/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both threads of the data path hold: the interface, and the inbox of commands. A busy thread
 * sees a flag between two batches and an idle one wakes by its eventfd; neither takes the lock when
 * there is nothing. The flag is set before the control thread does anything that could bring
 * packets of a new SA about, hence a thread that looks at it after receiving knows the SA.
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/tunnel/datapath-private.h"
#include "client/tunnel/datapath-split.h"

DatapathTun *datapath_tun_new(int fd, bool vnet, int holders)
{
    DatapathTun *tun = g_new0(DatapathTun, 1);

    *tun = (DatapathTun){.fd = fd, .vnet = vnet, .holders = holders};
    return tun;
}

DatapathTun *datapath_tun_release(DatapathTun *tun)
{
    if (tun == NULL || __atomic_sub_fetch(&tun->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return NULL;
    close(tun->fd);
    g_free(tun);
    return NULL;
}

int datapath_tun_write(const DatapathTun *tun, const uint8_t *packet, size_t n)
{
    struct virtio_net_hdr header = {0}; /* nothing is left to the kernel */
    struct iovec parts[2] = {{&header, SPLIT_VNET_HEADER}, {(void *)packet, n}};
    int skip = tun->vnet ? 0 : 1;

    return writev(tun->fd, parts + skip, 2 - skip) < 0 ? -errno : 0;
}

void datapath_tun_lost(Datapath *path, DatapathTun *tun, int error)
{
    if (!__atomic_exchange_n(&tun->lost, 1, __ATOMIC_RELAXED))
        datapath_raise(path, &(DatapathEvent){.type = DATAPATH_EVENT_TUN_GONE, .error = error});
}

/* EIO says that the interface is down. So is each before it is set up, and that is no news; one
 * that worked was taken down by somebody. */
bool datapath_tun_refused(Datapath *path, DatapathTun *tun, int error)
{
    bool gone = error == EBADFD || error == EBADF || error == ENODEV || error == EPIPE;

    if (gone || (error == EIO && __atomic_load_n(&tun->worked, __ATOMIC_RELAXED)))
        datapath_tun_lost(path, tun, error);
    return gone;
}

int datapath_inbox_init(DatapathInbox *inbox)
{
    *inbox = (DatapathInbox){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (inbox->wake < 0)
        return -errno;
    inbox->end = &inbox->first;
    pthread_mutex_init(&inbox->lock, NULL);
    return 0;
}

void datapath_inbox_clear(DatapathInbox *inbox)
{
    if (inbox->end == NULL)
        return;
    while (inbox->first != NULL)
        inbox->first = datapath_command_free(inbox->first);
    close(inbox->wake);
    pthread_mutex_destroy(&inbox->lock);
    inbox->end = NULL;
}

static void wake(DatapathInbox *inbox)
{
    ssize_t written;

    __atomic_store_n(&inbox->waiting, 1, __ATOMIC_RELEASE);
    /* It can only fail when the counter is full, and then the thread wakes anyway. */
    written = write(inbox->wake, &(uint64_t){1}, sizeof(uint64_t));
    (void)written;
}

void datapath_inbox_post(DatapathInbox *inbox, const DatapathCommand *command)
{
    DatapathCommand *copy = g_new(DatapathCommand, 1);

    *copy = *command;
    copy->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    *inbox->end = copy;
    inbox->end = &copy->next;
    pthread_mutex_unlock(&inbox->lock);
    wake(inbox);
}

void datapath_inbox_stop(DatapathInbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->stop = true;
    pthread_mutex_unlock(&inbox->lock);
    wake(inbox);
}

bool datapath_inbox_take(DatapathInbox *inbox, DatapathCommand **list)
{
    ssize_t taken;
    uint64_t count;
    bool stop;

    pthread_mutex_lock(&inbox->lock);
    /* The end is not taken from the inbox: whoever looks again sees it again. */
    __atomic_store_n(&inbox->waiting, inbox->stop, __ATOMIC_RELAXED);
    taken = read(inbox->wake, &count, sizeof(count));
    (void)taken; /* nothing to read: the flag was seen before the eventfd was written */
    *list = inbox->first;
    inbox->first = NULL;
    inbox->end = &inbox->first;
    stop = inbox->stop;
    pthread_mutex_unlock(&inbox->lock);
    return !stop;
}

DatapathCommand *datapath_command_free(DatapathCommand *command)
{
    DatapathCommand *next = command->next;

    esp_sa_free(command->sa);
    datapath_tun_release(command->tun);
    g_free(command);
    return next;
}

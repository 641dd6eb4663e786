/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What remains of the data path without ESP, selectors, replay windows and commands. Like it, it
 * has a thread for each direction, takes large packets from TUN, cuts them, sends trains of equal
 * datagrams by UDP_SEGMENT, reads them back by UDP_GRO and joins them before the write to TUN; it
 * cuts and joins by the same code, for a checksum is due a segment, encrypted or not. Where the
 * data path hands single buffers to the kernel, a train stands here in one piece.
 */
#include "tests/bench/bare-relay.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/tunnel/datapath-join.h"
#include "client/tunnel/datapath-split.h"

enum {
    BATCH = 256, /* packets of one round */
    TRAIN = 64,  /* datagrams of one message, */
    TRAIN_BYTES = 65000,
    PACKET_MAX = 1500,
    MESSAGES = 32, /* of one recvmmsg */
    MESSAGE_SIZE = 65536,
};

/* As the data path's threads are. */
static void become_batch_work(void)
{
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &(struct sched_param){0});
}

/* For a control message with a uint16_t or an int in it. */
typedef union Control {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(int))];
} Control;

typedef struct Relay {
    int tun, udp;

    uint8_t super[SPLIT_SUPER_MAX];
    Split split;
    uint8_t out[BATCH * PACKET_MAX]; /* packets one behind the other */
    size_t sizes[BATCH], n, bytes;

    uint8_t in[MESSAGES][MESSAGE_SIZE];
    Join join;
} Relay;

/* ---- TUN to UDP ---- */

/* Fills the batch; false: TUN is empty. */
static bool fill(Relay *relay)
{
    while (relay->n < BATCH) {
        ssize_t got;

        if (!split_done(&relay->split)) {
            size_t size = split_size(&relay->split);

            if (size > PACKET_MAX) {
                relay->split = (Split){0};
                continue;
            }
            split_next(&relay->split, relay->out + relay->bytes);
            relay->sizes[relay->n++] = size;
            relay->bytes += size;
            continue;
        }
        got = read(relay->tun, relay->super, sizeof(relay->super));
        if (got <= 0)
            return false;
        if (!split_begin(&relay->split, relay->super, (size_t)got))
            relay->split = (Split){0};
    }
    return true;
}

/* How many packets from `first` on make a train, and its bytes. */
static size_t train_of(const Relay *relay, size_t first, size_t *bytesp)
{
    size_t size = relay->sizes[first], total = 0, i = first;

    while (i < relay->n && i - first < TRAIN && relay->sizes[i] <= size &&
           total + size <= TRAIN_BYTES) {
        total += relay->sizes[i];
        if (relay->sizes[i++] < size)
            break;
    }
    *bytesp = total;
    return i - first;
}

static void set_segment_size(struct msghdr *message, Control *control, size_t size)
{
    uint16_t value = (uint16_t)size;

    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(sizeof(value));
    control->header.cmsg_level = IPPROTO_UDP;
    control->header.cmsg_type = UDP_SEGMENT;
    control->header.cmsg_len = CMSG_LEN(sizeof(value));
    memcpy(CMSG_DATA(&control->header), &value, sizeof(value));
}

static void empty(Relay *relay)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    Control controls[BATCH];
    uint8_t *at = relay->out;
    unsigned n = 0;

    memset(messages, 0, sizeof(messages));
    for (size_t i = 0, train, bytes; i < relay->n; i += train, at += bytes, n++) {
        train = train_of(relay, i, &bytes);
        parts[n] = (struct iovec){at, bytes};
        messages[n].msg_hdr.msg_iov = &parts[n];
        messages[n].msg_hdr.msg_iovlen = 1;
        if (train > 1)
            set_segment_size(&messages[n].msg_hdr, &controls[n], relay->sizes[i]);
    }
    for (unsigned done = 0; done < n;) {
        int sent = sendmmsg(relay->udp, messages + done, n - done, MSG_NOSIGNAL);

        done += sent > 0 ? (unsigned)sent : 1; /* the one that was refused is lost */
    }
    relay->n = relay->bytes = 0;
}

static void *send_all(void *data)
{
    Relay *relay = data;
    struct pollfd wanted = {.fd = relay->tun, .events = POLLIN};

    become_batch_work();
    for (;;) {
        bool more = fill(relay);

        if (relay->n > 0)
            empty(relay);
        if (!more)
            (void)poll(&wanted, 1, -1);
    }
    return NULL;
}

/* ---- UDP to TUN ---- */

static void write_parts(void *context, const struct iovec *parts, size_t n, size_t segments)
{
    const Relay *relay = context;

    (void)segments;
    if (writev(relay->tun, parts, (int)n) < 0)
        return; /* what TUN does not take is lost, as on any wire */
}

static size_t datagram_size(const struct msghdr *header, size_t n)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    int size = 0;

    if (control != NULL && control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO)
        memcpy(&size, CMSG_DATA(control), sizeof(size));
    return size > 0 ? (size_t)size : n;
}

static void take(Relay *relay, uint8_t *bytes, size_t n, size_t size)
{
    while (n > 0) {
        size_t one = n < size ? n : size;

        join_packet(&relay->join, bytes, one);
        bytes += one;
        n -= one;
    }
}

static void *receive_all(void *data)
{
    Relay *relay = data;
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[MESSAGES];
    Control controls[MESSAGES];

    become_batch_work();
    for (;;) {
        int n;

        memset(messages, 0, sizeof(messages));
        for (size_t i = 0; i < MESSAGES; i++) {
            parts[i] = (struct iovec){relay->in[i], MESSAGE_SIZE};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = &controls[i],
                                                  .msg_controllen = sizeof(controls[i].bytes)};
        }
        n = recvmmsg(relay->udp, messages, MESSAGES, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++)
            take(relay, relay->in[i], messages[i].msg_len,
                 datagram_size(&messages[i].msg_hdr, messages[i].msg_len));
        join_flush(&relay->join);
    }
    return NULL;
}

int bare_relay_start(int tun, int udp)
{
    enum { USO4 = 0x20, USO6 = 0x40 }; /* newer than the headers of some distributions */
    unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    static Relay relay;
    pthread_t thread;
    int error;

    relay.tun = tun;
    relay.udp = udp;
    relay.join.write = write_parts;
    relay.join.context = &relay;
    relay.join.udp = ioctl(tun, TUNSETOFFLOAD, tcp | USO4 | USO6) == 0;
    if (ioctl(tun, TUNSETVNETHDRSZ, &(int){SPLIT_VNET_HEADER}) < 0 ||
        (!relay.join.udp && ioctl(tun, TUNSETOFFLOAD, tcp) < 0) ||
        setsockopt(udp, IPPROTO_UDP, UDP_GRO, &(int){1}, sizeof(int)) < 0)
        return -errno;
    error = pthread_create(&thread, NULL, receive_all, &relay);
    return error != 0 ? -error : -pthread_create(&thread, NULL, send_all, &relay);
}

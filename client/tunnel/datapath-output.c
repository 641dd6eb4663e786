/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed packets to UDP, or to raw ESP: a whole batch in one call. Neighbours of equal size and
 * class become a train, one message with UDP_SEGMENT, as long as the way out takes them.
 */
#include "client/tunnel/datapath-output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "client/tunnel/datapath-control.h"

enum {
    SEGMENTS_MAX = 64, /* of one message with UDP_SEGMENT, in every kernel */
    SEGMENTS_BYTES_MAX = 65000,
    BUSY_MS = 20,   /* how long a full socket is waited for, */
    BUSY_TRIES = 3, /* and how often in a batch */
};

struct DatapathOutput {
    Datapath *path;
    IkeAddress peer;
    struct sockaddr_storage to;
    socklen_t to_n;
    int socket;
    bool segments;        /* the way out takes UDP_SEGMENT */
    bool segments_worked; /* and has done so */
    uint64_t error_said;

    const EspPacket *packets; /* of the batch that is sent */
    const uint8_t *classes;
    size_t n;
    struct mmsghdr messages[DATAPATH_BATCH];
    struct iovec parts[DATAPATH_BATCH];
    DatapathControl controls[DATAPATH_BATCH];
};

DatapathOutput *datapath_output_new(Datapath *path)
{
    DatapathOutput *output = g_new0(DatapathOutput, 1);

    output->path = path;
    output->socket = -1;
    return output;
}

void datapath_output_free(DatapathOutput *output)
{
    g_free(output);
}

static int socket_for(const Datapath *path, const IkeAddress *peer)
{
    if (peer->port == 0)
        return peer->family == 6 ? path->esp6 : path->esp4;
    return peer->family == 6 ? path->udp6 : path->udp4;
}

bool datapath_output_set_peer(DatapathOutput *output, const IkeAddress *peer)
{
    output->segments_worked &= datapath_same_address(&output->peer, peer);
    output->peer = *peer;
    output->to_n = datapath_to_sockaddr(peer, &output->to);
    output->socket = socket_for(output->path, peer);
    /* Not without UDP. */
    output->segments = datapath_offload_use(output->path, DIALTONE_OFFLOAD_GSO, peer->port != 0);
    return output->to_n > 0;
}

/* ---- messages ---- */

/* How many packets from `first` on fit one message: of one class and size, the last may be shorter.
 */
static size_t run_of(const DatapathOutput *output, size_t first)
{
    size_t size = output->packets[first].n, total = 0, i = first;

    if (!output->segments)
        return 1;
    while (i < output->n && i - first < SEGMENTS_MAX && output->packets[i].n <= size &&
           output->classes[i] == output->classes[first] && total + size <= SEGMENTS_BYTES_MAX) {
        total += size;
        if (output->packets[i++].n < size)
            break;
    }
    return i - first;
}

/* Messages for the packets from `first` on; returns their number. */
static size_t build_messages(DatapathOutput *output, size_t first)
{
    size_t messages = 0;

    for (size_t run; first < output->n; first += run) {
        struct msghdr *message = &output->messages[messages].msg_hdr;

        run = run_of(output, first);
        for (size_t i = first; i < first + run; i++)
            output->parts[i] = (struct iovec){output->packets[i].data, output->packets[i].n};
        *message = (struct msghdr){.msg_name = &output->to,
                                   .msg_namelen = output->to_n,
                                   .msg_iov = &output->parts[first],
                                   .msg_iovlen = run};
        if (run > 1)
            datapath_control_segments(message, &output->controls[messages],
                                      output->packets[first].n);
        if (output->classes[first] != 0)
            datapath_control_class(message, &output->controls[messages], output->peer.family,
                                   output->classes[first]);
        messages++;
    }
    return messages;
}

/* ---- what the socket refuses ---- */

static void say_error(DatapathOutput *output, int error)
{
    uint64_t now = datapath_now();

    if (output->error_said != 0 && now - output->error_said < IKE_SECOND)
        return;
    output->error_said = now;
    datapath_raise(output->path, &(DatapathEvent){.type = DATAPATH_EVENT_ERROR, .error = error});
}

/* True where the socket may take more; a wake-up by a command is no reason to drop packets. */
static bool wait_for_socket(const DatapathOutput *output)
{
    struct pollfd one = {.fd = output->socket, .events = POLLOUT};

    return poll(&one, 1, BUSY_MS) > 0;
}

/* Larger than the link, which one by one may be cut into fragments; no fault of GSO's. Kernels of
 * before 2025 say EINVAL, as of an option that they do not know. */
static bool is_too_large(const DatapathOutput *output, int error)
{
    return error == EMSGSIZE || (error == EINVAL && output->segments_worked);
}

static bool refuses_trains(DatapathOutput *output, int error)
{
    if (is_too_large(output, error))
        datapath_offload_use(output->path, DIALTONE_OFFLOAD_GSO, false);
    else if (error == EIO || error == EINVAL || error == EOPNOTSUPP)
        datapath_offload_refused(output->path, DIALTONE_OFFLOAD_GSO, error);
    else
        return false;
    output->segments = false;
    return true;
}

/* What to do about a message that was refused; returns how many packets are done with. */
static size_t handle_refusal(DatapathOutput *output, const struct msghdr *message, int error,
                             unsigned *tries)
{
    bool full = error == EAGAIN || error == ENOBUFS;

    if (error == EINTR || (full && ++*tries <= BUSY_TRIES && wait_for_socket(output)) ||
        (message->msg_iovlen > 1 && refuses_trains(output, error)))
        return 0;
    datapath_count(&output->path->send_stats.drops[DATAPATH_DROP_SEND], message->msg_iovlen);
    if (!full)
        say_error(output, error);
    return message->msg_iovlen;
}

/* ---- sending ---- */

void datapath_output_send(DatapathOutput *output, const EspPacket *packets, const uint8_t *classes,
                          size_t n)
{
    unsigned tries = 0;
    size_t done = 0;

    output->packets = packets;
    output->classes = classes;
    output->n = n;
    while (done < n) {
        size_t messages = build_messages(output, done);
        int sent = sendmmsg(output->socket, output->messages, (unsigned)messages,
                            MSG_DONTWAIT | MSG_NOSIGNAL);

        for (int i = 0; i < sent; i++) {
            done += output->messages[i].msg_hdr.msg_iovlen;
            output->segments_worked |= output->messages[i].msg_hdr.msg_iovlen > 1;
        }
        if (sent <= 0)
            done += handle_refusal(output, &output->messages[0].msg_hdr, errno, &tries);
    }
}

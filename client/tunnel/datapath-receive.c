/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving thread: UDP (or IP) -> ESP -> selectors -> TUN, and IKE to the control thread.
 *
 * What a datagram is shows in its first bytes (RFC 3948): one byte 0xff is a NAT keepalive, four
 * zero bytes are the marker of IKE, everything else from the gateway's ESP port begins with an SPI.
 * From other ports it may be IKE without a marker.
 *
 * Nothing about a datagram is believed before its tag fits: its source only counts (as a hint that
 * the gateway's address has changed) when a packet from there was authentic and new.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/tunnel/datapath-control.h"
#include "client/tunnel/datapath-inner.h"
#include "client/tunnel/datapath-join.h"
#include "client/tunnel/datapath-private.h"

enum {
    MESSAGES = 32, /* datagrams, or trains of equal datagrams by UDP_GRO, of one call */
    MESSAGE_SIZE = 65536,
    SPI_SIZE = 4,
    ISAKMP_HEADER = 28,
};

typedef struct Inbound {
    EspSa *sa; /* NULL: the control thread opens its packets */
    uint32_t spi;
    Selectors selectors;
    bool seen; /* it has brought an authentic packet */
} Inbound;

struct DatapathReceiver {
    Datapath *path;
    DatapathTun *tun;
    bool tun_gone;
    bool counted; /* ESP has come since others were told */

    Inbound ins[DATAPATH_SAS];
    size_t ins_n;
    IkeAddress peer, path_said;

    uint8_t *room;
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[MESSAGES];
    struct sockaddr_storage names[MESSAGES];
    DatapathControl controls[MESSAGES];
    uint8_t classes[MESSAGES]; /* of the outer headers; a train has one */

    /* ESP packets that wait to be opened, their SAs, and the message each came in */
    EspPacket packets[DATAPATH_BATCH];
    Inbound *of[DATAPATH_BATCH];
    uint8_t message_of[DATAPATH_BATCH];
    size_t n;
    Join join; /* for a TUN that takes large packets */
};

static void write_parts(void *context, const struct iovec *parts, size_t n, size_t segments);

DatapathReceiver *datapath_receiver_new(Datapath *path)
{
    DatapathReceiver *receiver = g_new0(DatapathReceiver, 1);

    receiver->path = path;
    receiver->join.write = write_parts;
    receiver->join.context = receiver;
    /* Pages are only made when a datagram or a train reaches them. */
    receiver->room = mmap(NULL, (size_t)MESSAGES * MESSAGE_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (receiver->room == MAP_FAILED) {
        g_free(receiver);
        return NULL;
    }
    return receiver;
}

DatapathReceiver *datapath_receiver_free(DatapathReceiver *receiver)
{
    if (receiver == NULL)
        return NULL;
    for (size_t i = 0; i < receiver->ins_n; i++)
        esp_sa_free(receiver->ins[i].sa);
    datapath_tun_release(receiver->tun);
    munmap(receiver->room, (size_t)MESSAGES * MESSAGE_SIZE);
    g_free(receiver);
    return NULL;
}

static void drop(DatapathReceiver *receiver, DatapathDrop cause)
{
    datapath_count(&receiver->path->receive_stats.drops[cause], 1);
}

/* ---- commands ---- */

static Inbound *find_in(DatapathReceiver *receiver, uint32_t spi)
{
    for (size_t i = 0; i < receiver->ins_n; i++)
        if (receiver->ins[i].spi == spi)
            return &receiver->ins[i];
    return NULL;
}

static void remove_spi(DatapathReceiver *receiver, uint32_t spi)
{
    Inbound *in = find_in(receiver, spi);

    if (in == NULL)
        return;
    esp_sa_free(in->sa);
    *in = receiver->ins[--receiver->ins_n];
}

static void take_sa(DatapathReceiver *receiver, DatapathCommand *command)
{
    remove_spi(receiver, command->spi);
    if (receiver->ins_n == DATAPATH_SAS)
        return;
    receiver->ins[receiver->ins_n++] =
        (Inbound){.sa = command->sa, .spi = command->spi, .selectors = command->selectors};
    command->sa = NULL;
}

static void take_command(DatapathReceiver *receiver, DatapathCommand *command)
{
    switch (command->kind) {
    case DATAPATH_COMMAND_SA:
        take_sa(receiver, command);
        break;
    case DATAPATH_COMMAND_REMOVE:
        remove_spi(receiver, command->spi);
        break;
    case DATAPATH_COMMAND_PEER:
        receiver->peer = command->peer;
        receiver->path_said = (IkeAddress){0};
        break;
    case DATAPATH_COMMAND_TUN:
        datapath_tun_release(receiver->tun);
        receiver->tun = command->tun;
        receiver->tun_gone = false;
        command->tun = NULL;
        break;
    }
}

static bool take_commands(DatapathReceiver *receiver)
{
    DatapathCommand *command;
    bool go_on;

    if (!datapath_inbox_waiting(&receiver->path->receive_inbox))
        return true;
    go_on = datapath_inbox_take(&receiver->path->receive_inbox, &command);
    while (command != NULL) {
        take_command(receiver, command);
        command = datapath_command_free(command);
    }
    return go_on;
}

/* ---- to TUN ---- */

static void note_refusal(DatapathReceiver *receiver, int error, size_t segments)
{
    datapath_count(&receiver->path->receive_stats.drops[DATAPATH_DROP_TUN], segments);
    receiver->tun_gone = datapath_tun_refused(receiver->path, receiver->tun, error);
}

/* `segments` packets of n bytes in all have reached TUN. */
static void count_in(DatapathReceiver *receiver, size_t n, size_t segments)
{
    datapath_tun_works(receiver->tun);
    datapath_count(&receiver->path->receive_stats.packets_in, segments);
    datapath_count(&receiver->path->receive_stats.bytes_in, n);
}

/* Datagrams were joined and TUN does not know such packets: they are lost, and no others will be.
 */
static bool refuses_datagrams(DatapathReceiver *receiver, const struct virtio_net_hdr *header,
                              int error)
{
    if (header->gso_type != JOIN_UDP_L4 || error != EINVAL)
        return false;
    datapath_offload_refused(receiver->path, DIALTONE_OFFLOAD_USO, error);
    receiver->join.udp = false;
    return true;
}

static void write_parts(void *context, const struct iovec *parts, size_t n, size_t segments)
{
    DatapathReceiver *receiver = context;
    ssize_t written = writev(receiver->tun->fd, parts, (int)n);

    if (written >= 0)
        count_in(receiver, (size_t)written - parts[0].iov_len, segments);
    else if (refuses_datagrams(receiver, parts[0].iov_base, errno))
        datapath_count(&receiver->path->receive_stats.drops[DATAPATH_DROP_TUN], segments);
    else
        note_refusal(receiver, errno, segments);
}

static void write_tun(DatapathReceiver *receiver, const EspPacket *packet)
{
    int error;

    if (receiver->tun == NULL || receiver->tun_gone)
        drop(receiver, DATAPATH_DROP_TUN);
    else if (receiver->tun->large)
        join_packet(&receiver->join, packet->data, packet->n);
    else if ((error = datapath_tun_write(receiver->tun, packet->data, packet->n)) < 0)
        note_refusal(receiver, -error, 1);
    else
        count_in(receiver, packet->n, 1);
}

/* ---- after opening ---- */

static void note_path(DatapathReceiver *receiver, size_t message)
{
    DatapathEvent event = {.type = DATAPATH_EVENT_PATH};

    if (!datapath_from_sockaddr(&receiver->names[message], &event.path) ||
        datapath_same_address(&event.path, &receiver->peer) ||
        datapath_same_address(&event.path, &receiver->path_said))
        return;
    receiver->path_said = event.path;
    datapath_raise(receiver->path, &event);
}

/* A packet of the gateway's, new and authentic, whatever is in it. */
static void note_authentic(DatapathReceiver *receiver, size_t i)
{
    Inbound *in = receiver->of[i];

    if (!in->seen) {
        in->seen = true;
        datapath_raise(receiver->path,
                       &(DatapathEvent){.type = DATAPATH_EVENT_INBOUND, .spi = in->spi});
    }
    if (esp_sa_wants_renewal(in->sa))
        datapath_raise(receiver->path,
                       &(DatapathEvent){.type = DATAPATH_EVENT_RENEW, .spi = in->spi});
    note_path(receiver, receiver->message_of[i]);
}

static void deliver(DatapathReceiver *receiver, size_t i, unsigned mtu)
{
    EspPacket *packet = &receiver->packets[i];
    PacketAddresses addresses;

    note_authentic(receiver, i);
    if (!selectors_read(packet->data, packet->n, &addresses) ||
        !selectors_cover_in(&receiver->of[i]->selectors, &addresses)) {
        drop(receiver, DATAPATH_DROP_SELECTOR);
        return;
    }
    if (receiver->classes[receiver->message_of[i]] != 0 &&
        !inner_combine_ecn(packet->data, receiver->classes[receiver->message_of[i]])) {
        drop(receiver, DATAPATH_DROP_MALFORMED);
        return;
    }
    if (mtu != 0)
        inner_clamp_mss(packet->data, packet->n, mtu, true);
    write_tun(receiver, packet);
}

static void judge(DatapathReceiver *receiver, size_t i, unsigned mtu)
{
    switch (receiver->packets[i].verdict) {
    case ESP_OK:
        deliver(receiver, i, mtu);
        break;
    case ESP_DUMMY:
        note_authentic(receiver, i);
        datapath_count(&receiver->path->receive_stats.dummies, 1);
        break;
    case ESP_REPLAYED:
        drop(receiver, DATAPATH_DROP_REPLAYED);
        break;
    case ESP_FORGED:
        drop(receiver, DATAPATH_DROP_FORGED);
        break;
    case ESP_MALFORMED:
    case ESP_EXHAUSTED:
    case ESP_FAULT:
        drop(receiver, DATAPATH_DROP_MALFORMED);
        break;
    }
}

/* Opens all that waits, runs of one SA together. The time is noted before the packets go on, so
 * that nobody who has seen one finds the tunnel silent. */
static void open_waiting(DatapathReceiver *receiver)
{
    Datapath *path = receiver->path;
    unsigned mtu = __atomic_load_n(&path->inner_mtu, __ATOMIC_RELAXED);

    for (size_t i = 0, end; i < receiver->n; i = end) {
        for (end = i + 1; end < receiver->n && receiver->of[end] == receiver->of[i];)
            end++;
        if (esp_open(receiver->of[i]->sa, receiver->packets + i, end - i) > 0) {
            __atomic_store_n(&path->last_inbound_spi, receiver->of[i]->spi, __ATOMIC_RELAXED);
            __atomic_store_n(&path->last_inbound, datapath_now(), __ATOMIC_RELAXED);
        }
        for (size_t j = i; j < end; j++)
            judge(receiver, j, mtu);
    }
    receiver->n = 0;
}

/* ---- what came ---- */

static void forward_ike(DatapathReceiver *receiver, const IkeAddress *from, uint8_t *bytes,
                        size_t n)
{
    struct iovec parts[2] = {{(void *)from, sizeof(*from)}, {bytes, n}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

    if (n > DATAPATH_IKE_MAX ||
        sendmsg(receiver->path->ike_in, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        drop(receiver, DATAPATH_DROP_IKE);
}

static uint32_t spi_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void take_esp(DatapathReceiver *receiver, size_t message, uint8_t *bytes, size_t n)
{
    IkeAddress from;
    Inbound *in;

    receiver->counted = true;
    if (n < ESP_HEADER_SIZE) {
        drop(receiver, DATAPATH_DROP_MALFORMED);
        return;
    }
    in = find_in(receiver, spi_of(bytes));
    if (in == NULL) {
        drop(receiver, DATAPATH_DROP_UNKNOWN_SPI);
        return;
    }
    if (in->sa == NULL) {
        if (datapath_from_sockaddr(&receiver->names[message], &from))
            forward_ike(receiver, &from, bytes, n);
        return;
    }
    receiver->of[receiver->n] = in;
    receiver->message_of[receiver->n] = (uint8_t)message;
    receiver->packets[receiver->n++] = (EspPacket){.data = bytes, .n = n};
    if (receiver->n == DATAPATH_BATCH)
        open_waiting(receiver);
}

/* From another port than ESP's, a datagram of no SA is IKE without a marker, if it has the size:
 * gateways of one profile may have different ports for it. */
static bool is_plain_ike(DatapathReceiver *receiver, uint16_t port, const uint8_t *bytes, size_t n)
{
    if (port == receiver->peer.port)
        return false;
    return port == receiver->path->ike_port ||
           (n >= ISAKMP_HEADER && find_in(receiver, spi_of(bytes)) == NULL);
}

static void take_datagram(DatapathReceiver *receiver, size_t message, uint8_t *bytes, size_t n)
{
    static const uint8_t MARKER[SPI_SIZE] = {0};
    IkeAddress from;

    if (n == 1 && bytes[0] == 0xff) {
        datapath_count(&receiver->path->receive_stats.keepalives, 1);
        return;
    }
    if (!datapath_from_sockaddr(&receiver->names[message], &from))
        return;
    if ((n >= SPI_SIZE && memcmp(bytes, MARKER, SPI_SIZE) == 0) ||
        is_plain_ike(receiver, from.port, bytes, n))
        forward_ike(receiver, &from, bytes, n);
    else
        take_esp(receiver, message, bytes, n);
}

static void take_message(DatapathReceiver *receiver, size_t message)
{
    struct mmsghdr *got = &receiver->messages[message];
    uint8_t *bytes = receiver->room + message * MESSAGE_SIZE;
    size_t left = got->msg_len;
    size_t size = datapath_control_read(&got->msg_hdr, left, &receiver->classes[message]);

    while (left > 0) {
        size_t n = left < size ? left : size;

        take_datagram(receiver, message, bytes, n);
        bytes += n;
        left -= n;
    }
}

/* ESP without UDP, as a raw socket gives it: IPv4 with the IP header in front (raw(7)). */
static void take_raw(DatapathReceiver *receiver, size_t message)
{
    uint8_t *bytes = receiver->room + message * MESSAGE_SIZE;
    size_t n = receiver->messages[message].msg_len, header = 0;

    (void)datapath_control_read(&receiver->messages[message].msg_hdr, n,
                                &receiver->classes[message]);
    if (receiver->names[message].ss_family == AF_INET)
        header = n > 0 ? (size_t)(bytes[0] & 0x0f) * 4 : 1;
    if (header > n)
        drop(receiver, DATAPATH_DROP_MALFORMED);
    else
        take_esp(receiver, message, bytes + header, n - header);
}

/* One call's worth of a socket; true where there may be more. */
static bool receive_from(DatapathReceiver *receiver, int fd)
{
    int n;

    memset(receiver->classes, 0, sizeof(receiver->classes));
    for (size_t i = 0; i < MESSAGES; i++) {
        receiver->parts[i] = (struct iovec){receiver->room + i * MESSAGE_SIZE, MESSAGE_SIZE};
        receiver->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &receiver->names[i],
                            .msg_namelen = sizeof(receiver->names[i]),
                            .msg_iov = &receiver->parts[i],
                            .msg_iovlen = 1,
                            .msg_control = &receiver->controls[i],
                            .msg_controllen = sizeof(receiver->controls[i].bytes)};
    }
    n = recvmmsg(fd, receiver->messages, MESSAGES, MSG_DONTWAIT, NULL);
    if (n <= 0)
        return false;
    /* A new SA may have come before the packets did. */
    if (!take_commands(receiver))
        return false;
    receiver->join.udp = (datapath_offloads(receiver->path) & DIALTONE_OFFLOAD_USO) != 0;
    bool raw = fd == receiver->path->esp4 || fd == receiver->path->esp6;
    for (int i = 0; i < n; i++)
        (raw ? take_raw : take_message)(receiver, (size_t)i);
    open_waiting(receiver);
    join_flush(&receiver->join);
    if (receiver->counted)
        datapath_tell_traffic(receiver->path);
    receiver->counted = false;
    return n == MESSAGES;
}

/* ---- the thread ---- */

void *datapath_receiver_run(void *data)
{
    DatapathReceiver *receiver = data;
    Datapath *path = receiver->path;
    struct pollfd wanted[] = {{.fd = path->receive_inbox.wake, .events = POLLIN},
                              {.fd = path->udp4, .events = POLLIN},
                              {.fd = path->udp6, .events = POLLIN},
                              {.fd = path->esp4, .events = POLLIN},
                              {.fd = path->esp6, .events = POLLIN}};
    bool more = false;

    datapath_begin_thread("dialtone-recv");
    while (take_commands(receiver)) {
        if (poll(wanted, G_N_ELEMENTS(wanted), more ? 0 : -1) < 0)
            continue;
        more = false;
        for (size_t i = 1; i < G_N_ELEMENTS(wanted); i++)
            if (wanted[i].revents != 0 && receive_from(receiver, wanted[i].fd))
                more = true;
    }
    return NULL;
}

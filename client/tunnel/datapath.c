/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path as the control thread sees it: birth, death, and the calls in between, which turn
 * into commands to the two threads (datapath-send.c, datapath-receive.c).
 */
#include "client/tunnel/datapath.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/tunnel/datapath-private.h"
#include "client/tunnel/datapath-split.h"

enum {
    FULL_MS = 20,
    SMALL = 512, /* every network carries it whole */
};

/* ---- addresses ---- */

socklen_t datapath_to_sockaddr(const IkeAddress *address, struct sockaddr_storage *to)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

    memset(to, 0, sizeof(*to));
    if (address->family == 4) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons(address->port);
        memcpy(&in4->sin_addr, address->bytes, 4);
        return sizeof(*in4);
    }
    if (address->family == 6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(address->port);
        memcpy(&in6->sin6_addr, address->bytes, 16);
        return sizeof(*in6);
    }
    return 0;
}

bool datapath_from_sockaddr(const struct sockaddr_storage *from, IkeAddress *address)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

    memset(address, 0, sizeof(*address));
    if (from->ss_family == AF_INET) {
        address->family = 4;
        address->port = ntohs(in4->sin_port);
        memcpy(address->bytes, &in4->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        address->family = 6;
        address->port = ntohs(in6->sin6_port);
        memcpy(address->bytes, &in6->sin6_addr, 16);
    }
    return address->family != 0;
}

bool datapath_same_address(const IkeAddress *a, const IkeAddress *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

/* ---- birth and death ---- */

void datapath_begin_thread(const char *name)
{
    pthread_setname_np(pthread_self(), name);
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &(struct sched_param){0});
}

static int start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    int error;

    /* Signals are the main loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static int open_channels(Datapath *self)
{
    int pair[2], error;

    pthread_mutex_init(&self->events.lock, NULL);
    self->events.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->events.fd < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    self->ike_in = pair[0];
    self->ike_out = pair[1];
    error = datapath_inbox_init(&self->send_inbox);
    return error != 0 ? error : datapath_inbox_init(&self->receive_inbox);
}

/* One read of a socket then brings many datagrams of one size; kernels without it read as ever. */
static void ask_for_gro(Datapath *self)
{
    const int sockets[] = {self->udp4, self->udp6};

    if (!datapath_offload_use(self, DIALTONE_OFFLOAD_GRO, true))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(sockets); i++)
        if (sockets[i] >= 0 &&
            setsockopt(sockets[i], IPPROTO_UDP, UDP_GRO, &(int){1}, sizeof(int)) < 0)
            datapath_offload_refused(self, DIALTONE_OFFLOAD_GRO, errno);
}

static int start(Datapath *self)
{
    int error = open_channels(self);

    if (error != 0)
        return error;
    ask_for_gro(self);
    self->sender = datapath_sender_new(self);
    self->receiver = datapath_receiver_new(self);
    if (self->sender == NULL || self->receiver == NULL)
        return -ENOMEM;
    error = start_thread(&self->receive_thread, datapath_receiver_run, self->receiver);
    self->receiving = error == 0;
    if (error == 0)
        error = start_thread(&self->send_thread, datapath_sender_run, self->sender);
    self->sending = error == 0;
    return error;
}

/* With each message comes the traffic class of its packet, for ECN. */
static void ask_for_classes(const Datapath *self)
{
    const int fds[] = {self->udp4, self->esp4, self->udp6, self->esp6};

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0 && i < 2)
            (void)setsockopt(fds[i], IPPROTO_IP, IP_RECVTOS, &(int){1}, sizeof(int));
        else if (fds[i] >= 0)
            (void)setsockopt(fds[i], IPPROTO_IPV6, IPV6_RECVTCLASS, &(int){1}, sizeof(int));
    }
}

Datapath *datapath_new(const DatapathSetup *setup, GError **error)
{
    Datapath *self = g_new0(Datapath, 1);
    int result;

    self->udp4 = setup->udp4;
    self->udp6 = setup->udp6;
    self->esp4 = setup->raw ? setup->esp4 : -1;
    self->esp6 = setup->raw ? setup->esp6 : -1;
    self->ike_port = setup->ike_port != 0 ? setup->ike_port : DATAPATH_IKE_PORT;
    self->ike_in = self->ike_out = self->events.fd = -1;
    self->without = setup->without;
    ask_for_classes(self);
    result = start(self);
    if (result == 0)
        return self;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-result), "data path: %s",
                g_strerror(-result));
    self->udp4 = self->udp6 = self->esp4 = self->esp6 = -1;
    datapath_free(self);
    return NULL;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

Datapath *datapath_free(Datapath *self)
{
    if (self == NULL)
        return NULL;
    if (self->sending)
        datapath_inbox_stop(&self->send_inbox);
    if (self->receiving)
        datapath_inbox_stop(&self->receive_inbox);
    if (self->sending)
        pthread_join(self->send_thread, NULL);
    if (self->receiving)
        pthread_join(self->receive_thread, NULL);
    datapath_sender_free(self->sender);
    datapath_receiver_free(self->receiver);
    datapath_inbox_clear(&self->send_inbox);
    datapath_inbox_clear(&self->receive_inbox);
    pthread_mutex_destroy(&self->events.lock);
    close_fd(self->events.fd);
    close_fd(self->ike_in);
    close_fd(self->ike_out);
    close_fd(self->udp4);
    close_fd(self->udp6);
    close_fd(self->esp4);
    close_fd(self->esp6);
    g_free(self);
    return NULL;
}

/* ---- commands ---- */

/* From then on the kernel hands over packets without checksums, and large ones that stand for many.
 * Kernels before 6.2 know segmentation for TCP only; others may know none. */
static bool ask_for_large(Datapath *self, int fd)
{
    enum { USO4 = 0x20, USO6 = 0x40 }; /* newer than the headers of some distributions */
    unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

    (void)ioctl(fd, TUNSETVNETHDRSZ, &(int){SPLIT_VNET_HEADER});
    if (!datapath_offload_use(self, DIALTONE_OFFLOAD_VNET_HDR, true))
        return false;
    if (ioctl(fd, TUNSETOFFLOAD, tcp) < 0) {
        datapath_offload_refused(self, DIALTONE_OFFLOAD_VNET_HDR, errno);
        return false;
    }
    if (datapath_offload_use(self, DIALTONE_OFFLOAD_USO, true) &&
        ioctl(fd, TUNSETOFFLOAD, tcp | USO4 | USO6) < 0)
        datapath_offload_refused(self, DIALTONE_OFFLOAD_USO, errno);
    return true;
}

void datapath_attach_tun(Datapath *self, int fd, bool vnet)
{
    DatapathCommand command = {.kind = DATAPATH_COMMAND_TUN};

    datapath_offload_use(self, DIALTONE_OFFLOAD_VNET_HDR, false);
    datapath_offload_use(self, DIALTONE_OFFLOAD_USO, false);
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        command.tun = datapath_tun_new(fd, vnet, 2);
        command.tun->large = vnet && ask_for_large(self, fd);
    }
    datapath_inbox_post(&self->receive_inbox, &command);
    datapath_inbox_post(&self->send_inbox, &command);
}

void datapath_set_peer(Datapath *self, const IkeAddress *peer, unsigned path_mtu)
{
    DatapathCommand command = {.kind = DATAPATH_COMMAND_PEER, .peer = *peer, .path_mtu = path_mtu};

    datapath_inbox_post(&self->receive_inbox, &command);
    datapath_inbox_post(&self->send_inbox, &command);
}

/* PROBE is DF, and what the kernel has learnt by ICMP is not looked at; DO is DF and refuses what
 * is larger than that. */
static void set_discovery(int fd, int family, DatapathSizes sizes)
{
    static const int values4[] = {IP_PMTUDISC_DONT, IP_PMTUDISC_DO, IP_PMTUDISC_PROBE};
    static const int values6[] = {IPV6_PMTUDISC_DONT, IPV6_PMTUDISC_DO, IPV6_PMTUDISC_PROBE};

    if (fd >= 0 && family == 6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &values6[sizes], sizeof(int));
    else if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &values4[sizes], sizeof(int));
}

void datapath_set_sizes(Datapath *self, DatapathSizes sizes)
{
    if (sizes == self->sizes)
        return;
    self->sizes = sizes;
    set_discovery(self->udp4, 4, sizes);
    set_discovery(self->udp6, 6, sizes);
    set_discovery(self->esp4, 4, sizes);
    set_discovery(self->esp6, 6, sizes);
}

bool datapath_has_raw(const Datapath *self, const IkeAddress *peer)
{
    return (peer->family == 6 ? self->esp6 : self->esp4) >= 0;
}

unsigned datapath_shape_mtu(EspShape shape, const IkeAddress *peer, unsigned path_mtu)
{
    unsigned headers = (peer->family == 6 ? 40 : 20) + (peer->port != 0 ? 8 : 0);
    size_t mtu = path_mtu > headers ? esp_shape_inner_mtu(shape, path_mtu - headers) : 0;

    return (unsigned)(mtu < DATAPATH_INNER_MAX ? mtu : DATAPATH_INNER_MAX);
}

unsigned datapath_inner_mtu(const EspSa *sa, const IkeAddress *peer, unsigned path_mtu)
{
    return datapath_shape_mtu(esp_sa_shape(sa), peer, path_mtu);
}

static void post_sa(DatapathInbox *inbox, EspSa *sa, const IkeSaInfo *info)
{
    DatapathCommand command = {.kind = DATAPATH_COMMAND_SA, .sa = sa, .spi = esp_sa_spi(sa)};

    selectors_init(&command.selectors, &info->local, &info->remote);
    datapath_inbox_post(inbox, &command);
}

void datapath_add_in(Datapath *self, EspSa *sa_take, const IkeSaInfo *info)
{
    post_sa(&self->receive_inbox, sa_take, info);
}

void datapath_set_out(Datapath *self, EspSa *sa_take, const IkeSaInfo *info)
{
    post_sa(&self->send_inbox, sa_take, info);
}

void datapath_hand_over(Datapath *self, uint32_t spi_in)
{
    datapath_inbox_post(&self->receive_inbox,
                        &(DatapathCommand){.kind = DATAPATH_COMMAND_SA, .spi = spi_in});
}

void datapath_remove(Datapath *self, uint32_t spi_in, uint32_t spi_out)
{
    DatapathCommand command = {.kind = DATAPATH_COMMAND_REMOVE};

    command.spi = spi_out;
    if (spi_out != 0)
        datapath_inbox_post(&self->send_inbox, &command);
    command.spi = spi_in;
    if (spi_in != 0)
        datapath_inbox_post(&self->receive_inbox, &command);
}

/* ---- IKE ---- */

int datapath_ike_fd(const Datapath *self)
{
    return self->ike_out;
}

bool datapath_take_ike(Datapath *self, DatapathIke *message)
{
    struct iovec parts[2] = {{&message->from, sizeof(message->from)},
                             {message->bytes, sizeof(message->bytes)}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n = recvmsg(self->ike_out, &header, MSG_DONTWAIT);

    if (n < (ssize_t)sizeof(message->from))
        return false;
    message->n = (size_t)n - sizeof(message->from);
    return true;
}

static int socket_to(const Datapath *self, const IkeAddress *to)
{
    if (to->port == 0)
        return to->family == 6 ? self->esp6 : self->esp4;
    return to->family == 6 ? self->udp6 : self->udp4;
}

static int send_now(Datapath *self, int fd, const IkeAddress *to, const uint8_t *bytes, size_t n)
{
    struct sockaddr_storage address;
    socklen_t size = datapath_to_sockaddr(to, &address);
    /* ESP may have filled the socket for a moment; IKE is worth a short wait. */
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    ssize_t sent;

    if (size == 0 || fd < 0)
        return -EAFNOSUPPORT;
    sent = sendto(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    if (sent < 0 && errno == EAGAIN && poll(&wanted, 1, FULL_MS) > 0)
        sent = sendto(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    if (sent < 0)
        return -errno;
    __atomic_store_n(&self->last_sent, datapath_now(), __ATOMIC_RELAXED);
    return 0;
}

/* A socket has one way to treat what is too large, and this is another one for a moment: what the
 * sending thread sends meanwhile may be cut, or lost, as it may at any time. */
static int send_as(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n,
                   DatapathSizes sizes)
{
    int fd = socket_to(self, to), result;

    if (sizes != self->sizes)
        set_discovery(fd, to->family, sizes);
    result = send_now(self, fd, to, bytes, n);
    if (sizes != self->sizes)
        set_discovery(fd, to->family, self->sizes);
    return result;
}

int datapath_send(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n)
{
    return send_as(self, to, bytes, n, n <= SMALL ? self->sizes : DATAPATH_CUT);
}

int datapath_send_whole(Datapath *self, const IkeAddress *to, const uint8_t *bytes, size_t n)
{
    return send_as(self, to, bytes, n, DATAPATH_WHOLE_DEAF);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Marked UDP and ESP sockets, and batches of datagrams by one system call.
 *
 * The mark is what keeps the tunnel's own packets out of the tunnel. IPv6 sockets are IPv6 only:
 * with mapped addresses one gateway would be reachable by two sockets. Batches keep their vectors
 * on the stack, so the data path does not allocate.
 */
#include "platform/udp.h"

#include "platform/address.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* Beyond the system's limit where we may, else as far as it goes. */
static void set_buffer(int fd, int forced, int plain, int size)
{
    if (set_option(fd, SOL_SOCKET, forced, size) < 0)
        (void)set_option(fd, SOL_SOCKET, plain, size);
}

static int set_discovery(int fd, int family, bool dont_fragment)
{
    if (family == AF_INET)
        return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
                          dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    return set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                      dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
}

static int bind_any(int fd, int family, uint16_t *portp)
{
    struct sockaddr_storage storage;
    PlatformAddress any = {.family = (uint8_t)family};
    socklen_t n = platform_address_to_sockaddr(&any, 0, &storage);

    if (bind(fd, (struct sockaddr *)&storage, n) < 0)
        return -errno;
    n = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &n) < 0)
        return -errno;
    return platform_address_from_sockaddr(&storage, &any, portp) ? 0 : -EAFNOSUPPORT;
}

static int configure(int fd, const PlatformUdpOptions *options)
{
    int r = 0;

    if (options->mark)
        r = set_option(fd, SOL_SOCKET, SO_MARK, (int)options->mark);
    if (r == 0)
        r = set_discovery(fd, options->family, options->dont_fragment);
    if (r == 0 && options->buffer > 0) {
        set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options->buffer);
        set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options->buffer);
    }
    return r;
}

static int configure_udp(int fd, const PlatformUdpOptions *options, uint16_t *portp)
{
    int r = configure(fd, options);

    if (r == 0 && options->family == AF_INET6)
        r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return r < 0 ? r : bind_any(fd, options->family, portp);
}

/* Open and non-blocking, or a negative errno. */
static int open_socket(int family, int type, int protocol)
{
    if (family != AF_INET && family != AF_INET6)
        return -EAFNOSUPPORT;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

    return fd < 0 ? -errno : fd;
}

int platform_udp_open(const PlatformUdpOptions *options, int *fdp, uint16_t *portp)
{
    int fd = open_socket(options->family, SOCK_DGRAM, IPPROTO_UDP);

    if (fd < 0)
        return fd;
    int r = configure_udp(fd, options, portp);

    if (r < 0) {
        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

int platform_esp_open(const PlatformUdpOptions *options, int *fdp)
{
    int fd = open_socket(options->family, SOCK_RAW, IPPROTO_ESP);

    if (fd < 0)
        return fd;
    int r = configure(fd, options);

    if (r < 0) {
        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

int platform_udp_receive(int fd, PlatformDatagram *datagrams, size_t n)
{
    struct mmsghdr headers[PLATFORM_UDP_BATCH];
    struct iovec vectors[PLATFORM_UDP_BATCH];

    if (n > PLATFORM_UDP_BATCH)
        n = PLATFORM_UDP_BATCH;
    for (size_t i = 0; i < n; i++) {
        vectors[i] = (struct iovec){datagrams[i].data, datagrams[i].capacity};
        headers[i] = (struct mmsghdr){.msg_hdr = {
                                          .msg_name = &datagrams[i].peer,
                                          .msg_namelen = sizeof datagrams[i].peer,
                                          .msg_iov = &vectors[i],
                                          .msg_iovlen = 1,
                                      }};
    }
    int received;

    do
        received = recvmmsg(fd, headers, (unsigned)n, MSG_DONTWAIT, NULL);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return -errno;
    for (int i = 0; i < received; i++) {
        datagrams[i].length = headers[i].msg_len;
        datagrams[i].peer_length = headers[i].msg_hdr.msg_namelen;
        datagrams[i].truncated = headers[i].msg_hdr.msg_flags & MSG_TRUNC;
    }
    return received;
}

int platform_udp_send(int fd, const PlatformDatagram *datagrams, size_t n)
{
    struct mmsghdr headers[PLATFORM_UDP_BATCH];
    struct iovec vectors[PLATFORM_UDP_BATCH];

    if (n > PLATFORM_UDP_BATCH)
        n = PLATFORM_UDP_BATCH;
    for (size_t i = 0; i < n; i++) {
        const PlatformDatagram *datagram = &datagrams[i];

        vectors[i] = (struct iovec){datagram->data, datagram->length};
        headers[i] = (struct mmsghdr){
            .msg_hdr = {
                .msg_name = datagram->peer_length ? (void *)(uintptr_t)&datagram->peer : NULL,
                .msg_namelen = datagram->peer_length,
                .msg_iov = &vectors[i],
                .msg_iovlen = 1,
            }};
    }
    int sent;

    do
        sent = sendmmsg(fd, headers, (unsigned)n, MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

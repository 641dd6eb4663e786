/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to the gateway, over sockets of this program's own: no mark, no rights, a new port for
 * each, so that one answer is never taken for another's. At most twenty datagrams in all, a second
 * apart.
 */
#include "client/cli/diagnose.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/tunnel/config.h"
#include "ike/constants.h"
#include "platform/clock.h"
#include "platform/random.h"

enum {
    ANSWER_WAIT_MS = 2000,
    TCP_WAIT_MS = 3000,
    TCP_PORT = 443,
};

static int give_random(void *context, uint8_t *bytes, size_t n)
{
    platform_random(bytes, n);
    return 0;
}

/* ---- sockets ---- */

static socklen_t socket_address(const IkeAddress *address, guint16 port,
                                struct sockaddr_storage *storage)
{
    PlatformAddress platform = tunnel_address_from_ike(address);

    return platform_address_to_sockaddr(&platform, port, storage);
}

/* PROBE: nobody on the way may cut a datagram, nor this computer, and what its kernel has learned
 * of the way is not believed. */
static void forbid_fragments(int fd, sa_family_t family)
{
    const int discover4 = IP_PMTUDISC_PROBE, discover6 = IPV6_PMTUDISC_PROBE;
    int r = family == AF_INET6
                ? setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover6, sizeof(discover6))
                : setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover4, sizeof(discover4));

    if (r != 0)
        g_debug("datagrams may be fragmented: %s", g_strerror(errno));
}

/* Connected, so that an ICMP error is ours, and its local address is known. */
static int open_socket(const IkeAddress *gateway, guint16 port, bool whole)
{
    struct sockaddr_storage to;
    socklen_t n = socket_address(gateway, port, &to);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && whole)
        forbid_fragments(fd, to.ss_family);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, n) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

static IkeAddress local_address(int fd)
{
    struct sockaddr_storage from = {0};
    socklen_t n = sizeof(from);
    PlatformAddress address;
    uint16_t port = 0;

    if (getsockname(fd, (struct sockaddr *)&from, &n) != 0 ||
        !platform_address_from_sockaddr(&from, &address, &port))
        return (IkeAddress){0};
    return tunnel_address_to_ike(&address, port);
}

/* ---- one question ---- */

static bool may_send(const DiagnoseProber *prober)
{
    return prober->diagnosis->probes < DIAGNOSE_PROBES_MAX;
}

static void keep_a_second_apart(DiagnoseProber *prober)
{
    guint64 now = platform_clock_now(), next = prober->last + IKE_SECOND;

    if (prober->last != 0 && now < next)
        g_usleep((gulong)((next - now) / 1000));
    prober->last = platform_clock_now();
    prober->diagnosis->probes++;
}

static bool send_message(DiagnoseProber *prober, int fd, IkeSlice message, bool marked)
{
    guint8 bytes[IKE_NON_ESP_MARKER_SIZE + IKE_MESSAGE_MAX] = {0};
    gsize skip = marked ? IKE_NON_ESP_MARKER_SIZE : 0;

    memcpy(bytes + skip, message.bytes, message.n);
    keep_a_second_apart(prober);
    return send(fd, bytes, skip + message.n, 0) >= 0;
}

/* False: there is an error instead of a datagram. */
static bool take_datagram(int fd, const IkeProbe *probe, bool marked, DiagnoseReply *reply)
{
    guint8 bytes[IKE_NON_ESP_MARKER_SIZE + IKE_MESSAGE_MAX];
    const IkeAddress local = local_address(fd);
    gsize skip = marked ? IKE_NON_ESP_MARKER_SIZE : 0;
    gssize n = recv(fd, bytes, sizeof(bytes), 0);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if ((gsize)n <= skip)
        return true;
    const IkeSlice datagram = {bytes + skip, (gsize)n - skip};
    reply->answered = ike_probe_read(probe, datagram, &local, &reply->answer) == 0 &&
                      reply->answer.kind != IKE_PROBE_UNUSABLE;
    return true;
}

static void wait_for_answer(int fd, const IkeProbe *probe, bool marked, DiagnoseReply *reply)
{
    guint64 end = platform_clock_now() + ANSWER_WAIT_MS * IKE_MILLISECOND;

    while (!reply->answered) {
        guint64 now = platform_clock_now();
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (now >= end || poll(&ready, 1, (int)((end - now) / IKE_MILLISECOND) + 1) == 0)
            return;
        if (!take_datagram(fd, probe, marked, reply)) {
            reply->error = errno;
            return;
        }
    }
}

static void converse(DiagnoseProber *prober, int fd, const DiagnoseAsk *ask, const IkeProbe *probe,
                     DiagnoseReply *reply)
{
    const bool marked = ask->port == IKE_PORT_NATT;

    for (guint tries = 0; tries <= ask->repeats && may_send(prober); tries++) {
        reply->error = 0;
        if (!send_message(prober, fd, ike_probe_message(probe), marked)) {
            reply->error = errno;
            return;
        }
        wait_for_answer(fd, probe, marked, reply);
        if (reply->answered || reply->error != 0)
            return;
    }
}

bool diagnose_ask(DiagnoseProber *prober, const DiagnoseAsk *ask, DiagnoseReply *reply)
{
    IkeProbe *probe = NULL;

    if (!may_send(prober))
        return false;
    *reply = (DiagnoseReply){0};
    int r = ike_probe_new(&probe, &ask->question, give_random, NULL);
    if (r < 0) {
        reply->error = -r;
        return false;
    }
    int fd = open_socket(&prober->gateway, ask->port, ask->whole);
    if (fd < 0)
        reply->error = errno;
    else
        converse(prober, fd, ask, probe, reply);
    if (fd >= 0)
        close(fd);
    ike_probe_free(probe);
    return true;
}

/* ---- is anybody there at all ---- */

bool diagnose_answers_tcp(const IkeAddress *gateway)
{
    struct sockaddr_storage to;
    socklen_t n = socket_address(gateway, TCP_PORT, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;
    socklen_t size = sizeof(error);

    if (fd < 0)
        return false;
    if (connect(fd, (const struct sockaddr *)&to, n) != 0)
        error = errno;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (error == EINPROGRESS && (poll(&ready, 1, TCP_WAIT_MS) != 1 ||
                                 getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0))
        error = ETIMEDOUT;
    close(fd);
    return error == 0 || error == ECONNREFUSED;
}

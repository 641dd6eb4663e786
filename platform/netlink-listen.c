// SPDX-License-Identifier: GPL-2.0-or-later
/* The one place where messages of the kernel's multicast are read: who watches routes, links or
 * nf_tables is given them one by one, or told that it has missed some. */
#include "platform/netlink-listen.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_MAX = 32 * 1024 };

typedef union Messages {
    struct nlmsghdr header;
    char bytes[MESSAGES_MAX];
} Messages;

int platform_netlink_listen(int protocol, uint32_t groups, int *fdp)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

static void each(const Messages *messages, size_t n, PlatformNetlinkFunc func, void *user_data)
{
    const struct nlmsghdr *header = &messages->header;
    int left = (int)n;

    for (; NLMSG_OK(header, (unsigned)left); header = NLMSG_NEXT(header, left))
        func(header, user_data);
}

PlatformNetlinkHeard platform_netlink_hear(int fd, PlatformNetlinkFunc func, void *user_data)
{
    Messages messages;
    struct sockaddr_nl from = {0};
    struct iovec part = {&messages, sizeof messages};
    struct msghdr message = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

    if (n < 0 && errno == EINTR)
        return PLATFORM_NETLINK_HEARD;
    if (n < 0 && errno == ENOBUFS)
        return PLATFORM_NETLINK_MISSED;
    if (n <= 0)
        return PLATFORM_NETLINK_NOTHING;
    /* Other processes can send here too; only the kernel has port 0. */
    if (from.nl_pid != 0)
        return PLATFORM_NETLINK_HEARD;
    if (message.msg_flags & MSG_TRUNC)
        return PLATFORM_NETLINK_MISSED;
    each(&messages, (size_t)n, func, user_data);
    return PLATFORM_NETLINK_HEARD;
}

bool platform_netlink_hear_all(int fd, PlatformNetlinkFunc func, void *user_data)
{
    PlatformNetlinkHeard heard;
    bool missed = false;

    while ((heard = platform_netlink_hear(fd, func, user_data)) != PLATFORM_NETLINK_NOTHING)
        missed = missed || heard == PLATFORM_NETLINK_MISSED;
    return missed;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Notices that routes or rules were removed.
 *
 * Network managers remove what they did not make, some at each restart. A removed rule counts
 * whatever it looked up, for rules are few; of routes only those of one table, for a busy machine's
 * come and go.
 */
#include "platform/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_MAX = 32 * 1024 };

int platform_netlink_watch_open(int *fdp)
{
    const struct sockaddr_nl groups = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE |
                     1u << (RTNLGRP_IPV6_RULE - 1),
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&groups, sizeof groups) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

static uint32_t table_of(struct nlmsghdr *header)
{
    struct rtmsg *info = NLMSG_DATA(header);
    int left = (int)RTM_PAYLOAD(header);

    for (struct rtattr *a = RTM_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        uint32_t table;

        if (a->rta_type != RTA_TABLE || RTA_PAYLOAD(a) < sizeof table)
            continue;
        memcpy(&table, RTA_DATA(a), sizeof table);
        return table;
    }
    return info->rtm_table;
}

static bool tells_of_removal(struct nlmsghdr *header, size_t n, uint32_t table)
{
    int left = (int)n;

    for (; NLMSG_OK(header, (unsigned)left); header = NLMSG_NEXT(header, left)) {
        if (header->nlmsg_type == RTM_DELRULE)
            return true;
        if (header->nlmsg_type == RTM_DELROUTE &&
            header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg)) && table_of(header) == table)
            return true;
    }
    return false;
}

bool platform_netlink_watch_read(int fd, uint32_t table)
{
    union {
        struct nlmsghdr header;
        char bytes[MESSAGES_MAX];
    } messages;
    bool removed = false;

    for (;;) {
        struct sockaddr_nl from;
        socklen_t from_n = sizeof from;
        ssize_t n = recvfrom(fd, &messages, sizeof messages, 0, (struct sockaddr *)&from, &from_n);

        if (n < 0 && errno == EINTR)
            continue;
        /* Messages were lost: one may have been ours. */
        if (n < 0 && errno == ENOBUFS) {
            removed = true;
            continue;
        }
        if (n <= 0)
            return removed;
        /* Other processes can send here too; only the kernel has port 0. */
        if (from.nl_pid == 0)
            removed = tells_of_removal(&messages.header, (size_t)n, table) || removed;
    }
}

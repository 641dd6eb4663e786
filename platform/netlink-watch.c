// SPDX-License-Identifier: GPL-2.0-or-later
/* Notices that routes or rules were removed.
 *
 * Network managers remove what they did not make, some at each restart. A removed rule counts
 * whatever it looked up, for rules are few; of routes only those of one table, for a busy machine's
 * come and go.
 */
#include "platform/netlink-listen.h"
#include "platform/netlink.h"

#include <linux/rtnetlink.h>
#include <string.h>

typedef struct Removal {
    uint32_t table;
    uint32_t own;
    bool seen;
} Removal;

int platform_netlink_watch_open(int *fdp)
{
    return platform_netlink_listen(NETLINK_ROUTE,
                                   RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE |
                                       1u << (RTNLGRP_IPV6_RULE - 1),
                                   fdp);
}

static uint32_t table_of(const struct nlmsghdr *header)
{
    const struct rtmsg *info = NLMSG_DATA(header);
    int left = (int)RTM_PAYLOAD(header);

    for (const struct rtattr *a = RTM_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        uint32_t table;

        if (a->rta_type != RTA_TABLE || RTA_PAYLOAD(a) < sizeof table)
            continue;
        memcpy(&table, RTA_DATA(a), sizeof table);
        return table;
    }
    return info->rtm_table;
}

static void on_message(const struct nlmsghdr *header, void *user_data)
{
    Removal *removal = user_data;

    if (header->nlmsg_pid == removal->own)
        return;
    if (header->nlmsg_type == RTM_DELRULE ||
        (header->nlmsg_type == RTM_DELROUTE &&
         header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg)) &&
         table_of(header) == removal->table))
        removal->seen = true;
}

/* Of messages that were lost one may have been ours. */
bool platform_netlink_watch_read(int fd, uint32_t table, uint32_t own)
{
    Removal removal = {table, own, false};

    return platform_netlink_hear_all(fd, on_message, &removal) || removal.seen;
}

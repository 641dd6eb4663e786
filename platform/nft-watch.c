// SPDX-License-Identifier: GPL-2.0-or-later
/* Notices that somebody has removed a table of nf_tables, or some of what is in it.
 *
 * Firewall programs that load their rules anew often begin with `flush ruleset`, which takes the
 * tables of all others along.
 */
#include "platform/nft.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_MAX = 32 * 1024, HEAD = NLMSG_LENGTH(sizeof(struct nfgenmsg)) };

/* Its number is the same for tables, chains and rules. */
enum { ATTRIBUTE_TABLE = NFTA_TABLE_NAME };
_Static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_TABLE_NAME, "one number");
_Static_assert((int)NFTA_RULE_TABLE == (int)NFTA_TABLE_NAME, "one number");

int platform_nft_watch_open(int *fdp)
{
    const struct sockaddr_nl group = {
        .nl_family = AF_NETLINK,
        .nl_groups = 1u << (NFNLGRP_NFTABLES - 1),
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&group, sizeof group) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}

static bool names_table(const struct nlmsghdr *header, const char *table)
{
    const uint8_t *bytes = (const uint8_t *)header;
    size_t at = NLMSG_ALIGN(HEAD), n = strlen(table) + 1;

    while (header->nlmsg_len >= at && header->nlmsg_len - at >= NLA_HDRLEN) {
        struct nlattr a;

        memcpy(&a, bytes + at, sizeof a);
        if (a.nla_len < NLA_HDRLEN || a.nla_len > header->nlmsg_len - at)
            return false;
        if ((a.nla_type & NLA_TYPE_MASK) == ATTRIBUTE_TABLE)
            return (size_t)a.nla_len == n + NLA_HDRLEN &&
                   !memcmp(bytes + at + NLA_HDRLEN, table, n);
        at += NLA_ALIGN(a.nla_len);
    }
    return false;
}

static bool is_removal(const struct nlmsghdr *header)
{
    if (header->nlmsg_len < HEAD || header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
        return false;
    int type = header->nlmsg_type & 0xff;

    return type == NFT_MSG_DELTABLE || type == NFT_MSG_DELCHAIN || type == NFT_MSG_DELRULE;
}

static bool tells_of_removal(const struct nlmsghdr *header, size_t n, const char *table)
{
    int left = (int)n;

    for (; NLMSG_OK(header, (unsigned)left); header = NLMSG_NEXT(header, left)) {
        if (is_removal(header) && names_table(header, table))
            return true;
    }
    return false;
}

bool platform_nft_watch_read(int fd, const char *table)
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

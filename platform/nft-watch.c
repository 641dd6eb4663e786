// SPDX-License-Identifier: GPL-2.0-or-later
/* Notices that somebody has removed a table of nf_tables, or some of what is in it.
 *
 * Firewall programs that load their rules anew often begin with `flush ruleset`, which takes the
 * tables of all others along.
 */
#include "platform/netlink-listen.h"
#include "platform/nft.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <string.h>

enum { HEAD = NLMSG_LENGTH(sizeof(struct nfgenmsg)) };

/* Its number is the same for tables, chains and rules. */
enum { ATTRIBUTE_TABLE = NFTA_TABLE_NAME };
_Static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_TABLE_NAME, "one number");
_Static_assert((int)NFTA_RULE_TABLE == (int)NFTA_TABLE_NAME, "one number");

typedef struct Removal {
    const char *table;
    bool own; /* what a new table replaces has not been removed by anybody else */
    bool seen;
} Removal;

int platform_nft_watch_open(int *fdp)
{
    return platform_netlink_listen(NETLINK_NETFILTER, 1u << (NFNLGRP_NFTABLES - 1), fdp);
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

static bool is_removal(int type)
{
    return type == NFT_MSG_DELTABLE || type == NFT_MSG_DELCHAIN || type == NFT_MSG_DELRULE;
}

static void on_message(const struct nlmsghdr *header, void *user_data)
{
    Removal *removal = user_data;

    if (header->nlmsg_len < HEAD || header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
        return;
    int type = header->nlmsg_type & 0xff;

    if (is_removal(type) && names_table(header, removal->table))
        removal->seen = true;
    else if (removal->own && type == NFT_MSG_NEWTABLE && names_table(header, removal->table))
        removal->seen = false;
}

/* Of messages that were lost one may have been ours. */
static bool read_all(int fd, Removal removal)
{
    return platform_netlink_hear_all(fd, on_message, &removal) || removal.seen;
}

bool platform_nft_watch_read(int fd, const char *table)
{
    return read_all(fd, (Removal){.table = table});
}

bool platform_nft_watch_read_own(int fd, const char *table)
{
    return read_all(fd, (Removal){.table = table, .own = true});
}

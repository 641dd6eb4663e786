// SPDX-License-Identifier: GPL-2.0-or-later
/* rtnetlink requests, each a message of its own that the kernel acknowledges.
 *
 * libnl's core builds and parses messages; its object layer is left out, for it keeps caches of all
 * routes of the machine and can't express an inverted rule. The kernel's own errno is kept, for
 * "is there already" and "is not there" count as success here.
 */
#include "platform/netlink.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { ANSWER_TIMEOUT_S = 3 };

typedef int (*MessageFunc)(const struct nlmsghdr *header, void *user_data);

struct PlatformNetlink {
    struct nl_sock *socket;
    struct nl_cb *callbacks;
    bool done;
    int error;
    MessageFunc func; /* of the request that runs */
    void *user_data;
};

/* ---- one request ---- */

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *user_data)
{
    PlatformNetlink *netlink = user_data;

    netlink->error = error->error;
    netlink->done = true;
    return NL_STOP;
}

static int on_end(struct nl_msg *message, void *user_data)
{
    PlatformNetlink *netlink = user_data;

    netlink->done = true;
    return NL_STOP;
}

static int on_message(struct nl_msg *message, void *user_data)
{
    PlatformNetlink *netlink = user_data;

    if (netlink->func && netlink->error == 0)
        netlink->error = netlink->func(nlmsg_hdr(message), netlink->user_data);
    return NL_OK;
}

int platform_netlink_new(PlatformNetlink **netlinkp)
{
    PlatformNetlink *netlink = calloc(1, sizeof *netlink);

    if (!netlink)
        return -ENOMEM;
    netlink->socket = nl_socket_alloc();
    netlink->callbacks = nl_cb_alloc(NL_CB_DEFAULT);
    if (!netlink->socket || !netlink->callbacks || nl_connect(netlink->socket, NETLINK_ROUTE) < 0) {
        platform_netlink_free(netlink);
        return -EPROTONOSUPPORT;
    }
    struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

    setsockopt(nl_socket_get_fd(netlink->socket), SOL_SOCKET, SO_RCVTIMEO, &timeout,
               sizeof timeout);
    nl_cb_err(netlink->callbacks, NL_CB_CUSTOM, on_error, netlink);
    nl_cb_set(netlink->callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_end, netlink);
    nl_cb_set(netlink->callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, netlink);
    nl_cb_set(netlink->callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_message, netlink);
    *netlinkp = netlink;
    return 0;
}

PlatformNetlink *platform_netlink_free(PlatformNetlink *netlink)
{
    if (!netlink)
        return NULL;
    if (netlink->callbacks)
        nl_cb_put(netlink->callbacks);
    if (netlink->socket)
        nl_socket_free(netlink->socket);
    free(netlink);
    return NULL;
}

uint32_t platform_netlink_port(const PlatformNetlink *netlink)
{
    return nl_socket_get_local_port(netlink->socket);
}

/* Consumes the message; NULL is one that there was no memory for. */
static int request(PlatformNetlink *netlink, struct nl_msg *message_take, MessageFunc func,
                   void *user_data)
{
    if (!message_take)
        return -ENOMEM;
    netlink->done = false;
    netlink->error = 0;
    netlink->func = func;
    netlink->user_data = user_data;
    int r = nl_send_auto(netlink->socket, message_take);

    nlmsg_free(message_take);
    if (r < 0)
        return -EIO;
    while (!netlink->done) {
        r = nl_recvmsgs(netlink->socket, netlink->callbacks);
        if (r < 0 && !netlink->done)
            return r == -NLE_AGAIN ? -ETIMEDOUT : -EIO;
    }
    return netlink->error;
}

/* A message with its fixed part, or NULL. */
static struct nl_msg *message_new(int type, int flags, const void *fixed, size_t n)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

    if (message && nlmsg_append(message, (void *)(uintptr_t)fixed, n, NLMSG_ALIGNTO) < 0) {
        nlmsg_free(message);
        return NULL;
    }
    return message;
}

/* Puts all attributes of a kind that fits always: a fresh message has a page. */
static void put_u32(struct nl_msg *message, int type, uint32_t value)
{
    (void)nla_put_u32(message, type, value);
}

static void put_address(struct nl_msg *message, int type, const PlatformAddress *address)
{
    (void)nla_put(message, type, (int)platform_address_size(address->family), address->bytes);
}

static int ignore(int error, const int *ignored)
{
    for (; *ignored; ignored++) {
        if (error == -*ignored)
            return 0;
    }
    return error;
}

static const int fine_to_add[] = {EEXIST, 0};
/* An address family that is switched off has none of what is to be removed. */
static const int fine_to_remove[] = {ESRCH,      ENOENT, EADDRNOTAVAIL, ENODEV, EAFNOSUPPORT,
                                     EOPNOTSUPP, 0};

/* ---- links and addresses ---- */

int platform_netlink_ifindex(PlatformNetlink *netlink, const char *name)
{
    return (int)if_nametoindex(name);
}

int platform_netlink_link_set(PlatformNetlink *netlink, int ifindex, unsigned mtu,
                              unsigned txqueuelen)
{
    struct ifinfomsg info = {.ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct nl_msg *message = message_new(RTM_NEWLINK, 0, &info, sizeof info);

    if (!message)
        return -ENOMEM;
    put_u32(message, IFLA_MTU, mtu);
    if (txqueuelen)
        put_u32(message, IFLA_TXQLEN, txqueuelen);
    return request(netlink, message, NULL, NULL);
}

int platform_netlink_link_quiet(PlatformNetlink *netlink, int ifindex)
{
    struct ifinfomsg info = {.ifi_index = ifindex};
    struct nl_msg *message = message_new(RTM_NEWLINK, 0, &info, sizeof info);

    if (!message)
        return -ENOMEM;
    struct nlattr *families = nla_nest_start(message, IFLA_AF_SPEC);
    struct nlattr *ipv6 = families ? nla_nest_start(message, AF_INET6) : NULL;

    if (!ipv6) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    (void)nla_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    nla_nest_end(message, ipv6);
    nla_nest_end(message, families);
    return ignore(request(netlink, message, NULL, NULL), fine_to_remove);
}

int platform_netlink_link_delete(PlatformNetlink *netlink, int ifindex)
{
    struct ifinfomsg info = {.ifi_index = ifindex};
    struct nl_msg *message = message_new(RTM_DELLINK, 0, &info, sizeof info);

    return ignore(request(netlink, message, NULL, NULL), fine_to_remove);
}

static struct nl_msg *address_message(int type, int flags, int ifindex, const PlatformPrefix *a)
{
    struct ifaddrmsg info = {
        .ifa_family = a->address.family,
        .ifa_prefixlen = a->length,
        .ifa_index = (unsigned)ifindex,
    };
    struct nl_msg *message = message_new(type, flags, &info, sizeof info);

    if (!message)
        return NULL;
    put_address(message, IFA_LOCAL, &a->address);
    put_address(message, IFA_ADDRESS, &a->address);
    put_u32(message, IFA_FLAGS,
            IFA_F_NOPREFIXROUTE | (a->address.family == AF_INET6 ? IFA_F_NODAD : 0));
    return message;
}

int platform_netlink_address_add(PlatformNetlink *netlink, int ifindex, const PlatformPrefix *a)
{
    struct nl_msg *message = address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, a);

    return ignore(request(netlink, message, NULL, NULL), fine_to_add);
}

int platform_netlink_address_remove(PlatformNetlink *netlink, int ifindex, const PlatformPrefix *a)
{
    struct nl_msg *message = address_message(RTM_DELADDR, 0, ifindex, a);

    return ignore(request(netlink, message, NULL, NULL), fine_to_remove);
}

/* ---- routes ---- */

static struct nl_msg *route_message(int type, int flags, const PlatformRoute *route)
{
    static const unsigned char types[] = {
        [PLATFORM_ROUTE_LINK] = RTN_UNICAST,
        [PLATFORM_ROUTE_THROW] = RTN_THROW,
        [PLATFORM_ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
    };
    struct rtmsg info = {
        .rtm_family = route->prefix.address.family,
        .rtm_dst_len = route->prefix.length,
        .rtm_type = types[route->type],
    };

    if (type == RTM_NEWROUTE) {
        info.rtm_protocol = RTPROT_STATIC;
        info.rtm_scope = route->type == PLATFORM_ROUTE_LINK ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    } else {
        info.rtm_scope = RT_SCOPE_NOWHERE; /* any */
    }
    struct nl_msg *message = message_new(type, flags, &info, sizeof info);

    if (!message)
        return NULL;
    put_u32(message, RTA_TABLE, route->table);
    if (route->prefix.length > 0)
        put_address(message, RTA_DST, &route->prefix.address);
    if (route->type == PLATFORM_ROUTE_LINK)
        put_u32(message, RTA_OIF, (uint32_t)route->ifindex);
    return message;
}

int platform_netlink_route_add(PlatformNetlink *netlink, const PlatformRoute *route)
{
    /* Replace: another route of this prefix gives way without a gap. */
    struct nl_msg *message = route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);

    return ignore(request(netlink, message, NULL, NULL), fine_to_add);
}

int platform_netlink_route_remove(PlatformNetlink *netlink, const PlatformRoute *route)
{
    struct nl_msg *message = route_message(RTM_DELROUTE, 0, route);

    return ignore(request(netlink, message, NULL, NULL), fine_to_remove);
}

static int on_route_got(const struct nlmsghdr *header, void *user_data)
{
    int *ifindexp = user_data;
    const struct nlattr *out =
        nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header, sizeof(struct rtmsg), RTA_OIF);

    if (out && nla_len(out) >= (int)sizeof(uint32_t))
        *ifindexp = (int)nla_get_u32(out);
    return 0;
}

int platform_netlink_route_get(PlatformNetlink *netlink, const PlatformAddress *to, uint32_t mark,
                               int *ifindexp)
{
    struct rtmsg info = {
        .rtm_family = to->family,
        .rtm_dst_len = (unsigned char)(8 * platform_address_size(to->family)),
    };
    struct nl_msg *message = message_new(RTM_GETROUTE, 0, &info, sizeof info);
    int ifindex = 0;

    if (!message)
        return -ENOMEM;
    put_address(message, RTA_DST, to);
    put_u32(message, RTA_MARK, mark);
    int r = request(netlink, message, on_route_got, &ifindex);

    if (r == 0 && ifindex == 0)
        r = -ENETUNREACH;
    if (r == 0)
        *ifindexp = ifindex;
    return r;
}

/* ---- rules ---- */

static void put_ports(struct nl_msg *message, int type, uint16_t port)
{
    struct fib_rule_port_range range = {port, port};

    (void)nla_put(message, type, sizeof range, &range);
}

static struct nl_msg *rule_message(int type, int flags, const PlatformRule *rule)
{
    struct fib_rule_hdr info = {
        .family = (uint8_t)rule->family,
        .dst_len = rule->to_set ? rule->to.length : 0,
        .action = FR_ACT_TO_TBL,
        .flags = rule->invert ? FIB_RULE_INVERT : 0,
    };
    struct nl_msg *message = message_new(type, flags, &info, sizeof info);

    if (!message)
        return NULL;
    put_u32(message, FRA_TABLE, rule->table);
    put_u32(message, FRA_PRIORITY, rule->priority);
    (void)nla_put_u8(message, FRA_PROTOCOL, RTPROT_STATIC);
    if (rule->mask) {
        put_u32(message, FRA_FWMARK, rule->mark);
        put_u32(message, FRA_FWMASK, rule->mask);
    }
    if (rule->to_set)
        put_address(message, FRA_DST, &rule->to.address);
    if (rule->ip_protocol)
        (void)nla_put_u8(message, FRA_IP_PROTO, rule->ip_protocol);
    if (rule->source_port)
        put_ports(message, FRA_SPORT_RANGE, rule->source_port);
    if (rule->destination_port)
        put_ports(message, FRA_DPORT_RANGE, rule->destination_port);
    return message;
}

int platform_netlink_rule_add(PlatformNetlink *netlink, const PlatformRule *rule)
{
    struct nl_msg *message = rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);

    return ignore(request(netlink, message, NULL, NULL), fine_to_add);
}

int platform_netlink_rule_remove(PlatformNetlink *netlink, const PlatformRule *rule)
{
    struct nl_msg *message = rule_message(RTM_DELRULE, 0, rule);

    return ignore(request(netlink, message, NULL, NULL), fine_to_remove);
}

/* ---- lists ---- */

/* What a dump looks for, and copies of what it showed, to be sent back as deletions. */
typedef struct Found {
    int dump, kind, deletion; /* message types */
    size_t fixed;             /* size of the fixed part */
    int attribute;            /* that has to have this value; 0: the fixed part's ifa_index */
    uint32_t value;
    struct nlmsghdr **headers;
    size_t n;
} Found;

static Found routes_of_table(uint32_t table)
{
    return (Found){RTM_GETROUTE, RTM_NEWROUTE, RTM_DELROUTE, sizeof(struct rtmsg),
                   RTA_TABLE,    table,        NULL,         0};
}

static Found rules_with(int attribute, uint32_t value)
{
    return (Found){RTM_GETRULE, RTM_NEWRULE, RTM_DELRULE, sizeof(struct fib_rule_hdr),
                   attribute,   value,       NULL,        0};
}

static Found addresses_of(int ifindex)
{
    return (Found){RTM_GETADDR, RTM_NEWADDR,       RTM_DELADDR, sizeof(struct ifaddrmsg),
                   0,           (uint32_t)ifindex, NULL,        0};
}

static int keep(Found *found, const struct nlmsghdr *header)
{
    struct nlmsghdr *copy = malloc(header->nlmsg_len);
    struct nlmsghdr **headers = reallocarray(found->headers, found->n + 1, sizeof *found->headers);

    if (headers)
        found->headers = headers;
    if (!copy || !headers) {
        free(copy);
        return -ENOMEM;
    }
    memcpy(copy, header, header->nlmsg_len);
    found->headers[found->n++] = copy;
    return 0;
}

static void found_clear(Found *found)
{
    for (size_t i = 0; i < found->n; i++)
        free(found->headers[i]);
    free(found->headers);
    found->headers = NULL;
    found->n = 0;
}

static uint32_t attribute_u32(const struct nlmsghdr *header, size_t fixed, int type)
{
    const struct nlattr *a =
        nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header, (int)fixed, type);

    return a && nla_len(a) >= (int)sizeof(uint32_t) ? nla_get_u32(a) : 0;
}

static bool is_wanted(const Found *found, const struct nlmsghdr *header)
{
    if (header->nlmsg_type != found->kind || !nlmsg_valid_hdr(header, (int)found->fixed))
        return false;
    if (found->kind == RTM_NEWADDR) {
        const struct ifaddrmsg *info = nlmsg_data(header);

        return info->ifa_index == found->value &&
               (info->ifa_family == AF_INET || info->ifa_scope == RT_SCOPE_UNIVERSE);
    }
    if (found->kind == RTM_NEWROUTE &&
        ((const struct rtmsg *)nlmsg_data(header))->rtm_flags & RTM_F_CLONED)
        return false;
    return attribute_u32(header, found->fixed, found->attribute) == found->value;
}

static int on_found(const struct nlmsghdr *header, void *user_data)
{
    Found *found = user_data;

    return is_wanted(found, header) ? keep(found, header) : 0;
}

static int find(PlatformNetlink *netlink, int family, Found *found)
{
    struct rtmsg info = {.rtm_family = (unsigned char)family};
    struct nl_msg *message = message_new(found->dump, NLM_F_DUMP, &info, sizeof info);

    return ignore(request(netlink, message, on_found, found), fine_to_remove);
}

static int send_back(PlatformNetlink *netlink, const struct nlmsghdr *header, int type)
{
    struct nl_msg *message =
        message_new(type, 0, nlmsg_data(header), (size_t)nlmsg_datalen(header));

    return ignore(request(netlink, message, NULL, NULL), fine_to_remove);
}

/* Goes on after a failure, and returns the first. */
static int remove_found(PlatformNetlink *netlink, int family, Found found)
{
    int r = find(netlink, family, &found);

    for (size_t i = 0; i < found.n; i++) {
        int removed = send_back(netlink, found.headers[i], found.deletion);

        r = r ? r : removed;
    }
    found_clear(&found);
    return r;
}

static const int both[] = {AF_INET, AF_INET6};

int platform_netlink_table_clear(PlatformNetlink *netlink, uint32_t table)
{
    int result = 0;

    /* Rules first: nothing looks the table up while it empties. */
    for (int i = 0; i < 4; i++) {
        int r = remove_found(netlink, both[i % 2],
                             i < 2 ? rules_with(FRA_TABLE, table) : routes_of_table(table));

        result = result ? result : r;
    }
    return result;
}

int platform_netlink_rules_remove(PlatformNetlink *netlink, int family, uint32_t priority)
{
    return remove_found(netlink, family, rules_with(FRA_PRIORITY, priority));
}

int platform_netlink_addresses_clear(PlatformNetlink *netlink, int ifindex)
{
    int r = remove_found(netlink, AF_INET, addresses_of(ifindex));
    int r6 = remove_found(netlink, AF_INET6, addresses_of(ifindex));

    return r ? r : r6;
}

int platform_netlink_table_count(PlatformNetlink *netlink, uint32_t table, unsigned *countp)
{
    unsigned count = 0;
    int r = 0;

    for (int i = 0; r == 0 && i < 4; i++) {
        Found found = i < 2 ? rules_with(FRA_TABLE, table) : routes_of_table(table);

        r = find(netlink, both[i % 2], &found);
        count += (unsigned)found.n;
        found_clear(&found);
    }
    if (r == 0)
        *countp = count;
    return r;
}

typedef struct Subnets {
    int skip;
    PlatformSubnetFunc func;
    void *user_data;
} Subnets;

/* A network that we are in. What was set without a gateway, as a DHCP server may have it for any
   network (RFC 3442), makes none. IPv6's connected routes name no source. */
static bool has_own_address(struct nlmsghdr *header, const PlatformPrefix *prefix)
{
    const struct nlattr *source = nlmsg_find_attr(header, sizeof(struct rtmsg), RTA_PREFSRC);
    PlatformAddress own;

    return prefix->address.family == AF_INET6 ||
           (source &&
            platform_address_from_bytes(nla_data(source), (size_t)nla_len(source), &own) &&
            platform_prefix_contains(prefix, &own));
}

static int on_subnet(const struct nlmsghdr *header, void *user_data)
{
    const Subnets *subnets = user_data;
    const struct rtmsg *info = nlmsg_data(header);
    PlatformPrefix prefix = {0};

    if (header->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(header, sizeof *info) ||
        info->rtm_type != RTN_UNICAST || info->rtm_dst_len == 0 || info->rtm_flags & RTM_F_CLONED ||
        attribute_u32(header, sizeof *info, RTA_TABLE) != RT_TABLE_MAIN)
        return 0;
    struct nlmsghdr *h = (struct nlmsghdr *)(uintptr_t)header;
    const struct nlattr *to = nlmsg_find_attr(h, sizeof *info, RTA_DST);
    int ifindex = (int)attribute_u32(header, sizeof *info, RTA_OIF);

    if (nlmsg_find_attr(h, sizeof *info, RTA_GATEWAY) || !to || !ifindex ||
        ifindex == subnets->skip ||
        !platform_address_from_bytes(nla_data(to), (size_t)nla_len(to), &prefix.address))
        return 0;
    prefix.length = info->rtm_dst_len;
    if (has_own_address(h, &prefix))
        subnets->func(&prefix, ifindex, subnets->user_data);
    return 0;
}

int platform_netlink_local_subnets(PlatformNetlink *netlink, int skip, PlatformSubnetFunc func,
                                   void *user_data)
{
    Subnets subnets = {skip, func, user_data};
    int r = 0;

    for (size_t i = 0; r == 0 && i < 2; i++) {
        struct rtmsg info = {.rtm_family = (unsigned char)both[i]};
        struct nl_msg *message = message_new(RTM_GETROUTE, NLM_F_DUMP, &info, sizeof info);

        r = ignore(request(netlink, message, on_subnet, &subnets), fine_to_remove);
    }
    return r;
}

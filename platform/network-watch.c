// SPDX-License-Identifier: GPL-2.0-or-later
/* Links, addresses and default routes that come and go, by rtnetlink's multicast.
 *
 * What the kernel tells is a hint that something may be another way now; the way itself is asked
 * for, so that no message has to be believed in detail and a lost one does no harm. After the first
 * that counts the socket is left alone for a moment: what follows on its heels is told in one go,
 * and a flood costs what fits its buffer, seven times a second.
 *
 * Routes count in table main only, where the tunnels of this machine have none; their interfaces
 * don't count either.
 */
#include "platform/network-watch.h"

#include "platform/netlink-listen.h"
#include "platform/slot.h"

#include <glib-unix.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PAUSE_MS = 150,
    READS_MAX = 64, /* datagrams at one go; the main loop has others to serve */
    ANSWER_READS_MAX = 1024,
    TRIES_MAX = 3,
    OURS_MAX = 64,
    BUFFER = 1024 * 1024, /* what a script that sets up a network says in one pause */
};

/* The answer to one question of ours. */
typedef struct Answer {
    uint32_t sequence;
    bool done;
    bool found;
    PlatformWay way;
    bool running;
    unsigned mtu; /* of the link */
} Answer;

typedef struct Request {
    struct nlmsghdr header;
    union {
        struct rtmsg route;
        struct ifinfomsg link;
    } body;
    char attributes[64];
} Request;

struct PlatformNetworkWatch {
    int fd;
    GSource *source; /* NULL: in the pause */
    GSource *pause;
    PlatformNetworkFunc func;
    void *user_data;
    PlatformNetworkChange change;
    bool changed;
    uint32_t port, sequence; /* of our questions */
    int ours[OURS_MAX];      /* interfaces of tunnels */
    unsigned ours_n;
};

int platform_network_watch_open(int *fdp)
{
    const int buffer = BUFFER;
    int r = platform_netlink_listen(NETLINK_ROUTE,
                                    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                        RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
                                    fdp);

    /* Where it may not be larger than others', more is missed. */
    if (r == 0 && setsockopt(*fdp, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
        (void)setsockopt(*fdp, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    return r;
}

/* ---- what is told ---- */

bool platform_network_change_touches(const PlatformNetworkChange *change, int ifindex)
{
    for (unsigned i = 0; i < change->lost_n; i++) {
        if (change->lost[i] == ifindex)
            return true;
    }
    return change->missed;
}

static void note_lost(PlatformNetworkWatch *watch, int ifindex)
{
    PlatformNetworkChange *change = &watch->change;

    if (platform_network_change_touches(change, ifindex))
        return;
    /* A default route over several links names none. */
    if (ifindex == 0 || change->lost_n == PLATFORM_NETWORK_LINKS_MAX)
        change->missed = true;
    else
        change->lost[change->lost_n++] = ifindex;
}

static bool is_ours(const PlatformNetworkWatch *watch, int ifindex)
{
    for (unsigned i = 0; i < watch->ours_n; i++) {
        if (watch->ours[i] == ifindex)
            return true;
    }
    return false;
}

/* NULL: it has none, or one that does not fit. */
static const struct rtattr *find(const struct rtattr *attributes, size_t n, unsigned short type,
                                 size_t least)
{
    int left = (int)n;

    for (const struct rtattr *a = attributes; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == type)
            return RTA_PAYLOAD(a) >= least ? a : NULL;
    }
    return NULL;
}

static uint32_t number(const struct rtattr *attribute)
{
    uint32_t value = 0;

    if (attribute)
        memcpy(&value, RTA_DATA(attribute), sizeof value);
    return value;
}

static void read_name(const struct nlmsghdr *header, char name[IF_NAMESIZE])
{
    const struct rtattr *a =
        find(IFLA_RTA(NLMSG_DATA(header)), IFLA_PAYLOAD(header), IFLA_IFNAME, 1);
    size_t n = a ? strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) : 0;

    memset(name, 0, IF_NAMESIZE);
    if (n < IF_NAMESIZE)
        memcpy(name, a ? RTA_DATA(a) : "", n);
}

static void on_link(PlatformNetworkWatch *watch, const struct nlmsghdr *header)
{
    const struct ifinfomsg *info = NLMSG_DATA(header);
    char name[IF_NAMESIZE];

    read_name(header, name);
    if (!strncmp(name, PLATFORM_SLOT_INTERFACE, strlen(PLATFORM_SLOT_INTERFACE))) {
        if (!is_ours(watch, info->ifi_index) && watch->ours_n < OURS_MAX)
            watch->ours[watch->ours_n++] = info->ifi_index;
        return;
    }
    watch->changed = true;
    if (header->nlmsg_type == RTM_DELLINK || !(info->ifi_flags & IFF_RUNNING))
        note_lost(watch, info->ifi_index);
}

static void on_address(PlatformNetworkWatch *watch, const struct nlmsghdr *header)
{
    const struct ifaddrmsg *info = NLMSG_DATA(header);

    if (is_ours(watch, (int)info->ifa_index))
        return;
    watch->changed = true;
    if (header->nlmsg_type == RTM_DELADDR)
        note_lost(watch, (int)info->ifa_index);
}

static void on_route(PlatformNetworkWatch *watch, const struct nlmsghdr *header)
{
    const struct rtmsg *info = NLMSG_DATA(header);
    const struct rtattr *attributes = RTM_RTA(info);
    size_t n = RTM_PAYLOAD(header);
    const struct rtattr *table = find(attributes, n, RTA_TABLE, sizeof(uint32_t));

    if ((table ? number(table) : info->rtm_table) != RT_TABLE_MAIN)
        return;
    watch->changed = true;
    if (header->nlmsg_type == RTM_DELROUTE && info->rtm_dst_len == 0)
        note_lost(watch, (int)number(find(attributes, n, RTA_OIF, sizeof(uint32_t))));
}

static void on_told(PlatformNetworkWatch *watch, const struct nlmsghdr *header)
{
    size_t n = header->nlmsg_len;

    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        if (n >= NLMSG_LENGTH(sizeof(struct ifinfomsg)))
            on_link(watch, header);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (n >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)))
            on_address(watch, header);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        if (n >= NLMSG_LENGTH(sizeof(struct rtmsg)))
            on_route(watch, header);
        break;
    default:
        break;
    }
}

/* ---- what is asked ---- */

/* What ICMP has taught the kernel stands where a setting would, but passes. */
static void take_metrics(const struct rtattr *attributes, size_t n, PlatformWay *way)
{
    const struct rtattr *metrics = find(attributes, n, RTA_METRICS, 0);
    const struct rtattr *cache = find(attributes, n, RTA_CACHEINFO, sizeof(struct rta_cacheinfo));
    struct rta_cacheinfo info = {0};
    unsigned mtu =
        metrics ? number(find(RTA_DATA(metrics), RTA_PAYLOAD(metrics), RTAX_MTU, sizeof(uint32_t)))
                : 0;

    if (cache)
        memcpy(&info, RTA_DATA(cache), sizeof info);
    if (info.rta_expires != 0)
        way->learnt = mtu;
    else
        way->mtu = mtu;
}

static void take_route(const struct nlmsghdr *header, Answer *answer)
{
    const struct rtmsg *info = NLMSG_DATA(header);
    const size_t size = info->rtm_family == AF_INET6 ? 16 : 4;
    const struct rtattr *source = find(RTM_RTA(info), RTM_PAYLOAD(header), RTA_PREFSRC, size);

    answer->way.ifindex =
        (int)number(find(RTM_RTA(info), RTM_PAYLOAD(header), RTA_OIF, sizeof(uint32_t)));
    answer->found =
        answer->way.ifindex != 0 && (info->rtm_type == RTN_UNICAST || info->rtm_type == RTN_LOCAL);
    if (source) {
        answer->way.source.family = info->rtm_family;
        memcpy(answer->way.source.bytes, RTA_DATA(source), size);
    }
    take_metrics(RTM_RTA(info), RTM_PAYLOAD(header), &answer->way);
}

static void take_answer(const struct nlmsghdr *header, Answer *answer)
{
    size_t n = header->nlmsg_len;

    answer->done = true;
    if (header->nlmsg_type == RTM_NEWROUTE && n >= NLMSG_LENGTH(sizeof(struct rtmsg))) {
        take_route(header, answer);
    } else if (header->nlmsg_type == RTM_NEWLINK && n >= NLMSG_LENGTH(sizeof(struct ifinfomsg))) {
        const struct ifinfomsg *info = NLMSG_DATA(header);

        answer->found = true;
        answer->running = info->ifi_flags & IFF_RUNNING;
        answer->mtu =
            number(find(IFLA_RTA(info), IFLA_PAYLOAD(header), IFLA_MTU, sizeof(uint32_t)));
        read_name(header, answer->way.link);
    }
}

/* ---- reading ---- */

typedef struct Reading {
    PlatformNetworkWatch *watch;
    Answer *answer; /* NULL: none is waited for */
} Reading;

static void on_message(const struct nlmsghdr *header, void *user_data)
{
    const Reading *reading = user_data;
    Answer *answer = reading->answer;

    /* Whoever made a change has his port and sequence number in what is told of it. */
    if (header->nlmsg_pid != reading->watch->port)
        on_told(reading->watch, header);
    else if (answer && !answer->done && header->nlmsg_seq == answer->sequence)
        take_answer(header, answer);
}

/* One datagram. False when there is none. */
static bool read_one(PlatformNetworkWatch *watch, Answer *answer)
{
    Reading reading = {watch, answer};
    const PlatformNetlinkHeard heard = platform_netlink_hear(watch->fd, on_message, &reading);

    if (heard == PLATFORM_NETLINK_MISSED)
        watch->changed = watch->change.missed = true;
    return heard != PLATFORM_NETLINK_NOTHING;
}

static void begin_pause(PlatformNetworkWatch *watch);

/* The kernel answers while it is asked, so the answer is there already; unless the buffer was full.
 */
static bool ask(PlatformNetworkWatch *watch, Request *request, Answer *answer)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    for (int i = 0; i < TRIES_MAX && !answer->done; i++) {
        answer->sequence = request->header.nlmsg_seq = ++watch->sequence;
        if (sendto(watch->fd, request, request->header.nlmsg_len, MSG_DONTWAIT,
                   (const struct sockaddr *)&kernel, sizeof kernel) < 0)
            break;
        for (int k = 0; k < ANSWER_READS_MAX && !answer->done; k++) {
            if (!read_one(watch, answer))
                break;
        }
    }
    if (watch->changed)
        begin_pause(watch);
    return answer->done && answer->found;
}

static void add_attribute(Request *request, unsigned short type, const void *value, size_t n)
{
    const struct rtattr head = {.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(n)};
    char *to = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

    memcpy(to, &head, sizeof head);
    memcpy(to + RTA_LENGTH(0), value, n);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(head.rta_len);
}

static bool ask_link(PlatformNetworkWatch *watch, PlatformWay *way)
{
    Request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body.link = {.ifi_family = AF_UNSPEC, .ifi_index = way->ifindex},
    };
    Answer answer = {0};

    if (!ask(watch, &request, &answer))
        return false;
    memcpy(way->link, answer.way.link, sizeof way->link);
    if (way->mtu == 0 || (answer.mtu != 0 && answer.mtu < way->mtu))
        way->mtu = answer.mtu;
    if (way->learnt >= way->mtu)
        way->learnt = 0;
    return answer.running;
}

bool platform_network_watch_way(PlatformNetworkWatch *watch, const PlatformAddress *to,
                                uint32_t mark, PlatformWay *wayp)
{
    const size_t size = to->family == AF_INET6 ? 16 : 4;
    Request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body.route = {.rtm_family = (unsigned char)to->family,
                       .rtm_dst_len = (unsigned char)(8 * size)},
    };
    Answer answer = {0};

    add_attribute(&request, RTA_DST, to->bytes, size);
    add_attribute(&request, RTA_MARK, &mark, sizeof mark);
    if (!ask(watch, &request, &answer) || !ask_link(watch, &answer.way))
        return false;
    *wayp = answer.way;
    return true;
}

/* ---- the main loop ---- */

static void listen_again(PlatformNetworkWatch *watch);

static gboolean on_pause_over(gpointer user_data)
{
    PlatformNetworkWatch *watch = user_data;

    g_clear_pointer(&watch->pause, g_source_unref);
    for (int i = 0; i < ANSWER_READS_MAX && read_one(watch, NULL); i++)
        continue;
    const PlatformNetworkChange change = watch->change;

    watch->change = (PlatformNetworkChange){0};
    watch->changed = false;
    listen_again(watch);
    watch->func(&change, watch->user_data);
    return G_SOURCE_REMOVE;
}

static void stop_listening(PlatformNetworkWatch *watch)
{
    if (watch->source)
        g_source_destroy(watch->source);
    g_clear_pointer(&watch->source, g_source_unref);
}

static void begin_pause(PlatformNetworkWatch *watch)
{
    if (watch->pause)
        return;
    stop_listening(watch);
    watch->pause = g_timeout_source_new(PAUSE_MS);
    g_source_set_callback(watch->pause, on_pause_over, watch, NULL);
    g_source_attach(watch->pause, g_main_context_get_thread_default());
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformNetworkWatch *watch = user_data;

    for (int i = 0; i < READS_MAX && !watch->changed && read_one(watch, NULL); i++)
        continue;
    if (watch->changed)
        begin_pause(watch);
    return G_SOURCE_CONTINUE;
}

static void listen_again(PlatformNetworkWatch *watch)
{
    watch->source = g_unix_fd_source_new(watch->fd, G_IO_IN);
    g_source_set_callback(watch->source, G_SOURCE_FUNC(on_readable), watch, NULL);
    g_source_attach(watch->source, g_main_context_get_thread_default());
}

PlatformNetworkWatch *platform_network_watch_new(int fd_take, PlatformNetworkFunc func,
                                                 void *user_data)
{
    PlatformNetworkWatch *watch = g_new0(PlatformNetworkWatch, 1);

    struct sockaddr_nl self = {0};
    socklen_t n = sizeof self;

    *watch = (PlatformNetworkWatch){.fd = fd_take, .func = func, .user_data = user_data};
    if (getsockname(fd_take, (struct sockaddr *)&self, &n) == 0)
        watch->port = self.nl_pid;
    listen_again(watch);
    return watch;
}

void platform_network_watch_free(PlatformNetworkWatch *watch)
{
    if (!watch)
        return;
    stop_listening(watch);
    if (watch->pause)
        g_source_destroy(watch->pause);
    g_clear_pointer(&watch->pause, g_source_unref);
    close(watch->fd);
    g_free(watch);
}

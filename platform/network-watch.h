/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tunnel wants to know of the physical network: that it has changed, and the way to a
 * gateway now. The socket needs no privilege to be read or asked, and gives none: the kernel looks
 * at who sends, too. So it is opened by whoever may open sockets, and read by the process that
 * parses what comes from outside. */
#pragma once

#include <net/if.h>

#include "platform/address.h"

typedef struct PlatformNetworkWatch PlatformNetworkWatch;

enum { PLATFORM_NETWORK_LINKS_MAX = 16 };

/* What has happened since the former call. */
typedef struct PlatformNetworkChange {
    bool missed; /* more than could be told: anything may have happened */
    /* of links that have lost an address, their default route or their carrier: whatever way leads
       over them may be another network's now, even if it looks as before */
    int lost[PLATFORM_NETWORK_LINKS_MAX];
    unsigned lost_n;
} PlatformNetworkChange;

typedef struct PlatformWay {
    int ifindex;
    char link[IF_NAMESIZE];
    PlatformAddress source; /* what packets have for their source; family 0: not told */
    unsigned mtu;           /* of the link, or less where the route says so; 0: not told */
    unsigned learnt;        /* less than that, by an ICMP message that anybody may have sent, and
                               for a while; 0: nothing */
} PlatformWay;

/* In the thread's default main context, and at most every 150 ms, however much happens. */
typedef void (*PlatformNetworkFunc)(const PlatformNetworkChange *change, void *user_data);

/* 0 or a negative errno. */
__attribute__((warn_unused_result)) int platform_network_watch_open(int *fdp);
PlatformNetworkWatch *platform_network_watch_new(int fd_take, PlatformNetworkFunc func,
                                                 void *user_data);
void platform_network_watch_free(PlatformNetworkWatch *watch);

/* The way of a packet with this mark; false where there is none, or its link has no carrier. */
bool platform_network_watch_way(PlatformNetworkWatch *watch, const PlatformAddress *to,
                                uint32_t mark, PlatformWay *wayp);
bool platform_network_change_touches(const PlatformNetworkChange *change, int ifindex);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells by netlink's multicast, of whatever protocol. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* A non-blocking socket that hears these groups, a bit each. Returns a negative errno. */
__attribute__((warn_unused_result)) int platform_netlink_listen(int protocol, uint32_t groups,
                                                                int *fdp);

typedef enum PlatformNetlinkHeard {
    PLATFORM_NETLINK_NOTHING, /* there is none to read */
    PLATFORM_NETLINK_HEARD,
    PLATFORM_NETLINK_MISSED, /* messages were lost; others may be there */
} PlatformNetlinkHeard;

/* A whole message; what is behind its header is as long as the header says, and may be anything. */
typedef void (*PlatformNetlinkFunc)(const struct nlmsghdr *header, void *user_data);

/* One datagram; what other processes send is passed over. */
PlatformNetlinkHeard platform_netlink_hear(int fd, PlatformNetlinkFunc func, void *user_data);
/* All that is there. True when something was missed. */
bool platform_netlink_hear_all(int fd, PlatformNetlinkFunc func, void *user_data);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands beside a message to or from a socket: the size of its datagrams, and the traffic
 * class of their IP headers (the type of service of IPv4). */
#ifndef CLIENT_TUNNEL_DATAPATH_CONTROL_H
#define CLIENT_TUNNEL_DATAPATH_CONTROL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for both. */
typedef union DatapathControl {
    struct cmsghdr header;
    uint8_t bytes[2 * CMSG_SPACE(sizeof(int))];
} DatapathControl;

/* The message, which has no other controls, is to leave as datagrams of `size` bytes. */
void datapath_control_segments(struct msghdr *message, DatapathControl *control, size_t size);
/* `family` 4 or 6. */
void datapath_control_class(struct msghdr *message, DatapathControl *control, unsigned family,
                            uint8_t traffic_class);
/* The size of the datagrams that a message of n bytes is a train of, n where it is one. A traffic
 * class that is not there is left as it is. */
size_t datapath_control_read(const struct msghdr *message, size_t n, uint8_t *traffic_class);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control messages of the data path's sockets (cmsg(3), udp(7), ip(7), ipv6(7)). */
#include "client/tunnel/datapath-control.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

/* `header` says of what kind, and in place of its own length that of the value. */
static void add(struct msghdr *message, DatapathControl *control, const struct cmsghdr *header,
                const void *value)
{
    struct cmsghdr *at = (void *)(control->bytes + message->msg_controllen);
    size_t n = header->cmsg_len;

    *at = (struct cmsghdr){
        .cmsg_level = header->cmsg_level, .cmsg_type = header->cmsg_type, .cmsg_len = CMSG_LEN(n)};
    memcpy(CMSG_DATA(at), value, n);
    message->msg_control = control;
    message->msg_controllen += CMSG_SPACE(n);
}

void datapath_control_segments(struct msghdr *message, DatapathControl *control, size_t size)
{
    const struct cmsghdr header = {
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = sizeof(uint16_t)};

    add(message, control, &header, &(uint16_t){(uint16_t)size});
}

void datapath_control_class(struct msghdr *message, DatapathControl *control, unsigned family,
                            uint8_t traffic_class)
{
    const struct cmsghdr header = {.cmsg_level = family == 6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                   .cmsg_type = family == 6 ? IPV6_TCLASS : IP_TOS,
                                   .cmsg_len = sizeof(int)};

    add(message, control, &header, &(int){traffic_class});
}

size_t datapath_control_read(const struct msghdr *message, size_t n, uint8_t *traffic_class)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR((struct msghdr *)message, control)) {
        const int level = control->cmsg_level, type = control->cmsg_type;
        int value = 0;

        /* IPv4 says it in one byte. */
        if (level == IPPROTO_IP && type == IP_TOS && control->cmsg_len >= CMSG_LEN(1)) {
            *traffic_class = *CMSG_DATA(control);
            continue;
        }
        if (control->cmsg_len < CMSG_LEN(sizeof(value)))
            continue;
        memcpy(&value, CMSG_DATA(control), sizeof(value));
        if (level == IPPROTO_UDP && type == UDP_GRO && value > 0)
            n = (size_t)value;
        else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS)
            *traffic_class = (uint8_t)value;
    }
    return n;
}

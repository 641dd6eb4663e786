/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marked sockets for UDP and for ESP without UDP, and batches of datagrams without an allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    PLATFORM_UDP_BUFFER = 7 * 1024 * 1024, /* socket buffers */
    PLATFORM_UDP_BATCH = 64,
};

typedef struct PlatformUdpOptions {
    int family;         /* AF_INET or AF_INET6 (then IPv6 only) */
    uint32_t mark;      /* 0: none; else needs CAP_NET_ADMIN */
    int buffer;         /* bytes; forced beyond the system's limit where permitted; 0: leave */
    bool dont_fragment; /* IP_PMTUDISC_PROBE: DF set, our own idea of the path's MTU */
} PlatformUdpOptions;

/* Bound to an ephemeral port of any address, non-blocking, close-on-exec, not connected. Returns 0
   or a negative errno. */
__attribute__((warn_unused_result)) int platform_udp_open(const PlatformUdpOptions *options,
                                                          int *fdp, uint16_t *portp);

/* A raw socket for ESP (IP protocol 50), with the same options; needs CAP_NET_RAW. It hears the ESP
   of all who send some to this machine; what comes by IPv4 has its IP header in front. */
__attribute__((warn_unused_result)) int platform_esp_open(const PlatformUdpOptions *options,
                                                          int *fdp);

typedef struct PlatformDatagram {
    uint8_t *data;   /* the caller's buffer */
    size_t capacity; /* receive: bytes in data */
    size_t length;   /* received, or to be sent */
    struct sockaddr_storage peer;
    socklen_t peer_length; /* send: 0 for a connected socket */
    bool truncated;        /* receive: did not fit */
} PlatformDatagram;

/* At most PLATFORM_UDP_BATCH at once. Return how many, or a negative errno; -EAGAIN when none. */
__attribute__((warn_unused_result)) int platform_udp_receive(int fd, PlatformDatagram *datagrams,
                                                             size_t n);
__attribute__((warn_unused_result)) int platform_udp_send(int fd, const PlatformDatagram *datagrams,
                                                          size_t n);

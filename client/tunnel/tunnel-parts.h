/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small things that a Tunnel is made of: its times, its SAs, and how far its network and its
 * end have come. */
#pragma once

#include "ike/ike.h"

enum {
    TUNNEL_GOODBYE_SECONDS = 1,    /* for DELETEs to leave */
    TUNNEL_RELEASE_SECONDS = 5,    /* for the helper to put the network back */
    TUNNEL_KEEPALIVE_SECONDS = 20, /* RFC 3948, 4 */
    TUNNEL_SAS_MAX = 256,
    TUNNEL_BACKUPS_MAX = 8,   /* gateways that the gateway names, for when it is lost */
    TUNNEL_FOUND_MAX = 16,    /* addresses of one name that are kept */
    TUNNEL_REDIRECTS_MAX = 4, /* how often gateways may send us on in one round */
};

/* One ESP SA pair, or the half of it that has come. */
typedef struct TunnelSa {
    IkeSaInfo info;
    EspShape shape; /* of the outbound half; all zero: not there yet */
} TunnelSa;

/* Where the network stands. */
typedef enum TunnelLink {
    TUNNEL_LINK_DOWN,     /* as it was before */
    TUNNEL_LINK_APPLYING, /* the helper is at it */
    TUNNEL_LINK_UP,
} TunnelLink;

/* How far the end has come. */
typedef enum TunnelEnd {
    TUNNEL_END_NOT,
    TUNNEL_END_GOODBYE, /* DELETEs are on their way */
    TUNNEL_END_RELEASE, /* the helper puts the network back */
    TUNNEL_END_DONE,
} TunnelEnd;

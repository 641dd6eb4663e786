/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP (RFC 2131, RFC 2132) as RFC 3456 has it go through an IPsec tunnel: whole IPv4 packets with
 * UDP and a message in them, as syntax. What a reply means is the session's.
 */
#ifndef IKE_DHCP_MESSAGE_H
#define IKE_DHCP_MESSAGE_H

#include "ike/ike.h"
#include "ike/writer.h"

enum {
    IKE_DHCP_SERVER_PORT = 67,
    IKE_DHCP_CLIENT_PORT = 68,
    IKE_DHCP_PACKET_MAX = 1500, /* either way; we promise to take no less than 576 */
    IKE_DHCP_HTYPE_ETHERNET = 1,
    IKE_DHCP_HTYPE_IPSEC = 31, /* RFC 3456, 4.1 */
};

typedef enum IkeDhcpType {
    IKE_DHCP_DISCOVER = 1,
    IKE_DHCP_OFFER = 2,
    IKE_DHCP_REQUEST = 3,
    IKE_DHCP_ACK = 5,
    IKE_DHCP_NAK = 6,
    IKE_DHCP_RELEASE = 7,
} IkeDhcpType;

/* What a client says. Addresses are IPv4, or have the family 0 where there is none. */
typedef struct IkeDhcpQuestion {
    IkeDhcpType type;
    uint8_t htype;
    uint8_t hardware[IKE_HARDWARE_SIZE];
    uint32_t xid;
    uint16_t seconds;  /* since the client began */
    IkeAddress to;     /* of the packet; none: everybody */
    IkeAddress ours;   /* the address that we have */
    IkeAddress wanted; /* the address that we would have */
    IkeAddress server; /* the one that is chosen */
} IkeDhcpQuestion;

void ike_dhcp_write(IkeWriter *writer, const IkeDhcpQuestion *question);

/* What a server says. */
typedef struct IkeDhcpReply {
    IkeDhcpType type; /* OFFER, ACK or NAK */
    uint8_t hardware[IKE_HARDWARE_SIZE];
    uint32_t xid;
    IkeAddress server;    /* none in some NAKs */
    uint32_t lease;       /* seconds, UINT32_MAX: no end; 0 only in a NAK */
    uint32_t renew;       /* T1, seconds; 0: not said */
    IkeInnerConfig inner; /* has an address, but in a NAK */
} IkeDhcpReply;

/* False: it is no reply of a DHCP server, or one that breaks the format; `reply` is void then. */
bool ike_dhcp_read(IkeSlice packet, IkeDhcpReply *reply);

#endif

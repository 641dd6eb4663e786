/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lease of a session whose inner address comes by DHCP through an SA of its own (RFC 3456).
 */
#ifndef IKE_DHCP_H
#define IKE_DHCP_H

#include "ike/dhcp-message.h"

typedef struct IkeSession IkeSession;

typedef enum IkeDhcpStage {
    IKE_DHCP_IDLE,       /* nothing is asked */
    IKE_DHCP_OPENING,    /* the SA is being agreed on */
    IKE_DHCP_SELECTING,  /* DISCOVER is out */
    IKE_DHCP_REQUESTING, /* an offer was taken: REQUEST is out */
    IKE_DHCP_RENEWING,   /* REQUEST for the address that we have is out */
    IKE_DHCP_RELEASING,  /* RELEASE is to go out, and is the last word */
} IkeDhcpStage;

enum { IKE_DHCP_FORMS = 4 };

typedef struct IkeDhcp {
    IkeDhcpStage stage;
    bool leased;
    bool ending;    /* the lease is given back, and the session ends with that */
    bool use_local; /* IDci is our outer address, for 0.0.0.0 was refused */
    uint32_t xid;   /* with the number of a form added: which one an answer is to */
    unsigned tries, form, naks;
    uint16_t seconds[IKE_DHCP_FORMS]; /* what the last DISCOVER of each said */
    uint64_t began_at, asked_at, send_at, give_up_at;
    IkeAddress server, offered;
    uint64_t renew_at, lease_end; /* of the lease */
} IkeDhcp;

/* Asks for a lease, or for more time: the SA for it first. */
int ike_dhcp_begin(IkeSession *session);
/* Gives the lease back. True: that is under way, and ends the session. */
bool ike_dhcp_release(IkeSession *session);
/* The user comes first: what is under way ends, and is begun anew. */
void ike_dhcp_interrupt(IkeSession *session);
/* The SA stands. */
int ike_dhcp_open(IkeSession *session);
/* There is none, or no answer through it: the end, or another try later where there is a lease. */
int ike_dhcp_refused(IkeSession *session, const IkeFailure *why);
/* The time for all of it is over. */
int ike_dhcp_late(IkeSession *session);
/* The gateway has refused 0.0.0.0 as our end. True: there is another one to try. */
bool ike_dhcp_use_local(IkeSession *session);
/* An ESP packet for the SA, and what becomes of it; 0 or negative. */
bool ike_dhcp_is_for(IkeSession *session, IkeSlice datagram);
int ike_dhcp_receive(IkeSession *session, IkeSlice datagram);
int ike_dhcp_advance(IkeSession *session);
uint64_t ike_dhcp_deadline(const IkeSession *session);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pair of ESP SAs of a session, from its keys to its end.
 */
#ifndef IKE_CHILD_H
#define IKE_CHILD_H

#include "ike/isakmp-sa.h"

/* In place of a wanted selector: the SA for DHCP (RFC 3456). */
enum { IKE_NETWORK_DHCP = IKE_NETWORKS_MAX };

typedef struct IkeChild {
    bool used;
    bool replaced; /* a newer one carries the traffic */
    bool gone;     /* the gateway has deleted it */
    IkeSaInfo info;
    size_t network;          /* which of the wanted selectors, or IKE_NETWORK_DHCP */
    EspSa *waiting_out;      /* outbound, to be announced at out_at or on first use by the peer */
    EspSa *own_in, *own_out; /* the session's own: of the DHCP SA, which no data path has */
    uint64_t made_at, out_at, renew_at, expires_at, remove_at;
} IkeChild;

typedef struct IkeChildParameters {
    const IkeIsakmpSa *sa;
    IkeSaInfo info;     /* lifetime: the shorter side's seconds */
    uint32_t kilobytes; /* likewise; 0: no limit */
    size_t network;
    IkeSlice secret, nonce_i, nonce_r;
} IkeChildParameters;

/* Each one that is in use is renewed now. */
void ike_child_renew_all(IkeSession *session);
/* How many more there is room for. */
size_t ike_child_places(const IkeSession *session);
/* The newest for DHCP that stands, or NULL. */
IkeChild *ike_child_for_dhcp(IkeSession *session);
/* Takes packets at once; sends when ike_child_send() is called, or at its out_at. */
int ike_child_new(IkeSession *session, const IkeChildParameters *parameters, IkeChild **childp);
int ike_child_send(IkeSession *session, IkeChild *child);
/* The newest that is neither replaced nor waits for the gateway's word, or NULL. */
IkeChild *ike_child_current(const IkeSession *session, size_t network);
IkeChild *ike_child_by_spi_in(IkeSession *session, uint32_t spi);
IkeChild *ike_child_by_spi_out(IkeSession *session, uint32_t spi);
void ike_child_forget(IkeChild *child);
/* The gateway has deleted it: no more sending, and a little time for packets on their way. */
int ike_child_deleted(IkeSession *session, IkeChild *child);
int ike_child_tick(IkeSession *session, IkeChild *child);
uint64_t ike_child_deadline(const IkeChild *child);

#endif

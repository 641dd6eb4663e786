/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The identification payload (RFC 2407, 4.6.2): who a peer is in Phase 1, which packets an SA is
 * for in Phase 2.
 */
#ifndef IKE_PAYLOAD_ID_H
#define IKE_PAYLOAD_ID_H

#include "ike/ike.h"
#include "ike/message.h"

enum { IKE_ID_HEADER_SIZE = 4 }; /* type, protocol, port */

/* The body of an ID payload: type, protocol, port, value. */
void ike_id_write(IkeWriter *writer, const IkeIdentity *id, uint8_t protocol, uint16_t port);
/* False where the value does not fit its type. */
bool ike_id_read(IkeSlice body, IkeIdentity *id, uint8_t *protocol, uint16_t *port);
/* Type and value equal; names without regard to case (RFC 4343; for the local part of an address
 * that is lenient, as gateways are). */
bool ike_id_equal(const IkeIdentity *a, const IkeIdentity *b);
/* "fqdn:gw.example.com", for messages: printable characters only, always terminated. */
void ike_id_format(const IkeIdentity *id, char *text, size_t size);

/* A network as a Quick Mode identity: an address where it is a single host, else a subnet. */
void ike_network_write_id(IkeWriter *writer, const IkeNetwork *network);
/* An address, a subnet, or a range that is a subnet. False for all else. */
bool ike_network_read_id(IkeSlice body, IkeNetwork *network);
/* Every address of `inner` is one of `outer`. */
bool ike_network_contains(const IkeNetwork *outer, const IkeNetwork *inner);
bool ike_network_equal(const IkeNetwork *a, const IkeNetwork *b);
/* "10.0.0.0/8" */
void ike_network_format(const IkeNetwork *network, char *text, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAT traversal (RFC 3947, 3.2): NAT-D hashes, and which dialect of it a gateway speaks.
 */
#ifndef IKE_NATT_H
#define IKE_NATT_H

#include "ike/ike.h"
#include "ike/keymat.h"
#include "ike/message.h"

/* RFC 3947 and the drafts 02 and 03 differ in two numbers only. */
typedef struct IkeNattDialect {
    unsigned vendor;
    IkePayloadType natd;
    uint16_t tunnel_mode; /* the encapsulation mode of UDP-encapsulated tunnels */
} IkeNattDialect;

/* The best dialect among the vendor bits that a gateway returned, or NULL. */
const IkeNattDialect *ike_natt_dialect(unsigned vendors);

/* HASH(CKY-I | CKY-R | IP | port); `out` takes hash->size bytes. 0 or a negative errno. */
int ike_natt_hash(const IkeHash *hash, IkeSlice cookie_i, IkeSlice cookie_r,
                  const IkeAddress *address, uint8_t *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAT traversal's tables and hash.
 */
#include "ike/natt.h"

#include "ike/vendor.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Best first. */
static const IkeNattDialect DIALECTS[] = {
    {IKE_VENDOR_NATT_RFC3947, IKE_PAYLOAD_NATD, IKE_ENCAPSULATION_UDP_TUNNEL},
    {IKE_VENDOR_NATT_03, IKE_PAYLOAD_NATD_DRAFT, IKE_ENCAPSULATION_UDP_TUNNEL_DRAFT},
    {IKE_VENDOR_NATT_02N, IKE_PAYLOAD_NATD_DRAFT, IKE_ENCAPSULATION_UDP_TUNNEL_DRAFT},
    {IKE_VENDOR_NATT_02, IKE_PAYLOAD_NATD_DRAFT, IKE_ENCAPSULATION_UDP_TUNNEL_DRAFT},
};

const IkeNattDialect *ike_natt_dialect(unsigned vendors)
{
    for (size_t i = 0; i < COUNT(DIALECTS); i++)
        if ((DIALECTS[i].vendor & vendors) != 0)
            return &DIALECTS[i];
    return NULL;
}

int ike_natt_hash(const IkeHash *hash, IkeSlice cookie_i, IkeSlice cookie_r,
                  const IkeAddress *address, uint8_t *out)
{
    const uint8_t port[2] = {(uint8_t)(address->port >> 8), (uint8_t)address->port};
    const IkeSlice parts[] = {
        cookie_i,
        cookie_r,
        {address->bytes, address->family == 4 ? 4 : 16},
        {port, sizeof(port)},
    };

    return ike_hash(hash, parts, COUNT(parts), out);
}

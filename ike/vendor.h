/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor IDs: what each side says it can do (RFC 2408, 3.16), and who the gateway is.
 */
#ifndef IKE_VENDOR_H
#define IKE_VENDOR_H

#include "ike/message.h"

/* Bits of what a peer has said. */
typedef enum IkeVendor {
    IKE_VENDOR_XAUTH = 1 << 0,
    IKE_VENDOR_DPD = 1 << 1,
    IKE_VENDOR_NATT_RFC3947 = 1 << 2,
    IKE_VENDOR_NATT_03 = 1 << 3,
    IKE_VENDOR_NATT_02N = 1 << 4,
    IKE_VENDOR_NATT_02 = 1 << 5,
    IKE_VENDOR_FRAGMENTATION = 1 << 6,
    IKE_VENDOR_UNITY = 1 << 7,
    IKE_VENDOR_STRONGSWAN = 1 << 8,
    IKE_VENDOR_FORTIGATE = 1 << 9,
    IKE_VENDOR_RACOON = 1 << 10,
    IKE_VENDOR_JUNOS = 1 << 11,
    IKE_VENDOR_NETSCREEN = 1 << 12,
} IkeVendor;

/* Gateways that wait to be asked for an address. */
enum {
    IKE_VENDORS_PULL =
        IKE_VENDOR_STRONGSWAN | IKE_VENDOR_FORTIGATE | IKE_VENDOR_RACOON | IKE_VENDOR_UNITY,
    IKE_VENDORS_NATT =
        IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_NATT_03 | IKE_VENDOR_NATT_02N | IKE_VENDOR_NATT_02,
};

/* The bit of a vendor ID payload's body, 0 when it is unknown. */
unsigned ike_vendor_recognise(IkeSlice body);
/* Adds the payloads of those of `vendors` that we send. */
void ike_vendor_add(IkeBuilder *builder, unsigned vendors);

#endif

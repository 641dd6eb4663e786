/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of vendor IDs. A row matches when the payload is at least as long as the row and
 * begins with it; rows that other bytes may follow are marked, all others must match whole.
 */
#include "ike/vendor.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The capability that follows the fragmentation vendor ID: main and aggressive mode. */
#define FRAGMENTATION_AGGRESSIVE UINT32_C(0x80000000)

typedef struct VendorRow {
    unsigned vendor;
    bool prefix; /* version bytes may follow */
    uint8_t n;
    uint8_t bytes[20];
} VendorRow;

/* Hashes of the strings that name each capability; see RFC 3706 5.1, RFC 3947 3.1 and the drafts.
 */
static const VendorRow VENDORS[] = {
    {IKE_VENDOR_XAUTH, false, 8, {0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12}},
    {IKE_VENDOR_DPD,
     true,
     14,
     {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57}},
    {IKE_VENDOR_NATT_RFC3947,
     false,
     16,
     {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45,
      0x2f}},
    {IKE_VENDOR_NATT_03,
     false,
     16,
     {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d,
      0x56}},
    {IKE_VENDOR_NATT_02N,
     false,
     16,
     {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b,
      0x1f}},
    {IKE_VENDOR_NATT_02,
     false,
     16,
     {0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4,
      0x48}},
    {IKE_VENDOR_FRAGMENTATION,
     true,
     16,
     {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2,
      0xd3}},
    {IKE_VENDOR_UNITY,
     true,
     14,
     {0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d, 0x9f, 0xe2, 0x74, 0xcc}},
    {IKE_VENDOR_STRONGSWAN,
     true,
     16,
     {0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b,
      0xeb}},
    {IKE_VENDOR_FORTIGATE,
     true,
     12,
     {0x82, 0x99, 0x03, 0x17, 0x57, 0xa3, 0x60, 0x82, 0xc6, 0xa6, 0x21, 0xde}},
    {IKE_VENDOR_FORTIGATE,
     false,
     16,
     {0x1d, 0x6e, 0x17, 0x8f, 0x6c, 0x2c, 0x0b, 0xe2, 0x84, 0x98, 0x54, 0x65, 0x45, 0x0f, 0xe9,
      0xd4}},
    {IKE_VENDOR_RACOON,
     true,
     16,
     {0x70, 0x03, 0xcb, 0xc1, 0x09, 0x7d, 0xbe, 0x9c, 0x26, 0x00, 0xba, 0x69, 0x83, 0xbc, 0x8b,
      0x35}},
    {IKE_VENDOR_JUNOS, true, 20, {0xfd, 0x80, 0x88, 0x04, 0xdf, 0x73, 0xb1, 0x51, 0x50, 0x70,
                                  0x9d, 0x87, 0x80, 0x44, 0xcd, 0xe0, 0xac, 0x1e, 0xfc, 0xde}},
    {IKE_VENDOR_NETSCREEN, true, 20, {0x69, 0x93, 0x69, 0x22, 0x87, 0x41, 0xc6, 0xd4, 0xca, 0x09,
                                      0x4c, 0x93, 0xe2, 0x42, 0xc9, 0xde, 0x19, 0xe7, 0xb7, 0xc6}},
};

/* Fragmentation may be for some exchanges only; nothing said is none. */
static bool is_capable(const VendorRow *row, IkeSlice body)
{
    IkeReader r = ike_reader_of(body);

    if (row->vendor != IKE_VENDOR_FRAGMENTATION)
        return true;
    (void)ike_reader_take(&r, row->n);
    return (ike_read_u32(&r) & FRAGMENTATION_AGGRESSIVE) != 0;
}

unsigned ike_vendor_recognise(IkeSlice body)
{
    for (size_t i = 0; i < COUNT(VENDORS); i++) {
        const VendorRow *row = &VENDORS[i];
        bool fits = row->prefix ? body.n >= row->n : body.n == row->n;
        if (fits && memcmp(body.bytes, row->bytes, row->n) == 0)
            return is_capable(row, body) ? row->vendor : 0;
    }
    return 0;
}

/* What follows the prefix in the payloads that we send: DPD 1.0, Unity 1.0, fragments in aggressive
 * mode. */
static void write_version(IkeWriter *writer, unsigned vendor)
{
    if ((vendor & (IKE_VENDOR_DPD | IKE_VENDOR_UNITY)) != 0)
        ike_write_u16(writer, 0x0100);
    if (vendor == IKE_VENDOR_FRAGMENTATION)
        ike_write_u32(writer, FRAGMENTATION_AGGRESSIVE);
}

void ike_vendor_add(IkeBuilder *builder, unsigned vendors)
{
    for (size_t i = 0; i < COUNT(VENDORS); i++) {
        if ((VENDORS[i].vendor & vendors) == 0)
            continue;
        size_t start = ike_builder_open(builder, IKE_PAYLOAD_VENDOR);
        ike_write_bytes(&builder->writer, VENDORS[i].bytes, VENDORS[i].n);
        write_version(&builder->writer, VENDORS[i].vendor);
        ike_builder_close(builder, start);
    }
}

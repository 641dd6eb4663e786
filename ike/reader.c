/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded cursor. ike_reader_take() holds the only comparison of a length with what is left,
 * and every other function goes through it.
 */
#include "ike/reader.h"

#include <string.h>

IkeSlice ike_reader_take(IkeReader *reader, size_t n)
{
    if (reader->failed || n > reader->left) {
        reader->failed = true;
        reader->left = 0;
        return (IkeSlice){NULL, 0};
    }
    IkeSlice slice = {reader->bytes, n};
    if (n > 0)
        reader->bytes += n;
    reader->left -= n;
    return slice;
}

uint8_t ike_read_u8(IkeReader *reader)
{
    IkeSlice s = ike_reader_take(reader, 1);
    return s.n == 1 ? s.bytes[0] : 0;
}

uint16_t ike_read_u16(IkeReader *reader)
{
    IkeSlice s = ike_reader_take(reader, 2);
    return s.n == 2 ? (uint16_t)(s.bytes[0] << 8 | s.bytes[1]) : 0;
}

uint32_t ike_read_u32(IkeReader *reader)
{
    IkeSlice s = ike_reader_take(reader, 4);
    if (s.n != 4)
        return 0;
    return (uint32_t)s.bytes[0] << 24 | (uint32_t)s.bytes[1] << 16 | (uint32_t)s.bytes[2] << 8 |
           s.bytes[3];
}

void ike_read_bytes(IkeReader *reader, uint8_t *out, size_t n)
{
    IkeSlice s = ike_reader_take(reader, n);
    if (s.n == n && n > 0)
        memcpy(out, s.bytes, n);
    else
        memset(out, 0, n);
}

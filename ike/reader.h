/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded cursor over bytes of the network. A read that does not fit fails the reader for good:
 * it and all later reads give zeros and empty slices, so that a parser reads like the format and
 * asks ike_reader_ok() once. There is one bounds check, in ike_reader_take().
 */
#ifndef IKE_READER_H
#define IKE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to somebody else. */
typedef struct IkeSlice {
    const uint8_t *bytes;
    size_t n;
} IkeSlice;

typedef struct IkeReader {
    const uint8_t *bytes;
    size_t left;
    bool failed;
} IkeReader;

static inline IkeReader ike_reader(const uint8_t *bytes, size_t n)
{
    return (IkeReader){.bytes = bytes, .left = n};
}

static inline IkeReader ike_reader_of(IkeSlice slice)
{
    return ike_reader(slice.bytes, slice.n);
}

/* The next n bytes; an empty slice, and a failed reader, when fewer are left. */
IkeSlice ike_reader_take(IkeReader *reader, size_t n);
uint8_t ike_read_u8(IkeReader *reader);
uint16_t ike_read_u16(IkeReader *reader);
uint32_t ike_read_u32(IkeReader *reader);
void ike_read_bytes(IkeReader *reader, uint8_t *out, size_t n);

static inline IkeSlice ike_reader_rest(IkeReader *reader)
{
    return ike_reader_take(reader, reader->left);
}

static inline bool ike_reader_ok(const IkeReader *reader)
{
    return !reader->failed;
}

/* Nothing failed and nothing is left over. */
static inline bool ike_reader_done(const IkeReader *reader)
{
    return !reader->failed && reader->left == 0;
}

#endif

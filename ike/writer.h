/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded builder over a buffer of the caller's. A write that does not fit fails the writer for
 * good, and ike_writer_ok() is asked once. Lengths that stand before what they count are reserved
 * and filled in afterwards.
 */
#ifndef IKE_WRITER_H
#define IKE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/reader.h"

typedef struct IkeWriter {
    uint8_t *bytes;
    size_t n;
    size_t size;
    bool failed;
} IkeWriter;

static inline IkeWriter ike_writer(uint8_t *bytes, size_t size)
{
    return (IkeWriter){.bytes = bytes, .size = size};
}

/* Room for n bytes, zeroed, to be filled in by the caller; NULL, and failed, when it does not fit.
 */
uint8_t *ike_writer_room(IkeWriter *writer, size_t n);
void ike_write_u8(IkeWriter *writer, uint8_t value);
void ike_write_u16(IkeWriter *writer, uint16_t value);
void ike_write_u32(IkeWriter *writer, uint32_t value);
void ike_write_bytes(IkeWriter *writer, const uint8_t *bytes, size_t n);
void ike_write_slice(IkeWriter *writer, IkeSlice slice);

/* Puts a value where room was reserved; `at` is writer->n as it was then. */
void ike_writer_put_u8(IkeWriter *writer, size_t at, uint8_t value);
void ike_writer_put_u16(IkeWriter *writer, size_t at, uint16_t value);
void ike_writer_put_u32(IkeWriter *writer, size_t at, uint32_t value);

static inline bool ike_writer_ok(const IkeWriter *writer)
{
    return !writer->failed;
}

static inline IkeSlice ike_writer_slice(const IkeWriter *writer, size_t from)
{
    return (IkeSlice){writer->bytes + from, writer->n - from};
}

#endif

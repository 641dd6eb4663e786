/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded builder. ike_writer_room() holds the one comparison with the buffer's size.
 */
#include "ike/writer.h"

#include <string.h>

uint8_t *ike_writer_room(IkeWriter *writer, size_t n)
{
    if (writer->failed || n > writer->size - writer->n) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *room = writer->bytes + writer->n;
    memset(room, 0, n);
    writer->n += n;
    return room;
}

void ike_write_u8(IkeWriter *writer, uint8_t value)
{
    uint8_t *room = ike_writer_room(writer, 1);
    if (room != NULL)
        room[0] = value;
}

void ike_write_u16(IkeWriter *writer, uint16_t value)
{
    size_t at = writer->n;
    if (ike_writer_room(writer, 2) != NULL)
        ike_writer_put_u16(writer, at, value);
}

void ike_write_u32(IkeWriter *writer, uint32_t value)
{
    size_t at = writer->n;
    if (ike_writer_room(writer, 4) != NULL)
        ike_writer_put_u32(writer, at, value);
}

void ike_write_bytes(IkeWriter *writer, const uint8_t *bytes, size_t n)
{
    uint8_t *room = ike_writer_room(writer, n);
    if (room != NULL && n > 0)
        memcpy(room, bytes, n);
}

void ike_write_slice(IkeWriter *writer, IkeSlice slice)
{
    ike_write_bytes(writer, slice.bytes, slice.n);
}

void ike_writer_put_u8(IkeWriter *writer, size_t at, uint8_t value)
{
    if (!writer->failed && at < writer->n)
        writer->bytes[at] = value;
}

void ike_writer_put_u16(IkeWriter *writer, size_t at, uint16_t value)
{
    ike_writer_put_u8(writer, at, (uint8_t)(value >> 8));
    ike_writer_put_u8(writer, at + 1, (uint8_t)value);
}

void ike_writer_put_u32(IkeWriter *writer, size_t at, uint32_t value)
{
    ike_writer_put_u16(writer, at, (uint16_t)(value >> 16));
    ike_writer_put_u16(writer, at + 2, (uint16_t)value);
}

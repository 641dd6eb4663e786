/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SA, proposal, transform and attribute as syntax.
 *
 * The fault to avoid here has a long history: an attribute's length field believed before it was
 * compared with what is left of its transform. All bytes come through the reader, and the reader
 * of a transform's attributes ends where the transform ends.
 */
#include "ike/payload-sa.h"

bool ike_attribute_read(IkeReader *reader, IkeAttribute *attribute)
{
    if (reader->left == 0 || !ike_reader_ok(reader))
        return false;
    uint16_t type = ike_read_u16(reader);
    uint16_t number = ike_read_u16(reader);

    *attribute = (IkeAttribute){.type = type & (uint16_t)~IKE_ATTRIBUTE_BASIC,
                                .basic = (type & IKE_ATTRIBUTE_BASIC) != 0};
    if (attribute->basic)
        attribute->number = number;
    else
        attribute->value = ike_reader_take(reader, number);
    return ike_reader_ok(reader);
}

bool ike_attribute_number(const IkeAttribute *attribute, uint32_t *number)
{
    if (attribute->basic) {
        *number = attribute->number;
        return true;
    }
    if (attribute->value.n == 0 || attribute->value.n > 8)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < attribute->value.n; i++)
        value = value << 8 | attribute->value.bytes[i];
    *number = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return true;
}

void ike_attribute_write(IkeWriter *writer, uint16_t type, uint16_t number)
{
    ike_write_u16(writer, type | IKE_ATTRIBUTE_BASIC);
    ike_write_u16(writer, number);
}

void ike_attribute_write_u32(IkeWriter *writer, uint16_t type, uint32_t number)
{
    ike_write_u16(writer, type);
    ike_write_u16(writer, 4);
    ike_write_u32(writer, number);
}

void ike_attribute_write_bytes(IkeWriter *writer, uint16_t type, IkeSlice value)
{
    ike_write_u16(writer, type);
    ike_write_u16(writer, (uint16_t)value.n);
    ike_write_slice(writer, value);
}

bool ike_sa_open(IkeSlice body, IkeReader *proposals)
{
    *proposals = ike_reader_of(body);
    uint32_t doi = ike_read_u32(proposals);
    uint32_t situation = ike_read_u32(proposals);

    return ike_reader_ok(proposals) && doi == IKE_DOI_IPSEC &&
           situation == IKE_SITUATION_IDENTITY_ONLY;
}

/* Generic header of a substructure, whose "next" says 0 (last) or its own kind again. */
static bool open_item(IkeReader *from, uint8_t kind, IkeReader *item)
{
    if (from->left == 0 || !ike_reader_ok(from))
        return false;
    uint8_t next = ike_read_u8(from);
    (void)ike_read_u8(from); /* reserved */
    uint16_t length = ike_read_u16(from);
    bool fits = ike_reader_ok(from) && length >= IKE_PAYLOAD_HEADER_SIZE &&
                (next == kind || next == IKE_PAYLOAD_NONE);

    if (!fits)
        from->failed = true;
    *item = ike_reader_of(ike_reader_take(from, (size_t)length - IKE_PAYLOAD_HEADER_SIZE));
    /* The last one and the end of the enclosing payload must agree. */
    if ((next == IKE_PAYLOAD_NONE) != (from->left == 0))
        from->failed = true;
    return ike_reader_ok(from);
}

bool ike_proposal_read(IkeReader *proposals, IkeProposal *proposal)
{
    IkeReader item;

    if (!open_item(proposals, IKE_PAYLOAD_PROPOSAL, &item))
        return false;
    proposal->number = ike_read_u8(&item);
    proposal->protocol = ike_read_u8(&item);
    uint8_t spi_size = ike_read_u8(&item);
    proposal->transforms_n = ike_read_u8(&item);
    proposal->spi = ike_reader_take(&item, spi_size);
    proposal->transforms = item;
    if (!ike_reader_ok(&item))
        proposals->failed = true;
    return ike_reader_ok(proposals);
}

bool ike_transform_read(IkeReader *transforms, IkeTransform *transform)
{
    IkeReader item;

    if (!open_item(transforms, IKE_PAYLOAD_TRANSFORM, &item))
        return false;
    transform->number = ike_read_u8(&item);
    transform->id = ike_read_u8(&item);
    (void)ike_read_u16(&item); /* reserved */
    transform->attributes = item;
    if (!ike_reader_ok(&item))
        transforms->failed = true;
    return ike_reader_ok(transforms);
}

void ike_sa_write_begin(IkeSaWriter *sa, IkeWriter *writer, uint8_t protocol, IkeSlice spi)
{
    *sa = (IkeSaWriter){.writer = writer};
    ike_write_u32(writer, IKE_DOI_IPSEC);
    ike_write_u32(writer, IKE_SITUATION_IDENTITY_ONLY);
    sa->proposal_at = writer->n;
    ike_write_u16(writer, IKE_PAYLOAD_NONE << 8);
    ike_write_u16(writer, 0);
    ike_write_u8(writer, 1);
    ike_write_u8(writer, protocol);
    ike_write_u8(writer, (uint8_t)spi.n);
    sa->count_at = writer->n;
    ike_write_u8(writer, 0);
    ike_write_slice(writer, spi);
}

/* Fills in the length of the transform that is open, and what comes after it. */
static void close_transform(IkeSaWriter *sa, uint8_t next)
{
    if (sa->count == 0)
        return;
    ike_writer_put_u8(sa->writer, sa->transform_at, next);
    ike_writer_put_u16(sa->writer, sa->transform_at + 2,
                       (uint16_t)(sa->writer->n - sa->transform_at));
}

void ike_sa_write_transform(IkeSaWriter *sa, uint8_t id)
{
    close_transform(sa, IKE_PAYLOAD_TRANSFORM);
    sa->transform_at = sa->writer->n;
    ike_write_u32(sa->writer, 0);
    ike_write_u8(sa->writer, ++sa->count);
    ike_write_u8(sa->writer, id);
    ike_write_u16(sa->writer, 0);
}

void ike_sa_write_end(IkeSaWriter *sa)
{
    close_transform(sa, IKE_PAYLOAD_NONE);
    ike_writer_put_u8(sa->writer, sa->count_at, sa->count);
    ike_writer_put_u16(sa->writer, sa->proposal_at + 2,
                       (uint16_t)(sa->writer->n - sa->proposal_at));
}

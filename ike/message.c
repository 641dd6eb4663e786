/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header and chain of payloads. Reading changes nothing but its result: whether a payload may
 * stand where it stands is the exchange runner's question.
 */
#include "ike/message.h"

enum { NEXT_OFFSET = 2 * IKE_COOKIE_SIZE, LENGTH_OFFSET = 24 };

int ike_header_read(IkeSlice datagram, IkeHeader *header)
{
    IkeReader r = ike_reader_of(datagram);

    ike_read_bytes(&r, header->cookie_i, IKE_COOKIE_SIZE);
    ike_read_bytes(&r, header->cookie_r, IKE_COOKIE_SIZE);
    header->next = ike_read_u8(&r);
    header->version = ike_read_u8(&r);
    header->exchange = ike_read_u8(&r);
    header->flags = ike_read_u8(&r);
    header->message_id = ike_read_u32(&r);
    header->length = ike_read_u32(&r);
    if (!ike_reader_ok(&r) || header->length != datagram.n || datagram.n > IKE_MESSAGE_MAX ||
        header->version != IKE_VERSION)
        return IKE_MESSAGE_MALFORMED;
    return 0;
}

int ike_payloads_read(const IkeHeader *header, IkeSlice bytes, IkeMessage *message)
{
    IkeReader r = ike_reader_of(bytes);
    uint8_t type = header->next;

    message->header = *header;
    message->bytes = bytes;
    message->n = 0;
    while (type != IKE_PAYLOAD_NONE) {
        uint8_t next = ike_read_u8(&r);
        uint8_t reserved = ike_read_u8(&r);
        uint16_t length = ike_read_u16(&r);
        if (!ike_reader_ok(&r) || reserved != 0 || length < IKE_PAYLOAD_HEADER_SIZE ||
            message->n == IKE_PAYLOADS_MAX)
            return IKE_MESSAGE_MALFORMED;
        IkePayload *payload = &message->payloads[message->n++];
        payload->type = type;
        payload->body = ike_reader_take(&r, length - IKE_PAYLOAD_HEADER_SIZE);
        payload->end = bytes.n - r.left;
        if (!ike_reader_ok(&r))
            return IKE_MESSAGE_MALFORMED;
        type = next;
    }
    return message->n > 0 ? 0 : IKE_MESSAGE_MALFORMED;
}

const IkePayload *ike_message_find(const IkeMessage *message, IkePayloadType type)
{
    for (size_t i = 0; i < message->n; i++)
        if (message->payloads[i].type == type)
            return &message->payloads[i];
    return NULL;
}

size_t ike_message_count(const IkeMessage *message, IkePayloadType type)
{
    size_t count = 0;

    for (size_t i = 0; i < message->n; i++)
        count += message->payloads[i].type == type;
    return count;
}

void ike_builder_begin(IkeBuilder *builder, uint8_t *bytes, size_t size, const IkeHeader *header)
{
    IkeWriter *w = &builder->writer;

    *w = ike_writer(bytes, size);
    ike_write_bytes(w, header->cookie_i, IKE_COOKIE_SIZE);
    ike_write_bytes(w, header->cookie_r, IKE_COOKIE_SIZE);
    builder->next_at = NEXT_OFFSET;
    ike_write_u8(w, IKE_PAYLOAD_NONE);
    ike_write_u8(w, IKE_VERSION);
    ike_write_u8(w, header->exchange);
    ike_write_u8(w, header->flags);
    ike_write_u32(w, header->message_id);
    ike_write_u32(w, 0);
}

size_t ike_builder_open(IkeBuilder *builder, IkePayloadType type)
{
    IkeWriter *w = &builder->writer;
    size_t start = w->n;

    ike_writer_put_u8(w, builder->next_at, (uint8_t)type);
    builder->next_at = start;
    ike_write_u8(w, IKE_PAYLOAD_NONE);
    ike_write_u8(w, 0);
    ike_write_u16(w, 0);
    return start;
}

void ike_builder_close(IkeBuilder *builder, size_t start)
{
    ike_writer_put_u16(&builder->writer, start + 2, (uint16_t)(builder->writer.n - start));
}

void ike_builder_add(IkeBuilder *builder, IkePayloadType type, IkeSlice body)
{
    size_t start = ike_builder_open(builder, type);

    ike_write_slice(&builder->writer, body);
    ike_builder_close(builder, start);
}

void ike_builder_end(IkeBuilder *builder)
{
    ike_writer_put_u32(&builder->writer, LENGTH_OFFSET, (uint32_t)builder->writer.n);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ISAKMP messages (RFC 2408, 3.1 and 3.2): header and chain of payloads, read and written.
 */
#ifndef IKE_MESSAGE_H
#define IKE_MESSAGE_H

#include "ike/constants-attributes.h"
#include "ike/constants.h"
#include "ike/reader.h"
#include "ike/writer.h"

enum {
    /* Bytes of a message that is looked at or built: a chain of certificates of 4,096-bit keys has
     * to fit. */
    IKE_MESSAGE_MAX = 16384,
    IKE_PAYLOADS_MAX = 64, /* payloads of one message; more are refused */
};

typedef struct IkeHeader {
    uint8_t cookie_i[IKE_COOKIE_SIZE];
    uint8_t cookie_r[IKE_COOKIE_SIZE];
    uint8_t next;
    uint8_t version;
    uint8_t exchange;
    uint8_t flags;
    uint32_t message_id;
    uint32_t length;
} IkeHeader;

typedef struct IkePayload {
    uint8_t type;
    IkeSlice body;
    size_t end; /* offset behind it in the bytes that were parsed */
} IkePayload;

typedef struct IkeMessage {
    IkeHeader header;
    IkeSlice bytes; /* all payloads, padding included */
    IkePayload payloads[IKE_PAYLOADS_MAX];
    size_t n;
} IkeMessage;

enum { _IKE_MESSAGE_OK, IKE_MESSAGE_MALFORMED };

/* The header of a datagram that is exactly as long as it says. 0 or IKE_MESSAGE_MALFORMED. */
int ike_header_read(IkeSlice datagram, IkeHeader *header);
/* The payloads behind the header, in the clear. What follows the last is padding.
 * 0 or IKE_MESSAGE_MALFORMED; the slices point into `bytes`. */
int ike_payloads_read(const IkeHeader *header, IkeSlice bytes, IkeMessage *message);
/* The first payload of a type, or NULL. */
const IkePayload *ike_message_find(const IkeMessage *message, IkePayloadType type);
size_t ike_message_count(const IkeMessage *message, IkePayloadType type);

/* A message being built. `next_at` is where the type of the next payload goes. */
typedef struct IkeBuilder {
    IkeWriter writer;
    size_t next_at;
} IkeBuilder;

void ike_builder_begin(IkeBuilder *builder, uint8_t *bytes, size_t size, const IkeHeader *header);
/* Opens a payload and returns where it starts, for ike_builder_close(). */
size_t ike_builder_open(IkeBuilder *builder, IkePayloadType type);
void ike_builder_close(IkeBuilder *builder, size_t start);
void ike_builder_add(IkeBuilder *builder, IkePayloadType type, IkeSlice body);
/* Puts the length into the header. */
void ike_builder_end(IkeBuilder *builder);

#endif

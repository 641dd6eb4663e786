/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SA payload with its proposals, transforms and attributes (RFC 2408, 3.3 to 3.6), as syntax.
 * What they mean is proposal.h's.
 */
#ifndef IKE_PAYLOAD_SA_H
#define IKE_PAYLOAD_SA_H

#include "ike/message.h"

/* An attribute in short (basic) or long form; also used by mode config. */
typedef struct IkeAttribute {
    uint16_t type;
    bool basic;
    uint16_t number; /* of the short form */
    IkeSlice value;  /* of the long form */
} IkeAttribute;

/* False when nothing is left or the rest does not fit (the reader has failed then). */
bool ike_attribute_read(IkeReader *reader, IkeAttribute *attribute);
/* The value as a number; long forms of up to 8 bytes, larger than 32 bits saturate. False: none. */
bool ike_attribute_number(const IkeAttribute *attribute, uint32_t *number);
void ike_attribute_write(IkeWriter *writer, uint16_t type, uint16_t number);
void ike_attribute_write_u32(IkeWriter *writer, uint16_t type, uint32_t number);
void ike_attribute_write_bytes(IkeWriter *writer, uint16_t type, IkeSlice value);

typedef struct IkeProposal {
    uint8_t number, protocol, transforms_n;
    IkeSlice spi;
    IkeReader transforms;
} IkeProposal;

typedef struct IkeTransform {
    uint8_t number, id;
    IkeReader attributes;
} IkeTransform;

/* Opens the body of an SA payload: DOI and situation must be IPsec's. */
bool ike_sa_open(IkeSlice body, IkeReader *proposals);
/* False at the end, or when the rest is malformed (the reader has failed then). */
bool ike_proposal_read(IkeReader *proposals, IkeProposal *proposal);
bool ike_transform_read(IkeReader *transforms, IkeTransform *transform);

/* Writing: an SA with one proposal; transforms follow one another. */
typedef struct IkeSaWriter {
    IkeWriter *writer;
    size_t proposal_at, transform_at, count_at;
    uint8_t count;
} IkeSaWriter;

void ike_sa_write_begin(IkeSaWriter *sa, IkeWriter *writer, uint8_t protocol, IkeSlice spi);
void ike_sa_write_transform(IkeSaWriter *sa, uint8_t id);
void ike_sa_write_end(IkeSaWriter *sa);

#endif

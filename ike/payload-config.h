/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes payload of mode config and XAUTH (draft-ietf-ipsec-isakmp-mode-cfg-05, 3.2), as
 * syntax, and the inner configuration that its attributes make up.
 */
#ifndef IKE_PAYLOAD_CONFIG_H
#define IKE_PAYLOAD_CONFIG_H

#include "ike/ike.h"
#include "ike/payload-sa.h"

typedef struct IkeConfigMessage {
    uint8_t type; /* IKE_CONFIG_REQUEST ... IKE_CONFIG_ACK */
    uint16_t identifier;
    IkeReader attributes;
} IkeConfigMessage;

bool ike_config_read(IkeSlice body, IkeConfigMessage *message);
/* As ike_attribute_read(), but up to three zero bytes at the end are padding (libreswan's). */
bool ike_config_attribute_read(IkeReader *attributes, IkeAttribute *attribute);
/* All attributes can be read to the end. */
bool ike_config_well_formed(const IkeConfigMessage *message);

/* Opens an attributes payload; attributes follow, then ike_builder_close(). */
size_t ike_config_open(IkeBuilder *builder, uint8_t type, uint16_t identifier);

/* Our end of an SA of this family; family 0 where we have no address of it. */
IkeNetwork ike_inner_host(const IkeInnerConfig *inner, uint8_t family);
bool ike_inner_has_address(const IkeInnerConfig *inner);
/* Takes what the attribute says into `inner`. False: it says nothing about the inner network. */
bool ike_inner_config_take(IkeInnerConfig *inner, const IkeAttribute *attribute);

/* The IPv4 address of four bytes; nothing is taken where no host can have it. */
void ike_address_take(IkeAddress *address, IkeSlice value);
/* Copies bytes as a C string; what does not fit is cut, NULs become spaces. */
void ike_text_copy(char *text, size_t size, IkeSlice bytes);

#endif

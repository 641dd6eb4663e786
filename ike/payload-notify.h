/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOTIFY and DELETE (RFC 2408, 3.14 and 3.15; RFC 2407, 4.6.3).
 */
#ifndef IKE_PAYLOAD_NOTIFY_H
#define IKE_PAYLOAD_NOTIFY_H

#include "ike/message.h"

enum { IKE_DELETE_SPIS_MAX = 256 }; /* more than we ever have */

typedef struct IkeNotify {
    uint8_t protocol;
    uint16_t type;
    IkeSlice spi;
    IkeSlice data;
} IkeNotify;

bool ike_notify_read(IkeSlice body, IkeNotify *notify);
void ike_notify_add(IkeBuilder *builder, const IkeNotify *notify);

typedef struct IkeDelete {
    uint8_t protocol;
    uint8_t spi_size;
    uint16_t count;
    IkeReader spis; /* count times spi_size bytes */
} IkeDelete;

bool ike_delete_read(IkeSlice body, IkeDelete *deletion);
void ike_delete_add(IkeBuilder *builder, uint8_t protocol, IkeSlice spi);

#endif

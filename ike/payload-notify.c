/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOTIFY and DELETE, both ways.
 */
#include "ike/payload-notify.h"

bool ike_notify_read(IkeSlice body, IkeNotify *notify)
{
    IkeReader r = ike_reader_of(body);
    uint32_t doi = ike_read_u32(&r);

    notify->protocol = ike_read_u8(&r);
    uint8_t spi_size = ike_read_u8(&r);
    notify->type = ike_read_u16(&r);
    notify->spi = ike_reader_take(&r, spi_size);
    notify->data = ike_reader_rest(&r);
    /* Some gateways leave the DOI of an error at 0 (ISAKMP's own). */
    return ike_reader_ok(&r) && (doi == IKE_DOI_IPSEC || doi == 0);
}

void ike_notify_add(IkeBuilder *builder, const IkeNotify *notify)
{
    IkeWriter *w = &builder->writer;
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_NOTIFY);

    ike_write_u32(w, IKE_DOI_IPSEC);
    ike_write_u8(w, notify->protocol);
    ike_write_u8(w, (uint8_t)notify->spi.n);
    ike_write_u16(w, notify->type);
    ike_write_slice(w, notify->spi);
    ike_write_slice(w, notify->data);
    ike_builder_close(builder, start);
}

bool ike_delete_read(IkeSlice body, IkeDelete *deletion)
{
    IkeReader r = ike_reader_of(body);
    uint32_t doi = ike_read_u32(&r);

    deletion->protocol = ike_read_u8(&r);
    deletion->spi_size = ike_read_u8(&r);
    deletion->count = ike_read_u16(&r);
    size_t n = (size_t)deletion->spi_size * deletion->count;
    deletion->spis = ike_reader_of(ike_reader_take(&r, n));
    return ike_reader_done(&r) && doi == IKE_DOI_IPSEC && deletion->count > 0 &&
           deletion->count <= IKE_DELETE_SPIS_MAX;
}

void ike_delete_add(IkeBuilder *builder, uint8_t protocol, IkeSlice spi)
{
    IkeWriter *w = &builder->writer;
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_DELETE);

    ike_write_u32(w, IKE_DOI_IPSEC);
    ike_write_u8(w, protocol);
    ike_write_u8(w, (uint8_t)spi.n);
    ike_write_u16(w, 1);
    ike_write_slice(w, spi);
    ike_builder_close(builder, start);
}

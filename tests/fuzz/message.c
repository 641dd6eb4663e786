/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what reads a message in the clear: header, chain of payloads, and the body of each by the
 * parser of its type and by all others. Promises: a payload lies within its message, they follow
 * each other, and none is longer than what is there.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/message.h"
#include "ike/payload-config.h"
#include "ike/payload-id.h"
#include "ike/payload-notify.h"
#include "ike/payload-sa.h"
#include "ike/proposal.h"
#include "ike/vendor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static bool within(IkeSlice part, IkeSlice whole)
{
    return part.n == 0 || (part.bytes >= whole.bytes && part.n <= whole.n &&
                           (size_t)(part.bytes - whole.bytes) <= whole.n - part.n);
}

static void read_sa(IkeSlice body)
{
    IkeReader proposals;
    IkeProposal proposal;
    IkeTransform transform;
    IkeAttribute attribute;

    if (!ike_sa_open(body, &proposals))
        return;
    while (ike_proposal_read(&proposals, &proposal)) {
        expect(within(proposal.spi, body));
        while (ike_transform_read(&proposal.transforms, &transform))
            while (ike_attribute_read(&transform.attributes, &attribute))
                expect(within(attribute.value, body));
    }
}

static void read_body(IkeSlice body)
{
    IkeNotify notify;
    IkeDelete deletion;
    uint32_t seconds, kilobytes;

    read_sa(body);
    if (ike_notify_read(body, &notify)) {
        expect(within(notify.spi, body) && within(notify.data, body));
        ike_lifetime_read(notify.data, IKE_P2_LIFE_TYPE, &seconds, &kilobytes);
    }
    if (ike_delete_read(body, &deletion)) {
        expect(deletion.spis.left == (size_t)deletion.count * deletion.spi_size);
        while (deletion.spis.left > 0)
            (void)ike_read_u8(&deletion.spis);
        expect(ike_reader_done(&deletion.spis));
    }
    unsigned vendor = ike_vendor_recognise(body);
    expect((vendor & (vendor - 1)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const IkeSlice whole = {data, n};
    IkeHeader header;
    IkeMessage message;

    read_body(whole);
    if (n < IKE_HEADER_SIZE)
        return 0;
    /* The length is right more often than chance would have it. */
    uint8_t *copy = malloc(n);
    memcpy(copy, data, n);
    if (copy[24] == 0xff)
        for (int i = 0; i < 4; i++)
            copy[24 + i] = (uint8_t)(n >> (24 - 8 * i));
    if (ike_header_read((IkeSlice){copy, n}, &header) == 0) {
        const IkeSlice rest = {copy + IKE_HEADER_SIZE, n - IKE_HEADER_SIZE};
        expect(header.length == n);
        size_t before = 0;
        bool good = ike_payloads_read(&header, rest, &message) == 0;
        expect(!good || (message.n > 0 && message.n <= IKE_PAYLOADS_MAX));
        for (size_t i = 0; good && i < message.n; i++) {
            const IkePayload *payload = &message.payloads[i];
            expect(within(payload->body, rest));
            expect(payload->end == before + IKE_PAYLOAD_HEADER_SIZE + payload->body.n);
            before = payload->end;
            read_body(payload->body);
        }
    }
    free(copy);
    return 0;
}

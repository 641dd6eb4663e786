/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments, both ways. What comes first is believed: a second fragment of the same index that
 * differs, a second end, or anything behind the end is refused and leaves what is there alone
 * (CVE-2016-10396). Fragments may come in any order and any number of times; all are there when
 * the end is known and as many have come as it says. A message that was whole is remembered for a
 * while, so that late copies of its fragments don't stand in the way of the next one.
 */
#include "ike/fragment.h"

#include "ike/policy.h"

#include <stdlib.h>
#include <string.h>

typedef struct Fragment {
    uint16_t id;
    uint8_t index;
    bool last;
    IkeSlice slice;
} Fragment;

/* Where a slice is kept; n is 0 as long as it has not come. */
typedef struct Place {
    uint16_t at, n;
} Place;

/* One message. Slices are kept in the order in which they come. */
typedef struct Assembly {
    bool used;
    bool done; /* it was whole */
    /* Of the first that came. Cookies and fragment ID are all that counts: strongSwan gives each
     * message the ID 1, and each fragment the exchange type and message ID of Phase 1. */
    IkeHeader header;
    uint16_t id;
    uint64_t since;
    uint8_t last; /* index of the end; 0: not known yet */
    uint8_t highest, count;
    Place places[IKE_FRAGMENTS_MAX];
    size_t n;
    uint8_t bytes[IKE_MESSAGE_MAX];
} Assembly;

struct IkeReassembly {
    Assembly assemblies[IKE_REASSEMBLIES_MAX];
    uint8_t whole[IKE_MESSAGE_MAX];
};

/* ---- sending ---- */

size_t ike_fragment_count(size_t message_n)
{
    return (message_n + IKE_FRAGMENT_SLICE_MAX - 1) / IKE_FRAGMENT_SLICE_MAX;
}

size_t ike_fragment_write(uint8_t *out, IkeSlice message, uint16_t id, size_t index)
{
    IkeHeader header;
    IkeBuilder builder;
    size_t from = (index - 1) * IKE_FRAGMENT_SLICE_MAX;
    size_t left = message.n - from;
    size_t n = left < IKE_FRAGMENT_SLICE_MAX ? left : IKE_FRAGMENT_SLICE_MAX;

    (void)ike_header_read(message, &header);
    header.flags = 0; /* the fragment is in the clear, whatever the message is */
    ike_builder_begin(&builder, out, IKE_WHOLE_MAX, &header);
    size_t start = ike_builder_open(&builder, IKE_PAYLOAD_FRAGMENT);
    ike_write_u16(&builder.writer, id);
    ike_write_u8(&builder.writer, (uint8_t)index);
    ike_write_u8(&builder.writer, n == left ? IKE_FRAGMENT_LAST : 0);
    ike_write_bytes(&builder.writer, message.bytes + from, n);
    ike_builder_close(&builder, start);
    ike_builder_end(&builder);
    return builder.writer.n;
}

/* ---- receiving ---- */

IkeReassembly *ike_reassembly_new(void)
{
    return calloc(1, sizeof(IkeReassembly));
}

IkeReassembly *ike_reassembly_free(IkeReassembly *reassembly)
{
    free(reassembly);
    return NULL;
}

static bool fragment_read(IkeSlice datagram, Fragment *fragment)
{
    IkeReader r = ike_reader_of(datagram);

    (void)ike_reader_take(&r, IKE_HEADER_SIZE);
    uint8_t next = ike_read_u8(&r);
    uint8_t reserved = ike_read_u8(&r);
    uint16_t length = ike_read_u16(&r);
    fragment->id = ike_read_u16(&r);
    fragment->index = ike_read_u8(&r);
    fragment->last = (ike_read_u8(&r) & IKE_FRAGMENT_LAST) != 0;
    if (!ike_reader_ok(&r) || next != IKE_PAYLOAD_NONE || reserved != 0 ||
        length <= IKE_FRAGMENT_HEADER_SIZE || fragment->index == 0 ||
        fragment->index > IKE_FRAGMENTS_MAX)
        return false;
    fragment->slice = ike_reader_take(&r, length - IKE_FRAGMENT_HEADER_SIZE);
    return ike_reader_ok(&r);
}

static bool same_cookies(const IkeHeader *a, const IkeHeader *b)
{
    return memcmp(a->cookie_i, b->cookie_i, IKE_COOKIE_SIZE) == 0 &&
           memcmp(a->cookie_r, b->cookie_r, IKE_COOKIE_SIZE) == 0;
}

static void begin(Assembly *assembly, const IkeHeader *header, uint16_t id, uint64_t now)
{
    *assembly = (Assembly){.used = true, .header = *header, .id = id, .since = now};
}

/* The one that the fragment belongs to; a new one in place of the oldest where there is none. */
static Assembly *assembly_for(IkeReassembly *reassembly, const IkeHeader *header, uint16_t id,
                              uint64_t now)
{
    Assembly *oldest = &reassembly->assemblies[0];

    for (size_t i = 0; i < IKE_REASSEMBLIES_MAX; i++) {
        Assembly *assembly = &reassembly->assemblies[i];
        if (assembly->used && now - assembly->since >= IKE_REASSEMBLY_WAIT)
            assembly->used = false;
        if (assembly->used && assembly->id == id && same_cookies(&assembly->header, header))
            return assembly;
        if (oldest->used && (!assembly->used || assembly->since < oldest->since))
            oldest = assembly;
    }
    begin(oldest, header, id, now);
    return oldest;
}

/* A slice that is here already and the same is no news, and no offence. */
static bool is_known(const Assembly *assembly, const Fragment *fragment)
{
    const Place *place = &assembly->places[fragment->index - 1];

    return fragment->last == (fragment->index == assembly->last) && place->n == fragment->slice.n &&
           memcmp(assembly->bytes + place->at, fragment->slice.bytes, place->n) == 0;
}

static bool fits(const Assembly *assembly, const Fragment *fragment)
{
    if (fragment->last && (fragment->index < assembly->highest ||
                           (assembly->last != 0 && fragment->index != assembly->last)))
        return false;
    if (assembly->last != 0 && fragment->index > assembly->last)
        return false;
    if (assembly->places[fragment->index - 1].n > 0)
        return is_known(assembly, fragment);
    return fragment->slice.n <= sizeof(assembly->bytes) - assembly->n;
}

static void keep(Assembly *assembly, const Fragment *fragment)
{
    Place *place = &assembly->places[fragment->index - 1];

    if (fragment->last)
        assembly->last = fragment->index;
    if (place->n > 0)
        return;
    *place = (Place){.at = (uint16_t)assembly->n, .n = (uint16_t)fragment->slice.n};
    memcpy(assembly->bytes + assembly->n, fragment->slice.bytes, fragment->slice.n);
    assembly->n += fragment->slice.n;
    assembly->count++;
    if (fragment->index > assembly->highest)
        assembly->highest = fragment->index;
}

/* The message in its order. What it says of itself has to be what its fragments have said. */
static int join(IkeReassembly *reassembly, Assembly *assembly, IkeSlice *wholep)
{
    IkeWriter w = ike_writer(reassembly->whole, sizeof(reassembly->whole));
    IkeHeader header;

    for (size_t i = 0; i < assembly->last; i++)
        ike_write_bytes(&w, assembly->bytes + assembly->places[i].at, assembly->places[i].n);
    assembly->used = false; /* unless it is a message */
    IkeSlice whole = ike_writer_slice(&w, 0);
    if (!ike_writer_ok(&w) || ike_header_read(whole, &header) != 0 ||
        header.next == IKE_PAYLOAD_FRAGMENT || !same_cookies(&header, &assembly->header))
        return IKE_REASSEMBLY_REFUSED;
    assembly->used = assembly->done = true;
    *wholep = whole;
    return 0;
}

/* A copy of what was whole: its end stands for the message, which its sender has repeated. */
static int take_again(IkeReassembly *reassembly, Assembly *assembly, const Fragment *fragment,
                      IkeSlice *wholep)
{
    return fragment->last ? join(reassembly, assembly, wholep) : IKE_REASSEMBLY_WAITING;
}

int ike_reassembly_take(IkeReassembly *reassembly, const IkeHeader *header, IkeSlice datagram,
                        uint64_t now, IkeSlice *wholep)
{
    Fragment fragment;

    if (!fragment_read(datagram, &fragment))
        return IKE_REASSEMBLY_REFUSED;
    Assembly *assembly = assembly_for(reassembly, header, fragment.id, now);
    if (assembly->done && is_known(assembly, &fragment))
        return take_again(reassembly, assembly, &fragment, wholep);
    if (assembly->done)
        begin(assembly, header, fragment.id, now);
    if (!fits(assembly, &fragment))
        return IKE_REASSEMBLY_REFUSED;
    keep(assembly, &fragment);
    if (assembly->last == 0 || assembly->count < assembly->last)
        return IKE_REASSEMBLY_WAITING;
    return join(reassembly, assembly, wholep);
}

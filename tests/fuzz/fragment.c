/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the reassembly of fragments: a series of datagrams, some raw, some fragments of a fuzzed
 * ID, index, flag and slice, and waits between them. Promises: what comes out is a message with the
 * cookies of its fragments and no fragment itself; and whatever has come before, a message that is
 * cut by our own hand is put together again under an ID of its own.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/fragment.h"
#include "ike/ike.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { OWN_ID = 0xffff };

typedef struct Bench {
    IkeReassembly *reassembly;
    uint64_t now;
} Bench;

static void expect(bool promise)
{
    if (!promise)
        abort();
}

/* From a buffer of exactly its size. */
static int take(Bench *b, const uint8_t *bytes, size_t n, IkeSlice *whole)
{
    uint8_t *copy = malloc(n + (n == 0));
    IkeHeader header, inner;
    int r = IKE_REASSEMBLY_REFUSED;

    memcpy(copy, bytes, n);
    if (ike_header_read((IkeSlice){copy, n}, &header) == 0)
        r = ike_reassembly_take(b->reassembly, &header, (IkeSlice){copy, n}, b->now, whole);
    if (r == 0) {
        expect(whole->n <= IKE_MESSAGE_MAX && ike_header_read(*whole, &inner) == 0);
        expect(inner.next != IKE_PAYLOAD_FRAGMENT);
        expect(memcmp(inner.cookie_i, header.cookie_i, IKE_COOKIE_SIZE) == 0);
        expect(memcmp(inner.cookie_r, header.cookie_r, IKE_COOKIE_SIZE) == 0);
    }
    free(copy);
    return r;
}

static void take_made(Bench *b, const uint8_t *head, IkeSlice slice)
{
    uint8_t bytes[IKE_HEADER_SIZE + IKE_FRAGMENT_HEADER_SIZE + 256];
    const IkeHeader header = {.exchange = IKE_EXCHANGE_AGGRESSIVE, .cookie_i = "c"};
    IkeBuilder builder;
    IkeSlice whole;

    ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
    size_t start = ike_builder_open(&builder, IKE_PAYLOAD_FRAGMENT);
    ike_write_u16(&builder.writer, head[0] % 4);
    ike_write_u8(&builder.writer, head[1] % 8);
    ike_write_u8(&builder.writer, head[2]);
    ike_write_slice(&builder.writer, slice);
    ike_builder_close(&builder, start);
    ike_builder_end(&builder);
    (void)take(b, bytes, builder.writer.n, &whole);
}

static void round_trip(Bench *b, size_t n)
{
    static uint8_t message[IKE_MESSAGE_MAX];
    const IkeHeader header = {.exchange = IKE_EXCHANGE_QUICK, .cookie_i = "c"};
    uint8_t out[IKE_WHOLE_MAX];
    IkeBuilder builder;
    IkeSlice whole = {NULL, 0};

    memset(message, 0x55, n);
    ike_builder_begin(&builder, message, n, &header);
    builder.writer.n = n;
    ike_builder_end(&builder);
    for (size_t i = 1; i <= ike_fragment_count(n); i++) {
        size_t size = ike_fragment_write(out, (IkeSlice){message, n}, OWN_ID, i);
        expect(take(b, out, size, &whole) ==
               (i < ike_fragment_count(n) ? IKE_REASSEMBLY_WAITING : 0));
    }
    expect(whole.n == n && memcmp(whole.bytes, message, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    IkeReader r = ike_reader(data, n);
    Bench b = {.reassembly = ike_reassembly_new(), .now = IKE_SECOND};
    IkeSlice whole;

    while (b.reassembly != NULL && r.left >= 5) {
        IkeSlice head = ike_reader_take(&r, 4);
        uint8_t size = ike_read_u8(&r);
        IkeSlice bytes = ike_reader_take(&r, size < r.left ? size : r.left);
        if (head.bytes[3] % 8 == 0)
            b.now += head.bytes[0] * IKE_SECOND / 8;
        else if (head.bytes[3] % 8 == 1)
            (void)take(&b, bytes.bytes, bytes.n, &whole);
        else
            take_made(&b, head.bytes, bytes);
    }
    if (b.reassembly != NULL)
        round_trip(&b, IKE_HEADER_SIZE + n % (IKE_MESSAGE_MAX - IKE_HEADER_SIZE + 1));
    ike_reassembly_free(b.reassembly);
    return 0;
}

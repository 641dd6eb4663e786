/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes identities and the networks that stand as identities. Promises: text is printable and ends
 * within any buffer; a network has no bits beside its prefix, contains itself, and is the same when
 * it is written and read again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/payload-id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    expect(end != NULL);
    for (const char *c = text; c < end; c++)
        expect(*c >= 0x20 && *c < 0x7f);
}

static void check_formats(const IkeIdentity *id)
{
    static const size_t sizes[] = {1, 2, 3, 8, 16, 40, 256, 1024};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *text = malloc(sizes[i]);
        memset(text, 0x7f, sizes[i]);
        ike_id_format(id, text, sizes[i]);
        check_text(text, sizes[i]);
        free(text);
    }
    ike_id_format(id, NULL, 0);
}

static void check_network(const IkeNetwork *network)
{
    const IkeNetwork all = {.family = network->family};
    uint8_t bytes[64];
    char text[64];
    IkeWriter w = ike_writer(bytes, sizeof(bytes));
    IkeNetwork again;

    expect(network->family == 4 || network->family == 6);
    expect(network->prefix <= (network->family == 4 ? 32 : 128));
    expect(ike_network_contains(network, network) && ike_network_equal(network, network));
    expect(ike_network_contains(&all, network));
    ike_network_write_id(&w, network);
    expect(ike_writer_ok(&w));
    expect(ike_network_read_id(ike_writer_slice(&w, 0), &again));
    expect(memcmp(&again, network, sizeof(again)) == 0);
    ike_network_format(network, text, sizeof(text));
    check_text(text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const IkeSlice body = {data, n};
    IkeIdentity id = {0};
    IkeNetwork network;
    uint8_t protocol;
    uint16_t port;

    if (ike_id_read(body, &id, &protocol, &port)) {
        expect(id.n > 0 && id.n <= IKE_ID_MAX && id.n + 4u == n);
        expect(ike_id_equal(&id, &id));
        check_formats(&id);
    }
    memset(&network, 0, sizeof(network));
    if (ike_network_read_id(body, &network))
        check_network(&network);
    return 0;
}

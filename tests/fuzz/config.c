/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes attributes of mode config and XAUTH. Promises: lists stay within their limits, texts end,
 * prefixes and addresses are possible, and what is not well formed is not begun.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/payload-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void check_text(const char *text)
{
    expect(memchr(text, '\0', IKE_TEXT_MAX) != NULL);
}

static void check_inner(const IkeInnerConfig *inner)
{
    expect(inner->dns_n <= IKE_DNS_MAX && inner->networks_n <= IKE_NETWORKS_MAX);
    expect(inner->address.family == 0 || inner->address.family == 4);
    expect(inner->address6.family == 0 || inner->address6.family == 6);
    for (size_t i = 0; i < inner->dns_n; i++)
        expect(inner->dns[i].family == 4 || inner->dns[i].family == 6);
    for (size_t i = 0; i < inner->networks_n; i++) {
        const IkeNetwork *network = &inner->networks[i];
        expect(network->family == 4 || network->family == 6);
        expect(network->prefix <= (network->family == 4 ? 32 : 128));
    }
    check_text(inner->banner);
    check_text(inner->domain);
    check_text(inner->split_dns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    IkeConfigMessage message;
    IkeAttribute attribute;
    uint32_t number;

    if (!ike_config_read((IkeSlice){data, n}, &message))
        return 0;
    IkeInnerConfig *inner = calloc(1, sizeof(*inner));
    IkeReader r = message.attributes;
    size_t count = 0;
    while (ike_config_attribute_read(&r, &attribute)) {
        expect(attribute.basic || attribute.value.n <= n);
        (void)ike_attribute_number(&attribute, &number);
        (void)ike_inner_config_take(inner, &attribute);
        check_inner(inner);
        count++;
    }
    expect(ike_config_well_formed(&message) == ike_reader_done(&r));
    expect(count <= n / 4);
    char text[8];
    ike_text_copy(text, sizeof(text), (IkeSlice){data, n});
    expect(strlen(text) < sizeof(text));
    free(inner);
    return 0;
}

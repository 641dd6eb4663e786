/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selectors of Phase 2 SAs (RFC 4301, 4.4.1), as masks, so that a comparison is an AND or two.
 * What comes out of an SA is compared too: a gateway that holds the keys of one network may not
 * speak for another.
 */
#include "client/tunnel/selectors.h"

#include <string.h>

static void selector_init(Selector *selector, const IkeNetwork *network)
{
    unsigned bits = network->family == 4 ? 32 : 128;
    unsigned prefix = network->prefix < bits ? network->prefix : bits;
    uint8_t mask[16] = {0}, value[16] = {0};

    for (unsigned i = 0; i < prefix; i++)
        mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
    for (unsigned i = 0; i < 16; i++)
        value[i] = network->bytes[i] & mask[i];
    selector->family = network->family;
    selector->prefix = (uint8_t)prefix;
    memcpy(selector->mask, mask, sizeof(mask));
    memcpy(selector->value, value, sizeof(value));
}

void selectors_init(Selectors *selectors, const IkeNetwork *local, const IkeNetwork *remote)
{
    selector_init(&selectors->local, local);
    selector_init(&selectors->remote, remote);
}

static bool selector_equal(const Selector *a, const Selector *b)
{
    return a->family == b->family && a->prefix == b->prefix &&
           memcmp(a->value, b->value, sizeof(a->value)) == 0;
}

bool selectors_equal(const Selectors *a, const Selectors *b)
{
    return selector_equal(&a->local, &b->local) && selector_equal(&a->remote, &b->remote);
}

int selectors_order(const Selectors *a, const Selectors *b)
{
    if (a->remote.prefix != b->remote.prefix)
        return (int)b->remote.prefix - (int)a->remote.prefix;
    return (int)b->local.prefix - (int)a->local.prefix;
}

bool selectors_read(const uint8_t *packet, size_t n, PacketAddresses *addresses)
{
    if (n >= 20 && packet[0] >> 4 == 4) {
        *addresses = (PacketAddresses){4, packet + 12, packet + 16};
        return true;
    }
    if (n >= 40 && packet[0] >> 4 == 6) {
        *addresses = (PacketAddresses){6, packet + 8, packet + 24};
        return true;
    }
    return false;
}

static bool selector_has(const Selector *selector, uint8_t family, const uint8_t *address)
{
    uint64_t words[2] = {0, 0};

    if (selector->family != family)
        return false;
    if (family == 4)
        memcpy(words, address, 4);
    else
        memcpy(words, address, 16);
    return (words[0] & selector->mask[0]) == selector->value[0] &&
           (words[1] & selector->mask[1]) == selector->value[1];
}

bool selectors_cover_out(const Selectors *selectors, const PacketAddresses *addresses)
{
    return selector_has(&selectors->remote, addresses->family, addresses->destination) &&
           selector_has(&selectors->local, addresses->family, addresses->source);
}

bool selectors_cover_in(const Selectors *selectors, const PacketAddresses *addresses)
{
    return selector_has(&selectors->remote, addresses->family, addresses->source) &&
           selector_has(&selectors->local, addresses->family, addresses->destination);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes replies of a DHCP server in their packets. Promises: what is read has all that its kind
 * must have, addresses are a host's, lists stay within their limits, and texts end.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/dhcp-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void expect_host(const IkeAddress *address)
{
    expect(address->family == 4 && address->bytes[0] != 0 && address->bytes[0] != 127 &&
           address->bytes[0] < 224);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    IkeDhcpReply reply;

    if (!ike_dhcp_read((IkeSlice){data, n}, &reply))
        return 0;
    expect(reply.type == IKE_DHCP_OFFER || reply.type == IKE_DHCP_ACK ||
           reply.type == IKE_DHCP_NAK);
    if (reply.type != IKE_DHCP_NAK) {
        expect_host(&reply.server);
        expect_host(&reply.inner.address);
        expect(reply.lease != 0);
    }
    expect(reply.inner.dns_n <= IKE_DNS_MAX && reply.inner.networks_n == 0);
    for (size_t i = 0; i < reply.inner.dns_n; i++)
        expect_host(&reply.inner.dns[i]);
    expect(memchr(reply.inner.domain, '\0', sizeof(reply.inner.domain)) != NULL);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel-kit.h"

#include <string.h>

#include "client/profile/parse.h"
#include "client/tunnel/config.h"

static const char BASE[] = "[Profile]\nName=Kit\n[Gateway]\nAddress=192.0.2.1\n"
                           "[Identity]\nID=alice@example.com\nAuth=psk\n"
                           "[Phase1]\nProposals=aes256-sha256-modp2048;aes128-sha1-modp1024\n"
                           "Lifetime=8h\n[Secrets]\nPSK=keyring\n";

DialtoneProfile *kit_profile_of(const char *text)
{
    GPtrArray *issues = NULL;
    DialtoneProfile *profile = dialtone_profile_parse(text, strlen(text), "kit.dialtone", &issues);
    for (guint i = 0; profile == NULL && i < issues->len; i++) {
        g_autofree char *issue = dialtone_issue_text(issues->pdata[i], "kit.dialtone");
        print_error("%s\n", issue);
    }
    assert_non_null(profile);
    g_ptr_array_unref(issues);
    return profile;
}

DialtoneProfile *kit_profile(const char *more)
{
    g_autofree char *text = g_strconcat(BASE, more, "\n", NULL);
    return kit_profile_of(text);
}

IkeAddress kit_address(const char *text)
{
    PlatformAddress address;
    assert_true(platform_address_parse(text, &address));
    return tunnel_address_to_ike(&address, 0);
}

IkeNetwork kit_network(const char *text)
{
    PlatformPrefix prefix;
    assert_true(platform_prefix_parse(text, &prefix));
    IkeAddress address = tunnel_address_to_ike(&prefix.address, 0);
    IkeNetwork network = {.family = address.family, .prefix = prefix.length};
    memcpy(network.bytes, address.bytes, sizeof(network.bytes));
    return network;
}

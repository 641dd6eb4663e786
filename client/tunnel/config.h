/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a profile and the secrets to the configuration of one IKE session. */
#pragma once

#include "client/profile/profile.h"
#include "client/tunnel/credentials.h"
#include "client/tunnel/secrets.h"
#include "ike/ike.h"
#include "platform/address.h"

/* Everything but where the gateway is: `gateway`, `local`, `address` of a reconnect and
 * `weakest_group` are the tunnel's to set. False where the profile asks for what this version
 * can't do, or a secret is too long. */
bool tunnel_config_fill(IkeConfig *config, const DialtoneProfile *profile,
                        const TunnelSecrets *secrets, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How both sides prove who they are. @credentials may be NULL with a preshared key only, and are
 * lent to the configuration. `wall_offset` is the tunnel's to set. */
bool tunnel_config_fill_credentials(IkeConfig *config, const DialtoneProfile *profile,
                                    TunnelCredentials *credentials,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where the profile names no RemoteID and certificates are used, it is @host, the one of [Gateway]
 * Address that is tried. */
bool tunnel_config_expect_host(IkeConfig *config, const DialtoneProfile *profile, const char *host,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether an algorithm of the profile lives in libcrypto's legacy provider, which is to be loaded
 * before the sandbox closes. */
bool tunnel_config_needs_legacy(const DialtoneProfile *profile) G_GNUC_WARN_UNUSED_RESULT;

/* True when the profile says that the gateway will ask for a user, so that a password that is not
 * known is asked for before the gateway waits for it. */
bool tunnel_config_expects_user(const DialtoneProfile *profile) G_GNUC_WARN_UNUSED_RESULT;

/* Between the two notations of an address; the family is one of theirs or the result is none. */
IkeAddress tunnel_address_to_ike(const PlatformAddress *address, uint16_t port);
PlatformAddress tunnel_address_from_ike(const IkeAddress *address);
/* Masked to its prefix. */
PlatformPrefix tunnel_prefix_from_ike(const IkeNetwork *network);
PlatformPrefix tunnel_prefix_from_profile(const DialtoneNetwork *network);
/* "192.0.2.1:4500", "[2001:db8::1]:4500"; and without the port, "192.0.2.1". The caller frees. */
char *tunnel_address_text(const IkeAddress *address) G_GNUC_WARN_UNUSED_RESULT;
char *tunnel_host_text(const IkeAddress *address) G_GNUC_WARN_UNUSED_RESULT;

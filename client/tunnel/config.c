/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of an IKE session, taken from a profile that has been validated already. What
 * the profile's grammar allows and this version can't do is refused here, with the setting's name,
 * rather than tried and failed later.
 */
#include "client/tunnel/config.h"

#include <sys/socket.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/offload.h"
#include "client/tunnel/distinguished-name.h"
#include "platform/machine.h"

G_STATIC_ASSERT((int)DIALTONE_PHASE1_PROPOSALS_MAX <= (int)IKE_PHASE1_PROPOSALS_MAX);
G_STATIC_ASSERT((int)DIALTONE_PHASE2_PROPOSALS_MAX <= (int)IKE_PHASE2_PROPOSALS_MAX);
G_STATIC_ASSERT((int)DIALTONE_NETWORKS_MAX <= (int)IKE_NETWORKS_MAX);

/* ---- addresses ---- */

IkeAddress tunnel_address_to_ike(const PlatformAddress *address, uint16_t port)
{
    IkeAddress ike = {.port = port};
    if (address->family == AF_INET)
        ike.family = 4;
    else if (address->family == AF_INET6)
        ike.family = 6;
    memcpy(ike.bytes, address->bytes, platform_address_size(address->family));
    return ike;
}

PlatformAddress tunnel_address_from_ike(const IkeAddress *address)
{
    PlatformAddress platform = {.family = AF_UNSPEC};
    if (address->family == 4)
        platform.family = AF_INET;
    else if (address->family == 6)
        platform.family = AF_INET6;
    memcpy(platform.bytes, address->bytes, platform_address_size(platform.family));
    return platform;
}

static PlatformPrefix masked(uint8_t family, const uint8_t *bytes, uint8_t length)
{
    PlatformPrefix prefix = {.address.family = family};
    size_t size = platform_address_size(family);
    prefix.length = (uint8_t)MIN(length, size * 8);
    for (size_t i = 0; i < size; i++) {
        size_t bits = prefix.length > i * 8 ? MIN((size_t)8, prefix.length - i * 8) : 0;
        prefix.address.bytes[i] = bytes[i] & (uint8_t)(0xff00u >> bits);
    }
    return prefix;
}

PlatformPrefix tunnel_prefix_from_ike(const IkeNetwork *network)
{
    return masked(network->family == 6 ? AF_INET6 : AF_INET, network->bytes, network->prefix);
}

PlatformPrefix tunnel_prefix_from_profile(const DialtoneNetwork *network)
{
    return masked(network->family == AF_INET6 ? AF_INET6 : AF_INET, network->bytes,
                  network->prefix);
}

char *tunnel_host_text(const IkeAddress *address)
{
    PlatformAddress platform = tunnel_address_from_ike(address);
    char text[PLATFORM_ADDRESS_TEXT];
    return g_strdup(platform_address_format(&platform, text));
}

char *tunnel_address_text(const IkeAddress *address)
{
    g_autofree char *text = tunnel_host_text(address);
    return g_strdup_printf(address->family == 6 ? "[%s]:%u" : "%s:%u", text, address->port);
}

/* ---- identities ---- */

static bool identity_set(IkeIdentity *identity, IkeIdType type, const void *bytes, gsize n)
{
    if (n > sizeof(identity->bytes))
        return false;
    identity->type = type;
    identity->n = (uint16_t)n;
    memcpy(identity->bytes, bytes, n);
    return true;
}

static bool identity_from_address(IkeIdentity *identity, const char *text)
{
    PlatformAddress address;
    if (!platform_address_parse(text, &address))
        return false;
    return identity_set(identity, address.family == AF_INET6 ? IKE_ID_IPV6 : IKE_ID_IPV4,
                        address.bytes, platform_address_size(address.family));
}

static bool identity_from_dn(IkeIdentity *identity, const char *text)
{
    gsize n = 0;
    if (!tunnel_dn_to_der(text, identity->bytes, sizeof(identity->bytes), &n))
        return false;
    identity->type = IKE_ID_DER_ASN1_DN;
    identity->n = (uint16_t)n;
    return true;
}

static bool identity_fill(IkeIdentity *identity, const DialtoneId *id, const char *setting,
                          GError **error)
{
    bool ok = false;
    switch (id->kind) {
    case DIALTONE_ID_ANY:
        identity->type = IKE_ID_ANY;
        return true;
    case DIALTONE_ID_FQDN:
        ok = identity_set(identity, IKE_ID_FQDN, id->value, strlen(id->value));
        break;
    case DIALTONE_ID_EMAIL:
        ok = identity_set(identity, IKE_ID_USER_FQDN, id->value, strlen(id->value));
        break;
    case DIALTONE_ID_KEYID:
        ok = identity_set(identity, IKE_ID_KEY_ID, id->value, strlen(id->value));
        break;
    case DIALTONE_ID_IP:
        ok = identity_from_address(identity, id->value);
        break;
    case DIALTONE_ID_DN:
        ok = identity_from_dn(identity, id->value);
        break;
    case DIALTONE_ID_ADDRESS: /* set by tunnel_config_expect_host() */
        identity->type = IKE_ID_ANY;
        return true;
    }
    if (!ok)
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                             _("Use an ID of the kind fqdn:, email:, ip: or keyid:, or dn: with "
                               "the types of X.509 (C, O, OU, CN)."),
                             _("%s has a kind or a length that this version can't use."), setting);
    return ok;
}

/* ---- proposals ---- */

static void fill_proposals(IkeConfig *config, const DialtoneProfile *profile)
{
    config->phase1_n = MIN(profile->phase1_proposals->len, (guint)IKE_PHASE1_PROPOSALS_MAX);
    for (size_t i = 0; i < config->phase1_n; i++) {
        const DialtoneProposal *p = &g_array_index(profile->phase1_proposals, DialtoneProposal, i);
        config->phase1[i] = (IkePhase1Proposal){p->cipher, p->hash, p->group};
    }
    config->phase2_n = MIN(profile->phase2_proposals->len, (guint)IKE_PHASE2_PROPOSALS_MAX);
    for (size_t i = 0; i < config->phase2_n; i++) {
        const DialtoneProposal *p = &g_array_index(profile->phase2_proposals, DialtoneProposal, i);
        config->phase2[i] = (IkePhase2Proposal){p->cipher, p->hash, p->group};
    }
    config->phase1_lifetime = (uint32_t)MIN(profile->phase1_lifetime, G_MAXUINT32);
    config->phase2_lifetime = (uint32_t)MIN(profile->phase2_lifetime, G_MAXUINT32);
    config->phase2_lifetime_kb = (uint32_t)MIN(profile->phase2_lifetime_kb, G_MAXUINT32);
}

static void fill_networks(IkeConfig *config, const DialtoneProfile *profile)
{
    config->networks_n = MIN(profile->networks->len, (guint)IKE_NETWORKS_MAX);
    for (size_t i = 0; i < config->networks_n; i++) {
        PlatformPrefix prefix =
            tunnel_prefix_from_profile(&g_array_index(profile->networks, DialtoneNetwork, i));
        IkeNetwork *network = &config->networks[i];
        network->family = prefix.address.family == AF_INET6 ? 6 : 4;
        network->prefix = prefix.length;
        memcpy(network->bytes, prefix.address.bytes, sizeof(network->bytes));
    }
}

/* ---- the rest ---- */

/* Both enumerations name the same words of the profile; a table keeps them from drifting apart
 * unseen. */
static const IkeXauthMode XAUTH[] = {
    [DIALTONE_XAUTH_AUTO] = IKE_XAUTH_AUTO,
    [DIALTONE_XAUTH_REQUIRED] = IKE_XAUTH_REQUIRED,
    [DIALTONE_XAUTH_NO] = IKE_XAUTH_NO,
};
static const IkeConfigMode CONFIG[] = {
    [DIALTONE_CONFIG_AUTO] = IKE_CONFIG_AUTO, [DIALTONE_CONFIG_PULL] = IKE_CONFIG_PULL,
    [DIALTONE_CONFIG_PUSH] = IKE_CONFIG_PUSH, [DIALTONE_CONFIG_NONE] = IKE_CONFIG_NONE,
    [DIALTONE_CONFIG_DHCP] = IKE_CONFIG_DHCP,
};
static const IkeNattMode NATT[] = {
    [DIALTONE_NATT_FORCE] = IKE_NATT_FORCE,
    [DIALTONE_NATT_AUTO] = IKE_NATT_AUTO,
    [DIALTONE_NATT_OFF] = IKE_NATT_OFF,
};
static const IkeSelectors SELECTORS[] = {
    [DIALTONE_SELECTORS_EACH] = IKE_SELECTORS_EACH,
    [DIALTONE_SELECTORS_ANY] = IKE_SELECTORS_ANY,
};
static const IkeTristate TRISTATE[] = {
    [DIALTONE_TRI_AUTO] = IKE_AUTO,
    [DIALTONE_TRI_YES] = IKE_YES,
    [DIALTONE_TRI_NO] = IKE_NO,
};

/* Inner addresses of the profile's own (Config=none). The core knows one of each family; an IPv6
 * address that is alone comes first. */
static void fill_address(IkeConfig *config, const DialtoneProfile *profile)
{
    for (guint i = 0; profile->config == DIALTONE_CONFIG_NONE && i < profile->addresses->len; i++) {
        const DialtoneNetwork *own = &g_array_index(profile->addresses, DialtoneNetwork, i);
        IkeAddress *place = own->family == AF_INET6 ? &config->address6 : &config->address;
        if (place->family != 0)
            continue;
        *place = (IkeAddress){.family = own->family == AF_INET6 ? 6 : 4};
        memcpy(place->bytes, own->bytes, sizeof(place->bytes));
    }
    if (config->address.family == 0) {
        config->address = config->address6;
        config->address6 = (IkeAddress){0};
    }
}

/* What a DHCP server behind the gateway knows this end by: one for each machine and profile, and
 * always the same, so that the lease is the same, too. It is made up, for the network there has no
 * business with the address of a network card: the machine's ID is the key of a hash and does not
 * show. Its first byte says "one address, of nobody's making" in either order of the bits (IEEE
 * 802; the 40 of RFC 3456, 4.1 is in the other one than Ethernet's). */
static void fill_hardware(IkeConfig *config, const DialtoneProfile *profile)
{
    enum { FIRST = 0x42, DIGEST = 32 };
    const char *of = profile->uuid != NULL ? profile->uuid : profile->name;
    char machine[PLATFORM_MACHINE_ID_TEXT];
    uint8_t digest[DIGEST];
    gsize n = sizeof(digest);
    if (profile->config != DIALTONE_CONFIG_DHCP)
        return;
    platform_machine_id(machine);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *)machine, strlen(machine));
    g_hmac_update(hmac, (const guchar *)"dialtone dhcp ", -1);
    g_hmac_update(hmac, (const guchar *)of, -1);
    g_hmac_get_digest(hmac, digest, &n);
    config->hardware[0] = FIRST;
    memcpy(config->hardware + 1, digest, IKE_HARDWARE_SIZE - 1);
}

static bool fill_user(IkeConfig *config, const DialtoneProfile *profile,
                      const TunnelSecrets *secrets, GError **error)
{
    config->psk = secrets->psk;
    config->password = secrets->password;
    config->user = secrets->user;
    if (config->user.known || profile->user == NULL)
        return true;
    if (tunnel_secret_set(&config->user, profile->user, strlen(profile->user)))
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, _("Use a shorter name."),
                         _("[UserAuth] User is longer than %d bytes."), IKE_SECRET_MAX);
    return false;
}

static const IkeAuth AUTH[] = {
    [DIALTONE_AUTH_PSK] = IKE_AUTH_PSK,
    [DIALTONE_AUTH_CERTIFICATE] = IKE_AUTH_CERTIFICATE,
    [DIALTONE_AUTH_HYBRID] = IKE_AUTH_HYBRID,
};

bool tunnel_config_fill(IkeConfig *config, const DialtoneProfile *profile,
                        const TunnelSecrets *secrets, GError **error)
{
    if (!identity_fill(&config->id, &profile->id, "[Identity] ID", error) ||
        !identity_fill(&config->remote_id, &profile->remote_id, "[Gateway] RemoteID", error) ||
        !fill_user(config, profile, secrets, error))
        return false;
    fill_proposals(config, profile);
    fill_networks(config, profile);
    fill_address(config, profile);
    fill_hardware(config, profile);
    config->auth = AUTH[profile->auth];
    config->xauth = XAUTH[profile->xauth];
    config->config = CONFIG[profile->config];
    config->natt = NATT[profile->natt];
    config->selectors = SELECTORS[profile->selectors];
    config->initial_contact = TRISTATE[profile->initial_contact];
    config->id_port = profile->id_port;
    config->sha256_truncation = profile->sha256_truncation;
    config->offer_plain_psk = profile->offer_plain_psk;
    config->plain_crypto = (profile->offloads & DIALTONE_OFFLOAD_MULTI_BUFFER) == 0;
    return true;
}

/* ---- certificates ---- */

bool tunnel_config_fill_credentials(IkeConfig *config, const DialtoneProfile *profile,
                                    TunnelCredentials *credentials, GError **error)
{
    if (profile->auth == DIALTONE_AUTH_PSK)
        return true;
    if (credentials == NULL || credentials->anchors->len == 0) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("No certificates were handed over."));
        return false;
    }
    tunnel_credentials_lend(credentials, &config->credentials);
    config->credentials.require_crl = profile->require_crl;
    return true;
}

bool tunnel_config_expect_host(IkeConfig *config, const DialtoneProfile *profile, const char *host,
                               GError **error)
{
    if (profile->remote_id.kind != DIALTONE_ID_ADDRESS ||
        identity_from_address(&config->remote_id, host) ||
        identity_set(&config->remote_id, IKE_ID_FQDN, host, strlen(host)))
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Write [Gateway] RemoteID=fqdn:NAME of the gateway's certificate."),
                         _("[Gateway] Address is too long to be looked for in a certificate."));
    return false;
}

bool tunnel_config_needs_legacy(const DialtoneProfile *profile)
{
    const GArray *lists[] = {profile->phase1_proposals, profile->phase2_proposals};
    for (size_t k = 0; k < G_N_ELEMENTS(lists); k++) {
        for (guint i = 0; i < lists[k]->len; i++) {
            const IkeCipher *cipher = g_array_index(lists[k], DialtoneProposal, i).cipher;
            if (cipher != NULL && strcmp(cipher->name, "des") == 0)
                return true;
        }
    }
    return false;
}

bool tunnel_config_expects_user(const DialtoneProfile *profile)
{
    return profile->xauth == DIALTONE_XAUTH_REQUIRED || profile->auth == DIALTONE_AUTH_HYBRID ||
           (profile->xauth == DIALTONE_XAUTH_AUTO && profile->user != NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules between keys. One function a rule; each names the key that a user should change, at
 * its line, or at the line of its group where the key is missing.
 */
#include "client/profile/check.h"

#include <sys/socket.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/schema.h"

static guint line_of(const DialtoneProfileCheck *check, const char *group, const char *key)
{
    return check->lines[dialtone_profile_key(group, key) - dialtone_profile_keys];
}

static bool is_set(const DialtoneProfileCheck *check, const char *group, const char *key)
{
    return line_of(check, group, key) != 0;
}

static void say(const DialtoneProfileCheck *check, bool warning, const char *group, const char *key,
                const char *message)
{
    guint line = line_of(check, group, key);
    DialtoneIssue where = {
        .line = line != 0 ? line : check->missing(check->context, group),
        .warning = warning,
        .group = (char *)group,
        .key = (char *)key,
    };

    dialtone_issues_add(check->issues, &where, "%s", message);
}

/* Auth that was not written but follows stands in the normal form as if it had been. */
static void settle_auth(DialtoneProfile *profile, DialtoneAuth auth, const char *word)
{
    gsize row = (gsize)(dialtone_profile_key("Identity", "Auth") - dialtone_profile_keys);

    profile->auth = auth;
    profile->values[row] = g_strdup(word);
    profile->is_default[row] = false;
}

static void check_auth(DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    bool certificate = is_set(check, "Identity", "Certificate");

    if (!is_set(check, "Identity", "Auth")) {
        if (is_set(check, "Secrets", "PSK"))
            settle_auth(profile, DIALTONE_AUTH_PSK, "psk");
        else if (certificate)
            settle_auth(profile, DIALTONE_AUTH_CERTIFICATE, "certificate");
        else if (check->psk_at_hand)
            settle_auth(profile, DIALTONE_AUTH_PSK, "psk");
        else
            say(check, false, "Identity", "Auth",
                _("the profile has neither a preshared key nor a certificate; write Auth=psk, or "
                  "Auth=certificate and Certificate="));
    }
    if (profile->auth == DIALTONE_AUTH_CERTIFICATE && !certificate)
        say(check, false, "Identity", "Certificate",
            _("Auth=certificate needs it; write Certificate=keyring, file:/path.p12, "
              "file:/path.pem or pkcs11:..."));
    if (profile->auth == DIALTONE_AUTH_PSK && certificate)
        say(check, true, "Identity", "Certificate",
            _("not used with Auth=psk; remove it or write Auth=certificate"));
    if (profile->auth == DIALTONE_AUTH_HYBRID && certificate)
        say(check, true, "Identity", "Certificate",
            _("not used with Auth=hybrid, where only the gateway has one"));
}

static void check_key_and_lists(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    bool crl = is_set(check, "Identity", "CRL");

    if (profile->key != NULL && profile->certificate_source != DIALTONE_CERT_FILE)
        say(check, false, "Identity", "Key",
            _("belongs to a certificate from a file; remove it, or write "
              "Certificate=file:/path.pem"));
    if (profile->require_crl && !crl)
        say(check, false, "Identity", "CRL",
            _("RequireCRL=yes needs it; write CRL=file:/path.crl or CRL=directory:/path"));
    if (profile->auth == DIALTONE_AUTH_PSK && crl)
        say(check, true, "Identity", "CRL", _("not used with Auth=psk"));
}

static void check_remote_id(DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    if (!is_set(check, "Gateway", "RemoteID")) {
        profile->remote_id.kind =
            profile->auth == DIALTONE_AUTH_PSK ? DIALTONE_ID_ANY : DIALTONE_ID_ADDRESS;
        return;
    }
    if (profile->auth != DIALTONE_AUTH_PSK && profile->remote_id.kind == DIALTONE_ID_ANY)
        say(check, false, "Gateway", "RemoteID",
            _("with certificates any would accept every gateway that any authority signed; "
              "remove the line, or write fqdn:NAME of the gateway's certificate"));
}

static void check_xauth(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    if (profile->xauth == DIALTONE_XAUTH_NO && profile->auth == DIALTONE_AUTH_HYBRID)
        say(check, false, "UserAuth", "XAuth",
            _("hybrid is a certificate of the gateway and a password of the user; write auto"));
    if (profile->xauth == DIALTONE_XAUTH_NO && is_set(check, "UserAuth", "User"))
        say(check, true, "UserAuth", "User",
            _("with XAuth=no it is used only when the gateway asks all the same"));
    if (!profile->offer_plain_psk)
        return;
    if (profile->xauth == DIALTONE_XAUTH_REQUIRED)
        say(check, false, "Quirks", "OfferPlainPSK",
            _("contradicts XAuth=required; write no, or XAuth=auto"));
    if (profile->auth != DIALTONE_AUTH_PSK)
        say(check, true, "Quirks", "OfferPlainPSK", _("has a meaning with Auth=psk only"));
}

static void check_address(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    bool address = is_set(check, "Network", "Address");

    if (profile->config == DIALTONE_CONFIG_NONE && !address)
        say(check, false, "Network", "Address",
            _("Config=none needs it; write Address=10.1.2.3/32 with the address that the "
              "administrator gave you, or Config=auto"));
    if (profile->config != DIALTONE_CONFIG_NONE && address)
        say(check, true, "Network", "Address",
            _("not used unless Config=none; the gateway gives the address"));
}

/* A network that no SA can be made for would be reached beside the tunnel; the core refuses it,
 * too, but only when everything else is through. */
static void check_dhcp(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    bool six = false;

    for (guint i = 0; i < profile->networks->len; i++)
        six |= g_array_index(profile->networks, DialtoneNetwork, i).family == AF_INET6;
    if (profile->config == DIALTONE_CONFIG_DHCP && six)
        say(check, false, "Phase2", "Networks",
            _("Config=dhcp gives an IPv4 address alone; leave out the IPv6 networks"));
}

static void check_rules(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    bool rule = profile->rule != DIALTONE_RULE_MANUAL;

    if (rule && profile->autoconnect)
        say(check, false, "Network", "Autoconnect",
            _("contradicts Connect of [Rules], which says when to connect; remove one of them"));
    if (profile->trusted->len > 0 && profile->rule != DIALTONE_RULE_UNTRUSTED)
        say(check, true, "Rules", "Trusted",
            _("has a meaning with Connect=untrusted only; write that, or Never="));
    if (profile->rule == DIALTONE_RULE_UNTRUSTED && profile->trusted->len == 0)
        say(check, true, "Rules", "Connect",
            _("no network is trusted, so this is always; write Trusted=ssid:NAME or "
              "Trusted=network:NAME"));
    if (profile->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT &&
        (profile->trusted->len > 0 || profile->never->len > 0))
        say(check, true, "Network", "KillSwitch",
            _("persistent blocks on the networks of [Rules], too, until it is released by hand; "
              "write yes"));
}

/* RFC 2407, 4.6.3.3: the notify drops every other connection of the ID. */
static void check_initial_contact(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    if (profile->initial_contact != DIALTONE_TRI_YES)
        return;
    if (profile->id.kind == DIALTONE_ID_KEYID || profile->xauth == DIALTONE_XAUTH_REQUIRED)
        say(check, true, "Quirks", "InitialContact",
            _("yes disconnects whoever else uses this ID; a group's ID is shared by many"));
}

/* Legal, and of use to whoever tests a gateway; everybody else meant another unit. */
static void check_lifetimes(const DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    static const char message[] = N_("less than a minute makes new keys all the time; write 8h or "
                                     "1h, or 28800 for seconds");

    if (profile->phase1_lifetime < 60)
        say(check, true, "Phase1", "Lifetime", _(message));
    if (profile->phase2_lifetime < 60)
        say(check, true, "Phase2", "Lifetime", _(message));
}

void dialtone_profile_check(DialtoneProfile *profile, const DialtoneProfileCheck *check)
{
    check_auth(profile, check);
    check_key_and_lists(profile, check);
    check_remote_id(profile, check);
    check_xauth(profile, check);
    check_address(profile, check);
    check_dhcp(profile, check);
    check_rules(profile, check);
    check_initial_contact(profile, check);
    check_lifetimes(profile, check);
}

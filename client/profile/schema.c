/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profile's keys. This table is the only place that knows them: parsing, defaults, error
 * texts, the normal form and the manual page dialtone-profile(5) all come from it. A new key is a
 * new row, a field in DialtoneProfile and a paragraph in the manual (a test compares the two).
 */
#include "client/profile/schema.h"

#include <string.h>

#include "client/common/i18n.h"

#define FIELD(name) G_STRUCT_OFFSET(DialtoneProfile, name)

enum { DAY = 86400 };

static const DialtoneWord AUTH[] = {
    {"psk", DIALTONE_AUTH_PSK},
    {"certificate", DIALTONE_AUTH_CERTIFICATE},
    {"hybrid", DIALTONE_AUTH_HYBRID},
    {NULL, 0},
};

static const DialtoneWord XAUTH[] = {
    {"auto", DIALTONE_XAUTH_AUTO},
    {"required", DIALTONE_XAUTH_REQUIRED},
    {"no", DIALTONE_XAUTH_NO},
    {NULL, 0},
};

static const DialtoneWord CONFIG[] = {
    {"auto", DIALTONE_CONFIG_AUTO}, {"pull", DIALTONE_CONFIG_PULL}, {"push", DIALTONE_CONFIG_PUSH},
    {"none", DIALTONE_CONFIG_NONE}, {"dhcp", DIALTONE_CONFIG_DHCP}, {NULL, 0},
};

static const DialtoneWord NATT[] = {
    {"force", DIALTONE_NATT_FORCE},
    {"auto", DIALTONE_NATT_AUTO},
    {"off", DIALTONE_NATT_OFF},
    {NULL, 0},
};

static const DialtoneWord KILL_SWITCH[] = {
    {"no", DIALTONE_KILL_SWITCH_NO},
    {"yes", DIALTONE_KILL_SWITCH_YES},
    {"persistent", DIALTONE_KILL_SWITCH_PERSISTENT},
    {NULL, 0},
};

static const DialtoneWord RULE[] = {
    {"manual", DIALTONE_RULE_MANUAL},
    {"untrusted", DIALTONE_RULE_UNTRUSTED},
    {"always", DIALTONE_RULE_ALWAYS},
    {NULL, 0},
};

static const DialtoneWord SELECTORS[] = {
    {"each", DIALTONE_SELECTORS_EACH},
    {"any", DIALTONE_SELECTORS_ANY},
    {NULL, 0},
};

static const DialtoneWord TRI[] = {
    {"auto", DIALTONE_TRI_AUTO},
    {"yes", DIALTONE_TRI_YES},
    {"no", DIALTONE_TRI_NO},
    {NULL, 0},
};

/* clang-format off */
const DialtoneProfileKey dialtone_profile_keys[] = {
    {"Profile", "Name", dialtone_value_name, .max = 128,
     .syntax = N_("text"),
     .help = N_("What the profile is called in lists and commands, so one tunnel of a name can "
                "be up at a time. Default: the file's name without .dialtone.")},
    {"Profile", "Description", dialtone_value_text, FIELD(description), .max = 1024,
     .syntax = N_("text"),
     .help = N_("A line for people.")},
    {"Profile", "UUID", dialtone_value_uuid,
     .syntax = N_("UUID"),
     .help = N_("Names the profile for ever, also when it is renamed.")},

    {"Access", "Users", dialtone_value_accounts, FIELD(users),
     .syntax = N_("names of users, as in alice;bob"),
     .help = N_("Who may use a profile of the system. Default, when Groups is not written "
                "either: everybody at the computer.")},
    {"Access", "Groups", dialtone_value_accounts, FIELD(groups),
     .syntax = N_("names of groups, as in staff;vpn"),
     .help = N_("Members of these groups may use it too.")},
    {"Access", "Lock", dialtone_value_lock, FIELD(lock),
     .syntax = "all | Gateway.Address;Phase1",
     .help = N_("What users may not change in a profile of the system: settings, whole groups, "
                "or all. What they never may stands under OVERRIDES.")},

    {"Gateway", "Address", dialtone_value_gateways, .required = true,
     .syntax = "vpn.example.com;vpn2.example.com:500;[2001:db8::1]:500",
     .help = N_("The gateway: host names or addresses, tried in order. A port replaces port 500 "
                "only.")},
    {"Gateway", "RemoteID", dialtone_value_remote_id, .max = 255,
     .syntax = "any | fqdn:NAME | email:NAME | ip:ADDRESS | dn:NAME | keyid:NAME",
     .help = N_("Who the gateway must prove to be. Default: any with a preshared key; with a "
                "certificate or hybrid the Address, which must stand in the gateway's "
                "certificate, and any is refused.")},

    {"Identity", "ID", dialtone_value_id, .max = 255, .required = true,
     .syntax = "name@example.com | host.example.com | keyid:GROUP",
     .help = N_("The name the gateway knows this client by. With an @ it is sent as an email "
                "address (USER_FQDN), else as a host name (FQDN); keyid: is for gateways that "
                "ask for a group name. An IP address is refused.")},
    {"Identity", "Auth", dialtone_value_word, FIELD(auth), AUTH,
     .syntax = "psk | certificate | hybrid",
     .help = N_("How both sides prove who they are: a preshared key, certificates, or a "
                "certificate of the gateway and a password of the user. Default: psk where "
                "[Secrets] PSK is given, certificate where Certificate is; without either it "
                "must be written.")},
    {"Identity", "Certificate", dialtone_value_certificate, .max = 4000,
     .syntax = "keyring | file:/path.p12 | file:/path.pem | pkcs11:...",
     .help = N_("The certificate of this client, its key, and the authorities between it and "
                "one that the gateway knows. Needed with Auth=certificate. A file is PKCS#12 or "
                "PEM, and when the key is in it, mode 0600 or 0400. What opens an encrypted key, "
                "or a token's PIN, is Passphrase in the secrets file, or is asked for.")},
    {"Identity", "Key", dialtone_value_key, .max = 4000,
     .syntax = "file:/path.key",
     .help = N_("The private key, where it does not stand in the certificate's file. PEM, mode "
                "0600 or 0400.")},
    {"Identity", "CA", dialtone_value_ca, .max = 4000, .fallback = "system",
     .syntax = "file:/path | directory:/path | system",
     .help = N_("The authorities whose certificates the gateway may show. A file is PEM or "
                "DER; system is the list that the computer trusts for web sites.")},
    {"Identity", "CRL", dialtone_value_crls, .max = 4000,
     .syntax = "file:/path.crl;directory:/path;http://host/path.crl",
     .help = N_("Lists of revoked certificates, PEM or DER, that the gateway's certificate is "
                "looked up in. They are read, or fetched, when connecting; an address that a "
                "certificate names is never asked.")},
    {"Identity", "RequireCRL", dialtone_value_flag, FIELD(require_crl), .fallback = "no",
     .syntax = "yes | no",
     .help = N_("Refuses a gateway whose authority has no valid list in CRL. no: such a "
                "certificate counts as not revoked.")},

    {"Phase1", "Proposals", dialtone_value_phase1_proposals,
     .fallback = "aes256-sha256-modp2048;aes128-sha1-modp2048",
     .syntax = N_("encryption-hash-group, as in aes256-sha256-modp2048"),
     .help = N_("One to four, in order of preference. The client tries each Diffie-Hellman "
                "group among them in turn.")},
    {"Phase1", "Lifetime", dialtone_value_duration, FIELD(phase1_lifetime),
     .min = 1, .max = 365 * DAY, .fallback = "8h",
     .syntax = N_("a time up to 365d, as in 8h, 30m, 1d or 3600"),
     .help = N_("How long the keys of Phase 1 are used; the gateway's own limit counts when it "
                "is shorter.")},

    {"UserAuth", "XAuth", dialtone_value_word, FIELD(xauth), XAUTH, .fallback = "auto",
     .syntax = "auto | required | no",
     .help = N_("Whether the user signs in too. auto: when a User is known; a gateway that asks "
                "is answered in any case. required: nothing else is offered. no: never "
                "offered.")},
    {"UserAuth", "User", dialtone_value_text, FIELD(user), .max = 255,
     .syntax = N_("text"),
     .help = N_("The name to sign in with. It is asked for when it is needed and not known.")},

    {"Phase2", "Proposals", dialtone_value_phase2_proposals,
     .fallback = "aes256gcm16-modp2048;aes256-sha256-modp2048",
     .syntax = N_("encryption-integrity-group, as in aes256-sha256-modp2048 or "
                  "aes256gcm16-modp2048"),
     .help = N_("In order of preference. The last part is the group of perfect forward secrecy; "
                "without it there is none. Proposals of different groups are tried one group "
                "after the other.")},
    {"Phase2", "Lifetime", dialtone_value_duration, FIELD(phase2_lifetime),
     .min = 1, .max = 365 * DAY, .fallback = "1h",
     .syntax = N_("a time up to 365d, as in 8h, 30m, 1d or 3600"),
     .help = N_("How long the keys of the tunnel are used before new ones are made.")},
    {"Phase2", "LifetimeKB", dialtone_value_number, FIELD(phase2_lifetime_kb),
     .max = G_MAXUINT32, .fallback = "0",
     .syntax = N_("a number of kilobytes, 0 for no limit"),
     .help = N_("How much the keys of the tunnel may carry before new ones are made.")},
    {"Phase2", "Networks", dialtone_value_networks, FIELD(networks),
     .syntax = "10.0.0.0/8;192.168.5.0/24",
     .help = N_("The networks behind the gateway, one Quick Mode each. Default: those the "
                "gateway names; else everything.")},

    {"Network", "Config", dialtone_value_word, FIELD(config), CONFIG, .fallback = "auto",
     .syntax = "auto | pull | push | none | dhcp",
     .help = N_("How the address is got: asked for (pull), waited for (push), whichever comes "
                "(auto), not at all (none, then Address says it), or from a DHCP server behind "
                "the gateway (dhcp), as SonicWall has it.")},
    {"Network", "Address", dialtone_value_addresses, FIELD(addresses),
     .syntax = "10.1.2.3/32",
     .help = N_("The address of this computer in the tunnel, with Config=none.")},
    {"Network", "DNS", dialtone_value_dns, FIELD(dns), .fallback = "auto",
     .syntax = N_("auto, none, or addresses as in 10.0.0.53;10.0.0.54"),
     .help = N_("The name servers while connected: the gateway's (auto), those of the "
                "computer (none), or these.")},
    {"Network", "Exclude", dialtone_value_networks, FIELD(exclude), .min = 1,
     .syntax = "192.168.1.0/24",
     .help = N_("Networks that stay outside of the tunnel.")},
    {"Network", "MTU", dialtone_value_mtu, FIELD(mtu), .min = 576, .max = 9000,
     .fallback = "auto",
     .syntax = N_("auto, or a number from 576 to 9000"),
     .help = N_("The largest packet that enters the tunnel. Lower it when connections open and "
                "then hang.")},
    {"Network", "KillSwitch", dialtone_value_word, FIELD(kill_switch), .words = KILL_SWITCH,
     .fallback = "no", .syntax = "yes | persistent | no",
     .help = N_("Blocks what is for the tunnel from leaving beside it: while the connection is "
                "wanted (yes), or until it is released by hand (persistent).")},
    {"Network", "Autoconnect", dialtone_value_flag, FIELD(autoconnect), .fallback = "no",
     .syntax = "yes | no",
     .help = N_("Connects by itself when the service starts: in profiles of the system only.")},
    {"Network", "KeepAfterLogout", dialtone_value_flag, FIELD(keep_after_logout),
     .fallback = "no",
     .syntax = "yes | no",
     .help = N_("Keeps the connection when its user logs out.")},
    {"Network", "RetryFor", dialtone_value_duration, FIELD(retry_for), .max = DIALTONE_FOREVER,
     .fallback = "forever",
     .syntax = N_("forever, or a time as in 30m, 8h, 1d or 3600"),
     .help = N_("How long a tunnel that was lost is tried again, before the client gives up "
                "(exit code 11). Time that the computer sleeps is not counted.")},

    {"Rules", "Connect", dialtone_value_word, FIELD(rule), RULE, .fallback = "manual",
     .syntax = "manual | untrusted | always",
     .help = N_("When the service connects by itself: never (manual), on every network that "
                "Trusted does not name (untrusted), or on every network (always).")},
    {"Rules", "Trusted", dialtone_value_places, FIELD(trusted),
     .syntax = "ssid:Office Wi-Fi;ssid:0x4f66666963653b32;network:Office LAN",
     .help = N_("Networks that need no tunnel: a Wi-Fi network by its name, or a connection of "
                "NetworkManager's by its name or UUID. What a rule has connected is disconnected "
                "there.")},
    {"Rules", "Never", dialtone_value_places, FIELD(never),
     .syntax = "ssid:Office Wi-Fi;ssid:0x4f66666963653b32;network:Office LAN",
     .help = N_("Networks on which the profile is never connected, by hand neither.")},

    {"Secrets", "PSK", dialtone_value_secret_source, FIELD(psk_source), .fallback = "keyring",
     .syntax = "keyring | ask | system",
     .help = N_("Where the preshared key comes from. The key itself never stands in a "
                "profile.")},
    {"Secrets", "Password", dialtone_value_secret_source, FIELD(password_source),
     .fallback = "keyring",
     .syntax = "keyring | ask | system",
     .help = N_("Where the user's password comes from.")},

    {"Quirks", "NatT", dialtone_value_word, FIELD(natt), NATT, .fallback = "force",
     .syntax = "force | auto | off",
     .help = N_("Whether packets of the tunnel travel inside of UDP: always (force), where a "
                "NAT is seen (auto), or never (off), as ESP alone. Most routers with NAT don't "
                "pass that.")},
    {"Quirks", "IDPort", dialtone_value_id_port, .fallback = "0",
     .syntax = "0 | 500",
     .help = N_("The port in the ID payload. Some old gateways want 500.")},
    {"Quirks", "Selectors", dialtone_value_word, FIELD(selectors), SELECTORS, .fallback = "each",
     .syntax = "each | any",
     .help = N_("Whether each of several Networks has a Quick Mode of its own (each), or one for "
                "0.0.0.0/0 carries all (any).")},
    {"Quirks", "InitialContact", dialtone_value_word, FIELD(initial_contact), TRI,
     .fallback = "auto",
     .syntax = "auto | yes | no",
     .help = N_("Whether the gateway is told to drop older connections of this ID. auto: unless "
                "others may share it.")},
    {"Quirks", "Sha256Truncation", dialtone_value_flag, FIELD(sha256_truncation),
     .fallback = "no",
     .syntax = "yes | no",
     .help = N_("Cuts HMAC-SHA-256 to 96 bits in Phase 2, for old gateways.")},
    {"Quirks", "OfferPlainPSK", dialtone_value_flag, FIELD(offer_plain_psk), .fallback = "no",
     .syntax = "yes | no",
     .help = N_("Offers authentication without a user beside that with one. The gateway may "
                "then skip the user's password.")},
    {"Quirks", "Offloads", dialtone_value_offloads, FIELD(offloads), .fallback = "auto",
     .syntax = "auto | none | vnet-hdr;uso;gso;gro;multi-buffer",
     .help = N_("What may be left to the kernel or the processor, for speed: all that works here "
                "(auto), nothing (none), or these: TCP and, with uso, UDP in large packets at the "
                "interface (vnet-hdr), datagrams of the tunnel that leave (gso) or arrive (gro) in "
                "one go, and packets that are encrypted several at a time (multi-buffer). What is "
                "refused here is left out by itself, and status shows what is in use. A change "
                "counts from the next connect on.")},
};
/* clang-format on */

const gsize dialtone_profile_keys_n = G_N_ELEMENTS(dialtone_profile_keys);

G_STATIC_ASSERT(G_N_ELEMENTS(dialtone_profile_keys) <= DIALTONE_PROFILE_KEYS_MAX);

const DialtoneProfileKey *dialtone_profile_key(const char *group, const char *key)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        if (strcmp(row->group, group) == 0 && strcmp(row->key, key) == 0)
            return row;
    }
    return NULL;
}

const char *dialtone_profile_group_of(const char *key)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (g_ascii_strcasecmp(dialtone_profile_keys[i].key, key) == 0)
            return dialtone_profile_keys[i].group;
    return NULL;
}

const char **dialtone_profile_group_names(void)
{
    const char **names = g_new0(const char *, dialtone_profile_keys_n + 1);
    gsize n = 0;

    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (n == 0 || strcmp(names[n - 1], dialtone_profile_keys[i].group) != 0)
            names[n++] = dialtone_profile_keys[i].group;
    return names;
}

const char **dialtone_profile_key_names(const char *group)
{
    const char **names = g_new0(const char *, dialtone_profile_keys_n + 1);
    gsize n = 0;

    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (strcmp(dialtone_profile_keys[i].group, group) == 0)
            names[n++] = dialtone_profile_keys[i].key;
    return names;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A parsed profile: every key of NAME.dialtone as a typed value. A profile that exists is valid:
 * the parser gives either one of these, defaults filled in, or the list of what is wrong. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "client/profile/words.h"
#include "ike/algs.h"

/* A duration that never ends (RetryFor=forever). */
#define DIALTONE_FOREVER G_MAXUINT64

enum {
    DIALTONE_PROFILE_BYTES_MAX = 1024 * 1024,
    DIALTONE_PHASE1_PROPOSALS_MAX = 4, /* what Junos reads */
    DIALTONE_PHASE2_PROPOSALS_MAX = 16,
    DIALTONE_NETWORKS_MAX = 64,
    DIALTONE_GATEWAYS_MAX = 16,
    DIALTONE_DNS_MAX = 8,
    DIALTONE_ACCOUNTS_MAX = 256,
    DIALTONE_PLACES_MAX = 64,
    DIALTONE_SSID_BYTES_MAX = 32, /* IEEE 802.11-2020, 9.4.2.2 */
};

typedef struct {
    DialtoneIdKind kind;
    char *value; /* without its prefix; NULL for ANY and ADDRESS */
} DialtoneId;

typedef struct {
    char *host;    /* a name in ASCII (IDNA) or an address without brackets */
    bool is_ip;    /* host is an address */
    guint16 port;  /* replaces port 500 only */
    bool port_set; /* false: 500 by default */
} DialtoneEndpoint;

typedef struct {
    int family;       /* AF_INET or AF_INET6 */
    guint8 bytes[16]; /* network order; 4 used for IPv4, the rest 0 */
    guint8 prefix;
} DialtoneNetwork;

/* A network that a rule names. */
typedef struct {
    GBytes *ssid;  /* 1 to 32 bytes, whatever they are; or else */
    char *network; /* the name or the UUID of a connection of NetworkManager's */
    char *written; /* as the profile has it, for messages */
} DialtonePlace;

/* Rows of ike's tables, which live for ever. */
typedef struct {
    const IkeCipher *cipher;
    const IkeHash *hash;   /* Phase 1: hash and prf; Phase 2: integrity, NULL with an AEAD */
    const IkeGroup *group; /* Phase 2: NULL without PFS */
} DialtoneProposal;

/* Any part of it is. */
bool dialtone_proposal_is_weak(const DialtoneProposal *proposal);

typedef struct {
    /* [Profile] */
    char *name; /* the file's stem when the file has none */
    char *description;
    char *uuid; /* lower case; NULL when the file has none */

    /* [Access]; see access.h and override.h */
    GPtrArray *users;  /* of char *: names; may be empty */
    GPtrArray *groups; /* likewise */
    GPtrArray *lock;   /* of char *: "all", "Gateway" or "Gateway.Address" */

    /* [Gateway] */
    GArray *gateways; /* of DialtoneEndpoint, at least one */
    DialtoneId remote_id;

    /* [Identity] */
    DialtoneId id; /* FQDN, EMAIL or KEYID */
    DialtoneAuth auth;
    DialtoneCertSource certificate_source;
    char *certificate;
    char *key; /* path of the private key; NULL: it stands with the certificate */
    DialtoneCaSource ca_source;
    char *ca;
    GPtrArray *crls; /* of char *: absolute paths, and http:// addresses; may be empty */
    bool require_crl;

    /* [Phase1] [UserAuth] [Phase2] */
    GArray *phase1_proposals; /* of DialtoneProposal, 1 to 4 */
    guint64 phase1_lifetime;  /* seconds */
    DialtoneXauth xauth;
    char *user;               /* may be NULL */
    GArray *phase2_proposals; /* of DialtoneProposal */
    guint64 phase2_lifetime;  /* seconds */
    guint64 phase2_lifetime_kb;
    GArray *networks; /* of DialtoneNetwork, may be empty */

    /* [Network] */
    DialtoneConfig config;
    GArray *addresses; /* of DialtoneNetwork: with Config=none one IPv4 and/or one IPv6 */
    DialtoneDnsMode dns_mode;
    GPtrArray *dns;  /* of char *: addresses, with DNS_LIST */
    GArray *exclude; /* of DialtoneNetwork */
    guint mtu;       /* 0 = auto */
    DialtoneKillSwitch kill_switch;
    bool autoconnect;
    bool keep_after_logout;
    guint64 retry_for; /* seconds, or DIALTONE_FOREVER */

    /* [Rules] */
    DialtoneRule rule;
    GArray *trusted; /* of DialtonePlace */
    GArray *never;   /* likewise */

    /* [Secrets] */
    DialtoneSecretSource psk_source;
    DialtoneSecretSource password_source;

    /* [Quirks] */
    DialtoneNatT natt;
    guint16 id_port; /* 0 or 500 */
    DialtoneSelectors selectors;
    DialtoneTri initial_contact;
    bool sha256_truncation;
    bool offer_plain_psk;
    guint offloads; /* a set of DialtoneOffload: those that may be used */

    /* One a key of the schema; read them with dialtone_profile_value(). */
    char **values;    /* in normal spelling; NULL: neither value nor default */
    bool *is_default; /* not set by the file */
    guint *lines;     /* where the file sets it; 0: nowhere */
    bool *overridden; /* the user's override sets it, and that one's line it is; see override.h */
} DialtoneProfile;

/* Empty, and no valid profile yet; for the parser. */
DialtoneProfile *dialtone_profile_new(void);
void dialtone_profile_free(DialtoneProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneProfile, dialtone_profile_free)

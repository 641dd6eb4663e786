/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session is told: who, with what, which proposals and networks. All of it is copied by
 * ike_session_new(), and holds secrets: keep it in memory that is wiped.
 */
#ifndef IKE_IKE_CONFIG_H
#define IKE_IKE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/algs.h"
#include "ike/constants.h"

#define IKE_NEVER       UINT64_MAX /* a deadline that never comes */
#define IKE_SECOND      UINT64_C(1000000000)
#define IKE_MILLISECOND UINT64_C(1000000)

enum {
    IKE_PHASE1_PROPOSALS_MAX = 4, /* Junos accepts no more */
    IKE_PHASE2_PROPOSALS_MAX = 16,
    IKE_NETWORKS_MAX = 64,
    IKE_LOCAL_LANS_MAX = 16,
    IKE_DNS_MAX = 8,
    IKE_TEXT_MAX = 1024, /* bytes of a banner, message or list of domains, with the NUL */
    IKE_SECRET_MAX = 512,
    IKE_ID_MAX = 256,
    IKE_CHAIN_MAX = 8,      /* certificates of a chain: ours, or a gateway's */
    IKE_ANCHORS_MAX = 1024, /* a system's whole store is a few hundred */
    IKE_CRLS_MAX = 64,
    IKE_SIGNATURE_MAX = 1024, /* RSA of 8192 bits */
    IKE_FINGERPRINT_SIZE = 32,
    IKE_HARDWARE_SIZE = 6,
};

typedef struct IkeAddress {
    uint8_t family;    /* 4, 6, or 0: none */
    uint8_t bytes[16]; /* network order; an IPv4 address stands in the first four */
    uint16_t port;     /* host order; 0 where it has no meaning */
} IkeAddress;

typedef struct IkeNetwork {
    uint8_t family; /* 4 or 6 */
    uint8_t prefix; /* bits */
    uint8_t bytes[16];
} IkeNetwork;

typedef struct IkeIdentity {
    IkeIdType type; /* IKE_ID_ANY as the expected gateway: no constraint */
    uint16_t n;
    uint8_t bytes[IKE_ID_MAX];
} IkeIdentity;

typedef struct IkeSecret {
    uint16_t n;
    bool known;
    uint8_t bytes[IKE_SECRET_MAX];
} IkeSecret;

/* Who proves what in Phase 1. With hybrid only the gateway has a certificate, and XAUTH says who we
 * are. */
typedef enum IkeAuth { IKE_AUTH_PSK, IKE_AUTH_CERTIFICATE, IKE_AUTH_HYBRID } IkeAuth;

typedef struct IkeBlob {
    const uint8_t *bytes; /* DER */
    size_t n;
} IkeBlob;

/* Copied by ike_session_new(). The private key is elsewhere: see IKE_EVENT_SIGN. */
typedef struct IkeCredentials {
    const IkeBlob *chain; /* our certificate first, then its issuers; none with hybrid */
    size_t chain_n;
    const IkeBlob *anchors; /* CA certificates that may have issued the gateway's */
    size_t anchors_n;
    const IkeBlob *crls;
    size_t crls_n;
    bool require_crl;    /* a certificate whose issuer has no current CRL here is refused */
    int64_t wall_offset; /* seconds: Unix time is session time / IKE_SECOND + wall_offset */
} IkeCredentials;

typedef struct IkePhase1Proposal {
    const IkeCipher *cipher;
    const IkeHash *hash;
    const IkeGroup *group;
} IkePhase1Proposal;

typedef struct IkePhase2Proposal {
    const IkeCipher *cipher;
    const IkeHash *integrity; /* NULL with an AEAD */
    const IkeGroup *pfs;      /* NULL: no PFS */
} IkePhase2Proposal;

typedef enum IkeXauthMode { IKE_XAUTH_AUTO, IKE_XAUTH_REQUIRED, IKE_XAUTH_NO } IkeXauthMode;
typedef enum IkeConfigMode {
    IKE_CONFIG_AUTO,
    IKE_CONFIG_PULL,
    IKE_CONFIG_PUSH,
    IKE_CONFIG_NONE,
    IKE_CONFIG_DHCP /* a lease, through an SA of its own (RFC 3456) */
} IkeConfigMode;
typedef enum IkeNattMode { IKE_NATT_FORCE, IKE_NATT_AUTO, IKE_NATT_OFF } IkeNattMode;
typedef enum IkeSelectors { IKE_SELECTORS_EACH, IKE_SELECTORS_ANY } IkeSelectors;
typedef enum IkeTristate { IKE_AUTO, IKE_YES, IKE_NO } IkeTristate;

typedef struct IkeConfig {
    IkeAddress gateway;    /* port: where Phase 1 begins, 500 as a rule */
    IkeAddress local;      /* for NAT detection; family 0 where it is not known */
    IkeIdentity id;        /* FQDN, USER_FQDN or KEY_ID */
    IkeIdentity remote_id; /* with certificates never IKE_ID_ANY; a DN is its DER */
    IkeAuth auth;
    IkeSecret psk;
    IkeCredentials credentials;
    IkeSecret user;     /* not known: asked for when the gateway wants it */
    IkeSecret password; /* likewise */

    IkePhase1Proposal phase1[IKE_PHASE1_PROPOSALS_MAX];
    size_t phase1_n;
    uint32_t phase1_lifetime;      /* seconds */
    const IkeGroup *weakest_group; /* groups weaker than this are left out; NULL: none is */
    IkePhase2Proposal phase2[IKE_PHASE2_PROPOSALS_MAX];
    size_t phase2_n;
    uint32_t phase2_lifetime;    /* seconds */
    uint32_t phase2_lifetime_kb; /* kilobytes; 0: no limit */
    IkeNetwork networks[IKE_NETWORKS_MAX];
    size_t networks_n; /* 0: what the gateway says */

    IkeXauthMode xauth;
    IkeConfigMode config;
    IkeAddress address;  /* with IKE_CONFIG_NONE ours; else the one to ask for again, if any */
    IkeAddress address6; /* likewise, an IPv6 address beside it */
    /* With IKE_CONFIG_DHCP: what a DHCP server knows our end of the tunnel by, in place of an
     * Ethernet address. Nobody else's, and the same each time (RFC 3456, 4.1). */
    uint8_t hardware[IKE_HARDWARE_SIZE];
    IkeNattMode natt;
    IkeSelectors selectors;
    IkeTristate initial_contact;
    uint16_t id_port; /* 0, or 500 for old gateways: the port in the Phase 1 ID payload */
    bool sha256_truncation;
    bool offer_plain_psk;
    bool plain_crypto;     /* EspParameters */
    uint32_t dpd_interval; /* seconds of silence before R-U-THERE; 0: 30 */
} IkeConfig;

#endif

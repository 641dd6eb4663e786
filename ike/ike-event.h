/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session says: what it has learnt, asks, hands over, and how it ended. What an event points
 * to belongs to the session and lives until the next call into it, except ESP SAs, which the
 * receiver of the event owns.
 */
#ifndef IKE_IKE_EVENT_H
#define IKE_IKE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/constants-attributes.h"
#include "ike/esp.h"
#include "ike/ike-config.h"
#include "ike/ike-outcome.h"

/* A certificate that was verified; all zero where there is none. */
typedef struct IkeCertificateInfo {
    char subject[IKE_ID_MAX]; /* "C=NL, O=Example, CN=gw"; printable, UTF-8, may be cut */
    char issuer[IKE_ID_MAX];
    int64_t not_after;                         /* Unix time */
    uint8_t fingerprint[IKE_FINGERPRINT_SIZE]; /* SHA-256 of the DER */
} IkeCertificateInfo;

typedef struct IkePhase1Info {
    IkePhase1Proposal chosen;
    IkeAuth auth;
    bool xauth;        /* the method that was chosen authenticates a user too */
    bool fallback;     /* not the first group */
    bool natt;         /* UDP encapsulation is in use */
    bool nat_detected; /* a NAT was seen (or, when it was forced, feigned) */
    uint32_t lifetime; /* seconds, the shorter side's */
    IkeIdentity gateway;
    unsigned vendors;               /* bits of IkeVendor that the gateway has shown */
    IkeCertificateInfo certificate; /* the gateway's */
} IkePhase1Info;

typedef struct IkeInnerConfig {
    IkeAddress address; /* family 0: none */
    uint8_t prefix;
    IkeAddress address6; /* an IPv6 address beside it; family 0: none */
    IkeAddress dns[IKE_DNS_MAX];
    size_t dns_n;
    IkeNetwork networks[IKE_NETWORKS_MAX]; /* split include; 0: everything */
    size_t networks_n;
    bool networks_cut; /* the gateway named more of them */
    /* The user's own networks that may stay outside; 0.0.0.0/32 is whichever he is in. */
    IkeNetwork local_lans[IKE_LOCAL_LANS_MAX];
    size_t local_lans_n;
    char banner[IKE_TEXT_MAX];
    char domain[IKE_TEXT_MAX];
    char split_dns[IKE_TEXT_MAX];      /* separated by spaces */
    char backup_servers[IKE_TEXT_MAX]; /* likewise: names or addresses of other gateways */
    uint32_t expires;                  /* seconds of the address, 0: no end */
    bool password_unkept; /* the gateway's policy: a person says the password each time */
} IkeInnerConfig;

typedef struct IkeSaInfo {
    uint32_t spi_in, spi_out; /* host order */
    IkePhase2Proposal chosen;
    IkeNetwork local, remote; /* selectors; packets from local to remote go into the outbound SA */
    uint32_t lifetime;        /* seconds, the shorter side's */
} IkeSaInfo;

/* What user authentication can ask for (xauth, 4.2). */
typedef enum IkeAskKind {
    IKE_ASK_USER,
    IKE_ASK_PASSWORD,
    IKE_ASK_PASSCODE,
    IKE_ASK_NEXT_PIN,
    IKE_ASK_ANSWER,
    IKE_ASK_DOMAIN,
    IKE_ASK_KINDS,
} IkeAskKind;

typedef struct IkeAsked {
    IkeAskKind kind;
    bool secret; /* not to be shown while it is typed */
    bool once;   /* good for this one time: neither kept nor given again */
} IkeAsked;

typedef struct IkeQuestion {
    uint32_t id;                   /* for ike_session_answer() */
    IkeAsked asked[IKE_ASK_KINDS]; /* in the gateway's order, each kind once; at least one */
    size_t asked_n;
    bool again;                   /* as was asked before: what was answered then is refused */
    char message[IKE_TEXT_MAX];   /* the gateway's words, hostile text; may be empty */
    char challenge[IKE_TEXT_MAX]; /* likewise: what a one-time password is computed from */
} IkeQuestion;

typedef struct IkeAnswer {
    IkeSecret given[IKE_ASK_KINDS]; /* what was asked and is not known here goes out empty */
} IkeAnswer;

/* Asks for a signature of our private key, which this process does not have.
 * RSA: PKCS #1 v1.5 padding of type 1 around the bytes as they are, without DigestInfo (RFC 2409,
 * 5.1). ECDSA: the bytes are the digest; the signature is r | s, each of the curve's length
 * (RFC 4754, 7). */
typedef struct IkeSigning {
    uint32_t id; /* for ike_session_answer_signature() */
    bool ecdsa;
    uint16_t n;
    uint8_t bytes[IKE_HASH_MAX];
} IkeSigning;

typedef enum IkeEventType {
    IKE_EVENT_STATE,     /* .state */
    IKE_EVENT_PHASE1,    /* .phase1: authenticated, at first and at each renewal */
    IKE_EVENT_QUESTION,  /* .question */
    IKE_EVENT_MESSAGE,   /* .message: words of the gateway's, hostile text, that ask nothing */
    IKE_EVENT_USER,      /* the gateway has accepted what the user said */
    IKE_EVENT_SIGN,      /* .signing: Phase 1 waits, at first and at each renewal */
    IKE_EVENT_CONFIG,    /* .config: inner addresses, before the first SA and when they change */
    IKE_EVENT_SA_IN,     /* .sa and .esp: take packets with spi_in from now on; owned by receiver.
                            Without .esp: hand them to ike_session_receive() as they are */
    IKE_EVENT_SA_OUT,    /* .sa and .esp: send local -> remote with it, in place of a former one */
    IKE_EVENT_SA_GONE,   /* .sa.spi_in, .sa.spi_out: drop both directions */
    IKE_EVENT_CONNECTED, /* every wanted SA stands, the first time */
    IKE_EVENT_PATH,      /* .path: the gateway's address has changed, send ESP there */
    IKE_EVENT_CARRIED,   /* .carried: a datagram of so many bytes has reached the gateway whole */
    IKE_EVENT_NOTICE,    /* .failure: worth a line in the log, no more */
    IKE_EVENT_FAILED,    /* .failure: over before it was connected */
    IKE_EVENT_LOST,      /* .failure: over after it was connected */
    IKE_EVENT_STOPPED,   /* ike_session_stop() is through, its DELETEs are in the packet queue */
} IkeEventType;

typedef struct IkeEvent {
    IkeEventType type;
    union {
        IkeState state;
        IkePhase1Info phase1;
        IkeQuestion question;
        char message[IKE_TEXT_MAX];
        IkeSigning signing;
        IkeInnerConfig config;
        struct {
            IkeSaInfo sa;
            EspSa *esp;
        };
        IkeAddress path;
        size_t carried;
        IkeFailure failure;
    };
} IkeEvent;

#endif

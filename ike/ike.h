/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol core, seen from outside: IKEv1 as an initiator of aggressive mode, sans I/O.
 *
 * A session is one relation with one gateway address: Phase 1 (one attempt a Diffie-Hellman
 * group), user authentication, mode config, Quick Modes, and then their renewal until it is
 * stopped, refused or lost. It knows no clock, socket or file: the caller passes datagrams and the
 * time in, and takes packets and events out of two queues after each call.
 *
 * Times are nanoseconds of a clock that never steps back and counts suspend (CLOCK_BOOTTIME).
 * Durations that users set are seconds. Functions that can fail return 0 or a negative errno; such
 * an error is a fault of this machine (memory, libcrypto), never of what the network sent.
 *
 * Ownership: configuration is copied; what an event points to belongs to the session and lives
 * until the next call into it, except ESP SAs, which the receiver of the event owns.
 */
#ifndef IKE_IKE_H
#define IKE_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/algs.h"
#include "ike/constants-attributes.h"
#include "ike/constants.h"
#include "ike/esp.h"

typedef struct IkeSession IkeSession;

/* Fills n bytes with cryptographic randomness; 0 or a negative errno. */
typedef int (*IkeRandomFn)(void *context, uint8_t *bytes, size_t n);

#define IKE_NEVER       UINT64_MAX /* a deadline that never comes */
#define IKE_SECOND      UINT64_C(1000000000)
#define IKE_MILLISECOND UINT64_C(1000000)

enum {
    IKE_PHASE1_PROPOSALS_MAX = 4, /* Junos accepts no more */
    IKE_PHASE2_PROPOSALS_MAX = 16,
    IKE_NETWORKS_MAX = 64,
    IKE_DNS_MAX = 8,
    IKE_TEXT_MAX = 1024, /* bytes of a banner, message or list of domains, with the NUL */
    IKE_SECRET_MAX = 512,
    IKE_ID_MAX = 256,
    IKE_CHAIN_MAX = 8,      /* certificates of a chain: ours, or a gateway's */
    IKE_ANCHORS_MAX = 1024, /* a system's whole store is a few hundred */
    IKE_CRLS_MAX = 64,
    IKE_SIGNATURE_MAX = 1024, /* RSA of 8192 bits */
    IKE_FINGERPRINT_SIZE = 32,
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
    IKE_CONFIG_NONE
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
    IkeNattMode natt;
    IkeSelectors selectors;
    IkeTristate initial_contact;
    uint16_t id_port; /* 0, or 500 for old gateways: the port in the Phase 1 ID payload */
    bool sha256_truncation;
    bool offer_plain_psk;
    uint32_t dpd_interval; /* seconds of silence before R-U-THERE; 0: 30 */
} IkeConfig;

/* ---- what comes out ---- */

typedef struct IkePacket {
    IkeAddress to;
    const uint8_t *bytes; /* with the non-ESP marker where `to` speaks UDP encapsulation */
    size_t n;
} IkePacket;

typedef enum IkeState {
    IKE_STATE_IDLE,
    IKE_STATE_PHASE1,
    IKE_STATE_USER_AUTH,
    IKE_STATE_CONFIG,
    IKE_STATE_PHASE2,
    IKE_STATE_CONNECTED,
    IKE_STATE_ENDED,
} IkeState;

/* Why a session ended; the first ten are the contract's exit reasons. */
typedef enum IkeReason {
    IKE_REASON_NONE,
    IKE_REASON_INTERNAL,
    IKE_REASON_SECRET_MISSING,
    IKE_REASON_UNREACHABLE,
    IKE_REASON_NO_PROPOSAL_CHOSEN,
    IKE_REASON_GATEWAY_AUTHENTICATION,
    IKE_REASON_USER_AUTHENTICATION,
    IKE_REASON_PHASE2_REFUSED,
    IKE_REASON_TUNNEL_LOST,
    IKE_REASON_STOPPED,
} IkeReason;

/* What exactly happened: the client has a sentence and advice for each. */
typedef enum IkeDetail {
    IKE_DETAIL_NONE,
    IKE_DETAIL_SILENCE,         /* no answer at all */
    IKE_DETAIL_SILENCE_LATER,   /* it answered, then fell silent */
    IKE_DETAIL_NOTIFY,          /* `notify` says it */
    IKE_DETAIL_WRONG_PSK,       /* HASH_R does not fit */
    IKE_DETAIL_WRONG_REMOTE_ID, /* `text` is the ID the gateway showed */
    IKE_DETAIL_NOT_OFFERED,     /* the gateway chose what was not offered */
    IKE_DETAIL_MALFORMED,       /* an answer nobody could use */
    IKE_DETAIL_PASSWORD,        /* XAUTH refused user name or password */
    IKE_DETAIL_XAUTH_UNWANTED,  /* the gateway wants user authentication, the profile does not */
    IKE_DETAIL_XAUTH_MISSING,   /* XAuth=required, and the gateway never asked */
    IKE_DETAIL_XAUTH_TYPE,      /* a kind of XAUTH this client does not speak */
    IKE_DETAIL_XAUTH_ROUNDS,    /* the gateway asks on and on */
    IKE_DETAIL_NO_SECRET,       /* nobody answered the question */
    IKE_DETAIL_NO_ADDRESS,      /* mode config gave no inner address */
    IKE_DETAIL_NO_CONFIG,       /* no mode config within the time */
    IKE_DETAIL_NETWORK_REFUSED, /* `text` is the network */
    IKE_DETAIL_NO_NATT,         /* the gateway has no UDP encapsulation */
    IKE_DETAIL_DPD,             /* the gateway stopped answering */
    IKE_DETAIL_DELETED,         /* the gateway ended the tunnel */
    IKE_DETAIL_EXPIRED,         /* a renewal did not come in time */
    IKE_DETAIL_NETWORKS_CUT,    /* a notice: more networks than IKE_NETWORKS_MAX */
    /* What the gateway's certificate lacks; `text` is its subject where nothing else is said. */
    IKE_DETAIL_CERT_NONE,      /* the gateway sent none */
    IKE_DETAIL_CERT_MALFORMED, /* one that can't be read */
    IKE_DETAIL_CERT_EXPIRED,
    IKE_DETAIL_CERT_NOT_YET,   /* valid only from a later day on */
    IKE_DETAIL_CERT_ISSUER,    /* no chain to an anchor; `text` is the issuer that is missing */
    IKE_DETAIL_CERT_REVOKED,   /* itself, or the CA in `text` */
    IKE_DETAIL_CERT_NO_CRL,    /* no current CRL of the issuer in `text`, and one is required */
    IKE_DETAIL_CERT_ID,        /* RemoteID does not stand in it */
    IKE_DETAIL_CERT_USE,       /* its key usage or extended key usage is another one */
    IKE_DETAIL_CERT_WEAK,      /* a key or a signature in the chain is too weak */
    IKE_DETAIL_CERT_INVALID,   /* the chain breaks a rule of its own (constraints, signatures) */
    IKE_DETAIL_CERT_SIGNATURE, /* SIG_R does not fit: somebody shows a certificate not his own */
    IKE_DETAIL_CERT_OTHER_CA,  /* a notice: the gateway asks for one of the CA in `text` */
    IKE_DETAIL_NO_SIGNATURE,   /* nobody could sign with our private key */
    IKE_DETAIL_KEY_MISMATCH,   /* what was signed does not fit our certificate */
    IKE_DETAIL_LOCAL,          /* `error` is an errno of ours */
} IkeDetail;

typedef struct IkeFailure {
    IkeReason reason;
    IkeDetail detail;
    uint32_t notify; /* with IKE_DETAIL_NOTIFY, and where a notify came along */
    int error;
    char text[IKE_ID_MAX];
    bool user_open; /* the configured password has gone out, and nothing was said to it */
} IkeFailure;

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
    char banner[IKE_TEXT_MAX];
    char domain[IKE_TEXT_MAX];
    char split_dns[IKE_TEXT_MAX]; /* separated by spaces */
    uint32_t expires;             /* seconds of the address, 0: no end */
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
    IKE_EVENT_SA_IN,     /* .sa and .esp: take packets with spi_in from now on; owned by receiver */
    IKE_EVENT_SA_OUT,    /* .sa and .esp: send local -> remote with it, in place of a former one */
    IKE_EVENT_SA_GONE,   /* .sa.spi_in, .sa.spi_out: drop both directions */
    IKE_EVENT_CONNECTED, /* every wanted SA stands, the first time */
    IKE_EVENT_PATH,      /* .path: the gateway's address has changed, send ESP there */
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
        IkeFailure failure;
    };
} IkeEvent;

/* ---- the session ---- */

/* `random` is called for cookies, nonces, keys, IVs and jitter as long as the session lives.
 * -EINVAL for a configuration that makes no sense, -EBADMSG for a certificate or CRL in it that
 * can't be read, -EKEYREJECTED for a key of ours that is too weak or of a kind that no method signs
 * with. */
int ike_session_new(IkeSession **sessionp, const IkeConfig *config, IkeRandomFn random,
                    void *context);
IkeSession *ike_session_free(IkeSession *session);

int ike_session_start(IkeSession *session, uint64_t now);
/* A datagram from the gateway; one from its UDP encapsulation port has the non-ESP marker. */
int ike_session_receive(IkeSession *session, const uint8_t *bytes, size_t n, IkeAddress from,
                        uint64_t now);
/* To be called when ike_session_deadline() has come; earlier and later calls do no harm. */
int ike_session_tick(IkeSession *session, uint64_t now);
/* NULL: nobody could answer. */
int ike_session_answer(IkeSession *session, uint32_t id, const IkeAnswer *answer, uint64_t now);
/* NULL: nobody can sign. */
int ike_session_answer_signature(IkeSession *session, uint32_t id, const uint8_t *signature,
                                 size_t n, uint64_t now);
/* What the data path saw: the time of the last authentic inbound ESP packet (0: none), and on
 * which inbound SPI. Call it before a tick, and when packets go out and none come back. */
void ike_session_traffic(IkeSession *session, uint32_t spi_in, uint64_t last_inbound);
/* The data path says that an SA nears its kilobytes or its sequence numbers. */
int ike_session_renew_sa(IkeSession *session, uint32_t spi, uint64_t now);
/* Answers have stopped, or the network has changed: ask the gateway now whether it is there. */
int ike_session_network_changed(IkeSession *session, uint64_t now);
/* A new Phase 1 now; the tunnel stays. */
int ike_session_renegotiate(IkeSession *session, uint64_t now);
int ike_session_stop(IkeSession *session, uint64_t now);

uint64_t ike_session_deadline(const IkeSession *session);
bool ike_session_next_packet(IkeSession *session, IkePacket *packet);
bool ike_session_next_event(IkeSession *session, IkeEvent *event);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a session has come, and why it ended: the contract's reason, and what exactly happened.
 */
#ifndef IKE_IKE_OUTCOME_H
#define IKE_IKE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "ike/ike-config.h"

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
    IKE_DETAIL_SILENCE_PHASE2,  /* it answered everything but Quick Mode */
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
    IKE_DETAIL_DHCP_REFUSED,    /* the gateway lets no DHCP through, or does no longer */
    IKE_DETAIL_DHCP_SILENCE,    /* no DHCP server answered */
    IKE_DETAIL_DHCP_NAK,        /* a DHCP server took back what it had offered */
    IKE_DETAIL_LEASE_EXPIRED,   /* no DHCP server gave more time */
    IKE_DETAIL_NO_NATT,         /* the gateway has no UDP encapsulation */
    IKE_DETAIL_DPD,             /* the gateway stopped answering */
    IKE_DETAIL_DELETED,         /* the gateway ended the tunnel */
    IKE_DETAIL_EXPIRED,         /* a renewal did not come in time */
    IKE_DETAIL_NETWORKS_CUT,    /* a notice: more networks than IKE_NETWORKS_MAX */
    IKE_DETAIL_REDIRECTED,      /* another gateway is to be called: `elsewhere` */
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
    IkeAddress elsewhere; /* with IKE_DETAIL_REDIRECTED; never an address that no host has */
    bool user_open;       /* the configured password has gone out, and nothing was said to it */
} IkeFailure;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A question to a gateway: would you accept this? It is the first message of aggressive mode, and
 * what the second one says, in the clear, is the answer. There is no third message: nothing is
 * proven, no account is touched, and the gateway forgets the attempt as it forgets one whose
 * sender vanished. Sans I/O, as all of ike/.
 */
#ifndef IKE_PROBE_H
#define IKE_PROBE_H

#include "ike/ike.h"
#include "ike/proposal.h"

enum { IKE_PROBE_PROPOSALS_MAX = 16 };

typedef struct IkeProbe IkeProbe;

typedef struct IkeProbeQuestion {
    const IkePhase1Proposal *proposals; /* all of one group; best first */
    size_t n;                           /* 1 to IKE_PROBE_PROPOSALS_MAX */
    IkeIdentity id;
    uint16_t method;   /* IKE_METHOD_* */
    uint16_t id_port;  /* as in IkeConfig */
    uint32_t lifetime; /* seconds */
    size_t size;       /* of the message in bytes, to which it is filled up; 0: none */
} IkeProbeQuestion;

typedef enum IkeProbeKind {
    IKE_PROBE_UNUSABLE, /* no answer to this question, or a malformed one */
    IKE_PROBE_ACCEPTED, /* .chosen */
    IKE_PROBE_REFUSED,  /* .notify */
} IkeProbeKind;

typedef enum IkeProbeNat {
    IKE_PROBE_NAT_UNKNOWN,
    IKE_PROBE_NAT_NONE,
    IKE_PROBE_NAT_FOUND
} IkeProbeNat;

/* Hearsay: nothing of it is authentic. */
typedef struct IkeProbeAnswer {
    IkeProbeKind kind;
    IkePhase1Proposal chosen;
    uint32_t notify;
    IkeIdentity gateway; /* IKE_ID_ANY: it showed none */
    unsigned vendors;    /* bits of IkeVendor */
    bool natt;           /* it can carry ESP in UDP */
    IkeProbeNat nat;     /* between `local` and the gateway */
} IkeProbeAnswer;

/* 0 or a negative errno. */
int ike_probe_new(IkeProbe **probep, const IkeProbeQuestion *question, IkeRandomFn random,
                  void *context);
IkeProbe *ike_probe_free(IkeProbe *probe);

/* The message, without a non-ESP marker; it may be sent again as it is. */
IkeSlice ike_probe_message(const IkeProbe *probe);
/* What a datagram says to it. `local` is where it arrived; its family may be 0. 0 or a negative
 * errno. */
int ike_probe_read(const IkeProbe *probe, IkeSlice datagram, const IkeAddress *local,
                   IkeProbeAnswer *answer);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every time and limit of the protocol that is a choice of ours, in one place.
 *
 * A list of all timers:
 * - retransmission: an unanswered message goes out again after 0.5 s, then 1, 2, 4 s, each with
 *   jitter, until its exchange's budget is spent;
 * - anew: Quick Mode that three repetitions found no answer for is asked under another message ID,
 *   in what is left of its budget: late enough for a gateway that is only slow;
 * - hint: after a refusal in the clear, half a second for a better answer;
 * - push: how long an address is awaited before it is asked for;
 * - signature: how long somebody has to sign for us; one that took so long that the gateway has
 *   forgotten is asked for once more, in a new Phase 1;
 * - stage: how long the gateway has for its next move in user authentication or mode config;
 * - DPD: R-U-THERE after `dpd_interval` without anything from the gateway, again after 0.5, 1, 2
 *   and 4 s, lost after 4 s more;
 * - DHCP: an unanswered message goes out again after 1 s, then 2, 4 and 4 s; a lease is asked for
 *   again at the server's T1, else after half of it, and then whenever half of the rest is over; an
 *   address that the server has said NAK to is used for one stage more;
 * - renewal: before the end of each SA, by a fifth of its life (2 s to 10 min), with jitter;
 * - reassembly: how long the fragments of a message are kept for the rest of them;
 * - overlap: how long the replaced SA still takes packets.
 */
#ifndef IKE_POLICY_H
#define IKE_POLICY_H

#include "ike/ike.h"

#define IKE_RETRANSMIT_FIRST (IKE_SECOND / 2)
#define IKE_RETRANSMIT_MOST  (4 * IKE_SECOND)
#define IKE_QM3_ECHO_FIRST   (IKE_SECOND * 3 / 20) /* each later one after twice as long */
/* An address, shared by its attempts: starting and ending have the rest of 15 s. */
#define IKE_ADDRESS_BUDGET  (14 * IKE_SECOND)
#define IKE_ANSWER_BUDGET   (15 * IKE_SECOND) /* any later exchange */
#define IKE_HINT_WAIT       (IKE_SECOND / 2)
#define IKE_PUSH_WAIT       (3 * IKE_SECOND / 2) /* gateways that may push */
#define IKE_PUSH_WAIT_SHORT (IKE_SECOND / 100)   /* gateways known to wait to be asked */
#define IKE_STAGE_BUDGET    (30 * IKE_SECOND)
/* A person may have to find a card and type a PIN. */
#define IKE_SIGNATURE_WAIT  (60 * IKE_SECOND)
#define IKE_SIGNATURE_STALE (25 * IKE_SECOND)  /* gateways forget a half-open SA after 30 s */
#define IKE_VERDICT_WAIT    (90 * IKE_SECOND)  /* somebody may have to say yes on a telephone */
#define IKE_ANSWER_WAIT     (300 * IKE_SECOND) /* a person has time to type */
#define IKE_DUPLICATES_WAIT (60 * IKE_SECOND)
/* RFC 2131, 4.1 would wait 4 s for the first answer: here nothing but one tunnel shares the way. */
#define IKE_DHCP_RETRANSMIT_FIRST IKE_SECOND
#define IKE_DHCP_BUDGET           (12 * IKE_SECOND) /* for each answer, so that two fit a stage */
/* For the SA that a lease is given back through, while a user waits for the end. */
#define IKE_DHCP_RELEASE_WAIT  (IKE_SECOND / 2)
#define IKE_DHCP_RENEWAL_LEAST (30 * IKE_SECOND) /* between two tries */
#define IKE_PROBE_LAST         (4 * IKE_SECOND)
#define IKE_DPD_DEFAULT        30
/* A renewed outbound SA, when the peer does not use its own first. */
#define IKE_OUT_DELAY       IKE_SECOND
#define IKE_CHILD_OVERLAP   (10 * IKE_SECOND)
#define IKE_ISAKMP_OVERLAP  (5 * IKE_SECOND)
#define IKE_RENEWAL_RETRY   (5 * IKE_SECOND)
#define IKE_RENEWAL_LEAST   (5 * IKE_SECOND) /* between two that a volume of traffic asks for */
#define IKE_DELETED_WAIT    IKE_SECOND       /* a child is gone: before a new one is asked for */
#define IKE_DELETED_SA_WAIT (10 * IKE_SECOND)
#define IKE_REASSEMBLY_WAIT (3 * IKE_SECOND) /* for the rest of a message in fragments */

enum {
    IKE_TRIALS_MAX = 64,         /* answers that an attempt spends Diffie-Hellman on */
    IKE_CACHED_ANSWERS_MAX = 16, /* repetitions that one exchange answers */
    IKE_LIFETIME_LEAST = 10,     /* seconds: a gateway that answers less would renew for ever */
    IKE_PROBES_MAX = 5,
    IKE_ROUNDS_MAX = 16,        /* of user authentication, until the gateway has to say OK */
    IKE_QM3_ECHOES = 3,         /* repetitions of QM3 while no traffic proves that it has arrived */
    IKE_DHCP_SA_LIFETIME = 300, /* seconds; RFC 3456, 4.1: in the order of minutes */
    IKE_DHCP_LEASE_LEAST = 120, /* seconds: a server that gives less would have us ask for ever */
    IKE_DHCP_NAKS_MAX = 2,      /* beginnings anew, until the server's no is final */
    IKE_REPETITIONS = 3,        /* before the same is asked in another exchange, where it can be */
    IKE_RESTARTS_MAX = 3,       /* of exchanges whose repetitions the gateway can't read */
    /* Message IDs of others behind which strongSwan still knows the IV of an exchange. It keeps
     * three; one is left for what was lost on its way to us. */
    IKE_IVS_KEPT = 1,
};

/* When to renew something that lives `seconds` from now: ns from now, before jitter. */
uint64_t ike_policy_renewal(uint32_t seconds);
/* The jitter that ike_policy_renewal() allows, ns. */
uint64_t ike_policy_renewal_jitter(uint32_t seconds);
/* Wait before try number `tries` (from 0) is repeated, ns. */
uint64_t ike_policy_retransmit(unsigned tries);
/* The shorter of two limits, of which 0 says nothing. */
uint32_t ike_policy_shorter(uint32_t a, uint32_t b);
/* Seconds of an SA: ours, or the gateway's where that is shorter, but not absurdly short. */
uint32_t ike_policy_lifetime(uint32_t ours, uint32_t theirs);

#endif

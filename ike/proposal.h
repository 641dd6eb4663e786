/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proposals as meaning: what the profile offers becomes an SA payload, and the gateway's choice
 * must be one of the offers, exactly.
 */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H

#include "ike/ike.h"
#include "ike/payload-sa.h"

/* ---- Phase 1: one group an attempt ---- */

typedef struct IkePhase1Offer {
    const IkePhase1Proposal *proposals;
    size_t n;
    const IkeGroup *group;   /* proposals of other groups are left out */
    const uint16_t *methods; /* IKE_METHOD_*, in order of preference */
    size_t methods_n;
    uint32_t lifetime; /* seconds */
} IkePhase1Offer;

typedef struct IkePhase1Choice {
    IkePhase1Proposal proposal;
    uint16_t method;
    uint32_t lifetime; /* seconds, 0: the gateway named none */
} IkePhase1Choice;

enum { _IKE_PROPOSAL_OK, IKE_PROPOSAL_MALFORMED, IKE_PROPOSAL_NOT_OFFERED };

/* The body of the SA payload. */
void ike_phase1_offer_write(IkeWriter *writer, const IkePhase1Offer *offer);
/* 0, IKE_PROPOSAL_MALFORMED or IKE_PROPOSAL_NOT_OFFERED. */
int ike_phase1_choice_read(IkeSlice body, const IkePhase1Offer *offer, IkePhase1Choice *choice);

/* ---- Phase 2 ---- */

typedef struct IkePhase2Offer {
    const IkePhase2Proposal *proposals;
    size_t n;
    const IkeGroup *pfs;    /* proposals of other groups are left out; NULL: those without PFS */
    bool any_pfs;           /* as responder: the group is whatever the peer proposes */
    uint16_t encapsulation; /* IKE_ENCAPSULATION_* */
    uint32_t lifetime, kilobytes; /* 0: not named */
} IkePhase2Offer;

typedef struct IkePhase2Choice {
    IkePhase2Proposal proposal;
    uint32_t spi;                 /* the peer's, host order */
    uint32_t lifetime, kilobytes; /* 0: not named */
    uint8_t proposal_number, transform_number, transform_id;
    IkeSlice attributes; /* of the transform, as they stood */
} IkePhase2Choice;

void ike_phase2_offer_write(IkeWriter *writer, const IkePhase2Offer *offer, uint32_t spi);
/* As initiator: the one transform of the answer. 0, IKE_PROPOSAL_MALFORMED or _NOT_OFFERED. */
int ike_phase2_choice_read(IkeSlice body, const IkePhase2Offer *offer, IkePhase2Choice *choice);
/* As responder: the first of the peer's transforms that our proposals have too. */
int ike_phase2_choose(IkeSlice body, const IkePhase2Offer *offer, IkePhase2Choice *choice);
/* The first group that any transform names whose KE payload has this size; NULL: none. */
const IkeGroup *ike_phase2_group(IkeSlice body, size_t ke_size);
/* The answer to a choice of ours: the peer's transform, word for word (RFC 2409, 5.5). */
void ike_phase2_answer_write(IkeWriter *writer, const IkePhase2Choice *choice, uint32_t spi);

/* Lifetimes in a RESPONDER-LIFETIME notify (RFC 2407, 4.6.3.1); 0 where it says none. An attribute
 * of the wrong kind behind a LIFE_TYPE is ignored (FortiGate sends one). */
void ike_lifetime_read(IkeSlice data, uint16_t life_type, uint32_t *seconds, uint32_t *kilobytes);

#endif

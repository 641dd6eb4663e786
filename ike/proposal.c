/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proposals as meaning (RFC 2409 appendix A, RFC 2407 4.5).
 *
 * Phase 1 attributes are written in the order 1, 14, 2, 3, 4, 11, 12: libreswan refuses a
 * KEY_LENGTH that stands before the ENCRYPTION it belongs to. Any order is read.
 */
#include "ike/proposal.h"

#include <string.h>

/* Lifetimes come as pairs of a type and a duration; the pair is kept in order here. */
typedef struct Lifetime {
    uint32_t type; /* the LIFE_TYPE that waits for its duration, 0: none */
    uint32_t seconds, kilobytes;
} Lifetime;

static void take_lifetime(Lifetime *life, const IkeAttribute *attribute, uint16_t life_type)
{
    uint32_t number = 0;

    if (attribute->type == life_type) {
        life->type = attribute->basic ? attribute->number : 0;
        return;
    }
    if (attribute->type != life_type + 1 || !ike_attribute_number(attribute, &number))
        return;
    if (life->type == IKE_LIFE_SECONDS)
        life->seconds = number;
    else if (life->type == IKE_LIFE_KILOBYTES)
        life->kilobytes = number;
    life->type = 0;
}

void ike_lifetime_read(IkeSlice data, uint16_t life_type, uint32_t *seconds, uint32_t *kilobytes)
{
    IkeReader r = ike_reader_of(data);
    IkeAttribute attribute;
    Lifetime life = {0};

    while (ike_attribute_read(&r, &attribute))
        take_lifetime(&life, &attribute, life_type);
    *seconds = life.seconds;
    *kilobytes = life.kilobytes;
}

/* ---- Phase 1 ---- */

static void write_phase1_transform(IkeSaWriter *sa, const IkePhase1Proposal *proposal,
                                   uint16_t method, uint32_t lifetime)
{
    IkeWriter *w = sa->writer;

    ike_sa_write_transform(sa, IKE_TRANSFORM_KEY_IKE);
    ike_attribute_write(w, IKE_P1_ENCRYPTION, proposal->cipher->phase1);
    if (proposal->cipher->key_bits != 0)
        ike_attribute_write(w, IKE_P1_KEY_LENGTH, proposal->cipher->key_bits);
    ike_attribute_write(w, IKE_P1_HASH, proposal->hash->phase1);
    ike_attribute_write(w, IKE_P1_AUTH, method);
    ike_attribute_write(w, IKE_P1_GROUP, proposal->group->number);
    ike_attribute_write(w, IKE_P1_LIFE_TYPE, IKE_LIFE_SECONDS);
    ike_attribute_write_u32(w, IKE_P1_LIFE_DURATION, lifetime);
}

void ike_phase1_offer_write(IkeWriter *writer, const IkePhase1Offer *offer)
{
    IkeSaWriter sa;

    ike_sa_write_begin(&sa, writer, IKE_PROTOCOL_ISAKMP, (IkeSlice){NULL, 0});
    for (size_t m = 0; m < offer->methods_n; m++)
        for (size_t i = 0; i < offer->n; i++)
            if (offer->proposals[i].group == offer->group)
                write_phase1_transform(&sa, &offer->proposals[i], offer->methods[m],
                                       offer->lifetime);
    ike_sa_write_end(&sa);
}

typedef struct Phase1Numbers {
    uint32_t encryption, key_bits, hash, method, group;
    Lifetime life;
    bool known; /* every attribute was one that we know */
} Phase1Numbers;

static bool read_phase1_numbers(IkeReader attributes, Phase1Numbers *numbers)
{
    IkeAttribute a;

    *numbers = (Phase1Numbers){.known = true};
    while (ike_attribute_read(&attributes, &a)) {
        uint32_t *field = NULL; /* zero until it is read: a second one is an addition */
        if (a.type == IKE_P1_ENCRYPTION)
            field = &numbers->encryption;
        else if (a.type == IKE_P1_KEY_LENGTH)
            field = &numbers->key_bits;
        else if (a.type == IKE_P1_HASH)
            field = &numbers->hash;
        else if (a.type == IKE_P1_AUTH)
            field = &numbers->method;
        else if (a.type == IKE_P1_GROUP)
            field = &numbers->group;
        else if (a.type == IKE_P1_LIFE_TYPE || a.type == IKE_P1_LIFE_DURATION)
            take_lifetime(&numbers->life, &a, IKE_P1_LIFE_TYPE);
        else
            numbers->known = false;
        if (field != NULL && (*field != 0 || !ike_attribute_number(&a, field)))
            return false;
    }
    return ike_reader_done(&attributes);
}

static bool phase1_is_offered(const IkePhase1Proposal *proposal, const Phase1Numbers *numbers)
{
    return proposal->cipher->phase1 == numbers->encryption &&
           proposal->cipher->key_bits == numbers->key_bits &&
           proposal->hash->phase1 == numbers->hash && proposal->group->number == numbers->group;
}

static bool method_is_offered(const IkePhase1Offer *offer, uint32_t method)
{
    for (size_t i = 0; i < offer->methods_n; i++)
        if (offer->methods[i] == method)
            return true;
    return false;
}

/* Exactly one proposal with exactly one transform. */
static bool read_single(IkeSlice body, IkeProposal *proposal, IkeTransform *transform)
{
    IkeReader proposals, rest;
    IkeProposal second;
    IkeTransform other;

    if (!ike_sa_open(body, &proposals) || !ike_proposal_read(&proposals, proposal))
        return false;
    rest = proposal->transforms;
    return !ike_proposal_read(&proposals, &second) && ike_reader_done(&proposals) &&
           ike_transform_read(&rest, transform) && !ike_transform_read(&rest, &other) &&
           ike_reader_done(&rest) && proposal->transforms_n == 1;
}

int ike_phase1_choice_read(IkeSlice body, const IkePhase1Offer *offer, IkePhase1Choice *choice)
{
    IkeProposal proposal;
    IkeTransform transform;
    Phase1Numbers numbers;

    if (!read_single(body, &proposal, &transform) ||
        !read_phase1_numbers(transform.attributes, &numbers))
        return IKE_PROPOSAL_MALFORMED;
    if (proposal.protocol != IKE_PROTOCOL_ISAKMP || transform.id != IKE_TRANSFORM_KEY_IKE ||
        !numbers.known || !method_is_offered(offer, numbers.method))
        return IKE_PROPOSAL_NOT_OFFERED;
    for (size_t i = 0; i < offer->n; i++) {
        if (offer->proposals[i].group != offer->group ||
            !phase1_is_offered(&offer->proposals[i], &numbers))
            continue;
        choice->proposal = offer->proposals[i];
        choice->method = (uint16_t)numbers.method;
        choice->lifetime = numbers.life.seconds;
        return 0;
    }
    return IKE_PROPOSAL_NOT_OFFERED;
}

/* ---- Phase 2 ---- */

static void write_phase2_transform(IkeSaWriter *sa, const IkePhase2Offer *offer,
                                   const IkePhase2Proposal *proposal)
{
    IkeWriter *w = sa->writer;

    ike_sa_write_transform(sa, (uint8_t)proposal->cipher->esp);
    if (offer->lifetime != 0) {
        ike_attribute_write(w, IKE_P2_LIFE_TYPE, IKE_LIFE_SECONDS);
        ike_attribute_write_u32(w, IKE_P2_LIFE_DURATION, offer->lifetime);
    }
    if (offer->kilobytes != 0) {
        ike_attribute_write(w, IKE_P2_LIFE_TYPE, IKE_LIFE_KILOBYTES);
        ike_attribute_write_u32(w, IKE_P2_LIFE_DURATION, offer->kilobytes);
    }
    if (offer->pfs != NULL)
        ike_attribute_write(w, IKE_P2_GROUP, offer->pfs->number);
    ike_attribute_write(w, IKE_P2_ENCAPSULATION, offer->encapsulation);
    if (proposal->integrity != NULL)
        ike_attribute_write(w, IKE_P2_AUTH, proposal->integrity->integrity);
    if (proposal->cipher->key_bits != 0)
        ike_attribute_write(w, IKE_P2_KEY_LENGTH, proposal->cipher->key_bits);
}

static void spi_bytes(uint32_t spi, uint8_t *bytes)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(spi >> (24 - 8 * i));
}

void ike_phase2_offer_write(IkeWriter *writer, const IkePhase2Offer *offer, uint32_t spi)
{
    IkeSaWriter sa;
    uint8_t bytes[4];

    spi_bytes(spi, bytes);
    ike_sa_write_begin(&sa, writer, IKE_PROTOCOL_ESP, (IkeSlice){bytes, sizeof(bytes)});
    for (size_t i = 0; i < offer->n; i++)
        if (offer->proposals[i].pfs == offer->pfs)
            write_phase2_transform(&sa, offer, &offer->proposals[i]);
    ike_sa_write_end(&sa);
}

typedef struct Phase2Numbers {
    uint32_t encapsulation, auth, key_bits, group;
    Lifetime life;
    bool known;
} Phase2Numbers;

static bool read_phase2_numbers(IkeReader attributes, Phase2Numbers *numbers)
{
    IkeAttribute a;

    *numbers = (Phase2Numbers){.known = true};
    while (ike_attribute_read(&attributes, &a)) {
        uint32_t *field = NULL;
        if (a.type == IKE_P2_ENCAPSULATION)
            field = &numbers->encapsulation;
        else if (a.type == IKE_P2_AUTH)
            field = &numbers->auth;
        else if (a.type == IKE_P2_KEY_LENGTH)
            field = &numbers->key_bits;
        else if (a.type == IKE_P2_GROUP)
            field = &numbers->group;
        else if (a.type == IKE_P2_LIFE_TYPE || a.type == IKE_P2_LIFE_DURATION)
            take_lifetime(&numbers->life, &a, IKE_P2_LIFE_TYPE);
        else
            numbers->known = false;
        if (field != NULL && (*field != 0 || !ike_attribute_number(&a, field)))
            return false;
    }
    return ike_reader_done(&attributes);
}

/* A gateway that begins the renewal itself takes the first group of its own list, with or without
 * PFS in the SA that is replaced. A weak one is taken only in place of a weaker one or of none. */
static bool any_pfs_fits(const IkePhase2Proposal *ours, uint32_t number)
{
    const IkeGroup *theirs = ike_group_by_number((uint16_t)number);

    if (number == 0 || theirs == NULL)
        return number == 0 && ours->pfs == NULL;
    return ours->pfs == NULL || !theirs->weak || theirs->strength >= ours->pfs->strength;
}

static bool pfs_fits(const IkePhase2Offer *offer, const IkePhase2Proposal *ours, uint32_t group)
{
    if (offer->any_pfs)
        return any_pfs_fits(ours, group);
    return ours->pfs == offer->pfs && group == (ours->pfs != NULL ? ours->pfs->number : 0);
}

static bool phase2_fits(const IkePhase2Offer *offer, const IkePhase2Proposal *ours, uint8_t id,
                        const Phase2Numbers *numbers)
{
    uint32_t auth = ours->integrity != NULL ? ours->integrity->integrity : IKE_INTEGRITY_NONE;

    return ours->cipher->esp == id && ours->cipher->key_bits == numbers->key_bits &&
           auth == numbers->auth && pfs_fits(offer, ours, numbers->group) &&
           numbers->encapsulation == offer->encapsulation;
}

static int match_transform(const IkePhase2Offer *offer, const IkeProposal *proposal,
                           const IkeTransform *transform, IkePhase2Choice *choice)
{
    Phase2Numbers numbers;

    if (!read_phase2_numbers(transform->attributes, &numbers))
        return IKE_PROPOSAL_MALFORMED;
    if (proposal->protocol != IKE_PROTOCOL_ESP || proposal->spi.n != 4 || !numbers.known ||
        numbers.group > UINT16_MAX)
        return IKE_PROPOSAL_NOT_OFFERED;
    for (size_t i = 0; i < offer->n; i++) {
        if (!phase2_fits(offer, &offer->proposals[i], transform->id, &numbers))
            continue;
        IkeReader spi = ike_reader_of(proposal->spi);
        IkeReader attributes = transform->attributes;
        *choice = (IkePhase2Choice){
            .proposal = offer->proposals[i],
            .spi = ike_read_u32(&spi),
            .lifetime = numbers.life.seconds,
            .kilobytes = numbers.life.kilobytes,
            .proposal_number = proposal->number,
            .transform_number = transform->number,
            .transform_id = transform->id,
            .attributes = ike_reader_rest(&attributes),
        };
        choice->proposal.pfs = ike_group_by_number((uint16_t)numbers.group);
        /* SPIs 0 to 255 are reserved (RFC 4303, 2.1). */
        return choice->spi > 255 ? 0 : IKE_PROPOSAL_MALFORMED;
    }
    return IKE_PROPOSAL_NOT_OFFERED;
}

int ike_phase2_choice_read(IkeSlice body, const IkePhase2Offer *offer, IkePhase2Choice *choice)
{
    IkeProposal proposal;
    IkeTransform transform;

    if (!read_single(body, &proposal, &transform))
        return IKE_PROPOSAL_MALFORMED;
    return match_transform(offer, &proposal, &transform, choice);
}

int ike_phase2_choose(IkeSlice body, const IkePhase2Offer *offer, IkePhase2Choice *choice)
{
    IkeReader proposals;
    IkeProposal proposal;
    IkeTransform transform;

    if (!ike_sa_open(body, &proposals))
        return IKE_PROPOSAL_MALFORMED;
    while (ike_proposal_read(&proposals, &proposal)) {
        IkeReader transforms = proposal.transforms;
        while (ike_transform_read(&transforms, &transform)) {
            int r = match_transform(offer, &proposal, &transform, choice);
            if (r != IKE_PROPOSAL_NOT_OFFERED)
                return r;
        }
        if (!ike_reader_done(&transforms))
            return IKE_PROPOSAL_MALFORMED;
    }
    return ike_reader_done(&proposals) ? IKE_PROPOSAL_NOT_OFFERED : IKE_PROPOSAL_MALFORMED;
}

const IkeGroup *ike_phase2_group(IkeSlice body, size_t ke_size)
{
    IkeReader proposals;
    IkeProposal proposal;
    IkeTransform transform;
    const IkeGroup *found = NULL;

    if (!ike_sa_open(body, &proposals))
        return NULL;
    while (found == NULL && ike_proposal_read(&proposals, &proposal)) {
        IkeReader transforms = proposal.transforms;
        while (found == NULL && ike_transform_read(&transforms, &transform)) {
            Phase2Numbers numbers;
            if (read_phase2_numbers(transform.attributes, &numbers) && numbers.group <= UINT16_MAX)
                found = ike_group_by_number((uint16_t)numbers.group);
            if (found != NULL && found->ke_size != ke_size)
                found = NULL;
        }
    }
    return found;
}

void ike_phase2_answer_write(IkeWriter *writer, const IkePhase2Choice *choice, uint32_t spi)
{
    IkeSaWriter sa;
    uint8_t bytes[4];

    spi_bytes(spi, bytes);
    ike_sa_write_begin(&sa, writer, IKE_PROTOCOL_ESP, (IkeSlice){bytes, sizeof(bytes)});
    ike_sa_write_transform(&sa, choice->transform_id);
    ike_write_slice(writer, choice->attributes);
    ike_sa_write_end(&sa);
    /* The chosen numbers stand where the offer had them (RFC 2408, 4.2). */
    ike_writer_put_u8(writer, sa.proposal_at + 4, choice->proposal_number);
    ike_writer_put_u8(writer, sa.transform_at + 4, choice->transform_number);
}

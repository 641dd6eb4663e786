/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quick Mode that the gateway begins: it renews an SA by itself. Only networks that the tunnel has
 * are accepted, by proposals that the profile has; a PFS group is accepted even where the first SA
 * had none, for gateways renew with the first group of their own list, and a refusal would end
 * the tunnel.
 */
#include "ike/dh.h"
#include "ike/payload-id.h"
#include "ike/policy.h"
#include "ike/proposal.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 32, ATTRIBUTES_MAX = 256 };

typedef struct Renewal {
    IkePhase2Choice choice;
    uint8_t attributes[ATTRIBUTES_MAX];
    uint8_t ids[2][IKE_ID_HEADER_SIZE + 2 * 16]; /* as they came: they go back unchanged */
    size_t ids_n[2];
    IkeDh *dh;
    uint8_t secret[IKE_DH_MAX];
    size_t secret_n;
    uint32_t spi, kilobytes;
    IkeSaInfo info;
    size_t network;
    IkeChild *child;
} Renewal;

static void free_data(void *data)
{
    Renewal *renewal = data;

    if (renewal == NULL)
        return;
    ike_dh_free(renewal->dh);
    ike_wipe(renewal, sizeof(*renewal));
    free(renewal);
}

/* ---- QM1: decode and verify ---- */

/* Which of our networks the gateway means: one that is equal, else one within its selector. */
static bool find_network(IkeSession *session, const IkeNetwork *remote, size_t *network)
{
    for (size_t i = 0; i < session->wanted_n; i++) {
        if (ike_network_equal(remote, &session->wanted[i])) {
            *network = i;
            return true;
        }
    }
    for (size_t i = 0; i < session->wanted_n; i++) {
        const IkeChild *child = ike_child_current(session, i);
        const IkeNetwork *ours = child != NULL ? &child->info.remote : &session->wanted[i];
        if (ike_network_contains(remote, ours) ||
            ike_network_contains(&session->wanted[i], remote)) {
            *network = i;
            return true;
        }
    }
    return false;
}

static bool read_ids(IkeSession *session, const IkeMessage *message, Renewal *renewal)
{
    IkeNetwork networks[2];
    size_t n = 0;

    for (size_t i = 0; i < message->n; i++) {
        IkeSlice body = message->payloads[i].body;
        if (message->payloads[i].type != IKE_PAYLOAD_ID)
            continue;
        if (n == 2 || body.n > sizeof(renewal->ids[0]) || !ike_network_read_id(body, &networks[n]))
            return false;
        memcpy(renewal->ids[n], body.bytes, body.n);
        renewal->ids_n[n++] = body.n;
    }
    /* The gateway began: IDci is its side, IDcr ours. */
    if (n != 2)
        return false;
    const IkeNetwork inner = ike_inner_host(&session->inner, networks[1].family);
    if (inner.family == 0 || !ike_network_contains(&networks[1], &inner) ||
        !find_network(session, &networks[0], &renewal->network))
        return false;
    const IkeChild *current = ike_child_current(session, renewal->network);
    renewal->info.local = inner;
    renewal->info.remote =
        current != NULL ? current->info.remote : session->wanted[renewal->network];
    return true;
}

static int choose(IkeSession *session, const IkeExchange *x, const IkeMessage *message,
                  Renewal *renewal)
{
    const IkePayload *sa = ike_message_find(message, IKE_PAYLOAD_SA);
    const IkePhase2Offer offer = {
        .proposals = session->config.phase2,
        .n = session->config.phase2_n,
        .any_pfs = true,
        .encapsulation = ike_quick_encapsulation(x->sa),
    };
    int r = ike_phase2_choose(sa->body, &offer, &renewal->choice);

    if (r != 0 || renewal->choice.attributes.n > ATTRIBUTES_MAX)
        return r != 0 ? r : IKE_PROPOSAL_MALFORMED;
    memcpy(renewal->attributes, renewal->choice.attributes.bytes, renewal->choice.attributes.n);
    renewal->choice.attributes.bytes = renewal->attributes;
    return 0;
}

/* 0, IKE_DH_BAD_PEER or negative. */
static int agree(const IkeMessage *message, Renewal *renewal)
{
    const IkePayload *ke = ike_message_find(message, IKE_PAYLOAD_KE);
    const IkeGroup *group = renewal->choice.proposal.pfs;

    /* strongSwan sends the KE of its first proposal that names a group, and beside that proposals
     * without one, against RFC 2409, 5.5. It expects a KE back whichever is chosen. */
    if (group == NULL && ke != NULL)
        group = ike_phase2_group(ike_message_find(message, IKE_PAYLOAD_SA)->body, ke->body.n);
    renewal->choice.proposal.pfs = group;
    if ((group != NULL) != (ke != NULL))
        return IKE_DH_BAD_PEER;
    if (group == NULL)
        return 0;
    int r = ike_dh_new(&renewal->dh, group);
    if (r == 0)
        r = ike_dh_derive(renewal->dh, ke->body, renewal->secret);
    renewal->secret_n = r == 0 ? group->secret_size : 0;
    return r;
}

static int take_nonces(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    IkeSlice nonce = ike_message_find(message, IKE_PAYLOAD_NONCE)->body;

    if (nonce.n < IKE_NONCE_MIN || nonce.n > IKE_NONCE_MAX)
        return IKE_IGNORED;
    memcpy(x->nonce_i, nonce.bytes, nonce.n);
    x->nonce_i_n = (uint16_t)nonce.n;
    x->nonce_r_n = NONCE_SIZE;
    return ike_session_random(session, x->nonce_r, NONCE_SIZE);
}

static int say_no(IkeSession *session, const IkeExchange *x, uint16_t notify, uint32_t spi)
{
    int r = ike_info_error(session, x->sa, notify, spi);

    /* It was authentic, and is answered once: recorded, it would fetch answers for ever. */
    ike_isakmp_sa_use_id(session, x->sa, x->message_id);
    return r < 0 ? r : IKE_IGNORED;
}

static int consume_qm1(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    Renewal *renewal = x->data;

    /* Renewals that the gateway never finishes leave room for our own. */
    if (session->state < IKE_STATE_PHASE2 || session->current == NULL ||
        ike_child_places(session) <= IKE_NETWORKS_MAX)
        return IKE_IGNORED;
    int r = take_nonces(session, x, message);
    if (r != 0)
        return r;
    if (choose(session, x, message, renewal) != 0)
        return say_no(session, x, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, renewal->choice.spi);
    if (!read_ids(session, message, renewal))
        return say_no(session, x, IKE_NOTIFY_INVALID_ID_INFORMATION, renewal->choice.spi);
    r = agree(message, renewal);
    /* A group of the gateway's choice, which this libcrypto may not have. */
    if (r == -ENOTSUP)
        return say_no(session, x, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, renewal->choice.spi);
    if (r != 0)
        return r < 0 ? r
                     : say_no(session, x, IKE_NOTIFY_INVALID_KEY_INFORMATION, renewal->choice.spi);
    renewal->info.spi_in = ike_quick_new_spi(session);
    if (renewal->info.spi_in == 0)
        return -EIO;
    renewal->info.spi_out = renewal->choice.spi;
    renewal->info.chosen = renewal->choice.proposal;
    renewal->info.lifetime =
        ike_policy_lifetime(session->config.phase2_lifetime, renewal->choice.lifetime);
    renewal->kilobytes =
        ike_policy_shorter(session->config.phase2_lifetime_kb, renewal->choice.kilobytes);
    return IKE_ACCEPTED;
}

/* ---- QM2 ---- */

static int make_child(IkeSession *session, const IkeExchange *x, Renewal *renewal)
{
    const IkeChildParameters p = {
        .sa = x->sa,
        .network = renewal->network,
        .info = renewal->info,
        .kilobytes = renewal->kilobytes,
        .secret = {renewal->secret, renewal->secret_n},
        .nonce_i = {x->nonce_i, x->nonce_i_n},
        .nonce_r = {x->nonce_r, x->nonce_r_n},
    };

    return ike_child_new(session, &p, &renewal->child);
}

static int build_qm2(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    Renewal *renewal = x->data;
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_SA);

    ike_phase2_answer_write(&builder->writer, &renewal->choice, renewal->info.spi_in);
    ike_builder_close(builder, start);
    ike_builder_add(builder, IKE_PAYLOAD_NONCE, (IkeSlice){x->nonce_r, x->nonce_r_n});
    if (renewal->dh != NULL)
        ike_builder_add(builder, IKE_PAYLOAD_KE, ike_dh_public(renewal->dh));
    for (int i = 0; i < 2; i++)
        ike_builder_add(builder, IKE_PAYLOAD_ID, (IkeSlice){renewal->ids[i], renewal->ids_n[i]});
    /* The gateway may use it as soon as it has this message. */
    return make_child(session, x, renewal);
}

/* ---- QM3 ---- */

static int consume_qm3(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    const Renewal *renewal = x->data;
    IkeChild *child = ike_child_by_spi_in(session, renewal->info.spi_in);
    int r = child != NULL ? ike_child_send(session, child) : 0;

    return r < 0 ? r : IKE_ACCEPTED;
}

static const IkeStep STEPS[] = {
    {.direction = IKE_RECEIVE,
     .protection = IKE_HASH_1,
     .required = IKE_SET(IKE_PAYLOAD_SA) | IKE_SET(IKE_PAYLOAD_NONCE) | IKE_SET(IKE_PAYLOAD_ID),
     .allowed = IKE_SET(IKE_PAYLOAD_KE) | IKE_SET_NATOA | IKE_SET_NATD,
     .consume = consume_qm1},
    {.direction = IKE_SEND, .protection = IKE_HASH_2, .build = build_qm2},
    {.direction = IKE_RECEIVE, .protection = IKE_HASH_3, .consume = consume_qm3},
};

const IkeScript IKE_SCRIPT_QUICK_RESPONDER = {
    .type = IKE_EXCHANGE_QUICK,
    .steps = STEPS,
    .steps_n = 3,
    .free_data = free_data,
};

void *ike_quick_renewal_new(void)
{
    return calloc(1, sizeof(Renewal));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quick Mode as initiator (RFC 2409, 5.5):
 *
 *   QM1 ->  HASH(1), SA, Ni [, KE], IDci, IDcr
 *   QM2 <-  HASH(2), SA, Nr [, KE], IDci, IDcr
 *   QM3 ->  HASH(3)
 *
 * One exchange carries one network and one PFS group; they run one after the other, for gateways
 * that mix up what comes at the same time.
 */
#include "ike/dh.h"
#include "ike/payload-id.h"
#include "ike/payload-notify.h"
#include "ike/policy.h"
#include "ike/proposal.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 32 };

typedef struct Quick {
    size_t network;
    size_t group;             /* which of the distinct PFS groups */
    IkeNetwork local, remote; /* of a DHCP SA only its two ends */
    IkePhase2Offer offer;
    IkeDh *dh;
    uint32_t spi;
    IkeChild *child; /* made of QM2 */
} Quick;

/* The i-th distinct PFS group of the proposals, NULL for "without". False behind the last. */
static bool distinct_group(const IkeConfig *config, size_t wanted, const IkeGroup **groupp)
{
    size_t seen = 0;

    for (size_t i = 0; i < config->phase2_n; i++) {
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && config->phase2[j].pfs != config->phase2[i].pfs;
        if (first && seen++ == wanted) {
            *groupp = config->phase2[i].pfs;
            return true;
        }
    }
    return false;
}

uint16_t ike_quick_encapsulation(const IkeIsakmpSa *sa)
{
    return sa->natt != NULL ? sa->natt->tunnel_mode : IKE_ENCAPSULATION_TUNNEL;
}

uint32_t ike_quick_new_spi(IkeSession *session)
{
    for (int i = 0; i < 8; i++) {
        uint32_t spi = ike_exchange_new_id(session);
        if (spi > 255 && ike_child_by_spi_in(session, spi) == NULL)
            return spi;
    }
    return 0;
}

/* ---- QM1 ---- */

static void add_network(IkeBuilder *builder, const IkeNetwork *network)
{
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_ID);

    ike_network_write_id(&builder->writer, network);
    ike_builder_close(builder, start);
}

static bool is_dhcp(const Quick *quick)
{
    return quick->network == IKE_NETWORK_DHCP;
}

/* RFC 3456, 4.1: 0.0.0.0, UDP, port 68, and the gateway, UDP, port 67. */
static void add_dhcp_end(IkeBuilder *builder, const IkeNetwork *end, uint16_t port)
{
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_ID);
    IkeIdentity id = {.type = end->family == 4 ? IKE_ID_IPV4 : IKE_ID_IPV6,
                      .n = end->family == 4 ? 4 : 16};

    memcpy(id.bytes, end->bytes, id.n);
    ike_id_write(&builder->writer, &id, IKE_IP_PROTOCOL_UDP, port);
    ike_builder_close(builder, start);
}

static void add_selectors(IkeBuilder *builder, const Quick *quick)
{
    if (is_dhcp(quick)) {
        add_dhcp_end(builder, &quick->local, IKE_DHCP_CLIENT_PORT);
        add_dhcp_end(builder, &quick->remote, IKE_DHCP_SERVER_PORT);
        return;
    }
    add_network(builder, &quick->local);
    add_network(builder, &quick->remote);
}

static int build_qm1(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    const Quick *quick = x->data;
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_SA);

    ike_phase2_offer_write(&builder->writer, &quick->offer, quick->spi);
    ike_builder_close(builder, start);
    ike_builder_add(builder, IKE_PAYLOAD_NONCE, (IkeSlice){x->nonce_i, x->nonce_i_n});
    if (quick->dh != NULL)
        ike_builder_add(builder, IKE_PAYLOAD_KE, ike_dh_public(quick->dh));
    add_selectors(builder, quick);
    return 0;
}

/* ---- QM2 ---- */

/* The selectors of the answer: what we asked for, or within it. A gateway that narrows an SA but
 * names the whole world (strongSwan with Unity) is taken by what we asked for. */
static bool narrow(IkeNetwork *ours, const IkeNetwork *theirs)
{
    if (ike_network_contains(theirs, ours))
        return true;
    if (!ike_network_contains(ours, theirs))
        return false;
    *ours = *theirs;
    return true;
}

/* Which hosts they name is all the same (the SA takes any, 4.1, and what comes out of it is looked
 * at by itself), as long as they have room for DHCP. */
static bool read_dhcp_selectors(const IkeMessage *message)
{
    static const uint16_t ports[] = {IKE_DHCP_CLIENT_PORT, IKE_DHCP_SERVER_PORT};
    size_t n = 0;

    for (size_t i = 0; i < message->n; i++) {
        IkeIdentity id;
        uint8_t protocol = 0;
        uint16_t port = 0;
        if (message->payloads[i].type != IKE_PAYLOAD_ID)
            continue;
        if (n == 2 || !ike_id_read(message->payloads[i].body, &id, &protocol, &port) ||
            (protocol != 0 && protocol != IKE_IP_PROTOCOL_UDP) || (port != 0 && port != ports[n]))
            return false;
        n++;
    }
    return n == 0 || n == 2;
}

static bool read_selectors(const IkeMessage *message, Quick *quick)
{
    IkeNetwork *local = &quick->local, *remote = &quick->remote;
    IkeNetwork ids[2];
    size_t n = 0;

    if (is_dhcp(quick))
        return read_dhcp_selectors(message);
    for (size_t i = 0; i < message->n; i++) {
        if (message->payloads[i].type != IKE_PAYLOAD_ID)
            continue;
        if (n == 2 || !ike_network_read_id(message->payloads[i].body, &ids[n++]))
            return false;
    }
    return n == 0 || (n == 2 && narrow(local, &ids[0]) && narrow(remote, &ids[1]));
}

void ike_quick_shorten(const IkeMessage *message, uint32_t *seconds, uint32_t *kilobytes)
{
    for (size_t i = 0; i < message->n; i++) {
        IkeNotify notify;
        uint32_t s = 0, kb = 0;
        if (message->payloads[i].type != IKE_PAYLOAD_NOTIFY ||
            !ike_notify_read(message->payloads[i].body, &notify) ||
            notify.type != IKE_NOTIFY_RESPONDER_LIFETIME)
            continue;
        ike_lifetime_read(notify.data, IKE_P2_LIFE_TYPE, &s, &kb);
        *seconds = ike_policy_lifetime(*seconds, s);
        *kilobytes = ike_policy_shorter(*kilobytes, kb);
    }
}

/* 0 with the shared secret (empty without PFS), or IKE_IGNORED, or negative. */
static int derive_pfs(const Quick *quick, const IkeMessage *message, uint8_t *secret, size_t *n)
{
    const IkePayload *ke = ike_message_find(message, IKE_PAYLOAD_KE);

    *n = 0;
    if ((quick->dh != NULL) != (ke != NULL))
        return IKE_IGNORED;
    if (ke == NULL)
        return 0;
    int r = ike_dh_derive(quick->dh, ke->body, secret);
    if (r == 0)
        *n = quick->offer.pfs->secret_size;
    return r > 0 ? IKE_IGNORED : r;
}

static int make_child(IkeSession *session, IkeExchange *x, const IkePhase2Choice *choice,
                      const IkeMessage *message, IkeSlice secret)
{
    Quick *quick = x->data;
    IkeChildParameters p = {
        .sa = x->sa,
        .network = quick->network,
        .secret = secret,
        .nonce_i = {x->nonce_i, x->nonce_i_n},
        .nonce_r = {x->nonce_r, x->nonce_r_n},
        .info = {.spi_in = quick->spi,
                 .spi_out = choice->spi,
                 .chosen = choice->proposal,
                 .local = quick->local,
                 .remote = quick->remote,
                 .lifetime = ike_policy_lifetime(quick->offer.lifetime, choice->lifetime)},
        .kilobytes = ike_policy_shorter(quick->offer.kilobytes, choice->kilobytes),
    };

    ike_quick_shorten(message, &p.info.lifetime, &p.kilobytes);
    return ike_child_new(session, &p, &quick->child);
}

static int refused_here(IkeSession *session, IkeDetail detail);

static int consume_qm2(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    Quick *quick = x->data;
    IkePhase2Choice choice;
    uint8_t secret[IKE_DH_MAX];
    size_t secret_n = 0;
    const IkePayload *nonce = ike_message_find(message, IKE_PAYLOAD_NONCE);
    const IkePayload *sa = ike_message_find(message, IKE_PAYLOAD_SA);
    int r = ike_phase2_choice_read(sa->body, &quick->offer, &choice);

    /* The message is authentic, so what does not fit is the gateway's word, and final. */
    if (r != 0)
        return refused_here(session, r == IKE_PROPOSAL_NOT_OFFERED ? IKE_DETAIL_NOT_OFFERED
                                                                   : IKE_DETAIL_MALFORMED);
    if (nonce->body.n < IKE_NONCE_MIN || nonce->body.n > IKE_NONCE_MAX ||
        !read_selectors(message, quick))
        return refused_here(session, IKE_DETAIL_MALFORMED);
    r = derive_pfs(quick, message, secret, &secret_n);
    if (r > 0)
        return refused_here(session, IKE_DETAIL_MALFORMED);
    if (r == 0) {
        x->nonce_r_n = (uint16_t)nonce->body.n;
        memcpy(x->nonce_r, nonce->body.bytes, nonce->body.n);
        r = make_child(session, x, &choice, message, (IkeSlice){secret, secret_n});
    }
    ike_wipe(secret, sizeof(secret));
    /* SRX bundles DELETEs of older SAs into its answer. */
    if (r == 0)
        r = ike_info_take_deletes(session, message);
    return r < 0 ? r : IKE_ACCEPTED;
}

static int build_qm3(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    Quick *quick = x->data;
    bool renewal = false;

    if (quick->child == NULL || !quick->child->used)
        return 0;
    x->echoes = IKE_QM3_ECHOES;
    x->give_up_at = session->now + IKE_ANSWER_BUDGET;
    if (is_dhcp(quick))
        return ike_dhcp_open(session);
    for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
        const IkeChild *other = &session->children[i];
        renewal |= other->used && !other->replaced && other != quick->child &&
                   other->network == quick->network;
    }
    if (renewal) {
        quick->child->out_at = session->now + IKE_OUT_DELAY;
        return 0;
    }
    /* The packet queue has QM3 before anything that this SA could carry. */
    return ike_child_send(session, quick->child);
}

/* ---- refusals ---- */

static Quick *running(IkeSession *session, IkeExchange **exchangep)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (x->script == &IKE_SCRIPT_QUICK && !x->done) {
            *exchangep = x;
            return x->data;
        }
    }
    return NULL;
}

bool ike_quick_running(const IkeSession *session)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++)
        if (session->exchanges[i].script == &IKE_SCRIPT_QUICK && !session->exchanges[i].done)
            return true;
    return false;
}

void ike_quick_proved(IkeSession *session, uint32_t spi_in)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (x->script == &IKE_SCRIPT_QUICK && ((const Quick *)x->data)->spi == spi_in) {
            x->echoes = 0;
            x->proved = true;
        }
    }
}

static int begin(IkeSession *session, size_t network, size_t group);

int ike_quick_restart(IkeSession *session, IkeExchange *x)
{
    const Quick *quick = x->data;
    IkeChild *unproved = ike_child_by_spi_in(session, quick->spi);

    /* The gateway has not read QM3: what that made carries nothing, and its successor need not
     * wait for it. */
    if (unproved != NULL) {
        unproved->replaced = true;
        unproved->out_at = IKE_NEVER;
        unproved->remove_at = session->now + IKE_CHILD_OVERLAP;
    }
    ike_exchange_finish(session, x);
    return begin(session, quick->network, quick->group);
}

int ike_quick_move(IkeSession *session, const IkeIsakmpSa *from)
{
    IkeExchange *x = NULL;

    if (running(session, &x) == NULL || x->sa != from)
        return 0;
    return ike_quick_restart(session, x);
}

/* Before what is left runs out there is to be time for more than one try. */
static uint64_t retry_wait(const IkeSession *session, size_t network)
{
    const IkeChild *child = ike_child_current(session, network);
    uint64_t left = child != NULL && child->expires_at > session->now
                        ? (child->expires_at - session->now) / 4
                        : IKE_RENEWAL_RETRY;

    return left < IKE_RENEWAL_RETRY ? left : IKE_RENEWAL_RETRY;
}

static int give_up(IkeSession *session, const Quick *quick, const IkeFailure *why)
{
    IkeFailure failure = *why;

    if (is_dhcp(quick))
        return ike_dhcp_refused(session, why);
    if (session->state == IKE_STATE_CONNECTED) {
        session->retry_at[quick->network] = session->now + retry_wait(session, quick->network);
        return ike_session_notice(session, failure.detail, failure.notify);
    }
    ike_network_format(&quick->remote, failure.text, sizeof(failure.text));
    return ike_session_fail(session, &failure);
}

int ike_quick_refused(IkeSession *session, uint16_t notify)
{
    IkeExchange *x = NULL;
    Quick *quick = running(session, &x);
    const IkeGroup *group;

    if (quick == NULL)
        return 0;
    ike_exchange_finish(session, x);
    if (is_dhcp(quick) && notify == IKE_NOTIFY_INVALID_ID_INFORMATION &&
        ike_dhcp_use_local(session))
        return begin(session, quick->network, quick->group);
    bool proposal =
        notify == IKE_NOTIFY_NO_PROPOSAL_CHOSEN || notify == IKE_NOTIFY_INVALID_KEY_INFORMATION;
    if (proposal && distinct_group(&session->config, quick->group + 1, &group))
        return begin(session, quick->network, quick->group + 1);
    return give_up(session, quick,
                   &(IkeFailure){.reason = IKE_REASON_PHASE2_REFUSED,
                                 .detail = IKE_DETAIL_NETWORK_REFUSED,
                                 .notify = notify});
}

static int refused_here(IkeSession *session, IkeDetail detail)
{
    IkeExchange *x = NULL;
    Quick *quick = running(session, &x);

    ike_exchange_finish(session, x);
    int r = give_up(session, quick,
                    &(IkeFailure){.reason = IKE_REASON_PHASE2_REFUSED, .detail = detail});
    return r < 0 ? r : IKE_IGNORED;
}

/* A gateway says no in an informational exchange, once: where that is lost, repetitions of QM1 meet
 * with silence (strongSwan's log: "no response to retransmit"). Under another message ID the same
 * is a new question; it has what is left of the time. */
static int ask_anew(IkeSession *session, IkeExchange *x)
{
    const uint64_t give_up_at = x->give_up_at;
    int r = ike_quick_restart(session, x);

    if (r < 0 || running(session, &x) == NULL)
        return r;
    x->anew = true;
    x->give_up_at = give_up_at;
    return 0;
}

/* Who has spoken of users and addresses on this very way is not behind a firewall. */
static IkeDetail silence(const IkeSession *session, const IkeExchange *x)
{
    bool spoke = x->sa->user_done || session->config.config != IKE_CONFIG_NONE;

    return spoke && !is_dhcp(x->data) ? IKE_DETAIL_SILENCE_PHASE2 : IKE_DETAIL_SILENCE_LATER;
}

static int expired(IkeSession *session, IkeExchange *x)
{
    Quick *quick = x->data;
    const IkeGroup *group;

    if (distinct_group(&session->config, quick->group + 1, &group))
        return begin(session, quick->network, quick->group + 1);
    return give_up(
        session, quick,
        &(IkeFailure){.reason = IKE_REASON_PHASE2_REFUSED, .detail = silence(session, x)});
}

static void free_data(void *data)
{
    Quick *quick = data;

    if (quick == NULL)
        return;
    ike_dh_free(quick->dh);
    free(quick);
}

static const IkeStep STEPS[] = {
    {.direction = IKE_SEND, .protection = IKE_HASH_1, .build = build_qm1},
    {.direction = IKE_RECEIVE,
     .protection = IKE_HASH_2,
     .required = IKE_SET(IKE_PAYLOAD_SA) | IKE_SET(IKE_PAYLOAD_NONCE),
     .allowed = IKE_SET(IKE_PAYLOAD_KE) | IKE_SET(IKE_PAYLOAD_ID) | IKE_SET(IKE_PAYLOAD_DELETE) |
                IKE_SET_NATOA | IKE_SET_NATD,
     .consume = consume_qm2},
    {.direction = IKE_SEND, .protection = IKE_HASH_3, .build = build_qm3},
};

const IkeScript IKE_SCRIPT_QUICK = {
    .type = IKE_EXCHANGE_QUICK,
    .steps = STEPS,
    .steps_n = 3,
    .budget = IKE_ANSWER_BUDGET,
    .ask_anew = ask_anew,
    .expired = expired,
    .free_data = free_data,
};

/* ---- the beginning ---- */

/* Who does not take 0.0.0.0 (a SHOULD of RFC 3456, 4.1) may want our outer address. */
static void choose_dhcp_ends(const IkeSession *session, const IkeIsakmpSa *sa, Quick *quick)
{
    quick->local = (IkeNetwork){.family = 4, .prefix = 32};
    if (session->dhcp.use_local)
        memcpy(quick->local.bytes, session->config.local.bytes, sizeof(quick->local.bytes));
    quick->remote =
        (IkeNetwork){.family = sa->peer.family, .prefix = sa->peer.family == 4 ? 32 : 128};
    memcpy(quick->remote.bytes, sa->peer.bytes, sizeof(quick->remote.bytes));
    quick->offer.kilobytes = 0;
    quick->offer.lifetime = ike_policy_shorter(quick->offer.lifetime, IKE_DHCP_SA_LIFETIME);
}

static void choose_ends(const IkeSession *session, const IkeIsakmpSa *sa, Quick *quick)
{
    if (is_dhcp(quick)) {
        choose_dhcp_ends(session, sa, quick);
        return;
    }
    quick->remote = session->wanted[quick->network];
    quick->local = ike_inner_host(&session->inner, quick->remote.family);
}

static Quick *quick_new(IkeSession *session, const IkeIsakmpSa *sa, size_t network, size_t group,
                        int *error)
{
    const IkeConfig *config = &session->config;
    Quick *quick = calloc(1, sizeof(*quick));

    *error = -ENOMEM;
    if (quick == NULL)
        return NULL;
    quick->network = network;
    quick->group = group;
    quick->spi = ike_quick_new_spi(session);
    quick->offer = (IkePhase2Offer){
        .proposals = config->phase2,
        .n = config->phase2_n,
        .encapsulation = ike_quick_encapsulation(sa),
        .lifetime = config->phase2_lifetime,
        .kilobytes = config->phase2_lifetime_kb,
    };
    choose_ends(session, sa, quick);
    bool found = distinct_group(config, group, &quick->offer.pfs) && quick->spi != 0;
    *error = found ? 0 : -EINVAL;
    if (found && quick->offer.pfs != NULL)
        *error = ike_dh_new(&quick->dh, quick->offer.pfs);
    if (*error == 0)
        return quick;
    free_data(quick);
    return NULL;
}

static int begin(IkeSession *session, size_t network, size_t group)
{
    int error = 0;
    IkeIsakmpSa *sa = ike_isakmp_sa_bearer(session);
    Quick *quick = sa != NULL ? quick_new(session, sa, network, group, &error) : NULL;
    uint32_t id = ike_exchange_new_id(session);

    if (quick == NULL || id == 0) {
        free_data(quick);
        return error < 0 ? error : -EIO;
    }
    IkeExchange *x = ike_exchange_new(session, &IKE_SCRIPT_QUICK, sa, id, quick);
    if (x == NULL)
        return -EAGAIN;
    x->nonce_i_n = NONCE_SIZE;
    int r = ike_session_random(session, x->nonce_i, NONCE_SIZE);
    return r == 0 ? ike_exchange_run(session, x) : r;
}

int ike_quick_begin(IkeSession *session, size_t network)
{
    return begin(session, network, 0);
}

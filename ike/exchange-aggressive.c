/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aggressive mode as initiator (RFC 2409, 5.1 and 5.4; RFC 3947, 3 and 4):
 *
 *   AM1 ->  SA, KE, Ni, IDii, [CERTREQ], VIDs
 *   AM2 <-  SA, KE, Nr, IDir, [CERT, SIG_R | HASH_R], [CERTREQ], VIDs, NAT-D, NAT-D
 *   AM3 ->  [CERT, SIG_I | HASH_I], NAT-D, NAT-D     encrypted; to port 4500 when ESP goes in UDP
 *
 * One exchange carries one Diffie-Hellman group, so a profile with several is several attempts.
 * SIG_I is made elsewhere: the exchange waits for it between AM2 and AM3.
 * Until HASH_R or SIG_R has been verified everything that comes is hearsay: a refusal, or an answer
 * that does not fit, is noted as a hint, and half a second is given to a better answer.
 */
#include "ike/auth.h"
#include "ike/cert-key.h"
#include "ike/dh.h"
#include "ike/payload-id.h"
#include "ike/policy.h"
#include "ike/proposal.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 32, SA_BODY_MAX = 512 };

typedef struct Aggressive {
    IkeDh *dh;
    IkePhase1Offer offer;
    uint16_t methods[IKE_METHODS_MAX];
    uint8_t sa_body[SA_BODY_MAX], id_body[IKE_ID_HEADER_SIZE + IKE_ID_MAX];
    size_t sa_n, id_n;
    unsigned trials; /* answers that a Diffie-Hellman computation was spent on */
    IkeFailure hint; /* reason NONE: none */
    /* taken from AM2, for AM3 */
    uint8_t hash_i[IKE_HASH_MAX];
    size_t hash_i_n;
    size_t chain_n; /* certificates of ours to show */
    bool asked;     /* for a certificate, and we have none: hybrid */
    uint8_t signature[IKE_SIGNATURE_MAX];
    size_t signature_n;
} Aggressive;

/* ---- AM1 ---- */

static bool write_bodies(const IkeConfig *config, Aggressive *am)
{
    IkeWriter sa = ike_writer(am->sa_body, sizeof(am->sa_body));
    IkeWriter id = ike_writer(am->id_body, sizeof(am->id_body));

    ike_phase1_offer_write(&sa, &am->offer);
    /* RFC 3947, 4: the port is 0 with NAT traversal; old gateways want 17 and 500. */
    ike_id_write(&id, &config->id, config->id_port != 0 ? IKE_IP_PROTOCOL_UDP : 0, config->id_port);
    am->sa_n = sa.n;
    am->id_n = id.n;
    return ike_writer_ok(&sa) && ike_writer_ok(&id);
}

static unsigned our_vendors(const IkeConfig *config)
{
    unsigned natt = config->natt == IKE_NATT_OFF ? 0 : IKE_VENDORS_NATT;

    return IKE_VENDOR_XAUTH | IKE_VENDOR_DPD | IKE_VENDOR_FRAGMENTATION | IKE_VENDOR_UNITY | natt;
}

static int build_am1(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    const Aggressive *am = x->data;

    ike_builder_add(builder, IKE_PAYLOAD_SA, (IkeSlice){am->sa_body, am->sa_n});
    ike_builder_add(builder, IKE_PAYLOAD_KE, ike_dh_public(am->dh));
    ike_builder_add(builder, IKE_PAYLOAD_NONCE, (IkeSlice){x->nonce_i, x->nonce_i_n});
    ike_builder_add(builder, IKE_PAYLOAD_ID, (IkeSlice){am->id_body, am->id_n});
    if (session->trust != NULL)
        ike_auth_add_requests(builder, session->trust);
    ike_vendor_add(builder, our_vendors(&session->config));
    return 0;
}

/* ---- AM2 ---- */

/* What AM2 says, decoded; nothing of it is believed yet. */
typedef struct Answer {
    IkePhase1Choice choice;
    const IkeMethod *method;
    IkeSlice ke, nonce, id_body;
    IkeProof proof;
    IkeIdentity id;
    unsigned vendors;
    uint8_t secret[IKE_DH_MAX];
    IkeKeys keys;
    IkePeer peer; /* its certificate, once it was checked */
} Answer;

static IkeSlice body_of(const IkeMessage *message, IkePayloadType type)
{
    const IkePayload *payload = ike_message_find(message, type);

    return payload != NULL ? payload->body : (IkeSlice){NULL, 0};
}

static unsigned collect_vendors(const IkeMessage *message)
{
    unsigned vendors = 0;

    for (size_t i = 0; i < message->n; i++)
        if (message->payloads[i].type == IKE_PAYLOAD_VENDOR)
            vendors |= ike_vendor_recognise(message->payloads[i].body);
    return vendors;
}

/* IKE_DETAIL_NONE, or what is wrong with it. */
static IkeDetail decode_am2(const Aggressive *am, const IkeMessage *message, Answer *answer)
{
    static const uint8_t no_cookie[IKE_COOKIE_SIZE] = {0};
    uint8_t protocol;
    uint16_t port;
    int r = ike_phase1_choice_read(body_of(message, IKE_PAYLOAD_SA), &am->offer, &answer->choice);

    if (r != 0)
        return r == IKE_PROPOSAL_NOT_OFFERED ? IKE_DETAIL_NOT_OFFERED : IKE_DETAIL_MALFORMED;
    answer->ke = body_of(message, IKE_PAYLOAD_KE);
    answer->nonce = body_of(message, IKE_PAYLOAD_NONCE);
    answer->id_body = body_of(message, IKE_PAYLOAD_ID);
    answer->method = ike_auth_method(answer->choice.method);
    answer->vendors = collect_vendors(message);
    if (answer->nonce.n < IKE_NONCE_MIN || answer->nonce.n > IKE_NONCE_MAX ||
        answer->method == NULL ||
        !ike_proof_read(message, answer->method, answer->choice.proposal.hash, &answer->proof) ||
        ike_message_count(message, IKE_PAYLOAD_ID) != 1 ||
        !ike_id_read(answer->id_body, &answer->id, &protocol, &port) ||
        memcmp(message->header.cookie_r, no_cookie, IKE_COOKIE_SIZE) == 0)
        return IKE_DETAIL_MALFORMED;
    return IKE_DETAIL_NONE;
}

static IkePhase1Material material_of(const IkeSession *session, const IkeExchange *x,
                                     const IkeMessage *message, const Answer *answer)
{
    const Aggressive *am = x->data;

    IkePhase1Material material = {
        .cookie_i = {message->header.cookie_i, IKE_COOKIE_SIZE},
        .cookie_r = {message->header.cookie_r, IKE_COOKIE_SIZE},
        .public_i = ike_dh_public(am->dh),
        .public_r = answer->ke,
        .nonce_i = {x->nonce_i, x->nonce_i_n},
        .nonce_r = answer->nonce,
        .sa_i = {am->sa_body, am->sa_n},
        .id_i = {am->id_body, am->id_n},
        .id_r = answer->id_body,
        .secret = {answer->secret, am->offer.group->secret_size},
        .psk = {session->config.psk.bytes, session->config.psk.n},
    };
    ike_auth_bind(answer->method, &material);
    return material;
}

/* The gateway's certificate, before the signature that only its key can have made. */
static int check_certificate(const IkeSession *session, Answer *answer)
{
    if (!answer->method->gateway_signs)
        return IKE_DETAIL_NONE;
    int r = ike_trust_check(session->trust, answer->proof.certs, answer->proof.certs_n,
                            session->now, &answer->peer);
    if (r == 0 && answer->peer.kind != answer->method->key)
        r = IKE_DETAIL_CERT_SIGNATURE;
    return r;
}

/* Keys, certificate, HASH_R or SIG_R. IKE_DETAIL_NONE: the gateway is who it says it is, or at
 * least knows the preshared key. Negative: our fault. */
static int authenticate(const IkeSession *session, IkeExchange *x, const IkeMessage *message,
                        Answer *answer)
{
    Aggressive *am = x->data;
    int r = ike_dh_derive(am->dh, answer->ke, answer->secret);

    if (r != 0)
        return r < 0 ? r : IKE_DETAIL_MALFORMED;
    IkePhase1Material material = material_of(session, x, message, answer);
    answer->keys.cipher = answer->choice.proposal.cipher;
    answer->keys.hash = answer->choice.proposal.hash;
    r = ike_keys_derive(&answer->keys, &material);
    if (r == 0)
        r = check_certificate(session, answer);
    if (r == 0)
        r = ike_proof_check(&answer->proof, &answer->keys, &material, &answer->peer);
    if (r != 0)
        return r;
    am->hash_i_n = material.auth_hash != NULL ? material.auth_hash->size : answer->keys.hash->size;
    return ike_auth_hash_i(&answer->keys, &material, am->hash_i);
}

/* ---- NAT detection (RFC 3947, 3.2) ---- */

/* 1: some payload from `first` to `last` is the hash of the address. */
static int natd_matches(const IkeIsakmpSa *sa, const IkeMessage *message, IkePayloadType type,
                        const IkeAddress *address, bool ours)
{
    uint8_t hash[IKE_HASH_MAX];
    size_t seen = 0;
    int r = ike_natt_hash(sa->keys.hash, (IkeSlice){sa->cookie_i, IKE_COOKIE_SIZE},
                          (IkeSlice){sa->cookie_r, IKE_COOKIE_SIZE}, address, hash);

    for (size_t i = 0; r == 0 && i < message->n; i++) {
        const IkePayload *payload = &message->payloads[i];
        if (payload->type != type)
            continue;
        /* The first is of the receiver's address, all others of the sender's. */
        bool of_receiver = seen++ == 0;
        if (of_receiver == ours && payload->body.n == sa->keys.hash->size &&
            memcmp(payload->body.bytes, hash, payload->body.n) == 0)
            return 1;
    }
    return r;
}

static int detect_nat(const IkeSession *session, IkeIsakmpSa *sa, const IkeMessage *message)
{
    const IkeConfig *config = &session->config;
    const IkeNattDialect *dialect =
        config->natt == IKE_NATT_OFF ? NULL : ike_natt_dialect(sa->vendors);

    if (dialect == NULL || ike_message_count(message, dialect->natd) < 2) {
        sa->natt = config->natt == IKE_NATT_FORCE ? dialect : NULL;
        return 0;
    }
    int gateway = natd_matches(sa, message, dialect->natd, &sa->peer, false);
    int ours = config->local.family == 0
                   ? 0
                   : natd_matches(sa, message, dialect->natd, &config->local, true);
    if (gateway < 0 || ours < 0)
        return gateway < 0 ? gateway : ours;
    sa->info.nat_detected = gateway == 0 || ours == 0;
    if (sa->info.nat_detected || config->natt == IKE_NATT_FORCE)
        sa->natt = dialect;
    return 0;
}

static void float_port(IkeIsakmpSa *sa)
{
    sa->info.natt = sa->natt != NULL;
    if (sa->natt == NULL || sa->marked)
        return;
    sa->peer.port = IKE_PORT_NATT;
    sa->marked = true;
}

static int add_natd(IkeSession *session, const IkeIsakmpSa *sa, IkeBuilder *builder)
{
    const IkeSlice cookie_i = {sa->cookie_i, IKE_COOKIE_SIZE};
    const IkeSlice cookie_r = {sa->cookie_r, IKE_COOKIE_SIZE};
    const IkeConfig *config = &session->config;
    uint8_t hash[IKE_HASH_MAX];
    int r = ike_natt_hash(sa->keys.hash, cookie_i, cookie_r, &sa->peer, hash);

    if (r < 0)
        return r;
    ike_builder_add(builder, sa->natt->natd, (IkeSlice){hash, sa->keys.hash->size});
    /* A hash of nothing looks like a NAT to the gateway, and that forces UDP encapsulation. */
    if (config->natt == IKE_NATT_FORCE || config->local.family == 0)
        r = ike_session_random(session, hash, sa->keys.hash->size);
    else
        r = ike_natt_hash(sa->keys.hash, cookie_i, cookie_r, &config->local, hash);
    if (r == 0)
        ike_builder_add(builder, sa->natt->natd, (IkeSlice){hash, sa->keys.hash->size});
    return r;
}

/* ---- AM2, committed ---- */

static void give_better_answer_time(IkeSession *session, IkeExchange *x)
{
    uint64_t limit = session->now + IKE_HINT_WAIT;

    if (limit < x->give_up_at)
        x->give_up_at = limit;
}

static int note_bad_answer(IkeSession *session, IkeExchange *x, IkeDetail detail, const char *text)
{
    Aggressive *am = x->data;

    if (x->sa->renewal)
        return IKE_IGNORED;
    am->hint = (IkeFailure){.detail = detail,
                            .reason = detail == IKE_DETAIL_NOT_OFFERED
                                          ? IKE_REASON_NO_PROPOSAL_CHOSEN
                                          : IKE_REASON_GATEWAY_AUTHENTICATION};
    memcpy(am->hint.text, text, strnlen(text, sizeof(am->hint.text) - 1));
    give_better_answer_time(session, x);
    return IKE_IGNORED;
}

static int refuse_gateway_id(IkeSession *session, const Answer *answer)
{
    IkeFailure failure = {.reason = IKE_REASON_GATEWAY_AUTHENTICATION,
                          .detail = IKE_DETAIL_WRONG_REMOTE_ID};

    ike_id_format(&answer->id, failure.text, sizeof(failure.text));
    int r = ike_session_fail(session, &failure);
    return r < 0 ? r : IKE_IGNORED;
}

/* The key is with somebody else, who may have to find a card first. */
static int ask_signature(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    Aggressive *am = x->data;
    IkeEvent event = {.type = IKE_EVENT_SIGN};
    IkeSlice other_ca;

    am->chain_n = ike_auth_chain_for(session->trust, message, &other_ca);
    if (other_ca.n > 0) {
        IkeEvent notice = {.type = IKE_EVENT_NOTICE,
                           .failure = {.detail = IKE_DETAIL_CERT_OTHER_CA}};
        ike_cert_format_der(other_ca, notice.failure.text, sizeof(notice.failure.text));
        int r = ike_session_emit(session, &notice);
        if (r < 0)
            return r;
    }
    session->signing = x;
    x->waiting = x->sa->signing = true;
    x->sa->stage_limit = session->now + IKE_SIGNATURE_WAIT;
    event.signing.id = ++session->signature;
    event.signing.ecdsa = ike_trust_key(session->trust) != IKE_KEY_RSA;
    event.signing.n = (uint16_t)am->hash_i_n;
    memcpy(event.signing.bytes, am->hash_i, am->hash_i_n);
    return ike_session_emit(session, &event);
}

static int commit_am2(IkeSession *session, IkeExchange *x, const IkeMessage *message,
                      const Answer *answer)
{
    Aggressive *am = x->data;
    IkeIsakmpSa *sa = x->sa;

    memcpy(sa->cookie_r, message->header.cookie_r, IKE_COOKIE_SIZE);
    sa->keys = answer->keys;
    sa->method = answer->choice.method;
    sa->vendors = answer->vendors;
    sa->round_trip = session->now - x->sent_at;
    sa->info.chosen = answer->choice.proposal;
    sa->info.auth = session->config.auth;
    sa->info.gateway = answer->id;
    sa->info.vendors = answer->vendors;
    sa->info.xauth = answer->method->xauth;
    sa->info.certificate = answer->peer.info;
    sa->info.fallback = session->group > 0;
    memcpy(x->iv, sa->keys.iv, sizeof(x->iv));
    x->nonce_r_n = (uint16_t)answer->nonce.n;
    memcpy(x->nonce_r, answer->nonce.bytes, answer->nonce.n);
    int r = detect_nat(session, sa, message);
    if (r < 0)
        return r;
    if (sa->natt == NULL && session->config.natt == IKE_NATT_FORCE) {
        r = ike_session_fail_simply(session, IKE_REASON_PHASE2_REFUSED, IKE_DETAIL_NO_NATT);
        return r < 0 ? r : IKE_IGNORED;
    }
    float_port(sa);
    sa->authenticated = true;
    ike_isakmp_sa_set_lifetime(
        session, sa, ike_policy_lifetime(session->config.phase1_lifetime, answer->choice.lifetime));
    x->confirm = true;
    am->asked = answer->method->gateway_signs && !answer->method->we_sign &&
                ike_message_find(message, IKE_PAYLOAD_CERTREQ) != NULL;
    r = answer->method->we_sign ? ask_signature(session, x, message) : 0;
    return r < 0 ? r : IKE_ACCEPTED;
}

static int consume_am2(IkeSession *session, IkeExchange *x, const IkeMessage *message)
{
    Aggressive *am = x->data;
    Answer answer = {0};

    int r = (int)decode_am2(am, message, &answer);
    if (r == IKE_DETAIL_NONE && am->trials++ < IKE_TRIALS_MAX)
        r = authenticate(session, x, message, &answer);
    else if (r == IKE_DETAIL_NONE)
        r = answer.method->gateway_signs ? IKE_DETAIL_CERT_SIGNATURE : IKE_DETAIL_WRONG_PSK;
    if (r > 0) {
        r = note_bad_answer(session, x, (IkeDetail)r, answer.peer.text);
    } else if (r == 0 && !ike_auth_expects(&session->config, &answer.id)) {
        r = refuse_gateway_id(session, &answer);
    } else if (r == 0) {
        r = commit_am2(session, x, message, &answer);
    }
    ike_peer_clear(&answer.peer);
    ike_wipe(&answer, sizeof(answer));
    return r;
}

/* ---- AM3 ---- */

/* A renewal is tried again; the tunnel stays meanwhile. */
static int give_up_signing(IkeSession *session, IkeExchange *x, IkeDetail detail)
{
    ike_exchange_finish(session, x);
    if (!x->sa->renewal)
        return ike_session_fail_simply(session, IKE_REASON_SECRET_MISSING, detail);
    x->sa->signing = false;
    x->sa->remove_at = session->now;
    session->phase1_retry_at = session->now + IKE_RENEWAL_RETRY;
    return ike_session_notice(session, detail, 0);
}

/* The card is at hand now and its PIN is typed, so the next signature will be there in time. */
static int sign_anew(IkeSession *session, IkeExchange *x)
{
    const IkeGroup *group = ((const Aggressive *)x->data)->offer.group;

    session->restarts++;
    session->attempts_end = session->now + IKE_ADDRESS_BUDGET;
    x->sa->stage = IKE_STAGE_OVER;
    x->sa->remove_at = session->now;
    ike_exchange_finish(session, x);
    return ike_aggressive_begin(session, group, x->sa->renewal);
}

int ike_aggressive_sign(IkeSession *session, IkeExchange *x, IkeSlice signature)
{
    Aggressive *am = x->data;
    uint64_t asked = x->sa->stage_limit - IKE_SIGNATURE_WAIT;

    session->signing = NULL;
    x->waiting = false;
    x->sa->stage_limit = IKE_NEVER;
    if (signature.bytes == NULL)
        return give_up_signing(session, x, IKE_DETAIL_NO_SIGNATURE);
    /* Sent off, one of another key would come back as no more than a refusal. */
    if (signature.n > sizeof(am->signature) ||
        !ike_key_verifies(ike_trust_public_key(session->trust),
                          (IkeSlice){am->hash_i, am->hash_i_n}, signature))
        return give_up_signing(session, x, IKE_DETAIL_KEY_MISMATCH);
    if (session->now > asked + IKE_SIGNATURE_STALE && session->restarts < IKE_RESTARTS_MAX)
        return sign_anew(session, x);
    memcpy(am->signature, signature.bytes, signature.n);
    am->signature_n = signature.n;
    x->sa->signing = false;
    return ike_exchange_run(session, x);
}

static int build_am3(IkeSession *session, IkeExchange *x, IkeBuilder *builder)
{
    Aggressive *am = x->data;

    if (am->signature_n > 0) {
        ike_auth_add_chain(builder, session->trust, am->chain_n);
        ike_builder_add(builder, IKE_PAYLOAD_SIG, (IkeSlice){am->signature, am->signature_n});
    } else {
        if (am->asked)
            ike_auth_add_no_cert(builder);
        ike_builder_add(builder, IKE_PAYLOAD_HASH, (IkeSlice){am->hash_i, am->hash_i_n});
    }
    /* The private value has done its work. */
    am->dh = ike_dh_free(am->dh);
    const IkeNattDialect *dialect = x->sa->natt;
    return dialect != NULL ? add_natd(session, x->sa, builder) : 0;
}

/* ---- the end of an attempt ---- */

void ike_aggressive_hint(IkeSession *session, IkeExchange *x, uint16_t notify)
{
    Aggressive *am = x->data;
    bool proposal =
        notify == IKE_NOTIFY_NO_PROPOSAL_CHOSEN || notify == IKE_NOTIFY_INVALID_KEY_INFORMATION ||
        notify == IKE_NOTIFY_ATTRIBUTES_NOT_SUPPORTED || notify == IKE_NOTIFY_BAD_PROPOSAL_SYNTAX;

    if (x->done || x->sa->authenticated || x->sa->renewal || am->hint.reason != IKE_REASON_NONE)
        return;
    am->hint = (IkeFailure){.detail = IKE_DETAIL_NOTIFY,
                            .notify = notify,
                            .reason = proposal ? IKE_REASON_NO_PROPOSAL_CHOSEN
                                               : IKE_REASON_GATEWAY_AUTHENTICATION};
    give_better_answer_time(session, x);
}

static int begin_next_group(IkeSession *session, const IkeFailure *failure)
{
    if (failure->reason == IKE_REASON_NO_PROPOSAL_CHOSEN ||
        session->refusal.reason == IKE_REASON_NONE)
        session->refusal = *failure;
    session->group++;
    return ike_aggressive_begin(session, session->groups[session->group], false);
}

static int expired(IkeSession *session, IkeExchange *x)
{
    const Aggressive *am = x->data;
    IkeFailure failure = am->hint;

    x->sa->remove_at = session->now;
    if (x->sa->renewal) {
        session->phase1_retry_at = session->now + IKE_RENEWAL_RETRY;
        return 0;
    }
    if (failure.reason == IKE_REASON_NONE)
        failure = (IkeFailure){.reason = IKE_REASON_UNREACHABLE, .detail = IKE_DETAIL_SILENCE};
    /* An answer with what was not offered is no refusal of the group: it may be forged. */
    bool other_group_may_do = failure.detail != IKE_DETAIL_NOT_OFFERED &&
                              (failure.reason == IKE_REASON_NO_PROPOSAL_CHOSEN ||
                               failure.reason == IKE_REASON_UNREACHABLE);
    if (other_group_may_do && session->group + 1 < session->groups_n)
        return begin_next_group(session, &failure);
    /* A gateway that refused one group and kept silent on another is there. */
    if (failure.reason == IKE_REASON_UNREACHABLE && session->refusal.reason != IKE_REASON_NONE)
        failure = session->refusal;
    return ike_session_fail(session, &failure);
}

static void free_data(void *data)
{
    Aggressive *am = data;

    if (am == NULL)
        return;
    ike_dh_free(am->dh);
    ike_wipe(am, sizeof(*am));
    free(am);
}

static const IkeStep STEPS[] = {
    {.direction = IKE_SEND, .protection = IKE_CLEAR, .build = build_am1},
    {.direction = IKE_RECEIVE,
     .protection = IKE_CLEAR,
     .required = IKE_SET(IKE_PAYLOAD_SA) | IKE_SET(IKE_PAYLOAD_KE) | IKE_SET(IKE_PAYLOAD_NONCE) |
                 IKE_SET(IKE_PAYLOAD_ID),
     /* Which of HASH and SIG must be there, the method says. */
     .allowed = IKE_SET_NATD | IKE_SET(IKE_PAYLOAD_HASH) | IKE_SET(IKE_PAYLOAD_SIG) |
                IKE_SET(IKE_PAYLOAD_CERT) | IKE_SET(IKE_PAYLOAD_CERTREQ),
     .consume = consume_am2},
    {.direction = IKE_SEND, .protection = IKE_ENCRYPTED, .build = build_am3},
};

const IkeScript IKE_SCRIPT_AGGRESSIVE = {
    .type = IKE_EXCHANGE_AGGRESSIVE,
    .steps = STEPS,
    .steps_n = sizeof(STEPS) / sizeof(STEPS[0]),
    .budget = IKE_ADDRESS_BUDGET,
    .expired = expired,
    .free_data = free_data,
};

/* ---- the beginning ---- */

static Aggressive *aggressive_new(IkeSession *session, const IkeGroup *group, int *error)
{
    const IkeConfig *config = &session->config;
    IkeKeyKind key = session->trust != NULL ? ike_trust_key(session->trust) : IKE_KEY_NONE;
    Aggressive *am = calloc(1, sizeof(*am));

    *error = -ENOMEM;
    if (am == NULL)
        return NULL;
    am->offer.proposals = config->phase1;
    am->offer.n = config->phase1_n;
    am->offer.group = group;
    am->offer.lifetime = config->phase1_lifetime;
    am->offer.methods = am->methods;
    am->offer.methods_n = ike_auth_offer(config, key, am->methods);
    *error = write_bodies(config, am) ? ike_session_dh(session, group, &am->dh) : -EMSGSIZE;
    if (*error < 0) {
        free_data(am);
        return NULL;
    }
    return am;
}

int ike_aggressive_begin(IkeSession *session, const IkeGroup *group, bool renewal)
{
    int error = 0;
    Aggressive *am = aggressive_new(session, group, &error);
    IkeIsakmpSa *sa = am != NULL ? ike_isakmp_sa_new(session) : NULL;

    if (sa == NULL) {
        free_data(am);
        return error < 0 ? error : -EAGAIN;
    }
    sa->renewal = renewal;
    sa->peer = session->config.gateway;
    if (renewal && session->current != NULL) {
        sa->peer = session->current->peer;
        sa->marked = session->current->marked;
    }
    IkeExchange *x = ike_exchange_new(session, &IKE_SCRIPT_AGGRESSIVE, sa, 0, am);
    if (x == NULL)
        return -EAGAIN;
    x->nonce_i_n = NONCE_SIZE;
    int r = ike_session_random(session, x->nonce_i, NONCE_SIZE);
    if (r < 0)
        return r;
    if (!renewal) {
        uint64_t left = session->attempts_end > session->now ? session->attempts_end - session->now
                                                             : IKE_SECOND;
        x->give_up_at = session->now + left / (session->groups_n - session->group);
    }
    return ike_exchange_run(session, x);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exchange runner. Read ike_exchange_receive() and ike_exchange_run() first: the rest serves
 * them.
 *
 * Invariants:
 * - a message that fails any check leaves the exchange exactly as it was;
 * - the IV of a message ID moves on with each accepted or sent message, and with no other;
 * - only who began an exchange retransmits; who answers, answers repetitions from its cache.
 */
#include "ike/fragment.h"
#include "ike/message-crypt.h"
#include "ike/policy.h"
#include "ike/session-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Payload types as bits: the private numbers of the NAT-T drafts are folded into free places. */
static IkePayloadSet set_of(uint8_t type)
{
    if (type == IKE_PAYLOAD_NATD_DRAFT || type == IKE_PAYLOAD_NATOA_DRAFT)
        return IKE_SET(type - 100);
    return type < 30 ? IKE_SET(type) : 0;
}

static const IkePayloadSet SINGLE = IKE_SET(IKE_PAYLOAD_SA) | IKE_SET(IKE_PAYLOAD_KE) |
                                    IKE_SET(IKE_PAYLOAD_HASH) | IKE_SET(IKE_PAYLOAD_SIG) |
                                    IKE_SET(IKE_PAYLOAD_NONCE) | IKE_SET(IKE_PAYLOAD_ATTRIBUTES);

static bool begun_by_us(const IkeExchange *x)
{
    return x->script->steps[0].direction == IKE_SEND;
}

static const IkeStep *current_step(const IkeExchange *x)
{
    return &x->script->steps[x->step];
}

static bool awaits_answer(const IkeExchange *x)
{
    if (x->waiting)
        return false;
    if (x->confirm)
        return x->sa->heard == x->heard_before;
    if (x->echoes > 0)
        return true;
    return begun_by_us(x) && !x->done;
}

/* Through, or between two rounds: it is there for duplicates only. */
static bool only_remembers(const IkeExchange *x)
{
    bool idle = x->script->repeats && x->sent != NULL && !x->waiting;

    /* An echo is a kindness, and makes room: a profile has more networks than there are places. */
    bool echoing = x->done && x->echoes > 0 && !x->confirm;

    return (x->done || idle) && !x->in_hand && (echoing || !awaits_answer(x));
}

/* Begun by the gateway, and not finished. */
static bool is_left_hanging(const IkeExchange *x)
{
    return !begun_by_us(x) && !x->waiting && !x->in_hand;
}

static IkeExchange *oldest(IkeSession *session, bool (*may_go)(const IkeExchange *x))
{
    IkeExchange *found = NULL;

    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (may_go(x) && (found == NULL || x->forget_at < found->forget_at))
            found = x;
    }
    return found;
}

/* A gateway may begin dozens of exchanges at once, and each is remembered for a minute: the oldest
 * memory makes room, and for what we begin ourselves, the oldest that it has not finished. NULL
 * when every place is at work. */
static IkeExchange *find_place(IkeSession *session, const IkeScript *script)
{
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++)
        if (session->exchanges[i].script == NULL)
            return &session->exchanges[i];
    IkeExchange *x = oldest(session, only_remembers);
    if (x == NULL && script->steps[0].direction == IKE_SEND)
        x = oldest(session, is_left_hanging);
    if (x != NULL)
        ike_exchange_free(x);
    return x;
}

IkeExchange *ike_exchange_new(IkeSession *session, const IkeScript *script, IkeIsakmpSa *sa,
                              uint32_t message_id, void *data)
{
    IkeExchange *x = find_place(session, script);

    if (x == NULL) {
        if (script->free_data != NULL)
            script->free_data(data);
        return NULL;
    }
    *x = (IkeExchange){
        .script = script,
        .sa = sa,
        .message_id = message_id,
        .give_up_at = session->now + script->budget,
        .retransmit_at = IKE_NEVER,
        .forget_at = session->now + IKE_DUPLICATES_WAIT,
        .data = data,
    };
    if (message_id != 0 && ike_keys_message_iv(&sa->keys, message_id, x->iv) < 0) {
        ike_exchange_free(x);
        return NULL;
    }
    /* Our own IDs count as used: nothing of ours can be sent back to us as a new message. */
    if (message_id != 0 && begun_by_us(x))
        ike_isakmp_sa_use_id(session, sa, message_id);
    return x;
}

void ike_exchange_free(IkeExchange *x)
{
    if (x->script == NULL)
        return;
    if (x->script->free_data != NULL)
        x->script->free_data(x->data);
    free(x->sent);
    free(x->received);
    ike_wipe(x, sizeof(*x));
}

uint32_t ike_exchange_new_id(IkeSession *session)
{
    uint8_t bytes[4];

    for (int i = 0; i < 8; i++) {
        if (ike_session_random(session, bytes, sizeof(bytes)) < 0)
            return 0;
        IkeReader r = ike_reader(bytes, sizeof(bytes));
        uint32_t id = ike_read_u32(&r);
        if (id != 0)
            return id;
    }
    return 0;
}

/* ---- sending ---- */

static IkeMessageHash hash_parts(const IkeExchange *x, IkeProtection protection, IkeSlice rest)
{
    IkeMessageHash parts = {.message_id = x->message_id, .zero = protection == IKE_HASH_3};

    if (protection == IKE_HASH_2 || protection == IKE_HASH_3)
        parts.nonce_i = (IkeSlice){x->nonce_i, x->nonce_i_n};
    if (protection == IKE_HASH_3)
        parts.nonce_r = (IkeSlice){x->nonce_r, x->nonce_r_n};
    else
        parts.rest = rest;
    return parts;
}

/* Opens the HASH payload that hash_message() fills in. */
static void reserve_hash(IkeBuilder *builder, const IkeKeys *keys)
{
    size_t start = ike_builder_open(builder, IKE_PAYLOAD_HASH);

    (void)ike_writer_room(&builder->writer, keys->hash->size);
    ike_builder_close(builder, start);
}

static int hash_message(const IkeExchange *x, IkeProtection protection, IkeBuilder *builder)
{
    const IkeKeys *keys = &x->sa->keys;
    size_t behind = IKE_HEADER_SIZE + IKE_PAYLOAD_HEADER_SIZE + keys->hash->size;

    if (!ike_writer_ok(&builder->writer))
        return -EMSGSIZE;
    IkeMessageHash parts = hash_parts(x, protection, ike_writer_slice(&builder->writer, behind));
    return ike_message_hash(keys, &parts,
                            builder->writer.bytes + IKE_HEADER_SIZE + IKE_PAYLOAD_HEADER_SIZE);
}

static int protect(IkeExchange *x, IkeProtection protection, IkeBuilder *builder)
{
    int r = 0;

    if (protection == IKE_CLEAR) {
        ike_builder_end(builder);
        return ike_writer_ok(&builder->writer) ? 0 : -EMSGSIZE;
    }
    if (protection != IKE_ENCRYPTED)
        r = hash_message(x, protection, builder);
    /* No HASH covers the padding; what follows the last payload is none (RFC 2408, 3.1). */
    if (r == 0 && x->padded > builder->writer.n)
        (void)ike_writer_room(&builder->writer, x->padded - builder->writer.n);
    if (r == 0)
        r = ike_message_encrypt(&x->sa->keys, x->iv, builder);
    /* The last block of Phase 1 begins all later chains. */
    if (r == 0 && x->message_id == 0)
        memcpy(x->sa->keys.iv, x->iv, x->sa->keys.cipher->block_size);
    return r;
}

static int remember(uint8_t **kept, size_t *kept_n, IkeSlice bytes)
{
    uint8_t *copy = malloc(bytes.n);

    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, bytes.bytes, bytes.n);
    free(*kept);
    *kept = copy;
    *kept_n = bytes.n;
    return 0;
}

/* A message that some paths don't carry whole goes in fragments to who has said that he puts them
 * together. Nobody has said anything before AM1 is answered: where it remains unanswered, every
 * other copy is a try (strongSwan and racoon take it). */
static bool goes_in_fragments(const IkeExchange *x)
{
    bool a_try = !x->sa->authenticated && x->tries >= 2 && x->tries % 2 == 0;

    return x->padded == 0 && x->sent_n > IKE_WHOLE_MAX &&
           ((x->sa->vendors & IKE_VENDOR_FRAGMENTATION) != 0 || a_try);
}

static int send_kept(IkeSession *session, IkeExchange *x)
{
    const IkeSlice message = {x->sent, x->sent_n};

    x->sent_at = session->now;
    if (goes_in_fragments(x))
        return ike_session_send_in_fragments(session, x->sa, message, x->fragment_id);
    return ike_session_send(session, x->sa, message, x->padded != 0);
}

static int send_step(IkeSession *session, IkeExchange *x, const IkeStep *step)
{
    uint8_t bytes[IKE_MESSAGE_MAX];
    IkeBuilder builder;
    IkeHeader header = {.exchange = (uint8_t)x->script->type, .message_id = x->message_id};

    memcpy(header.cookie_i, x->sa->cookie_i, IKE_COOKIE_SIZE);
    memcpy(header.cookie_r, x->sa->cookie_r, IKE_COOKIE_SIZE);
    ike_builder_begin(&builder, bytes, sizeof(bytes), &header);
    if (step->protection >= IKE_HASH_1)
        reserve_hash(&builder, &x->sa->keys);
    int r = step->build != NULL ? step->build(session, x, &builder) : 0;
    if (r == 0)
        r = protect(x, step->protection, &builder);
    if (r == 0)
        r = remember(&x->sent, &x->sent_n, ike_writer_slice(&builder.writer, 0));
    x->fragment_id = ++x->sa->fragment_ids;
    if (r == 0)
        r = send_kept(session, x);
    return r;
}

static void schedule(IkeSession *session, IkeExchange *x)
{
    bool echoing = x->done && x->echoes > 0;
    uint64_t wait = echoing ? IKE_QM3_ECHO_FIRST << x->tries : ike_policy_retransmit(x->tries);

    x->retransmit_at = session->now + ike_session_jitter(session, wait, wait / 5);
}

int ike_exchange_run(IkeSession *session, IkeExchange *x)
{
    bool sent = false;

    while (!x->done && !x->waiting && session->state != IKE_STATE_ENDED &&
           current_step(x)->direction == IKE_SEND) {
        int r = send_step(session, x, current_step(x));
        if (r < 0)
            return r;
        sent = true;
        x->step++;
        if (x->step == x->script->steps_n) {
            x->done = !x->script->repeats;
            x->step = 0;
        }
    }
    if (sent) {
        x->twice |= x->tries > 0 || x->repeats_answered > 0;
        x->tries = 0;
        x->repeats_answered = 0;
        x->ids_before = x->sa->seen_ids_n;
        x->retransmit_at = IKE_NEVER;
        x->forget_at = session->now + IKE_DUPLICATES_WAIT;
        x->heard_before = x->sa->heard;
        if (x->confirm)
            x->give_up_at = session->now + IKE_ANSWER_BUDGET;
        if (awaits_answer(x))
            schedule(session, x);
    }
    return 0;
}

/* ---- receiving ---- */

static bool payloads_fit(const IkeStep *step, const IkeMessage *message)
{
    IkePayloadSet seen = 0;
    IkePayloadSet allowed = step->required | step->allowed | IKE_SET_ALWAYS;

    if (step->protection >= IKE_HASH_1) {
        if (message->payloads[0].type != IKE_PAYLOAD_HASH ||
            ike_message_count(message, IKE_PAYLOAD_HASH) != 1)
            return false;
        allowed |= IKE_SET(IKE_PAYLOAD_HASH);
    }
    for (size_t i = 0; i < message->n; i++) {
        IkePayloadSet set = set_of(message->payloads[i].type);
        /* Private payloads (RFC 2408, 3.1: 128 and above) that nobody knows are passed over. */
        if (set == 0 && message->payloads[i].type >= 128)
            continue;
        if ((set & allowed) == 0)
            return false;
        /* Two of what a message has one of are a contradiction. */
        if ((seen & set & SINGLE) != 0)
            return false;
        seen |= set;
    }
    return (seen & step->required) == step->required;
}

static int verify_hash(const IkeExchange *x, const IkeStep *step, const IkeMessage *message)
{
    const IkeKeys *keys = &x->sa->keys;
    const IkePayload *hash = &message->payloads[0];
    const IkePayload *last = &message->payloads[message->n - 1];
    IkeSlice rest = {message->bytes.bytes + hash->end, last->end - hash->end};
    IkeMessageHash parts = hash_parts(x, step->protection, rest);
    uint8_t expected[IKE_HASH_MAX];

    if (hash->body.n != keys->hash->size)
        return IKE_IGNORED;
    int r = ike_message_hash(keys, &parts, expected);
    if (r < 0)
        return r;
    return ike_equal(expected, hash->body.bytes, hash->body.n) ? 0 : IKE_IGNORED;
}

/* Payloads in the clear, verified, to the step's handler. */
static int take_payloads(IkeSession *session, IkeExchange *x, const IkeHeader *header,
                         IkeSlice payloads)
{
    const IkeStep *step = current_step(x);
    IkeMessage message;

    if (ike_payloads_read(header, payloads, &message) != 0 || !payloads_fit(step, &message))
        return IKE_IGNORED;
    int r = step->protection >= IKE_HASH_1 ? verify_hash(x, step, &message) : 0;
    return r == 0 ? step->consume(session, x, &message) : r;
}

/* Decodes and verifies a message for a step, hands it to the step's handler; `iv` moves on. */
static int open_message(IkeSession *session, IkeExchange *x, IkeSlice datagram, uint8_t *iv)
{
    const IkeStep *step = current_step(x);
    uint8_t bytes[IKE_MESSAGE_MAX];
    IkeHeader header;
    int r = 0;

    if (ike_header_read(datagram, &header) != 0 ||
        (step->protection != IKE_CLEAR) != ((header.flags & IKE_FLAG_ENCRYPTION) != 0))
        return IKE_IGNORED;
    size_t n = datagram.n - IKE_HEADER_SIZE;
    memcpy(bytes, datagram.bytes + IKE_HEADER_SIZE, n);
    if (step->protection != IKE_CLEAR)
        r = ike_message_decrypt(&x->sa->keys, iv, bytes, n);
    if (r == 0)
        r = take_payloads(session, x, &header, (IkeSlice){bytes, n});
    ike_wipe(bytes, n);
    return r > 0 ? IKE_IGNORED : r;
}

static int answer_repetition(IkeSession *session, IkeExchange *x)
{
    /* Bounded, so that a recorded datagram can't be made to fetch datagrams for ever. */
    if (x->sent == NULL || x->waiting || x->repeats_answered >= IKE_CACHED_ANSWERS_MAX)
        return IKE_IGNORED;
    x->repeats_answered++;
    int r = send_kept(session, x);
    return r < 0 ? r : IKE_IGNORED;
}

static bool is_repetition(const IkeExchange *x, IkeSlice datagram)
{
    return x->received_n == datagram.n && memcmp(x->received, datagram.bytes, datagram.n) == 0;
}

static int receive(IkeSession *session, IkeExchange *x, IkeSlice datagram)
{
    uint8_t iv[IKE_BLOCK_MAX];

    if (is_repetition(x, datagram))
        return answer_repetition(session, x);
    if (x->done || x->waiting || current_step(x)->direction != IKE_RECEIVE)
        return IKE_IGNORED;
    bool chained = current_step(x)->protection != IKE_CLEAR;
    memcpy(iv, x->iv, sizeof(iv));
    int r = open_message(session, x, datagram, iv);
    if (r != IKE_ACCEPTED)
        return r;
    if (chained) {
        memcpy(x->iv, iv, sizeof(iv));
        ike_isakmp_sa_heard(session, x->sa);
    }
    r = remember(&x->received, &x->received_n, datagram);
    if (r < 0)
        return r;
    x->retransmit_at = IKE_NEVER;
    x->forget_at = session->now + IKE_DUPLICATES_WAIT;
    if (++x->step == x->script->steps_n) {
        x->done = !x->script->repeats;
        x->step = 0;
    }
    return ike_exchange_run(session, x);
}

int ike_exchange_receive(IkeSession *session, IkeExchange *x, IkeSlice datagram)
{
    x->in_hand = true;
    int r = receive(session, x, datagram);
    x->in_hand = false;
    return r;
}

/* ---- time ---- */

static int retransmit(IkeSession *session, IkeExchange *x)
{
    x->tries++;
    if (x->done && x->echoes > 0)
        x->echoes--;
    schedule(session, x);
    return x->sent != NULL ? send_kept(session, x) : 0;
}

static bool may_ask_anew(const IkeExchange *x)
{
    return x->script->ask_anew != NULL && !x->done && !x->anew && x->tries == IKE_REPETITIONS;
}

static int repeat(IkeSession *session, IkeExchange *x)
{
    return may_ask_anew(x) ? x->script->ask_anew(session, x) : retransmit(session, x);
}

int ike_exchange_tick(IkeSession *session, IkeExchange *x)
{
    if (awaits_answer(x)) {
        if (session->now >= x->give_up_at) {
            if (x->confirm) {
                x->confirm = false; /* the stage has a limit of its own */
                return 0;
            }
            ike_exchange_finish(session, x);
            return x->script->expired != NULL ? x->script->expired(session, x) : 0;
        }
        return session->now >= x->retransmit_at ? repeat(session, x) : 0;
    }
    if (!x->waiting && session->now >= x->forget_at)
        ike_exchange_free(x);
    return 0;
}

uint64_t ike_exchange_deadline(const IkeExchange *x)
{
    if (x->script == NULL || x->waiting)
        return IKE_NEVER;
    if (awaits_answer(x))
        return x->retransmit_at < x->give_up_at ? x->retransmit_at : x->give_up_at;
    return x->forget_at;
}

void ike_exchange_finish(IkeSession *session, IkeExchange *x)
{
    x->done = true;
    x->waiting = false;
    x->confirm = false;
    x->echoes = 0;
    x->retransmit_at = IKE_NEVER;
    x->forget_at = session->now + IKE_DUPLICATES_WAIT;
}

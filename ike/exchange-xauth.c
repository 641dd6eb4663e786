/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User authentication (draft-ietf-ipsec-isakmp-xauth-06), types Generic and one-time password:
 *
 *   <- REQUEST(name, password)   -> REPLY    as many rounds as the gateway likes
 *   <- SET(STATUS)               -> ACK
 *
 * It may come at once, or hours later. Credentials go out only under an SA whose HASH_R and gateway
 * ID were verified, for no other SA has a transaction. What a gateway has refused is not sent again
 * without a person in between: accounts get locked.
 */
#include "ike/policy.h"
#include "ike/session-private.h"

#include <string.h>

/* What a REQUEST asks for. */
typedef struct Wanted {
    bool any, type, user, password, unknown;
    uint32_t type_number;
    char message[IKE_TEXT_MAX];
} Wanted;

static void read_wanted(const IkeConfigMessage *message, Wanted *wanted)
{
    IkeReader r = message->attributes;
    IkeAttribute a;

    *wanted = (Wanted){0};
    while (ike_config_attribute_read(&r, &a)) {
        if (a.type < IKE_XAUTH_TYPE || a.type > IKE_XAUTH_ANSWER)
            continue;
        wanted->any = true;
        if (a.type == IKE_XAUTH_TYPE)
            wanted->type = ike_attribute_number(&a, &wanted->type_number);
        else if (a.type == IKE_XAUTH_USER_NAME)
            wanted->user = true;
        else if (a.type == IKE_XAUTH_USER_PASSWORD)
            wanted->password = true;
        else if (a.type == IKE_XAUTH_MESSAGE)
            ike_text_copy(wanted->message, sizeof(wanted->message), a.value);
        else if (a.type != IKE_XAUTH_DOMAIN)
            wanted->unknown = true;
    }
}

static int ask(IkeSession *session, IkeExchange *x, const Wanted *wanted)
{
    IkeEvent event = {.type = IKE_EVENT_QUESTION};

    event.question.id = ++session->question;
    event.question.user = wanted->user;
    event.question.password = wanted->password;
    memcpy(event.question.message, wanted->message, sizeof(event.question.message));
    /* A new question takes the place of one that nobody has answered yet. */
    if (session->asking != NULL)
        ike_exchange_finish(session, session->asking);
    x->waiting = true;
    x->sa->stage_limit = session->now + IKE_ANSWER_WAIT;
    session->asking = x;
    return ike_session_emit(session, &event);
}

static void give(IkeSession *session, IkeExchange *x, const IkeSecret *user,
                 const IkeSecret *password)
{
    IkeTransaction *t = x->data;

    t->user = *user;
    t->password = *password;
    x->sa->user_sent = true;
    x->sa->stage_limit = session->now + IKE_VERDICT_WAIT;
}

/* A gateway may want a user to be named where the profile expects none of that: before the tunnel
 * stands, nothing else goes on until it is satisfied. */
static void return_to_user_auth(IkeSession *session, IkeIsakmpSa *sa)
{
    bool tunnel_stands = session->state == IKE_STATE_CONNECTED && !sa->renewal;

    if (tunnel_stands || sa->stage != IKE_STAGE_CONFIG || sa->user_done)
        return;
    for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++) {
        IkeExchange *x = &session->exchanges[i];
        if (x->script == &IKE_SCRIPT_PULL && x->sa == sa)
            ike_exchange_finish(session, x);
    }
    sa->stage = IKE_STAGE_USER_AUTH;
    if (!sa->renewal)
        ike_session_set_state(session, IKE_STATE_USER_AUTH);
}

/* The gateway is told (xauth, 4.2: STATUS=FAIL in the REPLY), and then it is over. */
static int refuse(IkeSession *session, IkeExchange *x, IkeDetail detail)
{
    IkeTransaction *t = x->data;

    t->refused = true;
    session->verdict = (IkeFailure){.reason = IKE_REASON_USER_AUTHENTICATION, .detail = detail};
    return IKE_ACCEPTED;
}

static bool type_is_spoken(const Wanted *wanted)
{
    return !wanted->type || wanted->type_number == IKE_XAUTH_TYPE_GENERIC ||
           wanted->type_number == IKE_XAUTH_TYPE_OTP;
}

int ike_xauth_request(IkeSession *session, IkeExchange *x, const IkeConfigMessage *message)
{
    const IkeConfig *config = &session->config;
    Wanted wanted;

    read_wanted(message, &wanted);
    if (!wanted.any)
        return IKE_ACCEPTED; /* it asks for our configuration: there is nothing to say */
    if (config->xauth == IKE_XAUTH_NO)
        return refuse(session, x, IKE_DETAIL_XAUTH_UNWANTED);
    if (wanted.unknown || !type_is_spoken(&wanted))
        return refuse(session, x, IKE_DETAIL_XAUTH_TYPE);
    ((IkeTransaction *)x->data)->type = (uint16_t)wanted.type_number;
    return_to_user_auth(session, x->sa);
    bool known =
        (!wanted.user || config->user.known) && (!wanted.password || config->password.known);
    /* A password of the profile is not a one-time one. */
    if (!known || x->sa->user_sent || wanted.type_number == IKE_XAUTH_TYPE_OTP) {
        int r = ask(session, x, &wanted);
        return r < 0 ? r : IKE_ACCEPTED;
    }
    give(session, x, &config->user, &config->password);
    return IKE_ACCEPTED;
}

static bool was_asked_before(const IkeTransaction *t, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (t->types[j] == t->types[i])
            return true;
    return false;
}

/* Exactly what was asked for, once, and the type only where the gateway named one. */
void ike_xauth_write_reply(const IkeTransaction *t, IkeWriter *writer)
{
    if (t->refused)
        ike_attribute_write(writer, IKE_XAUTH_STATUS, 0);
    for (size_t i = 0; i < t->types_n && !t->refused; i++) {
        if (was_asked_before(t, i))
            continue;
        if (t->types[i] == IKE_XAUTH_TYPE)
            ike_attribute_write(writer, IKE_XAUTH_TYPE, t->type);
        else if (t->types[i] == IKE_XAUTH_USER_NAME)
            ike_attribute_write_bytes(writer, IKE_XAUTH_USER_NAME,
                                      (IkeSlice){t->user.bytes, t->user.n});
        else if (t->types[i] == IKE_XAUTH_USER_PASSWORD)
            ike_attribute_write_bytes(writer, IKE_XAUTH_USER_PASSWORD,
                                      (IkeSlice){t->password.bytes, t->password.n});
        else if (t->types[i] == IKE_XAUTH_DOMAIN)
            ike_attribute_write_bytes(writer, IKE_XAUTH_DOMAIN, (IkeSlice){NULL, 0});
    }
}

int ike_xauth_status(IkeSession *session, IkeIsakmpSa *sa, bool ok, const char *message)
{
    IkeFailure failure = {.reason = IKE_REASON_USER_AUTHENTICATION, .detail = IKE_DETAIL_PASSWORD};

    if (ok) {
        sa->user_done = true;
        sa->user_sent = false;
        return 0;
    }
    memcpy(failure.text, message, strnlen(message, sizeof(failure.text) - 1));
    return ike_session_fail(session, &failure);
}

int ike_xauth_answer(IkeSession *session, IkeExchange *x, const IkeSecret *user,
                     const IkeSecret *password)
{
    static const IkeSecret nothing = {0};

    session->asking = NULL;
    x->waiting = false;
    if (user == NULL && password == NULL) {
        bool refused = x->sa->user_sent;
        return ike_session_fail_simply(
            session, refused ? IKE_REASON_USER_AUTHENTICATION : IKE_REASON_SECRET_MISSING,
            refused ? IKE_DETAIL_PASSWORD : IKE_DETAIL_NO_SECRET);
    }
    give(session, x, user != NULL ? user : &nothing, password != NULL ? password : &nothing);
    return ike_exchange_run(session, x);
}

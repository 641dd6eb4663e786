/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User authentication (draft-ietf-ipsec-isakmp-xauth-06):
 *
 *   <- REQUEST(name, password)   -> REPLY    as many rounds as the gateway likes
 *   <- SET(STATUS)               -> ACK
 *
 * It may come at once, or hours later. Credentials go out only under an SA whose HASH_R and gateway
 * ID were verified, for no other SA has a transaction. What was asked is answered, no more.
 *
 * Accounts get locked, so the configured password goes out once, and again only after the gateway
 * has said OK to it: else it may have been refused, by a STATUS, by the same question once more, by
 * the end of the SA, or by words that were lost. Codes are never known here beforehand; they come
 * with an answer and go with the REPLY.
 */
#include "ike/crypto.h"
#include "ike/policy.h"
#include "ike/session-private.h"

#include <errno.h>
#include <string.h>

enum { CHAP_SIZE = 17 }; /* identifier and MD5 (RFC 2865, 5.3) */

typedef struct Field {
    uint16_t attribute;
    IkeAskKind kind;
    bool secret, once;
} Field;

static const Field FIELDS[] = {
    {IKE_XAUTH_USER_NAME, IKE_ASK_USER, false, false},
    {IKE_XAUTH_USER_PASSWORD, IKE_ASK_PASSWORD, true, false},
    {IKE_XAUTH_PASSCODE, IKE_ASK_PASSCODE, true, true},
    {IKE_XAUTH_NEXT_PIN, IKE_ASK_NEXT_PIN, true, true},
    {IKE_XAUTH_ANSWER, IKE_ASK_ANSWER, true, true},
    {IKE_XAUTH_DOMAIN, IKE_ASK_DOMAIN, false, false},
};

/* What a REQUEST asks for. */
typedef struct Wanted {
    bool any, typed, unknown;
    uint32_t type;
    uint32_t kinds; /* a set of IkeAskKind */
    IkeSlice challenge;
    IkeQuestion question;
} Wanted;

static const Field *field_of(uint16_t attribute)
{
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
        if (FIELDS[i].attribute == attribute)
            return &FIELDS[i];
    return NULL;
}

static uint32_t set_of(IkeAskKind kind)
{
    return UINT32_C(1) << kind;
}

/* ---- what is asked ---- */

static void want(Wanted *wanted, const Field *field)
{
    IkeQuestion *question = &wanted->question;

    if ((wanted->kinds & set_of(field->kind)) != 0)
        return;
    wanted->kinds |= set_of(field->kind);
    question->asked[question->asked_n++] = (IkeAsked){field->kind, field->secret, field->once};
}

static void read_attribute(Wanted *wanted, const IkeAttribute *a)
{
    const Field *field = field_of(a->type);

    wanted->any = true;
    if (field != NULL)
        want(wanted, field);
    else if (a->type == IKE_XAUTH_TYPE)
        wanted->typed = ike_attribute_number(a, &wanted->type);
    else if (a->type == IKE_XAUTH_MESSAGE)
        ike_text_copy(wanted->question.message, IKE_TEXT_MAX, a->value);
    else if (a->type == IKE_XAUTH_CHALLENGE)
        wanted->challenge = a->value;
    else
        wanted->unknown = true;
}

static void read_wanted(const IkeConfigMessage *message, Wanted *wanted)
{
    IkeReader r = message->attributes;
    IkeAttribute a;

    *wanted = (Wanted){0};
    while (ike_config_attribute_read(&r, &a))
        if (a.type >= IKE_XAUTH_TYPE && a.type <= IKE_XAUTH_ANSWER)
            read_attribute(wanted, &a);
    /* That of RADIUS-CHAP is for a computer. */
    if (wanted->type != IKE_XAUTH_TYPE_RADIUS_CHAP)
        ike_text_copy(wanted->question.challenge, IKE_TEXT_MAX, wanted->challenge);
}

static bool wants(const Wanted *wanted, IkeAskKind kind)
{
    return (wanted->kinds & set_of(kind)) != 0;
}

static bool is_spoken(const Wanted *wanted)
{
    size_t n = wanted->challenge.n;

    if (wanted->unknown || wanted->type > IKE_XAUTH_TYPE_SKEY)
        return false;
    return wanted->type != IKE_XAUTH_TYPE_RADIUS_CHAP || (n > 0 && n <= IKE_CHALLENGE_MAX);
}

static bool is_one_time(uint32_t type)
{
    return type == IKE_XAUTH_TYPE_OTP || type == IKE_XAUTH_TYPE_SKEY;
}

/* The same question once more refuses what it was answered with; another one is a step further, and
 * a password that is asked for then is a code. */
static void compare_with_last(const IkeIsakmpSa *sa, Wanted *wanted)
{
    const IkeRound *last = &sa->round;
    IkeQuestion *question = &wanted->question;
    bool once = is_one_time(wanted->type);

    question->again = sa->user_sent && last->type == wanted->type && last->kinds == wanted->kinds;
    if (sa->password_sent && !once)
        once = question->again ? last->once : true;
    for (size_t i = 0; i < question->asked_n; i++)
        if (question->asked[i].kind == IKE_ASK_PASSWORD)
            question->asked[i].once = once;
}

/* ---- what is answered ---- */

void ike_xauth_forget_password(IkeSession *session)
{
    ike_wipe(&session->config.password, sizeof(session->config.password));
}

/* An identifier of ours, and MD5 of that, the password and the challenge (xauth, appendix A). */
static int hide_password(IkeSession *session, IkeTransaction *t)
{
    IkeSecret *password = &t->given.given[IKE_ASK_PASSWORD];
    uint8_t hidden[CHAP_SIZE];
    int r = ike_session_random(session, hidden, 1);
    const IkeSlice parts[] = {
        {hidden, 1}, {password->bytes, password->n}, {t->challenge, t->challenge_n}};

    if (r == 0)
        r = ike_hash(ike_hash_by_name("md5"), parts, 3, hidden + 1);
    ike_wipe(password->bytes, sizeof(password->bytes));
    if (r < 0)
        return r;
    memcpy(password->bytes, hidden, sizeof(hidden));
    password->n = sizeof(hidden);
    return 0;
}

static int give(IkeSession *session, IkeExchange *x, const IkeAnswer *answer)
{
    IkeTransaction *t = x->data;

    t->given = *answer;
    x->sa->user_sent = true;
    x->sa->password_sent |= answer->given[IKE_ASK_PASSWORD].known;
    x->sa->stage_limit = session->now + IKE_VERDICT_WAIT;
    if (t->type != IKE_XAUTH_TYPE_RADIUS_CHAP || !answer->given[IKE_ASK_PASSWORD].known)
        return 0;
    return hide_password(session, t);
}

/* True where the configuration says all that is wanted. Few gateways mean anything by a domain. */
static bool is_configured(const IkeSession *session, const IkeIsakmpSa *sa, const Wanted *wanted)
{
    const IkeConfig *config = &session->config;
    const uint32_t plain = set_of(IKE_ASK_USER) | set_of(IKE_ASK_PASSWORD) | set_of(IKE_ASK_DOMAIN);
    bool may_give = config->password.known && !session->unheard && !sa->password_sent &&
                    !is_one_time(wanted->type);

    return !wanted->question.again && (wanted->kinds & ~plain) == 0 &&
           (!wants(wanted, IKE_ASK_USER) || config->user.known) &&
           (!wants(wanted, IKE_ASK_PASSWORD) || may_give);
}

static int give_configured(IkeSession *session, IkeExchange *x, const Wanted *wanted)
{
    IkeAnswer answer = {0};

    if (wants(wanted, IKE_ASK_USER))
        answer.given[IKE_ASK_USER] = session->config.user;
    if (wants(wanted, IKE_ASK_PASSWORD)) {
        answer.given[IKE_ASK_PASSWORD] = session->config.password;
        x->sa->round.configured = true;
        session->unheard = true;
    }
    int r = give(session, x, &answer);
    ike_wipe(&answer, sizeof(answer));
    return r;
}

static int ask(IkeSession *session, IkeExchange *x, const Wanted *wanted)
{
    IkeEvent event = {.type = IKE_EVENT_QUESTION, .question = wanted->question};

    event.question.id = ++session->question;
    /* A new question takes the place of one that nobody has answered yet. */
    if (session->asking != NULL)
        ike_exchange_finish(session, session->asking);
    x->waiting = true;
    x->sa->stage_limit = session->now + IKE_ANSWER_WAIT;
    session->asking = x;
    return ike_session_emit(session, &event);
}

static int show(IkeSession *session, const char *message)
{
    IkeEvent event = {.type = IKE_EVENT_MESSAGE};

    if (message[0] == '\0')
        return 0;
    memcpy(event.message, message, strnlen(message, IKE_TEXT_MAX - 1));
    return ike_session_emit(session, &event);
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
        bool ours = x->script == &IKE_SCRIPT_PULL || x->script == &IKE_SCRIPT_QUICK;
        if (ours && x->sa == sa)
            ike_exchange_finish(session, x);
    }
    sa->pull_at = IKE_NEVER;
    ike_dhcp_interrupt(session);
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

/* What a round leaves to be compared with, and its REPLY to be made of. */
static void begin_round(IkeSession *session, IkeExchange *x, const Wanted *wanted)
{
    IkeTransaction *t = x->data;
    IkeRound *round = &x->sa->round;

    if (wanted->question.again && round->configured)
        ike_xauth_forget_password(session);
    *round = (IkeRound){.type = (uint16_t)wanted->type, .kinds = wanted->kinds};
    for (size_t i = 0; i < wanted->question.asked_n; i++)
        if (wanted->question.asked[i].kind == IKE_ASK_PASSWORD)
            round->once = wanted->question.asked[i].once;
    t->type = (uint16_t)wanted->type;
    t->again = wanted->question.again;
    if (wanted->type == IKE_XAUTH_TYPE_RADIUS_CHAP) {
        t->challenge_n = wanted->challenge.n;
        memcpy(t->challenge, wanted->challenge.bytes, wanted->challenge.n);
    }
    return_to_user_auth(session, x->sa);
}

static int answer_round(IkeSession *session, IkeExchange *x, const Wanted *wanted)
{
    if (wanted->kinds == 0)
        return show(session, wanted->question.message);
    if (is_configured(session, x->sa, wanted))
        return give_configured(session, x, wanted);
    return ask(session, x, wanted);
}

int ike_xauth_request(IkeSession *session, IkeExchange *x, const IkeConfigMessage *message)
{
    Wanted wanted;

    read_wanted(message, &wanted);
    if (!wanted.any)
        return IKE_ACCEPTED; /* it asks for our configuration: there is nothing to say */
    if (session->config.xauth == IKE_XAUTH_NO)
        return refuse(session, x, IKE_DETAIL_XAUTH_UNWANTED);
    if (!is_spoken(&wanted))
        return refuse(session, x, IKE_DETAIL_XAUTH_TYPE);
    if (++x->sa->rounds > IKE_ROUNDS_MAX)
        return refuse(session, x, IKE_DETAIL_XAUTH_ROUNDS);
    compare_with_last(x->sa, &wanted);
    begin_round(session, x, &wanted);
    int r = answer_round(session, x, &wanted);
    /* Without MD5, as in FIPS mode, there is no RADIUS-CHAP. */
    if (r == -ENOTSUP)
        return refuse(session, x, IKE_DETAIL_XAUTH_TYPE);
    return r < 0 ? r : IKE_ACCEPTED;
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
        const Field *field = field_of(t->types[i]);
        if (was_asked_before(t, i))
            continue;
        if (t->types[i] == IKE_XAUTH_TYPE)
            ike_attribute_write(writer, IKE_XAUTH_TYPE, t->type);
        if (field == NULL)
            continue;
        const IkeSecret *given = &t->given.given[field->kind];
        ike_attribute_write_bytes(writer, field->attribute, (IkeSlice){given->bytes, given->n});
    }
}

int ike_xauth_status(IkeSession *session, IkeIsakmpSa *sa, bool ok, const char *message)
{
    IkeFailure failure = {.reason = IKE_REASON_USER_AUTHENTICATION, .detail = IKE_DETAIL_PASSWORD};
    const IkeEvent accepted = {.type = IKE_EVENT_USER};

    if (!ok) {
        memcpy(failure.text, message, strnlen(message, sizeof(failure.text) - 1));
        return ike_session_fail(session, &failure);
    }
    sa->user_done = true;
    sa->user_sent = sa->password_sent = false;
    sa->rounds = 0;
    session->unheard = false;
    int r = show(session, message);
    return r < 0 ? r : ike_session_emit(session, &accepted);
}

/* Nobody says anything, which the gateway is told, too. Asked again, it was a refusal. */
static int cancel(IkeSession *session, IkeExchange *x)
{
    const IkeTransaction *t = x->data;
    int r = refuse(session, x, t->again ? IKE_DETAIL_PASSWORD : IKE_DETAIL_NO_SECRET);

    if (!t->again)
        session->verdict.reason = IKE_REASON_SECRET_MISSING;
    return r;
}

int ike_xauth_answer(IkeSession *session, IkeExchange *x, const IkeAnswer *answer)
{
    session->asking = NULL;
    x->waiting = false;
    int r = answer != NULL ? give(session, x, answer) : cancel(session, x);
    if (r == -ENOTSUP)
        r = refuse(session, x, IKE_DETAIL_XAUTH_TYPE);
    return r < 0 ? r : ike_exchange_run(session, x);
}

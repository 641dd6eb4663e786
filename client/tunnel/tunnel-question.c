/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person has to say: the preshared key and the password before the first packet, where the
 * profile tells that they will be needed; later whatever the gateway asks.
 *
 * A person is asked only for what is not known. A password that was typed for a plain question is
 * kept in locked memory once the gateway has accepted it, and given again when Phase 1 is renewed.
 * One that was refused is forgotten, so that it can't go out again without a person; one to which
 * nothing was said, for the path was lost, goes out once more at most. What answered a question
 * with words of the gateway's, or the same question once more, is a one-time code as likely as not,
 * and never kept; codes of the secrets file are used once each.
 *
 * A gateway may want no password to be kept (Unity's SAVE_PASSWD). What a person typed has served
 * then, and the person is asked again each time that the gateway asks. What stands in a secrets
 * file, or comes of a program, somebody has put there for a computer that has no person: it stays
 * in use, and the user is told of the policy.
 */
#include "client/tunnel/tunnel-private.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/tunnel/config.h"
#include "client/tunnel/memory.h"
#include "ike/crypto.h"
#include "platform/secret-memory.h"

enum { UNHEARD_MAX = 2 };

static GError *nobody_answered(bool psk)
{
    GError *error = NULL;
    const char *advice =
        _("Put PSK= and, for user authentication, User= and Password= under [Secrets] into a file "
          "of mode 0600 and name it with --secrets FILE (or - for standard input), or connect "
          "from a terminal.");
    if (psk)
        dialtone_failure_set(&error, DIALTONE_FAILURE_SECRET_MISSING, advice,
                             _("The preshared key is not known, and nobody gave it."));
    else
        dialtone_failure_set(&error, DIALTONE_FAILURE_SECRET_MISSING, advice,
                             _("The gateway wants a user name or a password, and nobody gave "
                               "it."));
    return error;
}

static const char *known_user(const Tunnel *self, char *buffer, gsize n)
{
    const IkeSecret *user = &self->secrets->user;
    if (!user->known)
        return self->profile->user;
    gsize length = MIN((gsize)user->n, n - 1);
    memcpy(buffer, user->bytes, length);
    buffer[length] = '\0';
    return buffer;
}

static void ask(Tunnel *self, TunnelQuestion *question)
{
    char user[IKE_SECRET_MAX + 1];
    self->question = ++self->asking.asked_n;
    question->id = self->question;
    const char *known = known_user(self, user, sizeof(user));
    question->user_name = known != NULL ? known : "";
    if (self->state != DIALTONE_STATE_NEEDS_SECRETS)
        self->before_question = self->state;
    tunnel_set_state(self, DIALTONE_STATE_NEEDS_SECRETS);
    self->handlers->question(question, self->data);
}

static void want(TunnelQuestion *question, guint kind, bool secret)
{
    question->asked[question->asked_n++] = (TunnelAsked){.kind = kind, .secret = secret};
}

bool tunnel_question_first(Tunnel *self)
{
    const TunnelSecrets *secrets = self->secrets;
    if (self->question != 0)
        return false;
    bool expects_user = tunnel_config_expects_user(self->profile);
    TunnelQuestion question = {.message = "", .challenge = ""};
    if (self->profile->auth == DIALTONE_AUTH_PSK && !secrets->psk.known)
        want(&question, TUNNEL_ASK_PSK, true);
    if (expects_user && !secrets->user.known && self->profile->user == NULL)
        want(&question, IKE_ASK_USER, false);
    if (expects_user && !secrets->password.known)
        want(&question, IKE_ASK_PASSWORD, true);
    if (question.asked_n == 0)
        return true;
    self->asking.is_ike = false;
    ask(self, &question);
    return false;
}

/* ---- the gateway's questions ---- */

static void keep(IkeSecret *into, const IkeSecret *answer)
{
    if (answer->known)
        *into = *answer;
}

static void answer_ike(Tunnel *self, const TunnelAnswer *given)
{
    if (self->session == NULL || self->session_over)
        return;
    IkeAnswer *answer = given != NULL ? platform_secret_alloc(sizeof(IkeAnswer)) : NULL;
    if (answer != NULL)
        memcpy(answer->given, given->given, sizeof(answer->given));
    if (ike_session_answer(self->session, self->asking.last.id, answer, platform_clock_now()) < 0)
        g_debug("the answer could not be given");
    for (gsize i = 0; answer != NULL && self->asking.sent != NULL && i < IKE_ASK_KINDS; i++)
        keep(&self->asking.sent->given[i], &answer->given[i]);
    platform_secret_free(answer);
    tunnel_session_pump(self);
}

bool tunnel_question_may_give_password(const Tunnel *self)
{
    return self->asking.unheard < UNHEARD_MAX;
}

static bool take_code(Tunnel *self, IkeSecret *into)
{
    TunnelSecrets *secrets = self->secrets;
    if (secrets->codes_n == 0)
        return false;
    self->asking.spent = true;
    *into = secrets->codes[0];
    secrets->codes_n--;
    memmove(&secrets->codes[0], &secrets->codes[1], secrets->codes_n * sizeof(IkeSecret));
    tunnel_secret_wipe(&secrets->codes[secrets->codes_n]);
    return true;
}

static bool take_password(Tunnel *self, IkeSecret *into)
{
    if (!self->secrets->password.known || !tunnel_question_may_give_password(self))
        return false;
    self->asking.unheard++;
    *into = self->secrets->password;
    return true;
}

static bool take_user(Tunnel *self, IkeSecret *into)
{
    char user[IKE_SECRET_MAX + 1];
    const char *known = known_user(self, user, sizeof(user));
    return known != NULL && tunnel_secret_set(into, known, strlen(known));
}

/* True where what is known answers it. */
static bool answer_from_store(Tunnel *self, const IkeAsked *asked, IkeSecret *into)
{
    switch (asked->kind) {
    case IKE_ASK_USER:
        return take_user(self, into);
    case IKE_ASK_PASSWORD:
        return asked->once ? take_code(self, into) : take_password(self, into);
    case IKE_ASK_PASSCODE:
        return take_code(self, into);
    case IKE_ASK_NEXT_PIN:
    case IKE_ASK_ANSWER:
    case IKE_ASK_DOMAIN:
    case IKE_ASK_KINDS:
        break;
    }
    return false;
}

/* A domain is asked for where a person is asked anyway. */
static bool needs_person(const TunnelQuestion *question)
{
    for (gsize i = 0; i < question->asked_n; i++)
        if (question->asked[i].kind != IKE_ASK_DOMAIN)
            return true;
    return false;
}

/* One that is asked for plainly. */
static bool asks_password(const IkeQuestion *ike)
{
    for (size_t i = 0; i < ike->asked_n; i++)
        if (ike->asked[i].kind == IKE_ASK_PASSWORD)
            return !ike->asked[i].once && ike->message[0] == '\0' && ike->challenge[0] == '\0';
    return false;
}

static char *clean(const char *text)
{
    return dialtone_text_clean(text, strnlen(text, IKE_TEXT_MAX), IKE_TEXT_MAX,
                               DIALTONE_TEXT_LINES);
}

/* It was refused, and is kept only to know it again. */
static void forget_password(Tunnel *self)
{
    if (self->asking.sent != NULL)
        keep(&self->asking.sent->given[IKE_ASK_PASSWORD], &self->secrets->password);
    tunnel_secret_wipe(&self->secrets->password);
}

void tunnel_question_from_gateway(Tunnel *self, const IkeQuestion *ike)
{
    self->asking.last = *ike;
    self->asking.is_ike = true;
    self->asking.keep_typed = asks_password(ike) && !ike->again;
    tunnel_answer_free(self->asking.answer);
    self->asking.answer = tunnel_answer_new();
    if (self->asking.answer == NULL) {
        answer_ike(self, NULL);
        return;
    }
    if (self->asking.sent == NULL)
        self->asking.sent = tunnel_answer_new();
    if (ike->again && asks_password(ike))
        forget_password(self);
    g_autofree char *message = clean(ike->message), *challenge = clean(ike->challenge);
    TunnelQuestion question = {.again = ike->again, .message = message, .challenge = challenge};
    for (size_t i = 0; i < ike->asked_n; i++) {
        const IkeAsked *asked = &ike->asked[i];
        if (!answer_from_store(self, asked, &self->asking.answer->given[asked->kind]))
            question.asked[question.asked_n++] =
                (TunnelAsked){.kind = asked->kind, .secret = asked->secret, .once = asked->once};
    }
    g_autofree char *words = tunnel_roam_words(self, message);
    question.message = words;
    if (needs_person(&question))
        ask(self, &question);
    else
        answer_ike(self, self->asking.answer);
}

bool tunnel_question_would_ask(const Tunnel *self)
{
    return self->asking.spent || (self->asking.unkept && self->asking.by_person);
}

void tunnel_question_settled(Tunnel *self)
{
    self->question = 0;
    self->asking.is_ike = false;
}

void tunnel_question_accepted(Tunnel *self)
{
    self->asking.unheard = 0;
    if (self->asking.typed == NULL) {
        if (self->inner.password_unkept)
            tunnel_question_keep_nothing(self);
        return;
    }
    const IkeSecret *user = &self->asking.typed->given[IKE_ASK_USER];
    if (user->known)
        self->secrets->user = *user;
    self->secrets->password = self->asking.typed->given[IKE_ASK_PASSWORD];
    self->asking.by_person = self->asking.typed_by_person;
    if (self->inner.password_unkept)
        tunnel_question_keep_nothing(self);
    g_clear_pointer(&self->asking.typed, tunnel_answer_free);
}

void tunnel_question_keep_nothing(Tunnel *self)
{
    TunnelAsking *asking = &self->asking;
    /* What was never to be used again lies here still, to be known again. */
    if (asking->typed_by_person && self->question == 0) {
        if (asking->answer != NULL)
            tunnel_secret_wipe(&asking->answer->given[IKE_ASK_PASSWORD]);
        if (asking->sent != NULL)
            tunnel_secret_wipe(&asking->sent->given[IKE_ASK_PASSWORD]);
    }
    if (asking->by_person) {
        tunnel_secret_wipe(&self->secrets->password);
        if (asking->sent != NULL)
            tunnel_secret_wipe(&asking->sent->given[IKE_ASK_PASSWORD]);
        if (self->session != NULL)
            ike_session_forget_password(self->session);
    } else if (self->secrets->password.known && !asking->unkept) {
        tunnel_notice(self, _("The gateway wants passwords to be typed each time and not to be "
                              "kept. Yours is kept; if it is in the keyring, \"dialtone secret "
                              "forget\" removes it."));
    }
    asking->unkept = true;
}

void tunnel_question_unheard(Tunnel *self)
{
    self->asking.unheard++;
}

void tunnel_question_free(Tunnel *self)
{
    g_clear_pointer(&self->asking.answer, tunnel_answer_free);
    g_clear_pointer(&self->asking.sent, tunnel_answer_free);
    g_clear_pointer(&self->asking.typed, tunnel_answer_free);
}

void tunnel_question_begin_anew(Tunnel *self)
{
    const TunnelAsking former = self->asking;
    tunnel_question_free(self);
    /* A password that stays known stays a person's, and a number stands for one question. */
    self->asking = (TunnelAsking){.asked_n = former.asked_n, .by_person = former.by_person};
}

/* ---- answers ---- */

static void answer_first(Tunnel *self, const TunnelAnswer *answer)
{
    TunnelSecrets *secrets = self->secrets;
    if (answer != NULL) {
        keep(&secrets->psk, &answer->given[TUNNEL_ASK_PSK]);
        keep(&secrets->user, &answer->given[IKE_ASK_USER]);
        keep(&secrets->password, &answer->given[IKE_ASK_PASSWORD]);
        self->asking.by_person = answer->given[IKE_ASK_PASSWORD].known && !answer->by_program;
    }
    bool expects_user = tunnel_config_expects_user(self->profile);
    bool psk_missing = self->profile->auth == DIALTONE_AUTH_PSK && !secrets->psk.known;
    if (answer == NULL || psk_missing || (expects_user && !secrets->password.known)) {
        tunnel_end(self, nobody_answered(psk_missing));
        return;
    }
    if (tunnel_is_wanted_back(self))
        tunnel_set_state(self, DIALTONE_STATE_RECONNECTING);
    tunnel_attempt_begin(self);
}

static bool is_same(const IkeSecret *a, const IkeSecret *b)
{
    return a->known && b->known && a->n == b->n && ike_equal(a->bytes, b->bytes, a->n);
}

/* A code serves once, and what was refused needs a person: a program would give it for ever. */
static bool is_repeated(const Tunnel *self, const TunnelAnswer *answer)
{
    for (gsize i = 0; self->asking.sent != NULL && i < self->asking.last.asked_n; i++) {
        const IkeAsked *asked = &self->asking.last.asked[i];
        bool stale = asked->secret && (asked->once || self->asking.last.again);
        if (stale && is_same(&self->asking.sent->given[asked->kind], &answer->given[asked->kind]))
            return answer->by_program;
    }
    return false;
}

static void answer_gateway(Tunnel *self, const TunnelAnswer *answer)
{
    if (self->before_question != DIALTONE_STATE_NEEDS_SECRETS)
        tunnel_set_state(self, self->before_question);
    bool repeated = answer != NULL && is_repeated(self, answer);
    if (repeated)
        tunnel_notice(self,
                      _("The answer is the one that was given before; it is not sent again."));
    if (answer == NULL || self->asking.answer == NULL || repeated) {
        answer_ike(self, NULL);
        return;
    }
    for (gsize i = 0; i < IKE_ASK_KINDS; i++)
        keep(&self->asking.answer->given[i], &answer->given[i]);
    tunnel_answer_free(self->asking.typed);
    self->asking.typed_by_person =
        answer->given[IKE_ASK_PASSWORD].known ? !answer->by_program : self->asking.by_person;
    self->asking.spent |= !self->asking.keep_typed;
    self->asking.typed = self->asking.keep_typed ? g_steal_pointer(&self->asking.answer) : NULL;
    answer_ike(self, self->asking.typed != NULL ? self->asking.typed : self->asking.answer);
}

bool tunnel_is_asking(const Tunnel *self, guint32 id)
{
    return id != 0 && id == self->question && self->end == TUNNEL_END_NOT;
}

void tunnel_answer(Tunnel *self, guint32 id, const TunnelAnswer *answer)
{
    if (!tunnel_is_asking(self, id))
        return;
    bool is_ike = self->asking.is_ike;
    tunnel_question_settled(self);
    if (is_ike)
        answer_gateway(self, answer);
    else
        answer_first(self, answer);
}

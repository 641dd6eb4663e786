/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person has to say: the preshared key and the password before the first packet, where the
 * profile tells that they will be needed; later whatever the gateway asks.
 *
 * A password that answered a plain question is kept in locked memory and given again when Phase 1
 * is renewed, but only once for each renewal: asked a second time, the gateway has refused it or
 * wants something else, and a person has to look. What answered a question with words of the
 * gateway's is a one-time code as likely as not, and never kept.
 */
#include "client/tunnel/tunnel-private.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/tunnel/config.h"

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
    self->question = ++self->questions;
    question->id = self->question;
    question->user_name = known_user(self, user, sizeof(user));
    if (self->state != DIALTONE_STATE_NEEDS_SECRETS)
        self->before_question = self->state;
    tunnel_set_state(self, DIALTONE_STATE_NEEDS_SECRETS);
    self->handlers->question(question, self->data);
}

bool tunnel_question_first(Tunnel *self)
{
    const TunnelSecrets *secrets = self->secrets;
    if (self->question != 0)
        return false;
    bool expects_user = tunnel_config_expects_user(self->profile);
    TunnelQuestion question = {.message = ""};
    question.psk = !secrets->psk.known;
    question.password = expects_user && !secrets->password.known;
    question.user = expects_user && !secrets->user.known && self->profile->user == NULL;
    if (!question.psk && !question.password && !question.user)
        return true;
    self->question_is_ike = false;
    self->keep_answer = true;
    ask(self, &question);
    return false;
}

/* ---- the gateway's questions ---- */

static void answer_ike(Tunnel *self, const IkeSecret *user, const IkeSecret *password)
{
    uint64_t now = platform_clock_now();
    if (self->session == NULL || self->session_over)
        return;
    if (ike_session_answer(self->session, self->ike_question, user, password, now) < 0)
        g_debug("the answer could not be given");
    tunnel_session_pump(self);
}

static bool answer_from_store(Tunnel *self, const IkeQuestion *question)
{
    const TunnelSecrets *secrets = self->secrets;
    bool enough = (!question->user || secrets->user.known) &&
                  (!question->password || secrets->password.known);
    if (!enough || self->answered_once || question->message[0] != '\0')
        return false;
    self->answered_once = true;
    answer_ike(self, question->user ? &secrets->user : NULL,
               question->password ? &secrets->password : NULL);
    return true;
}

void tunnel_question_from_gateway(Tunnel *self, const IkeQuestion *ike)
{
    self->ike_question = ike->id;
    self->question_is_ike = true;
    /* What stood in the session's configuration has been given already, so this is more. */
    if (self->keep_answer && answer_from_store(self, ike))
        return;
    gsize n = strnlen(ike->message, sizeof(ike->message));
    g_autofree char *message =
        dialtone_text_clean(ike->message, n, IKE_TEXT_MAX, DIALTONE_TEXT_LINES);
    self->keep_answer = !self->secrets->password.known && n == 0;
    TunnelQuestion question = {.user = ike->user, .password = ike->password, .message = message};
    ask(self, &question);
}

void tunnel_question_settled(Tunnel *self)
{
    self->question = 0;
    self->question_is_ike = false;
}

/* ---- answers ---- */

static void keep(IkeSecret *into, const IkeSecret *answer)
{
    if (answer->known)
        *into = *answer;
}

static void answer_first(Tunnel *self, const TunnelSecrets *answer)
{
    TunnelSecrets *secrets = self->secrets;
    if (answer != NULL) {
        keep(&secrets->psk, &answer->psk);
        keep(&secrets->user, &answer->user);
        keep(&secrets->password, &answer->password);
    }
    bool expects_user = tunnel_config_expects_user(self->profile);
    bool psk_missing = !secrets->psk.known;
    if (answer == NULL || psk_missing || (expects_user && !secrets->password.known)) {
        tunnel_end(self, nobody_answered(psk_missing));
        return;
    }
    tunnel_attempt_begin(self);
}

static void answer_gateway(Tunnel *self, const TunnelSecrets *answer)
{
    if (self->before_question != DIALTONE_STATE_NEEDS_SECRETS)
        tunnel_set_state(self, self->before_question);
    if (answer == NULL) {
        answer_ike(self, NULL, NULL);
        return;
    }
    if (self->keep_answer) {
        keep(&self->secrets->user, &answer->user);
        keep(&self->secrets->password, &answer->password);
    }
    self->answered_once = true;
    answer_ike(self, answer->user.known ? &answer->user : NULL,
               answer->password.known ? &answer->password : NULL);
}

void tunnel_answer(Tunnel *self, guint32 id, const TunnelSecrets *answer)
{
    if (id == 0 || id != self->question || self->end != TUNNEL_END_NOT)
        return;
    bool is_ike = self->question_is_ike;
    tunnel_question_settled(self);
    if (is_ike)
        answer_gateway(self, answer);
    else
        answer_first(self, answer);
}

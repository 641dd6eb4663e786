/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session hands over what the keyring has, and hears the channel.
 *
 * The keyring is told apart from the one that is locked: then nothing is looked up, and the person
 * is asked, and told why.
 *
 * With a certificate the signer goes first: what it says for the service is passed on as it is, and
 * the secrets follow. What opens the key is looked up when the signer asks, and stored when the key
 * is open. A PIN that was kept and is wrong is forgotten before anything else is done: another
 * three of those would lock the card.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/agent-session.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/localize.h"
#include "client/profile/pin.h"
#include "client/profile/secrets.h"
#include "client/profile/strength.h"
#include "client/tunnel/frames.h"
#include "gui/keyring.h"
#include "gui/prompt.h"
#include "gui/session-secrets.h"
#include "gui/signer.h"
#include "gui/window.h"
#include "platform/secret-memory.h"

struct DialtoneAgentSession {
    DialtoneAgentSessionSetup setup;
    DialtoneProfile *profile;
    char *connection;
    GCancellable *cancellable;
    guint source;
    DialtoneSigner *signer;         /* NULL: nothing to sign with, or no more */
    gboolean has_key;               /* nothing of certificates is missing */
    DialtoneSessionSecret looks_up; /* where it is; DIALTONE_SESSION_OF_KEY: with all done */
    TunnelSecrets *secrets;         /* NULL: handed over */
    DialtoneSessionSecrets *kept;
    gboolean locked;         /* the keyring is */
    GtkWidget *prompt;       /* NULL: nobody is asked */
    TunnelQuestion question; /* the last */
    char *pins;
    char *gateway; /* that was compared last */
    char *warning; /* what came of that; NULL: nothing */
};

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static void end(DialtoneAgentSession *self)
{
    self->setup.ended(self, self->setup.data);
}

/* NULL: the connection is no more. */
static DialtoneItem *item_of(const DialtoneAgentSession *self)
{
    return dialtone_catalog_find_connection(self->setup.catalog, self->connection);
}

static void notice(DialtoneAgentSession *self, const char *text)
{
    DialtoneItem *item = item_of(self);
    if (item != NULL && text != NULL)
        dialtone_item_add_notice(item, text);
}

/* ---- secrets ---- */

static gboolean is_looked_up(const DialtoneAgentSession *self, DialtoneSessionSecret secret)
{
    return !self->locked && dialtone_session_secrets_is_looked_up(self->kept, secret);
}

/* A key that is kept follows the rules of one that is typed. */
static gboolean take(TunnelSecrets *secrets, DialtoneSessionSecret secret, const char *text)
{
    if (secret == DIALTONE_SESSION_PASSWORD)
        return tunnel_secret_set(&secrets->password, text, strlen(text));
    g_autoptr(DialtoneSecrets) typed =
        dialtone_secrets_typed_psk(text, strlen(text), &MEMORY, NULL);
    return typed != NULL && tunnel_secret_set(&secrets->psk, typed->psk.bytes, typed->psk.n);
}

static void look_up_next(DialtoneAgentSession *self);

/* The session has gone meanwhile. */
static gboolean is_stale(GAsyncResult *result)
{
    return g_cancellable_is_cancelled(g_task_get_cancellable(G_TASK(result)));
}

static void on_looked_up(GObject *source, GAsyncResult *result, gpointer data)
{
    char *text = NULL;
    PlatformKeyringResult found = dialtone_keyring_lookup_finish(result, &text);
    if (is_stale(result)) {
        platform_secret_free(text);
        return;
    }
    DialtoneAgentSession *self = data;
    DialtoneSessionSecret secret = self->looks_up++;
    if (found == PLATFORM_KEYRING_DONE && take(self->secrets, secret, text))
        dialtone_session_secrets_used(self->kept, secret);
    platform_secret_free(text);
    self->locked = found == PLATFORM_KEYRING_LOCKED;
    /* One that can't be reached is not tried again. */
    if (found != PLATFORM_KEYRING_DONE && found != PLATFORM_KEYRING_NOTHING)
        self->looks_up = DIALTONE_SESSION_OF_KEY;
    look_up_next(self);
}

/* Behind the certificates. */
static void hand_over(DialtoneAgentSession *self)
{
    if (!self->has_key || self->looks_up < DIALTONE_SESSION_OF_KEY || self->secrets == NULL)
        return;
    int result = tunnel_frame_send_secrets(self->setup.fd, self->secrets);
    g_clear_pointer(&self->secrets, tunnel_secrets_free);
    if (result < 0)
        g_debug("the secrets could not be handed over: %s", g_strerror(-result));
}

static void look_up_next(DialtoneAgentSession *self)
{
    while (self->looks_up < DIALTONE_SESSION_OF_KEY && !is_looked_up(self, self->looks_up))
        self->looks_up++;
    if (self->looks_up >= DIALTONE_SESSION_OF_KEY) {
        hand_over(self);
        return;
    }
    const PlatformKeyringName name = dialtone_session_secrets_name(self->kept, self->looks_up);
    dialtone_keyring_lookup(&name, self->cancellable, on_looked_up, self);
}

/* ---- asking ---- */

/* The service does not know what is asked for here, and tells another state. */
static void show_wait(DialtoneAgentSession *self, DialtoneWait wait)
{
    DialtoneItem *item = item_of(self);
    if (item != NULL)
        dialtone_item_set_wait(item, wait);
}

static DialtoneWait wait_of(const TunnelQuestion *question)
{
    if (!tunnel_question_opens_key(question))
        return DIALTONE_WAIT_NONE;
    if (tunnel_question_is_for_keypad(question))
        return DIALTONE_WAIT_KEYPAD;
    return question->asked[0].kind == TUNNEL_ASK_PIN ? DIALTONE_WAIT_PIN : DIALTONE_WAIT_PASSPHRASE;
}

static void take_prompt_away(DialtoneAgentSession *self)
{
    if (self->prompt == NULL)
        return;
    gtk_widget_destroy(self->prompt);
    self->prompt = NULL;
    show_wait(self, DIALTONE_WAIT_NONE);
}

/* The connection fails with that, and the service hangs up. */
static void refuse(DialtoneAgentSession *self, DialtoneFailure reason, const char *advice,
                   const char *message)
{
    g_autoptr(GError) error = NULL;
    take_prompt_away(self);
    g_clear_pointer(&self->signer, dialtone_signer_free);
    dialtone_failure_set(&error, reason, advice, "%s", message);
    if (tunnel_frame_send_keep(self->setup.fd, error) < 0)
        g_debug("nobody hears why not");
}

static void answer_signer(DialtoneAgentSession *self, const TunnelAnswer *answer)
{
    if (self->signer != NULL && answer != NULL)
        dialtone_signer_answer(self->signer, self->question.id, answer);
    else if (self->signer != NULL)
        refuse(self, DIALTONE_FAILURE_SECRET_MISSING,
               _("Connect again, and type what opens it; it comes with the certificate."),
               _("The private key is locked, and nobody gave what opens it."));
}

/* NULL: nobody answers. */
static void send_answer(DialtoneAgentSession *self, const TunnelAnswer *answer)
{
    if (tunnel_question_opens_key(&self->question))
        answer_signer(self, answer);
    else if (tunnel_frame_send_answer(self->setup.fd, self->question.id, answer) < 0)
        g_debug("an answer found nobody to take it");
    take_prompt_away(self);
}

static void warn_of_weak_psk(DialtoneAgentSession *self, const IkeSecret *psk)
{
    g_autofree char *warning = psk->known ? dialtone_strength_warning(psk->bytes, psk->n) : NULL;
    notice(self, warning);
}

static void on_response(GtkDialog *dialog, int response, gpointer data)
{
    DialtoneAgentSession *self = data;
    g_autoptr(TunnelAnswer) answer = response == GTK_RESPONSE_OK ? tunnel_answer_new() : NULL;
    if (answer == NULL) {
        send_answer(self, NULL);
        return;
    }
    if (!dialtone_prompt_read(DIALTONE_PROMPT(dialog), answer))
        return;
    dialtone_session_secrets_remember(self->kept, DIALTONE_PROMPT(dialog));
    warn_of_weak_psk(self, &answer->given[TUNNEL_ASK_PSK]);
    send_answer(self, answer);
}

static void ask(DialtoneAgentSession *self)
{
    const DialtonePromptSetup setup = {.profile = self->profile,
                                       .question = &self->question,
                                       .warning = self->warning,
                                       .locked = self->locked};
    if (self->prompt != NULL)
        gtk_widget_destroy(self->prompt);
    self->prompt = dialtone_prompt_new(&setup);
    show_wait(self, wait_of(&self->question));
    gtk_window_set_transient_for(GTK_WINDOW(self->prompt), dialtone_window_find());
    g_signal_connect(self->prompt, "response", G_CALLBACK(on_response), self);
    gtk_window_present(GTK_WINDOW(self->prompt));
}

/* The service never asks for what opens a key, nor the signer for anything else. */
static gboolean take_question(DialtoneAgentSession *self, const TunnelFrame *frame, gboolean of_key)
{
    g_auto(TunnelQuestion) question = {0};
    if (!tunnel_frame_read_question(frame, &question) ||
        tunnel_question_opens_key(&question) != of_key)
        return FALSE;
    tunnel_question_clear(&self->question);
    self->question = question;
    question = (TunnelQuestion){0};
    return TRUE;
}

static void on_question(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    /* An honest service asks behind the secrets; another's dialog must not take the key's place. */
    if (!self->has_key || !take_question(self, frame, FALSE))
        return;
    (void)dialtone_session_secrets_asked(self->kept, &self->question);
    ask(self);
}

/* ---- the key ---- */

static DialtoneSessionSecret secret_of(const TunnelQuestion *question)
{
    return question->asked[0].kind == TUNNEL_ASK_PIN ? DIALTONE_SESSION_PIN
                                                     : DIALTONE_SESSION_PASSPHRASE;
}

/* While the keyring was asked, the signer may have ended. */
static void ask_for_key(DialtoneAgentSession *self)
{
    if (self->signer != NULL)
        ask(self);
}

static void on_key_looked_up(GObject *source, GAsyncResult *result, gpointer data)
{
    char *text = NULL;
    PlatformKeyringResult found = dialtone_keyring_lookup_finish(result, &text);
    DialtoneAgentSession *self = is_stale(result) ? NULL : data;
    g_autoptr(TunnelAnswer) answer =
        self != NULL && found == PLATFORM_KEYRING_DONE ? tunnel_answer_new() : NULL;
    if (answer != NULL &&
        tunnel_secret_set(&answer->given[self->question.asked[0].kind], text, strlen(text))) {
        dialtone_session_secrets_used(self->kept, secret_of(&self->question));
        answer_signer(self, answer);
    } else if (self != NULL) {
        self->locked |= found == PLATFORM_KEYRING_LOCKED;
        ask_for_key(self);
    }
    platform_secret_free(text);
}

/* A PIN is forgotten, whatever becomes of the session. */
typedef struct Forgetting {
    DialtoneAgentSession *session; /* borrowed; gone when that is cancelled */
    GCancellable *cancellable;
} Forgetting;

static void on_forgotten(PlatformKeyringResult how, gpointer data)
{
    Forgetting *forgetting = data;
    DialtoneAgentSession *session =
        g_cancellable_is_cancelled(forgetting->cancellable) ? NULL : forgetting->session;
    if (session != NULL && how != PLATFORM_KEYRING_DONE && how != PLATFORM_KEYRING_NOTHING)
        notice(session, _("The PIN in the keyring is wrong, and could not be removed from there; "
                          "choose “Forget Secrets…” in the profile's menu."));
    if (session != NULL)
        ask_for_key(session);
    g_object_unref(forgetting->cancellable);
    g_free(forgetting);
}

static void forget_and_ask(DialtoneAgentSession *self, const PlatformKeyringName *name)
{
    Forgetting *forgetting = g_new(Forgetting, 1);
    *forgetting = (Forgetting){self, g_object_ref(self->cancellable)};
    dialtone_keyring_forget_then(name, on_forgotten, forgetting);
}

/* Some cards want their PIN typed for each signature: that is shown later, too, but takes no
 * question's place that somebody is to answer. */
static void on_key_question(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    const gboolean is_taken = self->has_key && self->prompt != NULL;
    if (is_taken || !take_question(self, frame, TRUE))
        return;
    if (tunnel_question_is_for_keypad(&self->question)) {
        ask(self);
        return;
    }
    const DialtoneSessionSecret secret = secret_of(&self->question);
    const PlatformKeyringName name = dialtone_session_secrets_name(self->kept, secret);
    gboolean was_kept = dialtone_session_secrets_asked(self->kept, &self->question);
    if (was_kept && secret == DIALTONE_SESSION_PIN)
        forget_and_ask(self, &name);
    else if (!self->question.again && is_looked_up(self, secret))
        dialtone_keyring_lookup(&name, self->cancellable, on_key_looked_up, self);
    else
        ask_for_key(self);
}

static void on_credentials(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    int result = tunnel_frame_send(self->setup.fd, frame->type, frame->bytes, frame->n);
    g_autofree char *message =
        g_strdup_printf(_("The certificates could not be handed over: %s"), g_strerror(-result));
    if (result < 0) {
        refuse(self, DIALTONE_FAILURE_INTERNAL, NULL, message);
        return;
    }
    dialtone_session_secrets_store(self->kept, DIALTONE_SESSION_OF_KEY, DIALTONE_SESSION_SECRETS_N);
    self->has_key = TRUE;
    hand_over(self);
}

/* For the service, as it is. */
static void pass_on(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    if (tunnel_frame_send(self->setup.fd, frame->type, frame->bytes, frame->n) < 0)
        g_debug("nobody hears the signer");
    if (frame->type == TUNNEL_FRAME_KEEP)
        g_clear_pointer(&self->signer, dialtone_signer_free);
}

static void on_signer_heard(const TunnelFrame *frame, gpointer data)
{
    DialtoneAgentSession *self = data;
    if (frame->type != TUNNEL_FRAME_NOTICE && tunnel_question_is_for_keypad(&self->question))
        take_prompt_away(self);
    if (frame->type == TUNNEL_FRAME_CREDENTIALS)
        on_credentials(self, frame);
    else if (frame->type == TUNNEL_FRAME_QUESTION)
        on_key_question(self, frame);
    else if (frame->type == TUNNEL_FRAME_NOTICE)
        notice(self, (const char *)frame->bytes);
    else if (frame->type == TUNNEL_FRAME_KEEP || frame->type == TUNNEL_FRAME_SIGNATURE)
        pass_on(self, frame);
}

/* Whoever serves next begins anew. */
static void on_signer_ended(gboolean was_late, gpointer data)
{
    DialtoneAgentSession *self = data;
    if (self->has_key)
        end(self);
    else if (was_late)
        refuse(self, DIALTONE_FAILURE_SECRET_MISSING,
               _("Check the token and its reader, and connect again."),
               _("The private key was not opened in time."));
    else
        refuse(self, DIALTONE_FAILURE_INTERNAL,
               _("Connect again; if it happens again, send a report."),
               _("The program that opens private keys has ended unexpectedly."));
}

static void start_signer(DialtoneAgentSession *self)
{
    const DialtoneAgentSessionSetup *setup = &self->setup;
    const DialtoneSignerSetup signer = {.profile = setup->text,
                                        .without_own = setup->has_own,
                                        .without_authorities = setup->has_authorities,
                                        .heard = on_signer_heard,
                                        .ended = on_signer_ended,
                                        .data = self};
    self->has_key =
        self->profile->auth == DIALTONE_AUTH_PSK ||
        (setup->has_authorities && (setup->has_own || self->profile->auth == DIALTONE_AUTH_HYBRID));
    if (self->has_key)
        return;
    self->signer = dialtone_signer_new(&signer);
    if (self->signer == NULL)
        refuse(self, DIALTONE_FAILURE_INTERNAL, NULL,
               _("The program that opens private keys can't be run."));
}

/* ---- the channel ---- */

/* Before a password is asked for, and again when another gateway answers. */
static void check_gateway(DialtoneAgentSession *self, const DialtoneReport *report)
{
    const DialtonePin seen = {.id = report->remote_id,
                              .vendor = report->vendor,
                              .certificate = report->gateway_certificate.fingerprint,
                              .issuer = report->gateway_certificate.issuer};
    if (seen.id == NULL || self->pins == NULL)
        return;
    char *gateway = g_strdup_printf("%s %s %s", seen.id, seen.certificate ? seen.certificate : "",
                                    report->member != NULL ? report->member : "");
    gboolean known = g_strcmp0(self->gateway, gateway) == 0;
    g_free(self->gateway);
    self->gateway = gateway;
    if (known)
        return;
    g_free(self->warning);
    self->warning = dialtone_pin_check(self->pins, self->profile->name, report->member, &seen,
                                       self->profile->remote_id.kind != DIALTONE_ID_ANY);
    notice(self, self->warning);
}

static void on_notice(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    g_autofree char *text = dialtone_localize((const char *)frame->bytes);
    notice(self, text);
}

static void on_report(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    g_autoptr(DialtoneReport) report =
        dialtone_report_from_json((const char *)frame->bytes, frame->n, NULL);
    if (report == NULL)
        return;
    check_gateway(self, report);
    if (report->state != DIALTONE_STATE_NEEDS_SECRETS &&
        !tunnel_question_opens_key(&self->question))
        take_prompt_away(self);
    if (report->state == DIALTONE_STATE_CONNECTED)
        dialtone_session_secrets_store(self->kept, 0, DIALTONE_SESSION_OF_KEY);
    else if (report->state == DIALTONE_STATE_FAILED)
        dialtone_session_secrets_failed(self->kept, report->reason);
}

/* Without a certificate there is nothing to sign with. */
static void on_sign(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    TunnelSigning signing;
    if (self->signer != NULL)
        dialtone_signer_sign(self->signer, frame);
    else if (tunnel_frame_read_signing(frame, &signing) &&
             tunnel_frame_send_signature(self->setup.fd, signing.id, NULL, 0) < 0)
        g_debug("nobody hears that nobody signs");
}

static void on_frame(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    switch (frame->type) {
    case TUNNEL_FRAME_REPORT:
        on_report(self, frame);
        break;
    case TUNNEL_FRAME_QUESTION:
        on_question(self, frame);
        break;
    case TUNNEL_FRAME_SIGN:
        on_sign(self, frame);
        break;
    case TUNNEL_FRAME_NOTICE:
        on_notice(self, frame);
        break;
    case TUNNEL_FRAME_END:
    case TUNNEL_FRAME_RELOAD:
    case TUNNEL_FRAME_KEEP:
    case TUNNEL_FRAME_CHANGED:
    case TUNNEL_FRAME_PROFILE:
    case TUNNEL_FRAME_SECRETS:
    case TUNNEL_FRAME_ANSWER:
    case TUNNEL_FRAME_CREDENTIALS:
    case TUNNEL_FRAME_SIGNATURE:
        break;
    }
}

/* One frame a turn, so that no service can keep the window from being drawn. */
static gboolean on_channel(int fd, GIOCondition condition, gpointer data)
{
    DialtoneAgentSession *self = data;
    g_auto(TunnelFrame) frame = {0};
    int result = tunnel_frame_receive(fd, 0, &frame);
    if (result == -EAGAIN || result == -EINTR)
        return G_SOURCE_CONTINUE;
    if (result == 1) {
        on_frame(self, &frame);
        return G_SOURCE_CONTINUE;
    }
    self->source = 0;
    end(self);
    return G_SOURCE_REMOVE;
}

/* ---- life ---- */

DialtoneAgentSession *dialtone_agent_session_new(const DialtoneAgentSessionSetup *setup)
{
    DialtoneAgentSession *self = g_new0(DialtoneAgentSession, 1);
    self->setup = *setup;
    self->profile = setup->profile_take;
    self->connection = g_strdup(setup->connection);
    self->cancellable = g_cancellable_new();
    self->kept = dialtone_session_secrets_new(self->profile, setup->refused);
    self->pins = dialtone_pin_folder(getuid());
    self->secrets = tunnel_secrets_new();
    if (self->secrets == NULL) {
        dialtone_agent_session_free(self);
        return NULL;
    }
    self->source = g_unix_fd_add(setup->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_channel, self);
    start_signer(self);
    look_up_next(self);
    return self;
}

void dialtone_agent_session_free(DialtoneAgentSession *self)
{
    if (self == NULL)
        return;
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    g_clear_handle_id(&self->source, g_source_remove);
    dialtone_signer_free(self->signer);
    take_prompt_away(self);
    tunnel_question_clear(&self->question);
    dialtone_session_secrets_free(self->kept);
    tunnel_secrets_free(self->secrets);
    dialtone_profile_free(self->profile);
    close(self->setup.fd);
    g_free(self->connection);
    g_free(self->pins);
    g_free(self->gateway);
    g_free(self->warning);
    g_free(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session begins with what the keyring has, and then hears the channel. What a person has typed
 * is stored only when the gateway has accepted it, and a secret of the keyring that was refused is
 * asked for the next time, or the same wrong password would be sent until the account is locked.
 *
 * The keyring is told apart from the one that is locked: then nothing is looked up, and the person
 * is asked, and told why.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/agent-session.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/common/localize.h"
#include "client/profile/pin.h"
#include "client/profile/secrets.h"
#include "client/profile/strength.h"
#include "client/tunnel/frames.h"
#include "gui/keyring.h"
#include "gui/prompt.h"
#include "gui/window.h"
#include "platform/secret-memory.h"

enum { KEPT_PSK, KEPT_PASSWORD, KEPT_N };

/* What the keyring may have. */
static const struct {
    const char *kind;
    guint asked;
    DialtoneFailure refusal; /* how a connection fails that it is the wrong one for */
} KINDS[KEPT_N] = {
    [KEPT_PSK] = {"psk", TUNNEL_ASK_PSK, DIALTONE_FAILURE_GATEWAY_AUTHENTICATION},
    [KEPT_PASSWORD] = {"password", IKE_ASK_PASSWORD, DIALTONE_FAILURE_USER_AUTHENTICATION},
};

struct DialtoneAgentSession {
    DialtoneAgentSessionSetup setup;
    DialtoneProfile *profile;
    char *connection;
    GCancellable *cancellable;
    guint source;
    int looks_up;           /* at which of KINDS it is; KEPT_N: with all done */
    TunnelSecrets *secrets; /* NULL: handed over */
    gboolean from_keyring[KEPT_N];
    char *to_keep[KEPT_N]; /* typed, in locked memory; NULL: nothing */
    gboolean locked;
    GtkWidget *prompt; /* NULL: nobody is asked */
    guint32 question;
    char *pins;
    char *gateway; /* that was compared last */
    char *warning; /* what came of that; NULL: nothing */
};

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static void end(DialtoneAgentSession *self)
{
    self->setup.ended(self, self->setup.data);
}

static void notice(DialtoneAgentSession *self, const char *text)
{
    DialtoneItem *item = dialtone_catalog_find_connection(self->setup.catalog, self->connection);
    if (item != NULL && text != NULL)
        dialtone_item_add_notice(item, text);
}

static const char *keyring_name(const DialtoneAgentSession *self)
{
    return self->profile->uuid != NULL ? self->profile->uuid : self->profile->name;
}

/* For the set of what was refused. The caller frees it. */
static char *refused_key(const DialtoneAgentSession *self, int kept)
{
    return g_strdup_printf("%s %s", keyring_name(self), KINDS[kept].kind);
}

static gboolean was_refused(const DialtoneAgentSession *self, int kept)
{
    g_autofree char *key = refused_key(self, kept);
    return g_hash_table_contains(self->setup.refused, key);
}

/* ---- secrets ---- */

static gboolean is_looked_up(const DialtoneAgentSession *self, int kept)
{
    const DialtoneProfile *profile = self->profile;
    if (was_refused(self, kept) || self->locked)
        return FALSE;
    if (kept == KEPT_PSK)
        return profile->auth == DIALTONE_AUTH_PSK && profile->psk_source == DIALTONE_SOURCE_KEYRING;
    return profile->xauth != DIALTONE_XAUTH_NO && profile->user != NULL &&
           profile->password_source == DIALTONE_SOURCE_KEYRING;
}

/* A key that is kept follows the rules of one that is typed. */
static gboolean take(TunnelSecrets *secrets, int kept, const char *text)
{
    if (kept == KEPT_PASSWORD)
        return tunnel_secret_set(&secrets->password, text, strlen(text));
    g_autoptr(DialtoneSecrets) typed =
        dialtone_secrets_typed_psk(text, strlen(text), &MEMORY, NULL);
    return typed != NULL && tunnel_secret_set(&secrets->psk, typed->psk.bytes, typed->psk.n);
}

static void look_up_next(DialtoneAgentSession *self);

static void on_looked_up(GObject *source, GAsyncResult *result, gpointer data)
{
    char *text = NULL;
    PlatformKeyringResult found = dialtone_keyring_lookup_finish(result, &text);
    if (g_cancellable_is_cancelled(g_task_get_cancellable(G_TASK(result)))) {
        platform_secret_free(text);
        return;
    }
    DialtoneAgentSession *self = data;
    int kept = self->looks_up++;
    if (found == PLATFORM_KEYRING_DONE)
        self->from_keyring[kept] = take(self->secrets, kept, text);
    platform_secret_free(text);
    self->locked = found == PLATFORM_KEYRING_LOCKED;
    /* One that can't be reached is not tried again. */
    if (found != PLATFORM_KEYRING_DONE && found != PLATFORM_KEYRING_NOTHING)
        self->looks_up = KEPT_N;
    look_up_next(self);
}

static gboolean on_channel(int fd, GIOCondition condition, gpointer data);

static void hand_over(DialtoneAgentSession *self)
{
    int result = tunnel_frame_send_secrets(self->setup.fd, self->secrets);
    g_clear_pointer(&self->secrets, tunnel_secrets_free);
    if (result < 0)
        g_debug("the secrets could not be handed over: %s", g_strerror(-result));
    self->source = g_unix_fd_add(self->setup.fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_channel, self);
}

static void look_up_next(DialtoneAgentSession *self)
{
    while (self->looks_up < KEPT_N && !is_looked_up(self, self->looks_up))
        self->looks_up++;
    if (self->looks_up >= KEPT_N) {
        hand_over(self);
        return;
    }
    const PlatformKeyringName name = {.profile = keyring_name(self),
                                      .kind = KINDS[self->looks_up].kind};
    dialtone_keyring_lookup(&name, self->cancellable, on_looked_up, self);
}

static void forget_typed(DialtoneAgentSession *self)
{
    for (int i = 0; i < KEPT_N; i++)
        self->to_keep[i] = platform_secret_free(self->to_keep[i]);
}

static void remember_typed(DialtoneAgentSession *self)
{
    for (int i = 0; i < KEPT_N; i++) {
        const char *text = dialtone_prompt_get_kept(DIALTONE_PROMPT(self->prompt), KINDS[i].asked);
        if (text == NULL)
            continue;
        platform_secret_free(self->to_keep[i]);
        self->to_keep[i] = platform_secret_alloc(strlen(text) + 1);
        if (self->to_keep[i] != NULL)
            memcpy(self->to_keep[i], text, strlen(text));
    }
}

/* The gateway has accepted all that was said. */
static void store_typed(DialtoneAgentSession *self)
{
    for (int i = 0; i < KEPT_N; i++) {
        const PlatformKeyringName name = {.profile = keyring_name(self), .kind = KINDS[i].kind};
        g_autofree char *label = g_strdup_printf(
            i == KEPT_PSK ? _("Preshared key of %s") : _("Password of %s"), self->profile->name);
        g_autofree char *key = refused_key(self, i);
        if (self->to_keep[i] == NULL)
            continue;
        dialtone_keyring_store(&name, label, self->to_keep[i]);
        g_hash_table_remove(self->setup.refused, key);
    }
    forget_typed(self);
}

static void note_refusal(DialtoneAgentSession *self, DialtoneFailure reason)
{
    for (int i = 0; i < KEPT_N; i++)
        if (self->from_keyring[i] && KINDS[i].refusal == reason)
            g_hash_table_add(self->setup.refused, refused_key(self, i));
    forget_typed(self);
}

/* What is asked for once more was refused: neither what was typed nor what the keyring has is it. A
 * code of a later round says nothing of the password before it. */
static void note_asked_again(DialtoneAgentSession *self, const TunnelQuestion *question)
{
    for (int kept = 0; question->again && kept < KEPT_N; kept++)
        for (gsize i = 0; i < question->asked_n; i++) {
            if (question->asked[i].once || question->asked[i].kind != KINDS[kept].asked)
                continue;
            self->to_keep[kept] = platform_secret_free(self->to_keep[kept]);
            if (self->from_keyring[kept])
                g_hash_table_add(self->setup.refused, refused_key(self, kept));
        }
}

/* ---- asking ---- */

static void take_prompt_away(DialtoneAgentSession *self)
{
    if (self->prompt != NULL)
        gtk_widget_destroy(self->prompt);
    self->prompt = NULL;
}

static void send_answer(DialtoneAgentSession *self, const TunnelAnswer *answer)
{
    if (tunnel_frame_send_answer(self->setup.fd, self->question, answer) < 0)
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
    remember_typed(self);
    warn_of_weak_psk(self, &answer->given[TUNNEL_ASK_PSK]);
    send_answer(self, answer);
}

static void on_question(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    g_auto(TunnelQuestion) question = {0};
    if (!tunnel_frame_read_question(frame, &question))
        return;
    note_asked_again(self, &question);
    const DialtonePromptSetup setup = {.profile = self->profile,
                                       .question = &question,
                                       .warning = self->warning,
                                       .locked = self->locked};
    take_prompt_away(self);
    self->question = question.id;
    self->prompt = dialtone_prompt_new(&setup);
    gtk_window_set_transient_for(GTK_WINDOW(self->prompt), dialtone_window_find());
    g_signal_connect(self->prompt, "response", G_CALLBACK(on_response), self);
    gtk_window_present(GTK_WINDOW(self->prompt));
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
    if (report->state != DIALTONE_STATE_NEEDS_SECRETS)
        take_prompt_away(self);
    if (report->state == DIALTONE_STATE_CONNECTED)
        store_typed(self);
    else if (report->state == DIALTONE_STATE_FAILED)
        note_refusal(self, report->reason);
}

/* Without a certificate there is nothing to sign with. */
static void on_sign(DialtoneAgentSession *self, const TunnelFrame *frame)
{
    TunnelSigning signing;
    if (tunnel_frame_read_signing(frame, &signing) &&
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
    self->pins = dialtone_pin_folder(getuid());
    self->secrets = tunnel_secrets_new();
    if (self->secrets == NULL) {
        dialtone_agent_session_free(self);
        return NULL;
    }
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
    take_prompt_away(self);
    forget_typed(self);
    tunnel_secrets_free(self->secrets);
    dialtone_profile_free(self->profile);
    close(self->setup.fd);
    g_free(self->connection);
    g_free(self->pins);
    g_free(self->gateway);
    g_free(self->warning);
    g_free(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One agent serves at a time. It is looked for when the connection begins and whenever something is
 * open: a question, or a signature. One that does not take the channel in time, hangs up or
 * breaks the protocol is not asked again for what is open; the next one is.
 *
 * What an agent knows of itself (SECRETS) is joined with what the machine knows, and given to the
 * tunnel once. An agent that comes later may have in its keyring what a question is about that was
 * asked before the first packet; then nobody is asked.
 */
#include "client/service/connection-agent.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "client/tunnel/channel.h"

enum { SERVE_MS = 10 * 1000 };

struct ServiceConnectionAgent {
    ServiceConnectionAgentSetup setup;
    GCancellable *cancellable;
    TunnelChannel *channel;  /* NULL: nobody serves */
    int offered;             /* our end, while an agent is asked; -1 */
    GArray *tried;           /* of guint64: serials of agents that did not help */
    bool given;              /* the tunnel has its secrets */
    bool ended;              /* the tunnel has, or will: nobody is asked any more */
    bool resumed;            /* another agent has served before */
    TunnelQuestion question; /* the last: a copy; id 0: none */
    TunnelSigning signing;   /* the last; id 0: none */
};

static void look(ServiceConnectionAgent *self);

/* The tunnel may have lost interest meanwhile, for instance in what a session wanted that is over.
 */
static bool is_asking(const ServiceConnectionAgent *self)
{
    return tunnel_is_asking(self->setup.tunnel, self->question.id);
}

static bool is_signing(const ServiceConnectionAgent *self)
{
    return tunnel_is_signing(self->setup.tunnel, self->signing.id);
}

/* ---- secrets ---- */

static void join(IkeSecret *into, const IkeSecret *from)
{
    if (!into->known && from->known)
        *into = *from;
}

static void give(ServiceConnectionAgent *self, TunnelSecrets *secrets_take)
{
    TunnelSecrets *system = self->setup.system_secrets_take;
    if (system != NULL) {
        /* What the administrator put there wins over what a user has. */
        TunnelSecrets *users = secrets_take;
        join(&system->user, &users->user);
        join(&system->password, &users->password);
        join(&system->psk, &users->psk);
        memcpy(system->codes, users->codes, sizeof(system->codes));
        system->codes_n = users->codes_n;
        tunnel_secrets_free(users);
        secrets_take = system;
        self->setup.system_secrets_take = NULL;
    }
    self->given = true;
    tunnel_give_secrets(self->setup.tunnel, secrets_take);
}

static const IkeSecret *known_for(const TunnelSecrets *secrets, guint kind)
{
    if (kind == TUNNEL_ASK_PSK)
        return &secrets->psk;
    if (kind == IKE_ASK_USER)
        return &secrets->user;
    return kind == IKE_ASK_PASSWORD ? &secrets->password : NULL;
}

/* True where the agent's own secrets answer all that is asked; never the gateway's words, nor what
 * was refused before. */
static bool answer_with(ServiceConnectionAgent *self, const TunnelSecrets *secrets)
{
    const TunnelQuestion *question = &self->question;
    g_autoptr(TunnelAnswer) answer = tunnel_answer_new();
    if (answer == NULL || question->again || *question->message != '\0' ||
        *question->challenge != '\0')
        return false;
    for (gsize i = 0; i < question->asked_n; i++) {
        const TunnelAsked *asked = &question->asked[i];
        const IkeSecret *known = asked->once ? NULL : known_for(secrets, asked->kind);
        if (known == NULL || !known->known)
            return false;
        answer->given[asked->kind] = *known;
    }
    /* Nobody has typed it. */
    answer->by_program = true;
    tunnel_answer(self->setup.tunnel, question->id, answer);
    return true;
}

static void send_open(ServiceConnectionAgent *self)
{
    int fd = tunnel_channel_fd(self->channel);
    int result = 0;
    if (is_asking(self))
        result = tunnel_frame_send_question(fd, &self->question);
    if (result == 0 && is_signing(self))
        result = tunnel_frame_send_signing(fd, &self->signing);
    if (result < 0)
        g_debug("the agent does not read: %s", g_strerror(-result));
}

static void on_secrets(TunnelSecrets *secrets_take, gpointer data)
{
    ServiceConnectionAgent *self = data;
    if (!self->given) {
        give(self, secrets_take);
        return;
    }
    bool answered = is_asking(self) && answer_with(self, secrets_take);
    tunnel_secrets_free(secrets_take);
    if (!answered)
        send_open(self);
}

static void on_credentials(TunnelCredentials *credentials_take, gpointer data)
{
    const ServiceConnectionAgent *self = data;
    const ServiceCredential *own = self->setup.credential;
    if (own != NULL)
        credentials_take = service_credential_share(own, credentials_take);
    tunnel_give_credentials(self->setup.tunnel, credentials_take);
}

/* ---- the channel ---- */

/* Wanted: whatever nobody has answered yet. */
static bool needs_somebody(const ServiceConnectionAgent *self)
{
    return !self->ended && (!self->given || is_asking(self) || is_signing(self));
}

static void on_closed(int error, gpointer data)
{
    ServiceConnectionAgent *self = data;
    if (error < 0 && error != -ECONNRESET)
        g_message("an agent of uid %u is not heard any more: %s", (unsigned)self->setup.owner,
                  g_strerror(-error));
    g_clear_pointer(&self->channel, tunnel_channel_free);
    if (needs_somebody(self))
        look(self);
}

/* Who has nothing to begin with knows why. Later it is one agent less. */
static void on_refused(const GError *why, gpointer data)
{
    ServiceConnectionAgent *self = data;
    if (self->given) {
        on_closed(0, data);
        return;
    }
    /* Whoever refused may be gone before the tunnel is. */
    self->ended = true;
    self->setup.refused(why, self->setup.data);
}

static const TunnelChannelHandlers CHANNEL = {.secrets = on_secrets,
                                              .credentials = on_credentials,
                                              .refused = on_refused,
                                              .closed = on_closed};

static void on_served(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);
    if (answer == NULL && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    ServiceConnectionAgent *self = data;
    int fd = self->offered;
    self->offered = -1;
    if (answer != NULL) {
        self->channel = tunnel_channel_new(fd, self->setup.tunnel, &CHANNEL, self);
        self->resumed = true;
        return;
    }
    g_message("an agent of uid %u does not serve: %s", (unsigned)self->setup.owner, error->message);
    close(fd);
    look(self);
}

static GVariant *options_of(const ServiceConnectionAgent *self)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "path",
                          g_variant_new_object_path(self->setup.profile_path));
    g_variant_builder_add(&options, "{sv}", "layer", g_variant_new_string(self->setup.layer));
    g_variant_builder_add(&options, "{sv}", "resumed", g_variant_new_boolean(self->resumed));
    g_variant_builder_add(
        &options, "{sv}", "has-certificate",
        g_variant_new_boolean(service_credential_has_own(self->setup.credential)));
    g_variant_builder_add(
        &options, "{sv}", "has-authorities",
        g_variant_new_boolean(service_credential_has_authorities(self->setup.credential)));
    return g_variant_builder_end(&options);
}

static bool serve(ServiceConnectionAgent *self, const ServiceAgent *agent)
{
    int ends[2];
    if (tunnel_frame_pair(ends) < 0)
        return false;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new_from_array(&ends[1], 1);
    self->offered = ends[0];
    g_array_append_val(self->tried, agent->serial);
    g_dbus_connection_call_with_unix_fd_list(
        self->setup.bus, agent->bus_name, agent->path, "org.dialtone.Agent1", "Serve",
        g_variant_new("(os@a{sv}h)", self->setup.connection, self->setup.profile_text,
                      options_of(self), 0),
        NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, SERVE_MS, fds, self->cancellable, on_served, self);
    return true;
}

/* A tunnel with a preshared key asks for it when there is somebody to hear; one with a certificate
 * that the service does not have can't begin without. */
static void nobody_serves(ServiceConnectionAgent *self)
{
    if (self->given)
        return;
    if (self->setup.needs_credentials) {
        self->setup.waiting(self->setup.data);
        return;
    }
    TunnelSecrets *none = tunnel_secrets_new();
    if (none != NULL)
        give(self, none);
}

static void look(ServiceConnectionAgent *self)
{
    if (self->channel != NULL || self->offered >= 0 || !needs_somebody(self))
        return;
    const ServiceAgent *agent = service_agents_pick(self->setup.agents, self->setup.owner,
                                                    self->setup.preferred, self->tried);
    if (agent == NULL || !serve(self, agent))
        nobody_serves(self);
}

/* What is open now is new, so everybody may be asked again. */
static void look_for_everybody(ServiceConnectionAgent *self)
{
    g_array_set_size(self->tried, 0);
    look(self);
}

/* ---- what the tunnel says ---- */

static bool is_served(const ServiceConnectionAgent *self)
{
    return self != NULL && self->channel != NULL && tunnel_channel_is_ready(self->channel);
}

bool service_connection_agent_is_tried(const ServiceConnectionAgent *self)
{
    return self->channel != NULL || self->offered >= 0;
}

/* Who has been offered the channel, and whose answer is on its way, finds it there: a connection
 * may have failed before that. */
static void tell(const ServiceConnectionAgent *self, TunnelFrameType type, const void *bytes,
                 gsize n)
{
    const int fd = self->channel != NULL ? tunnel_channel_fd(self->channel) : self->offered;
    if (fd >= 0 && tunnel_frame_send(fd, type, bytes, n) < 0)
        g_debug("the agent does not read");
}

void service_connection_agent_report(ServiceConnectionAgent *self, const char *json)
{
    tell(self, TUNNEL_FRAME_REPORT, json, strlen(json));
}

void service_connection_agent_notice(ServiceConnectionAgent *self, const char *text)
{
    if (is_served(self) && tunnel_frame_send(tunnel_channel_fd(self->channel), TUNNEL_FRAME_NOTICE,
                                             text, strlen(text)) < 0)
        g_debug("the agent does not read");
}

void service_connection_agent_question(ServiceConnectionAgent *self, const TunnelQuestion *question)
{
    tunnel_question_clear(&self->question);
    self->question = *question;
    self->question.user_name = g_strdup(question->user_name);
    self->question.challenge = g_strdup(question->challenge);
    self->question.message = g_strdup(question->message);
    if (is_served(self))
        send_open(self);
    else
        look_for_everybody(self);
}

void service_connection_agent_sign(ServiceConnectionAgent *self, const TunnelSigning *signing)
{
    self->signing = *signing;
    if (is_served(self))
        send_open(self);
    else
        look_for_everybody(self);
}

void service_connection_agent_end(ServiceConnectionAgent *self, DialtoneFailure code)
{
    const guint8 byte = (guint8)code;
    self->ended = true;
    tell(self, TUNNEL_FRAME_END, &byte, 1);
}

/* ---- life ---- */

void service_connection_agent_look(ServiceConnectionAgent *self)
{
    look(self);
}

ServiceConnectionAgent *service_connection_agent_new(const ServiceConnectionAgentSetup *setup)
{
    ServiceConnectionAgent *self = g_new0(ServiceConnectionAgent, 1);
    self->setup = *setup;
    self->given = setup->given;
    self->offered = -1;
    self->cancellable = g_cancellable_new();
    self->tried = g_array_new(FALSE, FALSE, sizeof(guint64));
    return self;
}

void service_connection_agent_free(ServiceConnectionAgent *self)
{
    if (self == NULL)
        return;
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    tunnel_channel_free(self->channel);
    if (self->offered >= 0)
        close(self->offered);
    tunnel_question_clear(&self->question);
    tunnel_secrets_free(self->setup.system_secrets_take);
    g_array_unref(self->tried);
    g_free(self);
}

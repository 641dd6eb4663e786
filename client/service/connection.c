/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a connection in the service: a helper is asked for, then the tunnel starts, and an
 * agent serves it as far as one is needed. The agent may leave when the tunnel has what it needs;
 * what is asked for when none is there waits for the next, and the state says so.
 *
 * A connection that failed stays on the bus, without a tunnel, until it is wanted again or taken
 * away: who looks later shall find why.
 */
#include "client/service/connection-private.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/entry.h"
#include "client/profile/parse.h"
#include "client/service/helper-client.h"
#include "client/service/log.h"
#include "client/tunnel/datapath.h"
#include "client/tunnel/memory.h"
#include "client/tunnel/tunnel.h"
#include "client/tunnel/warm-up.h"
#include "platform/clock.h"
#include "platform/connectivity.h"

enum {
    AGAIN_MAX = 5,      /* helpers, */
    AGAIN_SECONDS = 60, /* each that soon after the one before */
    REPORTS_MAX = 32,   /* for who comes to read a state when others have followed it */
};

static void on_helper(GObject *source, GAsyncResult *result, gpointer data);

/* ---- what it says ---- */

static void publish(ServiceConnection *self, const DialtoneReport *report);

static void keep_report(ServiceConnection *self, const DialtoneReport *report)
{
    g_queue_push_tail(&self->reports, dialtone_report_to_json(report));
    if (self->reports.length > REPORTS_MAX)
        g_free(g_queue_pop_head(&self->reports));
    dialtone_bus_connection_set_state(self->skeleton, dialtone_state_name(report->state));
    dialtone_bus_connection_set_serial(self->skeleton,
                                       dialtone_bus_connection_get_serial(self->skeleton) + 1);
    /* At once: GDBus would send the last of several states alone. */
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(self->skeleton));
}

/* What was told is told again, with other advice: that of the portal that is there, or, when it has
 * gone, that what failed there is worth another attempt. */
static void on_portal(bool is_portal, gpointer data)
{
    ServiceConnection *self = data;
    const char *last = service_connection_report(self);
    g_autoptr(DialtoneReport) report = dialtone_report_from_json(last, strlen(last), NULL);
    if (report == NULL)
        return;
    g_free(report->advice);
    report->advice = report->state == DIALTONE_STATE_FAILED ? g_strdup(_("Connect again.")) : NULL;
    report->remedy = DIALTONE_REMEDY_NONE;
    publish(self, report);
}

static bool is_behind_portal(ServiceConnection *self, const DialtoneReport *report)
{
    if (!dialtone_report_is_out_of_reach(report)) {
        g_clear_pointer(&self->portal, platform_portal_watch_free);
        return false;
    }
    if (self->portal == NULL)
        self->portal = platform_portal_watch_new(self->setup.bus, on_portal, self);
    return platform_portal_watch_is_portal(self->portal);
}

static void publish(ServiceConnection *self, const DialtoneReport *report)
{
    DialtoneReport told = *report;
    if (is_behind_portal(self, report)) {
        told.advice = (char *)(uintptr_t)dialtone_report_portal_advice();
        told.remedy = DIALTONE_REMEDY_NONE;
    }
    keep_report(self, &told);
    self->state = report->state;
    self->failure = report->reason;
    self->was_connected |= report->state == DIALTONE_STATE_CONNECTED;
    g_autofree char *line = dialtone_report_to_line(&told);
    service_log(self->setup.owner, self->profile->name, "%s", line);
    if (self->agent != NULL)
        service_connection_agent_report(self->agent, service_connection_report(self));
}

/* The helper's end is not the user's fault, and costs one reconnect; but not for ever. */
static bool may_begin_again(const ServiceConnection *self)
{
    return self->tunnel != NULL && self->was_connected && !self->stopping &&
           self->refused == NULL && self->again < AGAIN_MAX && tunnel_lost_its_helper(self->tunnel);
}

static void publish_failure(ServiceConnection *self, const GError *error)
{
    g_autoptr(DialtoneReport) report =
        dialtone_report_new(DIALTONE_STATE_FAILED, self->profile->name);
    dialtone_report_take_error(report, error);
    publish(self, report);
}

static void on_report(const DialtoneReport *report, gpointer data)
{
    ServiceConnection *self = data;
    if (report->state == DIALTONE_STATE_IDLE && self->refused != NULL && !self->stopping) {
        publish_failure(self, self->refused);
        return;
    }
    /* It was, from the beginning, before there was a tunnel. */
    if (report->state == DIALTONE_STATE_RESOLVING && self->state == DIALTONE_STATE_RESOLVING)
        return;
    bool ends =
        report->state == DIALTONE_STATE_DISCONNECTING || report->state == DIALTONE_STATE_FAILED;
    if (!ends || !may_begin_again(self)) {
        publish(self, report);
        return;
    }
    if (report->state == DIALTONE_STATE_DISCONNECTING)
        return;
    g_autoptr(DialtoneReport) lost =
        dialtone_report_new(DIALTONE_STATE_RECONNECTING, report->profile);
    lost->reason = report->reason;
    lost->message = g_strdup(report->message);
    publish(self, lost);
}

static void on_notice(const char *text, gpointer data)
{
    ServiceConnection *self = data;
    service_log(self->setup.owner, self->profile->name, "%s", text);
    service_connection_agent_notice(self->agent, text);
}

static void on_question(const TunnelQuestion *question, gpointer data)
{
    ServiceConnection *self = data;
    service_connection_agent_question(self->agent, question);
}

/* Whose certificate the tunnel shows: while a change waits that is the former's. */
static ServiceCredential *signer(const ServiceConnection *self)
{
    const bool waits = self->former != NULL && !tunnel_change_is_tried(self->tunnel);
    return waits ? self->former->credential : self->setup.credential_take;
}

/* Outside of the tunnel's call: it takes nothing from within one. */
static gboolean on_idle_to_sign(gpointer data)
{
    ServiceConnection *self = data;
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    self->sign_idle = 0;
    if (self->tunnel == NULL || !tunnel_is_signing(self->tunnel, self->signing.id) ||
        !service_credential_has_own(signer(self)))
        return G_SOURCE_REMOVE;
    g_autoptr(GBytes) signature = service_credential_sign(signer(self), &self->signing, &error);
    if (signature == NULL)
        service_log(self->setup.owner, self->profile->name, "%s", error->message);
    const guint8 *bytes = signature != NULL ? g_bytes_get_data(signature, &n) : NULL;
    tunnel_give_signature(self->tunnel, self->signing.id, bytes, n);
    return G_SOURCE_REMOVE;
}

static void on_sign(const TunnelSigning *signing, gpointer data)
{
    ServiceConnection *self = data;
    if (!service_credential_has_own(signer(self))) {
        service_connection_agent_sign(self->agent, signing);
        return;
    }
    self->signing = *signing;
    if (self->sign_idle == 0)
        self->sign_idle = g_idle_add(on_idle_to_sign, self);
}

/* ---- the end ---- */

/* With all that was known; an agent is asked for what is not. That is the former's, where a change
 * was not connected with yet: it would go to the gateway of another profile. */
static void begin_again(ServiceConnection *self)
{
    const ServiceHelperOwner owner = {.uid = self->setup.owner};
    gint64 now = g_get_monotonic_time();
    self->again = now - self->began_again < AGAIN_SECONDS * G_USEC_PER_SEC ? self->again + 1 : 1;
    self->began_again = now;
    tunnel_forget_change(self->tunnel);
    (void)service_connection_go_back(self, DIALTONE_FAILURE_TUNNEL_LOST);
    tunnel_secrets_free(self->setup.system_secrets_take);
    tunnel_credentials_free(self->credentials);
    self->setup.system_secrets_take = tunnel_steal_secrets(self->tunnel);
    self->credentials = tunnel_steal_credentials(self->tunnel);
    tunnel_memory_free(self->memory);
    self->memory = tunnel_memory_new(self->tunnel);
    g_clear_pointer(&self->agent, service_connection_agent_free);
    g_clear_pointer(&self->tunnel, tunnel_free);
    service_log(self->setup.owner, self->profile->name, "begins again with another helper");
    service_helper_open(self->setup.bus, &owner, self->cancellable, on_helper, self);
}

static gboolean on_idle_after_end(gpointer data)
{
    ServiceConnection *self = data;
    self->idle = 0;
    if (may_begin_again(self)) {
        begin_again(self);
        return G_SOURCE_REMOVE;
    }
    g_clear_pointer(&self->agent, service_connection_agent_free);
    g_clear_pointer(&self->tunnel, tunnel_free);
    if (!self->stopping) {
        /* It stays to tell of its end, and keeps nothing else. */
        (void)service_connection_go_back(self, DIALTONE_FAILURE_NONE);
        g_clear_pointer(&self->setup.system_secrets_take, tunnel_secrets_free);
        g_clear_pointer(&self->credentials, tunnel_credentials_free);
        g_clear_pointer(&self->setup.credential_take, service_credential_free);
        self->setup.failed(self, self->setup.data);
        return G_SOURCE_REMOVE;
    }
    for (guint i = 0; i < self->waiting->len; i++)
        g_dbus_method_invocation_return_value(self->waiting->pdata[i], NULL);
    g_ptr_array_set_size(self->waiting, 0);
    self->setup.gone(self, self->setup.data);
    return G_SOURCE_REMOVE;
}

/* What has ended is freed when nobody is inside of it any more. */
static void end(ServiceConnection *self, DialtoneFailure code)
{
    self->stopping |= code == DIALTONE_FAILURE_NONE;
    if (self->agent != NULL && !may_begin_again(self))
        service_connection_agent_end(self->agent, code);
    if (self->idle == 0)
        self->idle = g_idle_add(on_idle_after_end, self);
}

static void on_ended(DialtoneFailure code, gpointer data)
{
    const ServiceConnection *self = data;
    bool refused = self->refused != NULL && !self->stopping && code == DIALTONE_FAILURE_NONE;
    end(data, refused ? dialtone_failure_of(self->refused) : code);
}

static const TunnelHandlers TUNNEL = {
    .report = on_report,
    .question = on_question,
    .sign = on_sign,
    .notice = on_notice,
    .changed = service_connection_on_changed,
    .ended = on_ended,
};

static void fail(ServiceConnection *self, const GError *error)
{
    publish_failure(self, error);
    end(self, dialtone_failure_of(error));
}

void service_connection_stop(ServiceConnection *self, GDBusMethodInvocation *invocation_take)
{
    if (invocation_take != NULL)
        g_ptr_array_add(self->waiting, invocation_take);
    self->stopping = true;
    if (self->tunnel != NULL && self->idle == 0) {
        tunnel_stop(self->tunnel);
        return;
    }
    g_cancellable_cancel(self->cancellable);
    if (self->idle == 0)
        end(self, DIALTONE_FAILURE_NONE);
}

void service_connection_refuse(ServiceConnection *self, const GError *why)
{
    if (self->stopping || self->refused != NULL || self->idle != 0)
        return;
    self->refused = g_error_copy(why);
    if (self->tunnel != NULL) {
        tunnel_stop(self->tunnel);
        return;
    }
    g_cancellable_cancel(self->cancellable);
    fail(self, self->refused);
}

/* ---- the beginning ---- */

/* The state that it waits in has no tunnel behind it yet, so it is told here. */
static void on_waiting(gpointer data)
{
    ServiceConnection *self = data;
    /* What it has carries on until then. */
    if (self->former != NULL) {
        service_log(self->setup.owner, self->profile->name,
                    "the changed profile waits for a program of its user's");
        return;
    }
    g_autoptr(DialtoneReport) report =
        dialtone_report_new(DIALTONE_STATE_NEEDS_SECRETS, self->profile->name);
    publish(self, report);
}

/* The same of an agent that can't have what the profile needs. */
static void on_refused(const GError *why, gpointer data)
{
    ServiceConnection *self = data;
    if (self->former == NULL) {
        tunnel_fail(self->tunnel, why);
        return;
    }
    service_connection_on_changed(dialtone_failure_of(why), self);
    tunnel_refuse_change(self->tunnel, why);
}

static bool needs_credentials(const ServiceConnection *self)
{
    return self->profile->auth != DIALTONE_AUTH_PSK &&
           !service_credential_is_complete(self->setup.credential_take) &&
           !tunnel_change_keeps_credentials(self->tunnel);
}

void service_connection_begin_agent(ServiceConnection *self, bool given)
{
    const ServiceConnectionAgentSetup agent = {
        .bus = self->setup.bus,
        .agents = self->setup.agents,
        .owner = self->setup.owner,
        .preferred = self->setup.agent,
        .connection = self->path,
        .profile_path = self->setup.profile_path,
        .profile_text = self->setup.profile_text,
        .layer = self->setup.layer,
        .needs_credentials = needs_credentials(self),
        .given = given,
        .credential = self->setup.credential_take,
        .tunnel = self->tunnel,
        .system_secrets_take = g_steal_pointer(&self->setup.system_secrets_take),
        .waiting = on_waiting,
        .refused = on_refused,
        .data = self,
    };
    self->agent = service_connection_agent_new(&agent);
}

static void begin(ServiceConnection *self, GDBusConnection *helper_take)
{
    g_autoptr(GError) error = NULL;
    const TunnelSetup setup = {
        .profile_take = dialtone_profile_parse(self->setup.profile_text,
                                               strlen(self->setup.profile_text), "profile", NULL),
        .is_system = !service_connection_is_users(self),
        .helper_take = helper_take,
        .warm_up_take = g_steal_pointer(&self->warm_up),
        .began = platform_clock_now(),
        .handlers = &TUNNEL,
        .data = self};
    self->tunnel = tunnel_new(&setup, &error);
    if (self->tunnel == NULL) {
        fail(self, error);
        return;
    }
    tunnel_remember(self->tunnel, self->memory);
    tunnel_start(self->tunnel);
    if (self->credentials != NULL)
        tunnel_give_credentials(self->tunnel, g_steal_pointer(&self->credentials));
    else if (service_credential_is_complete(self->setup.credential_take))
        tunnel_give_credentials(self->tunnel,
                                service_credential_share(self->setup.credential_take, NULL));
    service_connection_begin_agent(self, false);
    service_connection_agent_look(self->agent);
}

static void on_helper(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *helper = service_helper_open_finish(result, &error);
    if (helper == NULL && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    ServiceConnection *self = data;
    if (helper == NULL)
        fail(self, error);
    else if (self->stopping)
        g_object_unref(helper);
    else
        begin(self, helper);
}

/* When it is on the bus, so that others see how it goes. */
static gboolean on_idle_to_fail(gpointer data)
{
    ServiceConnection *self = data;
    self->idle = 0;
    fail(self, self->setup.error_take);
    return G_SOURCE_REMOVE;
}

static void export(ServiceConnection *self)
{
    self->skeleton = dialtone_bus_connection_skeleton_new();
    self->object = dialtone_bus_object_skeleton_new(self->path);
    dialtone_bus_connection_set_profile(self->skeleton, self->setup.profile_path);
    dialtone_bus_connection_set_name(self->skeleton, self->profile->name);
    dialtone_bus_connection_set_owner(self->skeleton, self->setup.owner);
    g_autoptr(DialtoneReport) report = dialtone_report_new(self->state, self->profile->name);
    keep_report(self, report);
    dialtone_bus_object_skeleton_set_connection(self->object, self->skeleton);
}

ServiceConnection *service_connection_new(const ServiceConnectionSetup *setup)
{
    ServiceConnection *self = g_new0(ServiceConnection, 1);
    const ServiceHelperOwner owner = {.uid = setup->owner};
    self->setup = *setup;
    self->path = g_strdup(setup->path);
    self->setup.profile_path = g_strdup(setup->profile_path);
    self->setup.profile_text = g_strdup(setup->profile_text);
    self->setup.override = g_strdup(setup->override);
    self->setup.layer = g_strdup(setup->layer);
    self->setup.agent = g_strdup(setup->agent);
    self->profile =
        dialtone_profile_parse(setup->profile_text, strlen(setup->profile_text), "profile", NULL);
    self->state = DIALTONE_STATE_RESOLVING;
    self->cancellable = g_cancellable_new();
    self->waiting = g_ptr_array_new();
    export(self);
    if (setup->error_take != NULL) {
        self->idle = g_idle_add(on_idle_to_fail, self);
        return self;
    }
    self->warm_up = tunnel_warm_up_proposal(self->profile);
    service_helper_open(setup->bus, &owner, self->cancellable, on_helper, self);
    return self;
}

void service_connection_free(ServiceConnection *self)
{
    if (self == NULL)
        return;
    g_cancellable_cancel(self->cancellable);
    g_clear_handle_id(&self->idle, g_source_remove);
    g_clear_handle_id(&self->sign_idle, g_source_remove);
    platform_portal_watch_free(self->portal);
    service_connection_agent_free(self->agent);
    tunnel_free(self->tunnel);
    tunnel_warm_up_free(self->warm_up);
    tunnel_secrets_free(self->setup.system_secrets_take);
    tunnel_credentials_free(self->credentials);
    service_credential_free(self->setup.credential_take);
    tunnel_memory_free(self->memory);
    service_connection_forget_former(self);
    g_clear_error(&self->setup.error_take);
    g_clear_error(&self->refused);
    for (guint i = 0; i < self->waiting->len; i++)
        g_dbus_method_invocation_return_value(self->waiting->pdata[i], NULL);
    g_ptr_array_unref(self->waiting);
    g_dbus_object_manager_server_unexport(self->setup.server, self->path);
    g_object_unref(self->object);
    g_object_unref(self->skeleton);
    g_object_unref(self->cancellable);
    dialtone_profile_free(self->profile);
    g_free((char *)(uintptr_t)self->setup.profile_path);
    g_free((char *)(uintptr_t)self->setup.profile_text);
    g_free((char *)(uintptr_t)self->setup.override);
    g_free((char *)(uintptr_t)self->setup.layer);
    g_free((char *)(uintptr_t)self->setup.agent);
    g_queue_clear_full(&self->reports, g_free);
    g_free(self->path);
    g_free(self);
}

/* ---- what others ask ---- */

DialtoneBusObjectSkeleton *service_connection_object(const ServiceConnection *self)
{
    return self->object;
}

const char *service_connection_path(const ServiceConnection *self)
{
    return self->path;
}

const char *service_connection_text(const ServiceConnection *self)
{
    return self->setup.profile_text;
}

bool service_connection_is_users(const ServiceConnection *self)
{
    return strcmp(self->setup.layer, dialtone_layer_name(DIALTONE_LAYER_USER)) == 0;
}

const char *service_connection_override(const ServiceConnection *self)
{
    return self->setup.override;
}

uid_t service_connection_owner(const ServiceConnection *self)
{
    return self->setup.owner;
}

const DialtoneProfile *service_connection_profile(const ServiceConnection *self)
{
    return self->profile;
}

bool service_connection_has_failed(const ServiceConnection *self)
{
    return self->state == DIALTONE_STATE_FAILED;
}

DialtoneFailure service_connection_failure(const ServiceConnection *self)
{
    return self->failure;
}

bool service_connection_waits_for_anybody(const ServiceConnection *self)
{
    return self->setup.owner == 0 && self->setup.agent == NULL &&
           self->state == DIALTONE_STATE_NEEDS_SECRETS &&
           (self->agent == NULL || !service_connection_agent_is_tried(self->agent));
}

bool service_connection_was_connected(const ServiceConnection *self)
{
    return self->was_connected;
}

const char *service_connection_report(const ServiceConnection *self)
{
    return self->reports.tail->data;
}

GVariant *service_connection_reports(const ServiceConnection *self, guint after)
{
    const guint last = dialtone_bus_connection_get_serial(self->skeleton);
    guint serial = last - self->reports.length + 1; /* of the oldest that is kept */
    GVariantBuilder reports;
    g_variant_builder_init(&reports, G_VARIANT_TYPE_STRING_ARRAY);
    for (const GList *one = self->reports.head; one != NULL; one = one->next)
        if (serial++ > after)
            g_variant_builder_add(&reports, "s", one->data);
    return g_variant_new("(uas)", last, &reports);
}

GVariant *service_connection_counters(const ServiceConnection *self)
{
    DatapathStats stats = {0};
    GVariantBuilder drops;
    g_variant_builder_init(&drops, G_VARIANT_TYPE("a{st}"));
    if (self->tunnel != NULL)
        tunnel_stats(self->tunnel, &stats);
    for (int i = 0; i < DATAPATH_DROPS; i++)
        if (stats.drops[i] != 0)
            g_variant_builder_add(&drops, "{st}", datapath_drop_name((DatapathDrop)i),
                                  (guint64)stats.drops[i]);
    return g_variant_new("(tttta{st})", (guint64)stats.bytes_in, (guint64)stats.packets_in,
                         (guint64)stats.bytes_out, (guint64)stats.packets_out, &drops);
}

GVariant *service_connection_offloads(const ServiceConnection *self)
{
    g_auto(GStrv) offloads =
        dialtone_offload_list(self->tunnel != NULL ? tunnel_offloads(self->tunnel) : 0);

    return g_variant_new("(^as)", offloads);
}

void service_connection_renegotiate(ServiceConnection *self)
{
    /* What the profile is now waits or is tried already, and brings new keys. */
    if (self->tunnel != NULL && self->former == NULL)
        tunnel_keep_profile(self->tunnel);
}

void service_connection_agent_came(ServiceConnection *self)
{
    if (self->agent != NULL)
        service_connection_agent_look(self->agent);
}

void service_connection_set_profile(ServiceConnection *self, const char *path)
{
    dialtone_bus_connection_set_profile(self->skeleton, path);
}

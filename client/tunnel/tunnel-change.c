/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A changed profile takes the place of the former while the network stays as it is: routes, kill
 * switch, interface and sockets are those of the tunnel and not of a profile, so that nothing which
 * is meant for the tunnel leaves beside it. The gateway is told good-bye, and the session that
 * follows asks for the same address inside; once that stands, the helper is told what differs.
 *
 * What a gateway refuses, or nobody has a secret for, is given up as a first connect would be, and
 * the tunnel goes on with the former profile, its secrets and its certificates. That is told in the
 * state until another change is taken. It is done from the timer, for what fails may be a session
 * in the midst of its events.
 *
 * A secret of the former stays known where it is for the same: the key for the same identities and
 * gateways, the password for the same user of the same gateways.
 */
#include "client/tunnel/tunnel-change.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/tunnel/memory.h"
#include "client/tunnel/provider.h"
#include "client/tunnel/tunnel-killswitch.h"
#include "client/tunnel/tunnel-private.h"

struct TunnelFormer {
    DialtoneProfile *profile;
    TunnelSecrets *secrets;
    TunnelCredentials *credentials;
    const IkeGroup *weakest;
    IkeAddress good;
    char *good_host, *good_backup;
    GPtrArray *backups;
};

/* A setting of a profile. */
typedef struct Setting {
    const char *group, *key;
} Setting;

static const Setting OF_GATEWAY[] = {{"Gateway", "Address"}, {"Gateway", "RemoteID"}};
static const Setting OF_KEY[] = {{"Identity", "ID"}, {"Identity", "Auth"}};
static const Setting OF_USER[] = {{"UserAuth", "User"}};
static const Setting OF_CERTIFICATES[] = {{"Identity", "Auth"}, {"Identity", "Certificate"},
                                          {"Identity", "Key"},  {"Identity", "CA"},
                                          {"Identity", "CRL"},  {"Identity", "RequireCRL"}};

static bool are_same(const DialtoneProfile *a, const DialtoneProfile *b, const Setting *settings,
                     gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (g_strcmp0(dialtone_profile_value(a, settings[i].group, settings[i].key),
                      dialtone_profile_value(b, settings[i].group, settings[i].key)) != 0)
            return false;
    return true;
}

#define ARE_SAME(a, b, settings) are_same(a, b, settings, G_N_ELEMENTS(settings))

static void former_free(TunnelFormer *former)
{
    if (former == NULL)
        return;
    dialtone_profile_free(former->profile);
    tunnel_secrets_free(former->secrets);
    tunnel_credentials_free(former->credentials);
    g_free(former->good_host);
    g_free(former->good_backup);
    g_clear_pointer(&former->backups, g_ptr_array_unref);
    g_free(former);
}

/* ---- whether it can be taken ---- */

static bool is_of_family(const DialtoneEndpoint *endpoint, bool is_ip6)
{
    return !endpoint->is_ip || (strchr(endpoint->host, ':') != NULL) == is_ip6;
}

/* The sockets are those that the tunnel began with. */
static bool can_be_called(const Tunnel *self, const DialtoneProfile *profile)
{
    for (guint i = 0; i < profile->gateways->len; i++) {
        const DialtoneEndpoint *endpoint = &g_array_index(profile->gateways, DialtoneEndpoint, i);
        if ((!self->lacks4 && is_of_family(endpoint, false)) ||
            (!self->lacks6 && is_of_family(endpoint, true)))
            return true;
    }
    return false;
}

static bool can_be_taken(const Tunnel *self, const DialtoneProfile *profile, GError **error)
{
    const char *advice = _("Disconnect, and connect again.");
    if (self->end != TUNNEL_END_NOT || !tunnel_is_wanted_back(self))
        dialtone_failure_set(error, DIALTONE_FAILURE_TUNNEL_LOST, advice,
                             _("The tunnel is not up, so it can't take a changed profile."));
    else if (g_strcmp0(profile->name, self->profile->name) != 0)
        dialtone_failure_set(error, DIALTONE_FAILURE_USAGE, advice,
                             _("[Profile] Name can't be changed while the tunnel is up."));
    else if (tunnel_change_is_tried(self)) /* one at a time: whose failure it was must be known */
        dialtone_failure_set(error, DIALTONE_FAILURE_USAGE, _("Try again in a moment."),
                             _("The profile was changed; the tunnel is set up with it again."));
    else if (!can_be_called(self, profile))
        dialtone_failure_set(error, DIALTONE_FAILURE_USAGE, advice,
                             _("[Gateway] Address can't be changed from IPv4 to IPv6 or back while "
                               "the tunnel is up."));
    else
        return tunnel_provider_check(profile, TUNNEL_FIPS_FLAG, error);
    return false;
}

static void forget_waiting(TunnelChange *change)
{
    g_clear_pointer(&change->profile, dialtone_profile_free);
    g_clear_pointer(&change->credentials, tunnel_credentials_free);
}

bool tunnel_change(Tunnel *self, DialtoneProfile *profile_take, GError **error)
{
    g_autoptr(DialtoneProfile) profile = profile_take;
    if (!can_be_taken(self, profile, error))
        return false;
    forget_waiting(&self->change);
    self->change.profile = g_steal_pointer(&profile);
    return true;
}

bool tunnel_change_keeps_credentials(const Tunnel *self)
{
    return self->change.profile != NULL && self->credentials != NULL &&
           ARE_SAME(self->profile, self->change.profile, OF_CERTIFICATES);
}

bool tunnel_change_is_tried(const Tunnel *self)
{
    return self->change.former != NULL;
}

DialtoneKillSwitch tunnel_change_kill_switch(const Tunnel *self)
{
    const TunnelFormer *former = self->change.former;
    return former != NULL ? former->profile->kill_switch : DIALTONE_KILL_SWITCH_NO;
}

/* ---- telling ---- */

static void tell_again(Tunnel *self)
{
    if (self->state == DIALTONE_STATE_CONNECTED)
        tunnel_set_state(self, DIALTONE_STATE_CONNECTED);
}

static void tell(Tunnel *self)
{
    const char *advice = dialtone_failure_advice(self->change.refused);
    tunnel_notice(self, "%s", self->change.refused->message);
    if (advice != NULL)
        tunnel_notice(self, "%s", advice);
}

void tunnel_refuse_change(Tunnel *self, const GError *why)
{
    forget_waiting(&self->change);
    g_clear_error(&self->change.refused);
    dialtone_failure_set(&self->change.refused, dialtone_failure_of(why),
                         dialtone_failure_advice(why),
                         _("The changed profile is not taken, and the tunnel goes on as it was: "
                           "%s"),
                         why->message);
    tell(self);
    tell_again(self);
}

void tunnel_keep_profile(Tunnel *self)
{
    const bool told = self->change.refused != NULL;
    forget_waiting(&self->change);
    g_clear_error(&self->change.refused);
    if (told)
        tell_again(self);
    tunnel_renegotiate(self);
}

/* ---- taking it ---- */

static void keep(IkeSecret *into, const IkeSecret *known)
{
    if (!into->known && known->known)
        *into = *known;
}

static void join(Tunnel *self, TunnelSecrets *into, const DialtoneProfile *profile)
{
    const TunnelSecrets *known = self->secrets;
    if (known == NULL || !ARE_SAME(self->profile, profile, OF_GATEWAY))
        return;
    if (ARE_SAME(self->profile, profile, OF_KEY))
        keep(&into->psk, &known->psk);
    if (!ARE_SAME(self->profile, profile, OF_USER))
        return;
    keep(&into->user, &known->user);
    keep(&into->password, &known->password);
    /* Those of a file that are left: it tells not which of them have been used. */
    memcpy(into->codes, known->codes, sizeof(into->codes));
    into->codes_n = known->codes_n;
}

/* Nothing of the gateways that are called no more. */
static void forget_gateways(Tunnel *self)
{
    self->good = (IkeAddress){0};
    g_clear_pointer(&self->good_host, g_free);
    g_clear_pointer(&self->good_backup, g_free);
    g_clear_pointer(&self->backups, g_ptr_array_unref);
    g_array_set_size(self->good_found, 0);
}

static TunnelFormer *former_of(Tunnel *self)
{
    TunnelFormer *former = g_new0(TunnelFormer, 1);
    *former = (TunnelFormer){
        .profile = g_steal_pointer(&self->profile),
        .secrets = g_steal_pointer(&self->secrets),
        .credentials = g_steal_pointer(&self->credentials),
        .weakest = self->weakest,
        .good = self->good,
        .good_host = g_strdup(self->good_host),
        .good_backup = g_strdup(self->good_backup),
        .backups = self->backups != NULL ? g_ptr_array_ref(self->backups) : NULL,
    };
    return former;
}

static void use(Tunnel *self, DialtoneProfile *profile_take)
{
    self->profile = profile_take;
    self->backoff.retry_for = self->profile->retry_for;
    self->let_pass = (IkeAddress){0}; /* what stands may be another kill switch */
    self->passing = false;
    tunnel_question_begin_anew(self);
}

static void stop_session(Tunnel *self)
{
    tunnel_attempt_cancel(self);
    tunnel_session_say_goodbye(self);
    tunnel_session_drop(self);
}

/* Who has found the gateway by its address may have to look up a name now. */
static void want_resolver(Tunnel *self)
{
    if (self->resolver != NULL || !self->resolver_ready || !tunnel_link_resolves(self->profile))
        return;
    self->resolver_ready = false;
    tunnel_network_open_resolver(self->network);
}

static void take(Tunnel *self, DialtoneProfile *profile_take, TunnelSecrets *secrets_take)
{
    TunnelChange *change = &self->change;
    TunnelCredentials *credentials = g_steal_pointer(&change->credentials);
    if (credentials == NULL && self->credentials != NULL &&
        ARE_SAME(self->profile, profile_take, OF_CERTIFICATES))
        credentials = tunnel_credentials_copy(self->credentials);
    const bool elsewhere = !ARE_SAME(self->profile, profile_take, OF_GATEWAY);
    change->former = former_of(self);
    if (elsewhere)
        forget_gateways(self);
    self->weakest = NULL; /* whoever has changed it has said which groups may be used */
    self->secrets = secrets_take;
    self->credentials = credentials;
    use(self, profile_take);
}

void tunnel_change_take_secrets(Tunnel *self, TunnelSecrets *secrets_take)
{
    TunnelChange *change = &self->change;
    g_autoptr(TunnelSecrets) secrets = secrets_take;
    if (self->end != TUNNEL_END_NOT)
        return;
    DialtoneProfile *profile = g_steal_pointer(&change->profile);
    join(self, secrets, profile);
    g_clear_error(&change->refused);
    g_clear_error(&change->failed);
    stop_session(self);
    take(self, profile, g_steal_pointer(&secrets));
    tunnel_notice(self, _("The profile was changed; the tunnel is set up with it again."));
    tunnel_attempt_away(self, NULL);
    self->backoff.attempts = 0;
    want_resolver(self);
    change->begins = true;
    tunnel_attempt_begin(self);
    tunnel_rearm(self);
}

/* ---- what becomes of it ---- */

static void end_kill_switch(Tunnel *self, const DialtoneProfile *with)
{
    if (with->kill_switch == DIALTONE_KILL_SWITCH_NO)
        return;
    if (!tunnel_kill_switch_is_wanted(self))
        tunnel_network_release_kill_switch(self->network, true);
    /* What is to persist does, whatever another profile says. */
    if (with->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT &&
        self->profile->kill_switch != DIALTONE_KILL_SWITCH_PERSISTENT)
        tunnel_kill_switch_tell(self);
}

void tunnel_change_is_good(Tunnel *self)
{
    if (self->change.former == NULL || self->change.failed != NULL)
        return;
    TunnelFormer *former = g_steal_pointer(&self->change.former);
    end_kill_switch(self, former->profile);
    former_free(former);
    self->handlers->changed(DIALTONE_FAILURE_NONE, self->data);
}

bool tunnel_change_gives_up(Tunnel *self, const GError *why)
{
    if (self->change.former == NULL || why == NULL || tunnel_network_is_gone(self->network))
        return false;
    if (self->change.failed == NULL)
        self->change.failed = g_error_copy(why);
    self->change.begins = false;
    tunnel_rearm(self);
    return true;
}

guint64 tunnel_change_deadline(const Tunnel *self)
{
    return self->change.failed != NULL ? 0 : G_MAXUINT64;
}

static void put_back(Tunnel *self, TunnelFormer *former_take)
{
    g_autoptr(DialtoneProfile) tried = g_steal_pointer(&self->profile);
    tunnel_secrets_free(self->secrets);
    tunnel_credentials_free(self->credentials);
    forget_gateways(self);
    self->secrets = g_steal_pointer(&former_take->secrets);
    self->credentials = g_steal_pointer(&former_take->credentials);
    self->weakest = former_take->weakest;
    self->good = former_take->good;
    self->good_host = g_steal_pointer(&former_take->good_host);
    self->good_backup = g_steal_pointer(&former_take->good_backup);
    self->backups = g_steal_pointer(&former_take->backups);
    use(self, g_steal_pointer(&former_take->profile));
    end_kill_switch(self, tried);
    former_free(former_take);
}

void tunnel_forget_change(Tunnel *self)
{
    forget_waiting(&self->change);
    if (self->change.former != NULL)
        put_back(self, g_steal_pointer(&self->change.former));
}

void tunnel_change_tick(Tunnel *self)
{
    g_autoptr(GError) failed = g_steal_pointer(&self->change.failed);
    if (failed == NULL)
        return;
    stop_session(self);
    put_back(self, g_steal_pointer(&self->change.former));
    g_clear_error(&self->change.refused);
    dialtone_failure_set(&self->change.refused, dialtone_failure_of(failed),
                         dialtone_failure_advice(failed),
                         _("The tunnel could not be set up with the changed profile, and goes on "
                           "with the former: %s"),
                         failed->message);
    tell(self);
    self->handlers->changed(dialtone_failure_of(failed), self->data);
    tunnel_attempt_again(self, g_error_copy(self->change.refused));
}

void tunnel_change_free(Tunnel *self)
{
    forget_waiting(&self->change);
    g_clear_pointer(&self->change.former, former_free);
    g_clear_error(&self->change.failed);
    g_clear_error(&self->change.refused);
}

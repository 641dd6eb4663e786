/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection's life: its state, its one timer and its end.
 *
 * Only tunnel_set_state() writes the state, and only along an edge of the table in states.c. Only
 * begin_end() begins the end, in steps that each have a deadline of their own: the session says
 * good-bye, the helper puts the network back, the last report goes out, the owner is told. A step
 * that does not come to its end in time is left behind, so that nothing ever hangs.
 *
 * The timer fires at the earliest of: the session's deadline (retransmissions, DPD, renewals), a
 * NAT keepalive, the end of a doubt (tunnel-roam.c), the next attempt, the end of RetryFor, and the
 * deadline of a step of the end.
 */
#include "client/tunnel/tunnel.h"

#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/tunnel/states.h"
#include "client/tunnel/tunnel-killswitch.h"
#include "client/tunnel/tunnel-private.h"

/* ---- state ---- */

void tunnel_take_state_fd(Tunnel *self, int fd_take)
{
    g_autoptr(DialtoneReport) report = tunnel_report_new(self);
    self->state_fd = fd_take;
    tunnel_traffic_tell(self, report);
}

static void publish(Tunnel *self)
{
    g_autoptr(DialtoneReport) report = tunnel_report_new(self);
    tunnel_traffic_tell(self, report);
    self->handlers->report(report, self->data);
}

void tunnel_set_state(Tunnel *self, DialtoneState state)
{
    if (state != self->state && !tunnel_state_may_follow(self->state, state)) {
        g_warning("state %s may not follow %s", dialtone_state_name(state),
                  dialtone_state_name(self->state));
        return;
    }
    g_debug("state %s -> %s", dialtone_state_name(self->state), dialtone_state_name(state));
    self->state = state;
    publish(self);
}

void tunnel_notice(Tunnel *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    self->handlers->notice(text, self->data);
}

/* ---- the end ---- */

static void finish(Tunnel *self)
{
    self->end = TUNNEL_END_DONE;
    tunnel_link_clear(self);
    tunnel_set_state(self, self->error != NULL ? DIALTONE_STATE_FAILED : DIALTONE_STATE_IDLE);
    DialtoneFailure code =
        self->error != NULL ? dialtone_failure_of(self->error) : DIALTONE_FAILURE_NONE;
    tunnel_rearm(self);
    self->handlers->ended(code, self->data);
}

/* The helper has nothing to put back. */
static bool is_untouched(const Tunnel *self)
{
    return self->link == TUNNEL_LINK_DOWN &&
           (!tunnel_kill_switch_is_wanted(self) || self->interface == NULL);
}

static void release_network(Tunnel *self)
{
    tunnel_session_drop(self);
    if (is_untouched(self) || tunnel_network_is_gone(self->network)) {
        finish(self);
        return;
    }
    tunnel_kill_switch_end(self);
    self->link = TUNNEL_LINK_APPLYING;
    self->end = TUNNEL_END_RELEASE;
    self->end_deadline = platform_clock_now() + TUNNEL_RELEASE_SECONDS * IKE_SECOND;
    tunnel_network_release(self->network);
    tunnel_rearm(self);
}

static void begin_end(Tunnel *self, GError *error_take)
{
    if (self->end != TUNNEL_END_NOT) {
        g_clear_error(&error_take);
        return;
    }
    self->error = error_take;
    self->end = TUNNEL_END_GOODBYE;
    tunnel_attempt_cancel(self);
    bool alive = self->session != NULL && !self->session_over;
    if (!alive && !self->pumping && is_untouched(self) && error_take != NULL) {
        tunnel_session_drop(self);
        finish(self);
        return;
    }
    tunnel_set_state(self, DIALTONE_STATE_DISCONNECTING);
    uint64_t now = platform_clock_now();
    self->end_deadline = now + TUNNEL_GOODBYE_SECONDS * IKE_SECOND;
    bool asked = alive && ike_session_stop(self->session, now) == 0;
    if (asked)
        tunnel_session_pump(self);
    else if (self->pumping)
        self->end_deadline = now; /* the timer goes on, for the session's events are still read */
    else
        release_network(self);
}

void tunnel_end(Tunnel *self, GError *error_take)
{
    if (self->end == TUNNEL_END_NOT && tunnel_change_gives_up(self, error_take))
        g_clear_error(&error_take);
    else
        begin_end(self, error_take);
}

/* What is over by itself: the session after its good-bye, the helper after its work. */
static void end_goes_on(Tunnel *self, uint64_t now)
{
    bool late = now >= self->end_deadline;
    switch (self->end) {
    case TUNNEL_END_NOT:
    case TUNNEL_END_DONE:
        break;
    case TUNNEL_END_GOODBYE:
        if (late || self->session == NULL || self->session_over)
            release_network(self);
        break;
    case TUNNEL_END_RELEASE:
        if (late || self->link == TUNNEL_LINK_DOWN)
            finish(self);
        break;
    }
}

/* ---- the timer ---- */

void tunnel_rearm(Tunnel *self)
{
    uint64_t deadline = PLATFORM_CLOCK_NEVER;
    if (self->end == TUNNEL_END_NOT)
        deadline = MIN(tunnel_attempt_deadline(self), tunnel_change_deadline(self));
    if (self->end == TUNNEL_END_GOODBYE || self->end == TUNNEL_END_RELEASE) {
        deadline = self->end_deadline;
        if (self->session_over ||
            (self->end == TUNNEL_END_RELEASE && self->link == TUNNEL_LINK_DOWN))
            deadline = 0;
    }
    deadline = MIN(deadline, tunnel_session_deadline(self));
    deadline = MIN(deadline, tunnel_roam_deadline(self));
    deadline = MIN(deadline, tunnel_mtu_deadline(self));
    platform_clock_timer_set(self->timer, deadline);
}

static void on_timer(void *data)
{
    Tunnel *self = data;
    tunnel_roam_look_at_clock(self);
    uint64_t now = platform_clock_now();
    if (self->end == TUNNEL_END_NOT)
        tunnel_change_tick(self);
    tunnel_session_tick(self, now);
    if (self->end == TUNNEL_END_NOT)
        tunnel_roam_tick(self, now);
    if (self->end == TUNNEL_END_NOT)
        tunnel_mtu_tick(self, now);
    if (self->end == TUNNEL_END_NOT)
        tunnel_attempt_tick(self, now);
    if (self->end != TUNNEL_END_NOT)
        end_goes_on(self, now);
    if (self->end != TUNNEL_END_DONE)
        tunnel_rearm(self);
}

/* ---- life ---- */

Tunnel *tunnel_new(const TunnelSetup *setup, GError **error)
{
    g_autoptr(Tunnel) self = g_new0(Tunnel, 1);
    self->profile = setup->profile_take;
    self->is_system = setup->is_system;
    self->warm_up = setup->warm_up_take;
    self->handlers = setup->handlers;
    self->data = setup->data;
    self->began = setup->began;
    self->state_fd = -1;
    self->sas = g_array_new(FALSE, TRUE, sizeof(TunnelSa));
    self->handed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    self->backoff.retry_for = self->profile->retry_for;
    self->probe_pause = IKE_SECOND;
    self->found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    self->good_found = g_array_new(FALSE, FALSE, sizeof(IkeAddress));
    g_queue_init(&self->candidates);
    tunnel_roam_begin(self);
    self->timer = platform_clock_timer_new(NULL, on_timer, self);
    self->network = tunnel_network_new(setup->helper_take, &tunnel_link_handlers, self, error);
    if (self->network == NULL)
        return NULL;
    if (self->timer == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("The system has no timer left."));
        return NULL;
    }
    return g_steal_pointer(&self);
}

void tunnel_free(Tunnel *self)
{
    if (self == NULL)
        return;
    tunnel_attempt_cancel(self);
    tunnel_session_drop(self);
    tunnel_warm_up_free(self->warm_up);
    tunnel_link_clear(self);
    tunnel_roam_free(self);
    g_clear_pointer(&self->resolver, platform_resolver_free);
    tunnel_network_free(self->network);
    platform_clock_timer_free(self->timer);
    if (self->state_fd >= 0)
        close(self->state_fd);
    g_clear_error(&self->error);
    g_clear_error(&self->round_error);
    g_queue_clear_full(&self->candidates, g_free);
    g_array_unref(self->sas);
    g_array_unref(self->handed);
    g_array_unref(self->found);
    g_array_unref(self->good_found);
    g_free(self->interface);
    g_free(self->warning);
    g_free(self->host);
    tunnel_question_free(self);
    tunnel_change_free(self);
    g_free(self->good_host);
    g_free(self->good_backup);
    g_free(self->member);
    g_free(self->backup);
    g_clear_pointer(&self->backups, g_ptr_array_unref);
    tunnel_secrets_free(self->secrets);
    tunnel_credentials_free(self->credentials);
    dialtone_profile_free(self->profile);
    g_free(self);
}

void tunnel_start(Tunnel *self)
{
    tunnel_link_begin(self);
}

void tunnel_give_credentials(Tunnel *self, TunnelCredentials *credentials_take)
{
    if (self->change.profile != NULL) {
        tunnel_credentials_free(self->change.credentials);
        self->change.credentials = credentials_take;
    } else if (self->credentials != NULL || self->secrets != NULL)
        tunnel_credentials_free(credentials_take);
    else
        self->credentials = credentials_take;
}

void tunnel_give_secrets(Tunnel *self, TunnelSecrets *secrets_take)
{
    if (self->change.profile != NULL) {
        tunnel_change_take_secrets(self, secrets_take);
        return;
    }
    if (self->secrets != NULL || self->end != TUNNEL_END_NOT) {
        tunnel_secrets_free(secrets_take);
        return;
    }
    self->secrets = secrets_take;
    tunnel_attempt_begin(self);
}

bool tunnel_lost_its_helper(const Tunnel *self)
{
    return tunnel_network_is_gone(self->network);
}

TunnelSecrets *tunnel_steal_secrets(Tunnel *self)
{
    return g_steal_pointer(&self->secrets);
}

TunnelCredentials *tunnel_steal_credentials(Tunnel *self)
{
    return g_steal_pointer(&self->credentials);
}

void tunnel_stop(Tunnel *self)
{
    begin_end(self, NULL);
}

void tunnel_fail(Tunnel *self, const GError *why)
{
    begin_end(self, g_error_copy(why));
}

void tunnel_stats(const Tunnel *self, DatapathStats *stats)
{
    *stats = (DatapathStats){0};
    if (self->datapath != NULL)
        datapath_stats(self->datapath, stats);
}

guint tunnel_offloads(const Tunnel *self)
{
    return self->datapath != NULL ? datapath_offloads(self->datapath) : 0;
}

void tunnel_renegotiate(Tunnel *self)
{
    if (self->session == NULL || self->session_over || self->end != TUNNEL_END_NOT)
        return;
    if (ike_session_renegotiate(self->session, platform_clock_now()) < 0)
        g_debug("renegotiation could not begin");
    tunnel_session_pump(self);
}

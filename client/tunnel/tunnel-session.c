/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the protocol core and the rest: time and packets in, packets and events out.
 *
 * After each call into the session its two queues are emptied, packets first, for the gateway is to
 * wait for nothing. An event that ends the session only leaves a mark; the session is freed when
 * the queues are empty. SAs go on to the data path, which owns them from then on; what is kept here
 * is what is told about them, and what to remove when a session dies without saying so.
 */
#include "client/tunnel/tunnel-private.h"

#include <malloc.h>
#include <string.h>
#include <sys/mman.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/tunnel/config.h"
#include "client/tunnel/failure.h"
#include "client/tunnel/memory.h"
#include "client/tunnel/plan.h"
#include "platform/random.h"

/* ---- begin and end ---- */

static int random_bytes(void *context, uint8_t *bytes, size_t n)
{
    platform_random(bytes, n);
    return 0;
}

static bool fill_config(Tunnel *self, const IkeAddress *gateway, GError **error)
{
    IkeConfig *config = self->config;
    memset(config, 0, sizeof(*config));
    if (!tunnel_config_fill(config, self->profile, self->secrets, error) ||
        !tunnel_config_fill_credentials(config, self->profile, self->credentials, error) ||
        !tunnel_config_expect_host(config, self->profile, self->host, error))
        return false;
    if (!tunnel_question_may_give_password(self))
        tunnel_secret_wipe(&config->password);
    config->credentials.wall_offset =
        g_get_real_time() / G_USEC_PER_SEC - (int64_t)(platform_clock_now() / IKE_SECOND);
    config->gateway = *gateway;
    config->weakest_group = self->weakest;
    /* Who knows his own address tells a NAT from none, and may then need a raw socket. */
    if (self->profile->natt == DIALTONE_NATT_AUTO && datapath_has_raw(self->datapath, gateway))
        config->local = tunnel_roam_local(self, gateway);
    if (config->config != IKE_CONFIG_NONE && self->inner.address.family != 0)
        config->address = self->inner.address;
    if (config->config != IKE_CONFIG_NONE && self->inner.address6.family != 0)
        config->address6 = self->inner.address6;
    return true;
}

/* The session holds copies of key and password, which are not to be swapped out. The core knows no
 * locked memory, so its block of the heap is locked; a refusal leaves it as all memory is. */
static void keep_in_memory(IkeSession *session)
{
    if (mlock(session, malloc_usable_size(session)) < 0)
        g_debug("the session could not be locked into memory");
}

static bool start(Tunnel *self, const IkeAddress *gateway, GError **error)
{
    if (!fill_config(self, gateway, error))
        return false;
    int result = ike_session_new(&self->session, self->config, random_bytes, NULL);
    if (result == 0) {
        keep_in_memory(self->session);
        ike_session_give_dh(self->session, tunnel_warm_up_finish(g_steal_pointer(&self->warm_up)));
        result = ike_session_start(self->session, platform_clock_now());
    }
    if (result == 0)
        return true;
    const IkeFailure failure = {
        .reason = IKE_REASON_INTERNAL, .detail = IKE_DETAIL_LOCAL, .error = result};
    const TunnelFailureContext context = tunnel_attempt_context(self);
    tunnel_failure_explain(&failure, &context, error);
    return false;
}

bool tunnel_session_start(Tunnel *self, const IkeAddress *gateway, GError **error)
{
    tunnel_session_drop(self);
    self->peer = self->trying = *gateway;
    self->asking.spent = false;
    tunnel_roam_called(self, gateway);
    self->phase1 = (IkePhase1Info){0};
    self->session_over = self->ike_connected = false;
    self->config = tunnel_ike_config_new();
    if (self->config == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, _("Out of memory."));
        return false;
    }
    bool ok = start(self, gateway, error);
    tunnel_ike_config_free(self->config);
    self->config = NULL;
    return ok;
}

void tunnel_session_drop(Tunnel *self)
{
    if (self->pumping) {
        self->drop_wanted = true;
        return;
    }
    self->session = ike_session_free(self->session);
    self->session_over = self->ike_connected = false;
    for (guint i = 0; self->datapath != NULL && i < self->sas->len; i++) {
        const IkeSaInfo *info = &g_array_index(self->sas, TunnelSa, i).info;
        datapath_remove(self->datapath, info->spi_in, info->spi_out);
    }
    for (guint i = 0; self->datapath != NULL && i < self->handed->len; i++)
        datapath_remove(self->datapath, g_array_index(self->handed, uint32_t, i), 0);
    g_array_set_size(self->sas, 0);
    g_array_set_size(self->handed, 0);
    tunnel_question_settled(self);
    tunnel_signature_settled(self);
}

/* ---- SAs ---- */

static TunnelSa *sa_entry(Tunnel *self, const IkeSaInfo *info)
{
    for (guint i = 0; i < self->sas->len; i++) {
        TunnelSa *sa = &g_array_index(self->sas, TunnelSa, i);
        if (sa->info.spi_in == info->spi_in && sa->info.spi_out == info->spi_out) {
            sa->info = *info;
            return sa;
        }
    }
    const TunnelSa fresh = {.info = *info};
    g_array_append_val(self->sas, fresh);
    return &g_array_index(self->sas, TunnelSa, self->sas->len - 1);
}

/* An SA of the session's own carries nothing of the user's: no plan and no MTU follows from it. */
static void on_sa_in(Tunnel *self, const IkeEvent *event)
{
    if (event->esp == NULL) {
        datapath_hand_over(self->datapath, event->sa.spi_in);
        g_array_append_val(self->handed, event->sa.spi_in);
        return;
    }
    sa_entry(self, &event->sa);
    datapath_add_in(self->datapath, event->esp, &event->sa);
}

static void on_sa_out(Tunnel *self, const IkeEvent *event)
{
    sa_entry(self, &event->sa)->shape = esp_sa_shape(event->esp);
    datapath_set_out(self->datapath, event->esp, &event->sa);
}

static void on_sa_gone(Tunnel *self, const IkeSaInfo *info)
{
    datapath_remove(self->datapath, info->spi_in, info->spi_out);
    for (guint i = self->sas->len; i > 0; i--) {
        const IkeSaInfo *ours = &g_array_index(self->sas, TunnelSa, i - 1).info;
        if (ours->spi_in == info->spi_in && ours->spi_out == info->spi_out)
            g_array_remove_index(self->sas, i - 1);
    }
    for (guint i = self->handed->len; i > 0; i--)
        if (g_array_index(self->handed, uint32_t, i - 1) == info->spi_in)
            g_array_remove_index(self->handed, i - 1);
}

/* ---- events ---- */

/* The core's states are the contract's while a connection is made; later the tunnel's own count. */
static void on_state(Tunnel *self, IkeState state)
{
    static const DialtoneState states[] = {
        [IKE_STATE_IDLE] = DIALTONE_STATE_N,
        [IKE_STATE_PHASE1] = DIALTONE_STATE_PHASE1,
        [IKE_STATE_USER_AUTH] = DIALTONE_STATE_USER_AUTH,
        [IKE_STATE_CONFIG] = DIALTONE_STATE_CONFIG,
        [IKE_STATE_PHASE2] = DIALTONE_STATE_PHASE2,
        [IKE_STATE_CONNECTED] = DIALTONE_STATE_N,
        [IKE_STATE_ENDED] = DIALTONE_STATE_N,
    };
    DialtoneState next = (size_t)state < G_N_ELEMENTS(states) ? states[state] : DIALTONE_STATE_N;
    if (next == DIALTONE_STATE_N || tunnel_is_wanted_back(self) || self->end != TUNNEL_END_NOT)
        return;
    if (self->question != 0)
        self->before_question = next;
    else if (next != self->state)
        tunnel_set_state(self, next);
}

IkeAddress tunnel_session_esp_peer(const Tunnel *self)
{
    IkeAddress peer = self->peer;
    if (!self->phase1.natt)
        peer.port = 0;
    return peer;
}

static void fail_without_raw_socket(Tunnel *self)
{
    GError *error = NULL;
    dialtone_failure_set(
        &error, DIALTONE_FAILURE_NOT_PERMITTED,
        _("Set [Quirks] NatT=force; or run it with sudo, and in a container allow "
          "CAP_NET_RAW."),
        _("This gateway wants ESP without UDP, for which a raw socket is missing."));
    tunnel_end(self, error);
}

/* A group that has authenticated once is a floor for all that comes after it. */
static void on_phase1(Tunnel *self, const IkePhase1Info *info)
{
    self->phase1 = *info;
    const IkeGroup *group = info->chosen.group;
    if (group != NULL && (self->weakest == NULL || group->strength > self->weakest->strength))
        self->weakest = group;
    if (info->natt && self->peer.port == IKE_PORT)
        self->peer.port = IKE_PORT_NATT;
    const IkeAddress esp_peer = tunnel_session_esp_peer(self);
    if (esp_peer.port == 0 && !datapath_has_raw(self->datapath, &esp_peer)) {
        fail_without_raw_socket(self);
        return;
    }
    tunnel_mtu_set_peer(self);
    tunnel_report_expiry(self);
    g_debug("phase 1 authenticated: %s, fallback %d, natt %d", group != NULL ? group->name : "?",
            info->fallback, info->natt);
}

static void on_path(Tunnel *self, const IkeAddress *path)
{
    g_autofree char *text = tunnel_address_text(path);
    g_debug("the gateway is at %s now", text);
    self->peer = *path;
    tunnel_mtu_set_peer(self);
    if (self->state == DIALTONE_STATE_CONNECTED)
        tunnel_link_apply(self);
}

static void on_config(Tunnel *self, const IkeInnerConfig *config)
{
    self->inner = *config;
    tunnel_attempt_take_backups(self, config->backup_servers);
    if (config->password_unkept)
        tunnel_question_keep_nothing(self);
    if (self->state == DIALTONE_STATE_CONNECTED)
        tunnel_link_apply(self);
    else if (!self->was_connected && self->end == TUNNEL_END_NOT)
        tunnel_link_prepare(self);
}

static void on_notice(Tunnel *self, const IkeFailure *failure)
{
    g_autofree char *text = tunnel_failure_log_text(failure);
    g_debug("notice: %s", text);
    /* What is left out goes beside the tunnel: nobody may learn that from a log. */
    if (failure->detail == IKE_DETAIL_NETWORKS_CUT)
        tunnel_notice(
            self,
            _("The gateway names more than %d networks; only these go through the tunnel. "
              "Ask its administrator for fewer and larger ones."),
            (int)IKE_NETWORKS_MAX);
}

static void on_message(Tunnel *self, const char *message)
{
    gsize n = strnlen(message, IKE_TEXT_MAX);
    g_autofree char *clean = dialtone_text_clean(message, n, IKE_TEXT_MAX, DIALTONE_TEXT_LINES);
    tunnel_notice(self, _("The gateway says: %s"), clean);
}

static void on_ike_connected(Tunnel *self)
{
    self->ike_connected = true;
    tunnel_mtu_connected(self);
    tunnel_link_apply(self);
}

static void on_over(Tunnel *self, const IkeFailure *failure)
{
    self->session_over = true;
    self->over = *failure;
    if (failure->user_open)
        tunnel_question_unheard(self);
}

static void on_event(Tunnel *self, const IkeEvent *event)
{
    static const IkeFailure stopped = {.reason = IKE_REASON_STOPPED};
    switch (event->type) {
    case IKE_EVENT_STATE:
        on_state(self, event->state);
        break;
    case IKE_EVENT_PHASE1:
        on_phase1(self, &event->phase1);
        break;
    case IKE_EVENT_QUESTION:
        tunnel_question_from_gateway(self, &event->question);
        break;
    case IKE_EVENT_MESSAGE:
        on_message(self, event->message);
        break;
    case IKE_EVENT_USER:
        tunnel_question_accepted(self);
        break;
    case IKE_EVENT_SIGN:
        tunnel_signature_wanted(self, &event->signing);
        break;
    case IKE_EVENT_CONFIG:
        on_config(self, &event->config);
        break;
    case IKE_EVENT_SA_IN:
        on_sa_in(self, event);
        break;
    case IKE_EVENT_SA_OUT:
        on_sa_out(self, event);
        break;
    case IKE_EVENT_SA_GONE:
        on_sa_gone(self, &event->sa);
        break;
    case IKE_EVENT_CONNECTED:
        on_ike_connected(self);
        break;
    case IKE_EVENT_PATH:
        on_path(self, &event->path);
        break;
    case IKE_EVENT_CARRIED:
        tunnel_mtu_carried(self, event->carried);
        break;
    case IKE_EVENT_NOTICE:
        on_notice(self, &event->failure);
        break;
    case IKE_EVENT_FAILED:
    case IKE_EVENT_LOST:
        on_over(self, &event->failure);
        break;
    case IKE_EVENT_STOPPED:
        on_over(self, &stopped);
        break;
    }
}

static void send_packets(Tunnel *self)
{
    IkePacket packet;
    while (ike_session_next_packet(self->session, &packet)) {
        int result = (packet.whole ? datapath_send_whole : datapath_send)(
            self->datapath, &packet.to, packet.bytes, packet.n);
        if (result < 0)
            g_debug("a packet could not be sent: %s", g_strerror(-result));
    }
}

void tunnel_session_pump(Tunnel *self)
{
    if (self->session == NULL || self->pumping)
        return;
    IkeEvent *event = g_new(IkeEvent, 1);
    self->pumping = true;
    send_packets(self);
    while (ike_session_next_event(self->session, event)) {
        on_event(self, event);
        send_packets(self);
    }
    self->pumping = false;
    g_free(event);
    bool over = self->session_over;
    if (self->drop_wanted) {
        self->drop_wanted = false;
        tunnel_session_drop(self);
    }
    if (over) {
        tunnel_attempt_session_over(self);
        return;
    }
    tunnel_roam_heard(self);
    tunnel_rearm(self);
}

void tunnel_session_say_goodbye(Tunnel *self)
{
    if (self->session == NULL || self->session_over || self->pumping)
        return;
    if (ike_session_stop(self->session, platform_clock_now()) < 0)
        g_debug("the gateway is not told good-bye");
    send_packets(self);
}

/* ---- time ---- */

static bool keepalive_is_needed(const Tunnel *self)
{
    return self->session != NULL && !self->session_over && self->phase1.natt &&
           self->peer.port != IKE_PORT && self->ike_connected;
}

static guint64 keepalive_deadline(const Tunnel *self)
{
    if (!keepalive_is_needed(self))
        return IKE_NEVER;
    guint64 last = MAX(datapath_last_sent(self->datapath), self->keepalive_at);
    return last + (guint64)TUNNEL_KEEPALIVE_SECONDS * IKE_SECOND;
}

static void keepalive_tick(Tunnel *self, guint64 now)
{
    static const uint8_t byte = 0xff; /* RFC 3948, 2.3 */
    if (keepalive_deadline(self) > now)
        return;
    self->keepalive_at = now;
    if (datapath_send(self->datapath, &self->peer, &byte, sizeof(byte)) < 0)
        g_debug("a keepalive could not be sent");
}

guint64 tunnel_session_deadline(const Tunnel *self)
{
    if (self->session == NULL || self->session_over || tunnel_roam_is_still(self))
        return IKE_NEVER;
    return MIN(ike_session_deadline(self->session), keepalive_deadline(self));
}

static void tell_traffic(Tunnel *self)
{
    uint32_t spi = 0;
    uint64_t last = datapath_last_inbound(self->datapath, &spi);
    if (last != 0)
        ike_session_traffic(self->session, spi, last);
}

static void session_failed(Tunnel *self, int error)
{
    const IkeFailure failure = {
        .reason = IKE_REASON_INTERNAL, .detail = IKE_DETAIL_LOCAL, .error = error};
    on_over(self, &failure);
}

void tunnel_session_tick(Tunnel *self, guint64 now)
{
    /* Without a network nothing would be heard, and silence would mean nothing. */
    if (self->session == NULL || self->session_over || tunnel_roam_is_still(self))
        return;
    keepalive_tick(self, now);
    if (ike_session_deadline(self->session) > now)
        return;
    tell_traffic(self);
    int result = ike_session_tick(self->session, now);
    if (result < 0)
        session_failed(self, result);
    tunnel_session_pump(self);
}

void tunnel_session_probe(Tunnel *self)
{
    enum { PAUSE_MAX = 8 };
    uint64_t now = platform_clock_now();
    bool there = self->session != NULL && !self->session_over && self->ike_connected;
    if (!there || tunnel_roam_is_still(self))
        return;
    tell_traffic(self);
    uint64_t last = datapath_last_inbound(self->datapath, NULL);
    if (last > self->probe_at)
        self->probe_pause = IKE_SECOND;
    if (self->probe_at != 0 && now < self->probe_at + self->probe_pause)
        return;
    if (self->probe_at != 0 && last <= self->probe_at)
        self->probe_pause = MIN(self->probe_pause * 2, (uint64_t)PAUSE_MAX * IKE_SECOND);
    self->probe_at = now;
    if (ike_session_probe(self->session, now) < 0)
        g_debug("the gateway could not be asked");
    tunnel_session_pump(self);
}

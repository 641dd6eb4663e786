/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tunnel's sockets, its interface and its data path, and when the network is changed.
 *
 * Sockets and TUN are asked for at the very start, while secrets are read and names are looked up.
 * The network is changed once every SA stands, and again only where the plan differs; it stays as
 * it is while a lost tunnel is sought, so that nothing meant for the tunnel leaves beside it.
 */
#include "client/tunnel/tunnel-killswitch.h"
#include "client/tunnel/tunnel-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "client/common/i18n.h"
#include "client/tunnel/config.h"
#include "client/tunnel/plan.h"
#include "client/tunnel/protected.h"
#include "client/tunnel/provider.h"

/* For a second together. */
enum { CONFLICTS_MAX = 20, CONFLICT_PAUSE_MS = 50 };

/* ---- the data path ---- */

static gboolean on_datagrams(gint fd, GIOCondition condition, gpointer data)
{
    Tunnel *self = data;
    while (self->datapath != NULL && datapath_take_ike(self->datapath, self->datagram)) {
        const DatapathIke *m = self->datagram;
        if (self->session == NULL || self->session_over)
            continue;
        uint64_t now = platform_clock_now();
        if (ike_session_receive(self->session, m->bytes, m->n, m->from, now) < 0)
            g_debug("a datagram could not be handled");
        tunnel_session_pump(self);
    }
    return G_SOURCE_CONTINUE;
}

static void on_renew(Tunnel *self, uint32_t spi)
{
    if (self->session == NULL || self->session_over)
        return;
    if (ike_session_renew_sa(self->session, spi, platform_clock_now()) < 0)
        g_debug("an SA could not be renewed");
    tunnel_session_pump(self);
}

static void on_inbound(Tunnel *self, uint32_t spi)
{
    if (self->session == NULL || self->session_over)
        return;
    ike_session_traffic(self->session, spi, datapath_last_inbound(self->datapath, NULL));
    tunnel_session_pump(self);
}

/* The interface was removed or taken down by somebody else: another one takes its place, and all
 * that pointed to the former is set again. */
static void on_tun_gone(Tunnel *self)
{
    if (!self->tun_attached || self->end != TUNNEL_END_NOT)
        return;
    tunnel_notice(self, _("The interface %s was taken away; it is set up again."), self->interface);
    datapath_attach_tun(self->datapath, -1, false);
    self->tun_attached = false;
    g_clear_handle_id(&self->again_source, g_source_remove);
    g_clear_pointer(&self->plan, helper_plan_free);
    tunnel_network_open_tun(self->network);
}

static void on_offload_refused(Tunnel *self, const DatapathEvent *event)
{
    const char *name = dialtone_offload_name(event->offload);
    /* Kernels before 6.2 have none, and nobody has to be told at each connection. */
    if (event->offload == DIALTONE_OFFLOAD_USO)
        g_debug("the offload %s is refused: %s", name, g_strerror(event->error));
    else
        tunnel_notice(self, _("The offload %s is not used, for the system refuses it: %s"), name,
                      g_strerror(event->error));
    tunnel_traffic_tell_again(self);
}

static void on_datapath_event(Tunnel *self, const DatapathEvent *event)
{
    switch (event->type) {
    case DATAPATH_EVENT_INBOUND:
        on_inbound(self, event->spi);
        break;
    case DATAPATH_EVENT_SILENCE:
        tunnel_session_probe(self);
        tunnel_mtu_used(self, true);
        break;
    case DATAPATH_EVENT_USED:
        tunnel_mtu_used(self, false);
        break;
    case DATAPATH_EVENT_PATH: /* a hint, which the gateway's authentic answer settles */
        tunnel_session_probe(self);
        break;
    case DATAPATH_EVENT_RENEW:
        on_renew(self, event->spi);
        break;
    case DATAPATH_EVENT_TUN_GONE:
        on_tun_gone(self);
        break;
    case DATAPATH_EVENT_ERROR:
        g_debug("the data path could not send: %s", g_strerror(event->error));
        if (event->error == EMSGSIZE)
            tunnel_mtu_refused(self);
        break;
    case DATAPATH_EVENT_OFFLOAD:
        on_offload_refused(self, event);
        break;
    case DATAPATH_EVENT_TRAFFIC:
        tunnel_traffic_moves(self);
        break;
    }
}

static gboolean on_datapath_events(gint fd, GIOCondition condition, gpointer data)
{
    Tunnel *self = data;
    DatapathEvent event;
    while (self->datapath != NULL && datapath_next_event(self->datapath, &event))
        on_datapath_event(self, &event);
    return G_SOURCE_CONTINUE;
}

/* ---- what the helper brings ---- */

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void on_claimed(const char *interface, guint32 mark, int state_fd_take, gpointer data)
{
    Tunnel *self = data;
    GError *error = NULL;
    self->interface = g_strdup(interface);
    self->roam.mark = mark;
    tunnel_take_state_fd(self, state_fd_take);
    /* Not earlier, for it waits until libcrypto is ready, while the helper is at work; not later,
     * for next comes a question or a packet. */
    if (!tunnel_provider_check(self->profile, TUNNEL_FIPS_FLAG, &error))
        tunnel_end(self, error);
}

static void on_sockets(const TunnelSockets *sockets_take, gpointer data)
{
    Tunnel *self = data;
    const DialtoneEndpoint *first = &g_array_index(self->profile->gateways, DialtoneEndpoint, 0);
    const DatapathSetup setup = {.udp4 = sockets_take->udp4,
                                 .udp6 = sockets_take->udp6,
                                 .raw = self->profile->natt != DIALTONE_NATT_FORCE,
                                 .esp4 = sockets_take->esp4,
                                 .esp6 = sockets_take->esp6,
                                 .ike_port = first->port,
                                 .without = DIALTONE_OFFLOADS_ALL & ~self->profile->offloads};
    g_autoptr(GError) error = NULL;
    self->datapath = datapath_new(&setup, &error);
    if (self->datapath == NULL) {
        close_fd(setup.udp4);
        close_fd(setup.udp6);
        close_fd(setup.esp4);
        close_fd(setup.esp6);
        GError *ours = NULL;
        dialtone_failure_set(&ours, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("The data path could not be started: %s"), error->message);
        tunnel_end(self, ours);
        return;
    }
    tunnel_roam_take_ports(self, setup.udp4, setup.udp6);
    datapath_watch_traffic(self->datapath);
    self->datagram = g_new(DatapathIke, 1);
    self->ike_source = g_unix_fd_add_full(G_PRIORITY_HIGH, datapath_ike_fd(self->datapath), G_IO_IN,
                                          on_datagrams, self, NULL);
    self->event_source =
        g_unix_fd_add(datapath_event_fd(self->datapath), G_IO_IN, on_datapath_events, self);
    tunnel_attempt_begin(self);
}

static void on_resolver_sockets(int udp4_take, int udp6_take, gpointer data)
{
    Tunnel *self = data;
    self->resolver = platform_resolver_new(udp4_take, udp6_take, NULL);
    self->resolver_ready = true;
    tunnel_attempt_begin(self);
}

static void on_watch_socket(int fd_take, gpointer data)
{
    tunnel_roam_take_watch(data, fd_take);
}

static void on_tun(int fd_take, gpointer data)
{
    Tunnel *self = data;
    if (self->datapath == NULL || fd_take < 0) {
        close_fd(fd_take);
        return;
    }
    datapath_attach_tun(self->datapath, fd_take, self->tun_vnet);
    self->tun_attached = true;
    tunnel_link_apply(self);
}

static void show_warnings(Tunnel *self, const char *const *warnings)
{
    for (; warnings != NULL && *warnings != NULL; warnings++)
        tunnel_notice(self, "%s", *warnings);
}

static void network_is_up(Tunnel *self)
{
    self->link = TUNNEL_LINK_UP;
    if (self->apply_again) {
        self->apply_again = false;
        tunnel_link_apply(self);
        return;
    }
    if (!self->ike_connected || self->end != TUNNEL_END_NOT)
        return;
    self->was_connected = true;
    /* Whoever was chosen among several may be the wrong one next time. */
    self->good = self->sender.family != 0 ? self->sender : self->trying;
    g_free(self->good_host);
    self->good_host = g_strdup(self->host);
    g_free(self->good_backup);
    self->good_backup = g_strdup(self->backup);
    tunnel_backoff_end(&self->backoff);
    g_clear_error(&self->round_error);
    tunnel_attempt_keep_found(self);
    g_clear_pointer(&self->warning, g_free);
    tunnel_change_is_good(self);
    tunnel_set_state(self, DIALTONE_STATE_CONNECTED);
    tunnel_roam_connected(self);
    tunnel_rearm(self);
}

static gboolean on_again(gpointer data)
{
    Tunnel *self = data;
    self->again_source = 0;
    if (self->end == TUNNEL_END_NOT && self->plan != NULL)
        tunnel_network_apply(self->network, self->plan);
    return G_SOURCE_REMOVE;
}

/* A tunnel that carries the same may be on its way out, as that of the user from whom a profile is
 * taken over: for a second it is waited for. */
static bool waits_for_another(Tunnel *self, const GError *error)
{
    if (dialtone_failure_of(error) != DIALTONE_FAILURE_NOT_PERMITTED ||
        self->end != TUNNEL_END_NOT || self->plan == NULL || self->conflicts == CONFLICTS_MAX)
        return false;
    self->conflicts++;
    self->again_source = g_timeout_add(CONFLICT_PAUSE_MS, on_again, self);
    return true;
}

static void on_applied(const char *const *warnings, const GError *error, gpointer data)
{
    Tunnel *self = data;
    if (error != NULL && waits_for_another(self, error))
        return;
    if (error != NULL) {
        self->link = TUNNEL_LINK_DOWN;
        tunnel_end(self, g_error_copy(error));
        return;
    }
    show_warnings(self, warnings);
    network_is_up(self);
}

static void on_kill_switch_set(const GError *error, gpointer data)
{
    tunnel_kill_switch_is_set(data, error);
}

static void on_released(gpointer data)
{
    Tunnel *self = data;
    self->link = TUNNEL_LINK_DOWN;
    tunnel_rearm(self);
}

static void on_stop_requested(gpointer data)
{
    tunnel_stop(data);
}

static void on_renegotiate_requested(gpointer data)
{
    Tunnel *self = data;
    if (tunnel_change_is_tried(self)) /* new keys are on their way */
        return;
    if (self->handlers->renegotiate != NULL)
        self->handlers->renegotiate(self->data);
    else
        tunnel_renegotiate(self);
}

static void on_sleep_changed(bool asleep, gpointer data)
{
    if (asleep)
        tunnel_goes_to_sleep(data);
    else
        tunnel_woke_up(data);
}

/* What stands until the tunnel is up anew is a part of its state. */
static void on_warned(const char *warning, gpointer data)
{
    Tunnel *self = data;
    tunnel_notice(self, "%s", warning);
    g_free(self->warning);
    self->warning = g_strdup(warning);
    if (self->state == DIALTONE_STATE_CONNECTED)
        tunnel_set_state(self, DIALTONE_STATE_CONNECTED);
}

static void on_network_failed(const GError *error, gpointer data)
{
    Tunnel *self = data;
    tunnel_end(self, g_error_copy(error));
}

const TunnelNetworkHandlers tunnel_link_handlers = {
    .claimed = on_claimed,
    .sockets = on_sockets,
    .resolver_sockets = on_resolver_sockets,
    .watch_socket = on_watch_socket,
    .tun = on_tun,
    .applied = on_applied,
    .kill_switch_set = on_kill_switch_set,
    .released = on_released,
    .stop_requested = on_stop_requested,
    .renegotiate_requested = on_renegotiate_requested,
    .sleep_changed = on_sleep_changed,
    .warned = on_warned,
    .failed = on_network_failed,
};

/* ---- what is asked of the helper ---- */

bool tunnel_link_resolves(const DialtoneProfile *profile)
{
    for (guint i = 0; i < profile->gateways->len; i++)
        if (!g_array_index(profile->gateways, DialtoneEndpoint, i).is_ip)
            return true;
    return false;
}

void tunnel_link_begin(Tunnel *self)
{
    g_autofree char *label = tunnel_label(self->profile);
    TunnelNetworkWants wants = {.label = label,
                                .esp = self->profile->natt != DIALTONE_NATT_FORCE,
                                .system = self->is_system,
                                .vnet = (self->profile->offloads & DIALTONE_OFFLOAD_VNET_HDR) != 0};
    self->tun_vnet = wants.vnet;
    for (guint i = 0; i < self->profile->gateways->len; i++) {
        const DialtoneEndpoint *endpoint =
            &g_array_index(self->profile->gateways, DialtoneEndpoint, i);
        bool is_ip6 = endpoint->is_ip && strchr(endpoint->host, ':') != NULL;
        wants.udp4 |= !is_ip6;
        wants.udp6 |= is_ip6 || !endpoint->is_ip;
    }
    wants.resolver = tunnel_link_resolves(self->profile);
    self->resolver_ready = !wants.resolver;
    self->lacks4 = !wants.udp4;
    self->lacks6 = !wants.udp6;
    g_autoptr(PlatformKillSwitch) kill_switch =
        tunnel_kill_switch_is_wanted(self) ? tunnel_kill_switch_new(self, NULL) : NULL;
    wants.kill_switch = kill_switch;
    tunnel_network_claim(self->network, &wants);
}

unsigned tunnel_link_inner_mtu(const Tunnel *self, unsigned path_mtu)
{
    const IkeAddress peer = tunnel_session_esp_peer(self);
    unsigned mtu = 0;
    for (guint i = 0; i < self->sas->len; i++) {
        const EspShape shape = g_array_index(self->sas, TunnelSa, i).shape;
        unsigned one = datapath_shape_mtu(shape, &peer, path_mtu);
        if (one != 0 && (mtu == 0 || one < mtu))
            mtu = one;
    }
    return mtu;
}

static HelperPlan *make_plan(Tunnel *self, const IkeSaInfo *sas, size_t n, unsigned mtu,
                             GError **error)
{
    const TunnelPlanInput input = {.profile = self->profile,
                                   .config = &self->inner,
                                   .sas = sas,
                                   .sas_n = n,
                                   .mtu = mtu,
                                   .gateway = self->peer};
    return tunnel_plan_new(&input, error);
}

static HelperPlan *plan_of_sas(Tunnel *self, GError **error)
{
    g_autofree IkeSaInfo *sas = g_new(IkeSaInfo, self->sas->len + 1);
    for (guint i = 0; i < self->sas->len; i++)
        sas[i] = g_array_index(self->sas, TunnelSa, i).info;
    unsigned mtu = tunnel_link_inner_mtu(self, tunnel_mtu_of_path(self));
    return make_plan(self, sas, self->sas->len, mtu, error);
}

/* The MTU if the gateway takes this proposal; 0 where it can't be told. */
static unsigned mtu_of_proposal(const Tunnel *self, const DialtoneProposal *proposal)
{
    static const uint8_t no_key[ESP_KEYMAT_MAX];
    const EspParameters parameters = {.spi = 256,
                                      .cipher = proposal->cipher,
                                      .integrity = proposal->hash,
                                      .sha256_truncation = self->profile->sha256_truncation,
                                      .keymat = no_key};
    EspSa *sa = NULL;
    if (esp_seal_new(&sa, &parameters) < 0)
        return 0;
    const IkeAddress peer = tunnel_session_esp_peer(self);
    unsigned mtu = datapath_inner_mtu(sa, &peer, tunnel_mtu_of_path(self));
    esp_sa_free(sa);
    return mtu;
}

static unsigned expected_mtu(const Tunnel *self)
{
    unsigned least = 0;
    const GArray *proposals = self->profile->phase2_proposals;
    for (guint i = 0; i < proposals->len; i++) {
        unsigned one = mtu_of_proposal(self, &g_array_index(proposals, DialtoneProposal, i));
        if (one != 0 && (least == 0 || one < least))
            least = one;
    }
    return least;
}

static HelperPlan *expected_plan(Tunnel *self, GError **error)
{
    const GArray *networks = self->profile->networks;
    IkeSaInfo sas[IKE_NETWORKS_MAX] = {{.remote = {.family = 4}}};
    size_t n = 1;
    if (self->profile->selectors == DIALTONE_SELECTORS_EACH && networks->len > 0)
        n = MIN(networks->len, (guint)IKE_NETWORKS_MAX);
    for (size_t i = 0; networks->len > 0 && i < n; i++) {
        PlatformPrefix prefix =
            tunnel_prefix_from_profile(&g_array_index(networks, DialtoneNetwork, i));
        IkeAddress address = tunnel_address_to_ike(&prefix.address, 0);
        sas[i].remote = (IkeNetwork){.family = address.family, .prefix = prefix.length};
        memcpy(sas[i].remote.bytes, address.bytes, sizeof(address.bytes));
    }
    return make_plan(self, sas, n, expected_mtu(self), error);
}

/* The tunnel's own servers don't answer while it is down. */
static void keep_resolver_off(Tunnel *self)
{
    if (self->resolver != NULL)
        platform_resolver_skip_servers(self->resolver, self->plan->dns.servers,
                                       self->plan->dns.n_servers);
}

static void tell_unused_servers(Tunnel *self)
{
    if (self->profile->dns_mode != DIALTONE_DNS_AUTO)
        return;
    for (size_t i = 0; i < self->inner.dns_n; i++) {
        PlatformAddress server = tunnel_address_from_ike(&self->inner.dns[i]);
        char text[PLATFORM_ADDRESS_TEXT];
        bool used = false;
        for (size_t k = 0; !used && k < self->plan->dns.n_servers; k++)
            used = platform_address_equal(&self->plan->dns.servers[k], &server);
        if (!used)
            tunnel_notice(self,
                          _("The gateway's name server %s is not used: the tunnel does not "
                            "reach it. Add it to [Phase2] Networks."),
                          platform_address_format(&server, text));
    }
}

static void apply(Tunnel *self, HelperPlan *plan_take)
{
    g_clear_handle_id(&self->again_source, g_source_remove);
    self->conflicts = 0;
    g_clear_pointer(&self->plan, helper_plan_free);
    self->plan = plan_take;
    self->link = TUNNEL_LINK_APPLYING;
    keep_resolver_off(self);
    tell_unused_servers(self);
    tunnel_network_apply(self->network, plan_take);
}

void tunnel_link_apply(Tunnel *self)
{
    if (!self->ike_connected || self->end != TUNNEL_END_NOT || !self->tun_attached)
        return;
    if (self->link == TUNNEL_LINK_APPLYING) {
        self->apply_again = true;
        return;
    }
    GError *error = NULL;
    HelperPlan *plan = plan_of_sas(self, &error);
    if (plan == NULL) {
        tunnel_end(self, error);
        return;
    }
    if (self->plan != NULL && tunnel_plan_equal(plan, self->plan)) {
        helper_plan_free(plan);
        if (self->state != DIALTONE_STATE_CONNECTED)
            network_is_up(self);
        return;
    }
    apply(self, plan);
}

/* While Phase 2 is agreed on, the helper can be at work already: as a rule the plan will not
 * differ. Not for a full tunnel, which would take everything away from a user whose Phase 2 fails.
 */
void tunnel_link_prepare(Tunnel *self)
{
    bool split = self->profile->networks->len > 0 || self->inner.networks_n > 0;
    if (!split || self->link != TUNNEL_LINK_DOWN || !self->tun_attached)
        return;
    HelperPlan *plan = expected_plan(self, NULL);
    if (plan != NULL)
        apply(self, plan);
}

static void log_stats(const Tunnel *self)
{
    DatapathStats stats;
    tunnel_stats(self, &stats);
    g_debug("in %" G_GUINT64_FORMAT " packets, out %" G_GUINT64_FORMAT, stats.packets_in,
            stats.packets_out);
    for (int i = 0; i < DATAPATH_DROPS; i++)
        if (stats.drops[i] != 0)
            g_debug("dropped (%s): %" G_GUINT64_FORMAT, datapath_drop_name((DatapathDrop)i),
                    stats.drops[i]);
}

void tunnel_link_clear(Tunnel *self)
{
    log_stats(self);
    tunnel_traffic_clear(self);
    g_clear_handle_id(&self->ike_source, g_source_remove);
    g_clear_handle_id(&self->event_source, g_source_remove);
    self->datapath = datapath_free(self->datapath);
    g_clear_pointer(&self->datagram, g_free);
    g_clear_handle_id(&self->again_source, g_source_remove);
    g_clear_pointer(&self->plan, helper_plan_free);
    self->tun_attached = false;
    self->link = TUNNEL_LINK_DOWN;
}

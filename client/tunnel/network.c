/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helper1, from the side without privileges. What a tunnel needs at first is asked for in one go,
 * before any answer has come: the helper answers in order, so that connecting waits for one round
 * trip and not for four. The TUN has an MTU of its own from the first plan; until then any will do.
 */
#include "client/tunnel/network.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/tunnel/plan.h"
#include "platform/helper-call.h"
#include "platform/helper/error.h"
#include "platform/peer.h"

typedef enum Purpose { FOR_IKE, FOR_ESP, FOR_RESOLVER, FOR_WATCH, PURPOSES } Purpose;

struct TunnelNetwork {
    GDBusConnection *connection;
    DialtoneHelper1 *helper;
    GCancellable *cancellable;
    const TunnelNetworkHandlers *handlers;
    gpointer data;

    /* sockets that have come, by purpose and family, and for how many is waited */
    int sockets[PURPOSES][2];
    unsigned waiting[PURPOSES];
    bool vnet, gone;
};

/* Which answer a request of OpenSocket is for. */
typedef struct SocketRequest {
    TunnelNetwork *network;
    int family; /* index: 0 IPv4, 1 IPv6; of no meaning for the watch */
    Purpose purpose;
} SocketRequest;

/* ---- errors ---- */

/* In the user's words; the helper's own sentence says which network or which setting of the kernel
 * it was. */
static GError *explain(const GError *remote)
{
    g_autoptr(GError) plain = g_error_copy(remote);
    g_dbus_error_strip_remote_error(plain);
    GError *error = NULL;
    if (g_error_matches(plain, HELPER_ERROR, HELPER_ERROR_CONFLICT))
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Disconnect the other tunnel first, or set [Phase2] Networks so "
                               "that the two do not overlap."),
                             _("Another tunnel carries the same network: %s"), plain->message);
    else if (g_error_matches(plain, HELPER_ERROR, HELPER_ERROR_STRICT_REVERSE_PATH))
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                             _("Set the kernel's net.ipv4.conf.all.rp_filter to 2 (loose)."),
                             _("The kernel would drop the gateway's answers: %s"), plain->message);
    else if (g_error_matches(plain, HELPER_ERROR, HELPER_ERROR_IN_USE))
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("`dialtone status` shows it. Disconnect it first, or make it take "
                               "a changed profile with `sudo dialtone renegotiate`."),
                             _("This profile is connected already."));
    else if (g_error_matches(plain, HELPER_ERROR, HELPER_ERROR_NO_SLOT))
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                             _("Disconnect one of them; `dialtone status` lists them."),
                             _("There are too many tunnels already: %s"), plain->message);
    else if (g_error_matches(plain, HELPER_ERROR, HELPER_ERROR_NOT_PERMITTED))
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Run it with sudo; in a container, allow CAP_NET_ADMIN and "
                               "/dev/net/tun."),
                             _("The network may not be changed: %s"), plain->message);
    else
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("The network could not be set up: %s"), plain->message);
    return error;
}

static void fail(TunnelNetwork *self, const GError *remote)
{
    if (self->gone)
        return;
    g_autoptr(GError) error = explain(remote);
    self->handlers->failed(error, self->data);
}

/* True when the object is there no more, so that the caller must not touch it. */
static bool is_over(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static int take_fd(GUnixFDList *list, GVariant *handle)
{
    if (list == NULL || handle == NULL)
        return -1;
    return g_unix_fd_list_get(list, g_variant_get_handle(handle), NULL);
}

static GVariant *claim_options(const TunnelNetworkWants *wants)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (wants->kill_switch != NULL)
        g_variant_builder_add(&options, "{sv}", "kill-switch", g_variant_new_boolean(TRUE));
    if (wants->system)
        g_variant_builder_add(&options, "{sv}", "system", g_variant_new_boolean(TRUE));
    return g_variant_builder_end(&options);
}

/* ---- answers ---- */

static void on_claimed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) handle = NULL;
    g_autofree char *interface = NULL;
    guint slot = 0, table = 0, mark = 0;
    bool ok = dialtone_helper1_call_claim_finish(DIALTONE_HELPER1(source), &slot, &interface,
                                                 &table, &mark, &handle, &fds, result, &error);
    if (!ok && is_over(error))
        return;
    TunnelNetwork *self = data;
    if (!ok) {
        fail(self, error);
        return;
    }
    self->handlers->claimed(interface, mark, take_fd(fds, handle), self->data);
}

static int steal(TunnelNetwork *self, Purpose purpose, int family)
{
    int fd = self->sockets[purpose][family];
    self->sockets[purpose][family] = -1;
    return fd;
}

static void hand_over(TunnelNetwork *self, Purpose purpose)
{
    if (purpose == FOR_WATCH) {
        self->handlers->watch_socket(steal(self, FOR_WATCH, 0), self->data);
        return;
    }
    if (purpose == FOR_RESOLVER) {
        int udp4 = steal(self, FOR_RESOLVER, 0), udp6 = steal(self, FOR_RESOLVER, 1);
        self->handlers->resolver_sockets(udp4, udp6, self->data);
        return;
    }
    const TunnelSockets sockets = {.udp4 = steal(self, FOR_IKE, 0),
                                   .udp6 = steal(self, FOR_IKE, 1),
                                   .esp4 = steal(self, FOR_ESP, 0),
                                   .esp6 = steal(self, FOR_ESP, 1)};
    self->handlers->sockets(&sockets, self->data);
}

/* A family that the machine lacks is no failure as long as the other one is there. */
static void on_socket(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree SocketRequest *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) handle = NULL;
    guint port = 0;
    bool ok = dialtone_helper1_call_open_socket_finish(DIALTONE_HELPER1(source), &handle, &port,
                                                       &fds, result, &error);
    if (!ok && is_over(error))
        return;
    TunnelNetwork *self = request->network;
    const Purpose purpose = request->purpose;
    int *into = self->sockets[purpose];
    if (ok)
        into[request->family] = take_fd(fds, handle);
    self->waiting[purpose]--;
    /* Raw sockets are asked for before those that go with them; without any, who needs one says so.
     */
    if (self->waiting[purpose] > 0 || purpose == FOR_ESP)
        return;
    if (into[0] < 0 && into[1] < 0 && error != NULL && purpose != FOR_WATCH)
        fail(self, error);
    else
        hand_over(self, purpose);
}

static void on_tun(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) handle = NULL;
    bool ok = dialtone_helper1_call_open_tun_finish(DIALTONE_HELPER1(source), &handle, &fds, result,
                                                    &error);
    if (!ok && is_over(error))
        return;
    TunnelNetwork *self = data;
    if (!ok)
        fail(self, error);
    else
        self->handlers->tun(take_fd(fds, handle), self->data);
}

static void on_applied(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) warnings = NULL;
    bool ok =
        dialtone_helper1_call_apply_finish(DIALTONE_HELPER1(source), &warnings, result, &error);
    if (!ok && is_over(error))
        return;
    TunnelNetwork *self = data;
    g_autoptr(GError) explained = ok ? NULL : explain(error);
    self->handlers->applied((const char *const *)warnings, explained, self->data);
}

static void on_kill_switch_set(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    bool ok =
        dialtone_helper1_call_set_kill_switch_finish(DIALTONE_HELPER1(source), result, &error);
    if (!ok && is_over(error))
        return;
    TunnelNetwork *self = data;
    if (!ok)
        g_dbus_error_strip_remote_error(error);
    self->handlers->kill_switch_set(error, self->data);
}

static void on_released(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    bool ok = dialtone_helper1_call_release_finish(DIALTONE_HELPER1(source), result, &error);
    if (!ok && is_over(error))
        return;
    TunnelNetwork *self = data;
    self->handlers->released(self->data);
}

/* ---- signals ---- */

static void on_stop_requested(DialtoneHelper1 *helper, gpointer data)
{
    TunnelNetwork *self = data;
    self->handlers->stop_requested(self->data);
}

static void on_renegotiate_requested(DialtoneHelper1 *helper, gpointer data)
{
    TunnelNetwork *self = data;
    self->handlers->renegotiate_requested(self->data);
}

static void on_sleep_changed(DialtoneHelper1 *helper, gboolean asleep, gpointer data)
{
    TunnelNetwork *self = data;
    self->handlers->sleep_changed(asleep, self->data);
}

static void on_warned(DialtoneHelper1 *helper, const char *warning, gpointer data)
{
    TunnelNetwork *self = data;
    self->handlers->warned(warning, self->data);
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
    TunnelNetwork *self = data;
    if (self->gone)
        return;
    g_autoptr(GError) ours = NULL;
    dialtone_failure_set(&ours, DIALTONE_FAILURE_INTERNAL,
                         _("Connect again; what is left of the tunnel is then cleaned up."),
                         _("The helper that sets up the network has ended."));
    self->gone = true;
    self->handlers->failed(ours, self->data);
}

/* ---- requests ---- */

static void open_socket(TunnelNetwork *self, int family, Purpose purpose)
{
    SocketRequest *request = g_new0(SocketRequest, 1);
    GVariantBuilder options;
    *request = (SocketRequest){.network = self, .family = family, .purpose = purpose};
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (purpose == FOR_ESP)
        g_variant_builder_add(&options, "{sv}", "esp", g_variant_new_boolean(TRUE));
    self->waiting[purpose]++;
    guint asked = purpose == FOR_WATCH ? AF_NETLINK : family == 0 ? 4 : 6;
    dialtone_helper1_call_open_socket(self->helper, asked, g_variant_builder_end(&options), NULL,
                                      self->cancellable, on_socket, request);
}

void tunnel_network_claim(TunnelNetwork *self, const TunnelNetworkWants *wants)
{
    self->vnet = wants->vnet;
    dialtone_helper1_call_claim(self->helper, wants->label, claim_options(wants), NULL,
                                self->cancellable, on_claimed, self);
    if (wants->kill_switch != NULL)
        tunnel_network_set_kill_switch(self, wants->kill_switch);
    open_socket(self, 0, FOR_WATCH);
    if (wants->resolver)
        tunnel_network_open_resolver(self);
    if (wants->esp && wants->udp4)
        open_socket(self, 0, FOR_ESP);
    if (wants->esp && wants->udp6)
        open_socket(self, 1, FOR_ESP);
    if (wants->udp4)
        open_socket(self, 0, FOR_IKE);
    if (wants->udp6)
        open_socket(self, 1, FOR_IKE);
    tunnel_network_open_tun(self);
}

void tunnel_network_open_resolver(TunnelNetwork *self)
{
    for (int family = 0; family < 2; family++)
        open_socket(self, family, FOR_RESOLVER);
}

void tunnel_network_open_tun(TunnelNetwork *self)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "vnet-hdr", g_variant_new_boolean(self->vnet));
    dialtone_helper1_call_open_tun(self->helper, TUNNEL_MTU_FALLBACK,
                                   g_variant_builder_end(&options), NULL, self->cancellable, on_tun,
                                   self);
}

void tunnel_network_apply(TunnelNetwork *self, const HelperPlan *plan)
{
    helper_plan_call_apply(plan, self->helper, self->cancellable, on_applied, self);
}

void tunnel_network_set_kill_switch(TunnelNetwork *self, const PlatformKillSwitch *kill_switch)
{
    const PlatformKillSwitchArguments arguments = platform_kill_switch_to_arguments(kill_switch);
    dialtone_helper1_call_set_kill_switch(self->helper, arguments.gateways, arguments.networks,
                                          arguments.exclude, arguments.options, self->cancellable,
                                          on_kill_switch_set, self);
}

/* Its answer comes before that to Release, and nobody waits for it alone. */
void tunnel_network_release_kill_switch(TunnelNetwork *self, bool asked)
{
    dialtone_helper1_call_release_kill_switch(self->helper, asked, NULL, NULL, NULL);
}

void tunnel_network_release(TunnelNetwork *self)
{
    dialtone_helper1_call_release(self->helper, self->cancellable, on_released, self);
}

bool tunnel_network_is_gone(const TunnelNetwork *self)
{
    return self->gone;
}

/* ---- life ---- */

GDBusConnection *tunnel_network_connect(int fd_take, GError **error)
{
    (void)helper_error_quark(); /* registered before an error can arrive */
    return platform_peer_connect(fd_take, error);
}

TunnelNetwork *tunnel_network_new(GDBusConnection *helper_take,
                                  const TunnelNetworkHandlers *handlers, gpointer data,
                                  GError **error)
{
    g_autoptr(TunnelNetwork) self = g_new0(TunnelNetwork, 1);
    self->handlers = handlers;
    self->data = data;
    for (int i = 0; i < PURPOSES; i++)
        self->sockets[i][0] = self->sockets[i][1] = -1;
    self->cancellable = g_cancellable_new();
    self->connection = helper_take;
    g_dbus_connection_set_exit_on_close(self->connection, FALSE);
    GDBusProxyFlags flags =
        G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START;
    self->helper = dialtone_helper1_proxy_new_sync(self->connection, flags, NULL,
                                                   HELPER_OBJECT_PATH, NULL, error);
    if (self->helper == NULL)
        return NULL;
    g_signal_connect(self->helper, "stop-requested", G_CALLBACK(on_stop_requested), self);
    g_signal_connect(self->helper, "renegotiate-requested", G_CALLBACK(on_renegotiate_requested),
                     self);
    g_signal_connect(self->helper, "sleep-changed", G_CALLBACK(on_sleep_changed), self);
    g_signal_connect(self->helper, "warned", G_CALLBACK(on_warned), self);
    g_signal_connect(self->connection, "closed", G_CALLBACK(on_closed), self);
    /* Only now can a request to stop arrive, and not be lost. */
    g_dbus_connection_start_message_processing(self->connection);
    return g_steal_pointer(&self);
}

void tunnel_network_free(TunnelNetwork *self)
{
    if (self == NULL)
        return;
    self->gone = true;
    g_cancellable_cancel(self->cancellable);
    if (self->helper != NULL)
        g_signal_handlers_disconnect_by_data(self->helper, self);
    if (self->connection != NULL)
        g_signal_handlers_disconnect_by_data(self->connection, self);
    g_clear_object(&self->helper);
    g_clear_object(&self->connection);
    g_clear_object(&self->cancellable);
    for (int i = 0; i < 2 * PURPOSES; i++)
        if (self->sockets[i / 2][i % 2] >= 0)
            close(self->sockets[i / 2][i % 2]);
    g_free(self);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* GDBus over a socket pair, and the errors that cross it.
 *
 * The two ends were made before the processes separated, so whoever holds one is the peer; uids
 * would say nothing, for they change meanwhile. Hence ANONYMOUS only, on both sides: EXTERNAL would
 * name the wrong identity, and the cookie mechanism writes to a home directory.
 */
#include "platform/helper/peer.h"

#include <gio/gunixconnection.h>
#include <string.h>
#include <unistd.h>

static const GDBusErrorEntry entries[] = {
    {HELPER_ERROR_INVALID_ARGUMENT, "org.dialtone.Helper1.Error.InvalidArgument"},
    {HELPER_ERROR_NOT_CLAIMED, "org.dialtone.Helper1.Error.NotClaimed"},
    {HELPER_ERROR_ALREADY_CLAIMED, "org.dialtone.Helper1.Error.AlreadyClaimed"},
    {HELPER_ERROR_NO_SLOT, "org.dialtone.Helper1.Error.NoSlot"},
    {HELPER_ERROR_IN_USE, "org.dialtone.Helper1.Error.InUse"},
    {HELPER_ERROR_CONFLICT, "org.dialtone.Helper1.Error.Conflict"},
    {HELPER_ERROR_STRICT_REVERSE_PATH, "org.dialtone.Helper1.Error.StrictReversePath"},
    {HELPER_ERROR_NOT_PERMITTED, "org.dialtone.Helper1.Error.NotPermitted"},
    {HELPER_ERROR_SYSTEM, "org.dialtone.Helper1.Error.System"},
};

GQuark helper_error_quark(void)
{
    static gsize quark;

    g_dbus_error_register_error_domain("dialtone-helper-error-quark", &quark, entries,
                                       G_N_ELEMENTS(entries));
    return (GQuark)quark;
}

static gboolean on_allow_mechanism(GDBusAuthObserver *observer, const char *mechanism,
                                   gpointer user_data)
{
    return !strcmp(mechanism, "ANONYMOUS");
}

static GDBusAuthObserver *observer_new(void)
{
    GDBusAuthObserver *observer = g_dbus_auth_observer_new();

    g_signal_connect(observer, "allow-mechanism", G_CALLBACK(on_allow_mechanism), NULL);
    return observer;
}

static GDBusConnectionFlags flags_for(gboolean server)
{
    if (!server)
        return G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;
    return G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
           G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS |
           G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING;
}

static GIOStream *stream_new(int fd_take, GError **error)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd_take, error);

    /* Before the first message: an error that arrives unregistered would stay a remote one. */
    (void)helper_error_quark();
    if (!socket) {
        close(fd_take);
        return NULL;
    }
    return G_IO_STREAM(g_socket_connection_factory_create_connection(socket));
}

GDBusConnection *helper_peer_connect(int fd_take, gboolean server, GError **error)
{
    g_autoptr(GIOStream) stream = stream_new(fd_take, error);
    g_autoptr(GDBusAuthObserver) observer = observer_new();
    g_autofree char *guid = server ? g_dbus_generate_guid() : NULL;

    if (!stream)
        return NULL;
    return g_dbus_connection_new_sync(stream, guid, flags_for(server), observer, NULL, error);
}

void helper_peer_accept(int fd_take, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GIOStream) stream = stream_new(fd_take, &error);
    g_autoptr(GDBusAuthObserver) observer = observer_new();
    g_autofree char *guid = g_dbus_generate_guid();

    if (!stream) {
        g_task_report_error(NULL, callback, user_data, helper_peer_accept, g_steal_pointer(&error));
        return;
    }
    g_dbus_connection_new(stream, guid, flags_for(TRUE), observer, NULL, callback, user_data);
}

GDBusConnection *helper_peer_accept_finish(GAsyncResult *result, GError **error)
{
    if (G_IS_TASK(result) && g_async_result_is_tagged(result, helper_peer_accept))
        return g_task_propagate_pointer(G_TASK(result), error);
    return g_dbus_connection_new_finish(result, error);
}

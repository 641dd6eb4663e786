// SPDX-License-Identifier: GPL-2.0-or-later
/* Both ends of a private D-Bus connection.
 *
 * Uids would say nothing, for they change after the socket pair was made. Hence ANONYMOUS only, on
 * both sides: EXTERNAL would name the wrong identity, and the cookie mechanism writes to a home
 * directory.
 */
#include "platform/peer.h"

#include <gio/gunixconnection.h>
#include <string.h>
#include <unistd.h>

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
    const GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING;

    if (!server)
        return flags | G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;
    return flags | G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
           G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS;
}

static GIOStream *stream_new(int fd_take, GError **error)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd_take, error);

    if (!socket) {
        close(fd_take);
        return NULL;
    }
    return G_IO_STREAM(g_socket_connection_factory_create_connection(socket));
}

GDBusConnection *platform_peer_connect(int fd_take, GError **error)
{
    g_autoptr(GIOStream) stream = stream_new(fd_take, error);
    g_autoptr(GDBusAuthObserver) observer = observer_new();

    if (!stream)
        return NULL;
    return g_dbus_connection_new_sync(stream, NULL, flags_for(FALSE), observer, NULL, error);
}

GDBusConnection *platform_peer_accept(int fd_take, guint seconds, GError **error)
{
    g_autoptr(GIOStream) stream = stream_new(fd_take, error);
    g_autoptr(GDBusAuthObserver) observer = observer_new();
    g_autofree char *guid = g_dbus_generate_guid();

    if (!stream)
        return NULL;
    GSocket *socket = g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream));

    g_socket_set_timeout(socket, seconds);
    GDBusConnection *connection =
        g_dbus_connection_new_sync(stream, guid, flags_for(TRUE), observer, NULL, error);

    g_socket_set_timeout(socket, 0);
    return connection;
}

void platform_peer_open(int fd_take, gboolean server, GAsyncReadyCallback callback,
                        gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GIOStream) stream = stream_new(fd_take, &error);
    g_autoptr(GDBusAuthObserver) observer = observer_new();
    g_autofree char *guid = server ? g_dbus_generate_guid() : NULL;

    if (!stream) {
        g_task_report_error(NULL, callback, user_data, platform_peer_open, g_steal_pointer(&error));
        return;
    }
    g_dbus_connection_new(stream, guid, flags_for(server), observer, NULL, callback, user_data);
}

GDBusConnection *platform_peer_open_finish(GAsyncResult *result, GError **error)
{
    if (G_IS_TASK(result) && g_async_result_is_tagged(result, platform_peer_open))
        return g_task_propagate_pointer(G_TASK(result), error);
    return g_dbus_connection_new_finish(result, error);
}

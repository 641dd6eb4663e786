// SPDX-License-Identifier: GPL-2.0-or-later
/* Connecting to a bus waits without an end where its daemon hangs: here it has one. It runs in a
 * main context of its own, so that nothing else is served meanwhile; whoever can't wait connects by
 * himself.
 */
#include "platform/bus-connect.h"

#include <string.h>
#include <unistd.h>

typedef struct Connecting {
    GDBusConnection *bus;
    GError *error;
    gboolean done;
} Connecting;

static void on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Connecting *connecting = user_data;

    connecting->bus = g_dbus_connection_new_for_address_finish(result, &connecting->error);
    connecting->done = TRUE;
}

static gboolean on_late(gpointer user_data)
{
    g_cancellable_cancel(user_data);
    return G_SOURCE_REMOVE;
}

/* Where there is no bus, and whoever connects a tunnel waits for the answer, no thread is needed to
 * find out. */
static gboolean is_there(const char *address, GError **error)
{
    static const char prefix[] = "unix:path=";

    if (!g_str_has_prefix(address, prefix) || strpbrk(address, ",;"))
        return TRUE;
    g_autofree char *path = g_uri_unescape_string(address + strlen(prefix), NULL);

    if (!path || access(path, F_OK) == 0)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "there is no bus at %s", path);
    return FALSE;
}

GDBusConnection *platform_bus_connect(guint wait_ms, GError **error)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GSource) timeout = g_timeout_source_new(wait_ms);
    Connecting connecting = {0};

    if (!address || !is_there(address, error))
        return NULL;
    g_source_set_callback(timeout, on_late, cancellable, NULL);
    g_source_attach(timeout, context);
    g_main_context_push_thread_default(context);
    g_dbus_connection_new_for_address(address,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                          G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                      NULL, cancellable, on_connected, &connecting);
    while (!connecting.done)
        g_main_context_iteration(context, TRUE);
    g_source_destroy(timeout);
    g_main_context_pop_thread_default(context);
    if (connecting.error)
        g_propagate_error(error, connecting.error);
    return connecting.bus;
}

void platform_bus_disconnect(GDBusConnection *bus)
{
    g_dbus_connection_close(bus, NULL, NULL, NULL);
    g_object_unref(bus);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* By the caller's unique name, which the bus gives to no second connection: a process that has
 * ended meanwhile is an error, and not somebody else.
 */
#include "platform/bus-caller.h"

enum { ANSWER_MS = 5000 };

void platform_bus_caller_uid(GDBusMethodInvocation *invocation, GAsyncReadyCallback callback,
                             gpointer user_data)
{
    g_dbus_connection_call(g_dbus_method_invocation_get_connection(invocation),
                           "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           "GetConnectionUnixUser",
                           g_variant_new("(s)", g_dbus_method_invocation_get_sender(invocation)),
                           G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, ANSWER_MS, NULL,
                           callback, user_data);
}

gboolean platform_bus_caller_uid_finish(GObject *source, GAsyncResult *result, uid_t *uidp,
                                        GError **error)
{
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, error);
    guint32 uid;

    if (!answer)
        return FALSE;
    g_variant_get(answer, "(u)", &uid);
    *uidp = uid;
    return TRUE;
}

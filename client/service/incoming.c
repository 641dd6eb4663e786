/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call may wait as long as a person looks for a password, and what came with it is kept for as
 * long. So a message is refused, in GDBus' own thread and before it waits for its turn, when it has
 * a descriptor, which no method takes (a process that has none left hears nothing any more, from
 * nobody), or more text than a profile can have. Answers are of those whom the service asked; they
 * are left alone.
 */
#include "client/service/incoming.h"

#include <stdbool.h>

enum { BODY_MAX = 256 * 1024 };

static void refuse(GDBusConnection *bus, GDBusMessage *message)
{
    if (g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL ||
        (g_dbus_message_get_flags(message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) != 0)
        return;
    g_autoptr(GDBusMessage) error = g_dbus_message_new_method_error_literal(
        message, "org.freedesktop.DBus.Error.LimitsExceeded", "no method takes that much");
    if (!g_dbus_connection_send_message(bus, error, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL))
        g_debug("a refusal could not be sent");
}

static bool is_acceptable(GDBusMessage *message)
{
    GDBusMessageType type = g_dbus_message_get_message_type(message);
    GVariant *body = g_dbus_message_get_body(message);
    return type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR ||
           (g_dbus_message_get_unix_fd_list(message) == NULL &&
            (body == NULL || g_variant_get_size(body) <= BODY_MAX));
}

static GDBusMessage *on_message(GDBusConnection *bus, GDBusMessage *message_take, gboolean incoming,
                                gpointer data)
{
    if (!incoming || is_acceptable(message_take))
        return message_take;
    refuse(bus, message_take);
    g_object_unref(message_take);
    return NULL;
}

void service_incoming_guard(GDBusConnection *bus)
{
    (void)g_dbus_connection_add_filter(bus, on_message, NULL, NULL);
}

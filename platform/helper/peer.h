/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper1 between two processes that share a socket pair: both ends' connection, and the names of
   its errors. For the tunnel process too. */
#pragma once

#include <gio/gio.h>

#define HELPER_OBJECT_PATH "/org/dialtone/Helper1"

typedef enum HelperError {
    HELPER_ERROR_INVALID_ARGUMENT,
    HELPER_ERROR_NOT_CLAIMED,
    HELPER_ERROR_ALREADY_CLAIMED,
    HELPER_ERROR_NO_SLOT,
    HELPER_ERROR_IN_USE,
    HELPER_ERROR_CONFLICT,
    HELPER_ERROR_STRICT_REVERSE_PATH,
    HELPER_ERROR_NOT_PERMITTED,
    HELPER_ERROR_SYSTEM,
} HelperError;

/* Registered with GDBus: an error of the helper arrives in this domain. */
#define HELPER_ERROR (helper_error_quark())
GQuark helper_error_quark(void);

/* Peer to peer with the mechanism ANONYMOUS: whoever holds the other end is authorized. Takes fd.
   The server's connection processes no message until g_dbus_connection_start_message_processing().
   Starts GDBus's worker thread, so after the sandbox. */
GDBusConnection *helper_peer_connect(int fd_take, gboolean server, GError **error);
/* The server's side without waiting; ends with helper_peer_accept_finish(). */
void helper_peer_accept(int fd_take, GAsyncReadyCallback callback, gpointer user_data);
GDBusConnection *helper_peer_accept_finish(GAsyncResult *result, GError **error);

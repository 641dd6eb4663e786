/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GDBus between two processes that share a socket pair, by the mechanism ANONYMOUS: whoever holds
   the other end is authorized. No connection processes a message before
   g_dbus_connection_start_message_processing(), so that nothing is missed. Starts GDBus's worker
   thread, so after the sandbox. Every function takes the descriptor, also when it fails. */
#pragma once

#include <gio/gio.h>

/* The end that calls; waits for the other one. */
GDBusConnection *platform_peer_connect(int fd_take, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The end that is called; waits for each word of the other's greeting at most so long. */
GDBusConnection *platform_peer_accept(int fd_take, guint seconds,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Either end, without waiting: exactly one of the two is the server. */
void platform_peer_open(int fd_take, gboolean server, GAsyncReadyCallback callback,
                        gpointer user_data);
GDBusConnection *platform_peer_open_finish(GAsyncResult *result,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

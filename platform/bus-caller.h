/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who calls a method on a bus: asked of the bus itself, which read it from the caller's socket. */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

/* A bus that does not answer is an error after a few seconds. */
void platform_bus_caller_uid(GDBusMethodInvocation *invocation, GAsyncReadyCallback callback,
                             gpointer user_data);
/* source is the callback's. */
gboolean platform_bus_caller_uid_finish(GObject *source, GAsyncResult *result, uid_t *uidp,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A privileged helper for one tunnel, from org.dialtone.Helper1 on the system bus. */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

typedef struct ServiceHelperOwner {
    uid_t uid; /* may read the tunnel's state */
    gid_t gid;
} ServiceHelperOwner;

/* Ends with service_helper_open_finish(), within half a minute. */
void service_helper_open(GDBusConnection *bus, const ServiceHelperOwner *owner,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
/* A connection for TunnelSetup.helper_take. */
GDBusConnection *service_helper_open_finish(GAsyncResult *result,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A privileged helper for one tunnel, from org.dialtone.Helper1 on the system bus; and what that
 * releases of tunnels that are no more. */
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

/* Kill switches that were left behind, by the label of their tunnels. */
typedef struct ServiceHelperRelease {
    const char *label;
    const uid_t *owner; /* only this user's, and not what is to stay; NULL: whatever stands */
} ServiceHelperRelease;

/* Ends with service_helper_release_finish(), within half a minute. */
void service_helper_release(GDBusConnection *bus, const ServiceHelperRelease *release,
                            GAsyncReadyCallback callback, gpointer data);
gboolean service_helper_release_finish(GAsyncResult *result,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the helper on the bus, which the bus starts, for the end of a socket pair: behind it is a
 * process of its own that speaks org.dialtone.Helper1 for this tunnel alone. It releases kill
 * switches, too, that nobody holds. Whether it is really root's is the bus's policy: only root may
 * own that name.
 */
#include "client/service/helper-client.h"

#include <gio/gunixfdlist.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "platform/helper/error.h"
#include "platform/peer.h"

enum { OPEN_MS = 25 * 1000 };

static void fail(GTask *task, const GError *remote)
{
    GError *error = NULL;
    g_autoptr(GError) plain = g_error_copy(remote);
    g_dbus_error_strip_remote_error(plain);
    dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL,
                         _("See the journal of dialtone-helper.service; it has to be installed "
                           "together with the service."),
                         _("The helper that sets up the network is not there: %s"), plain->message);
    g_task_return_error(task, error);
}

static void on_greeted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = platform_peer_open_finish(result, &error);
    if (connection == NULL)
        fail(task, error);
    else
        g_task_return_pointer(task, connection, g_object_unref);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    gint32 handle = -1;
    g_autoptr(GVariant) answer = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);
    if (answer != NULL)
        g_variant_get(answer, "(h)", &handle);
    int fd = answer != NULL && fds != NULL ? g_unix_fd_list_get(fds, handle, &error) : -1;
    if (fd < 0 && error == NULL)
        g_set_error(&error, G_IO_ERROR, G_IO_ERROR_FAILED, "it sent no socket");
    if (fd < 0) {
        fail(task, error);
        return;
    }
    (void)helper_error_quark(); /* registered before an error can arrive */
    platform_peer_open(fd, FALSE, on_greeted, g_steal_pointer(&task));
}

void service_helper_open(GDBusConnection *bus, const ServiceHelperOwner *owner,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, data);
    g_task_set_source_tag(task, service_helper_open);
    g_dbus_connection_call_with_unix_fd_list(
        bus, "org.dialtone.Helper1", "/org/dialtone/HelperManager1", "org.dialtone.HelperManager1",
        "Open", g_variant_new("(uua{sv})", (guint32)owner->uid, (guint32)owner->gid, NULL),
        G_VARIANT_TYPE("(h)"), G_DBUS_CALL_FLAGS_NONE, OPEN_MS, NULL, cancellable, on_opened, task);
}

GDBusConnection *service_helper_open_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- kill switches ---- */

static void on_released(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (answer == NULL)
        fail(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

void service_helper_release(GDBusConnection *bus, const ServiceHelperRelease *release,
                            GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new(NULL, NULL, callback, data);
    GVariantBuilder options;
    g_task_set_source_tag(task, service_helper_release);
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (release->owner != NULL)
        g_variant_builder_add(&options, "{sv}", "owner",
                              g_variant_new_uint32((guint32)*release->owner));
    g_dbus_connection_call(bus, HELPER_BUS_NAME, HELPER_MANAGER_OBJECT_PATH,
                           "org.dialtone.HelperManager1", "ReleaseKillSwitch",
                           g_variant_new("(sa{sv})", release->label, &options), NULL,
                           G_DBUS_CALL_FLAGS_NONE, OPEN_MS, NULL, on_released, task);
}

gboolean service_helper_release_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

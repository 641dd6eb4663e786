/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sender's uid and groups. The bus took both from the kernel when the sender connected, so there
 * is no process number in between that could pass to somebody else. The groups are those of the
 * process, where the bus tells them (UnixGroupIDs); who has none of that is in no group.
 */
#include "client/service/caller.h"

enum { ASK_MS = 10 * 1000 };

static void take_groups(ServiceCaller *caller, GVariant *groups)
{
    gsize n = 0;
    const guint32 *ids = g_variant_get_fixed_array(groups, &n, sizeof(guint32));
    caller->groups = g_new0(gid_t, n + 1);
    for (gsize i = 0; i < n; i++)
        caller->groups[i] = ids[i];
    caller->n_groups = n;
}

static void on_credentials(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    guint32 uid = 0;
    if (answer == NULL) {
        g_task_return_error(task, error);
        return;
    }
    g_autoptr(GVariant) all = g_variant_get_child_value(answer, 0);
    if (!g_variant_lookup(all, "UnixUserID", "u", &uid)) {
        g_task_return_new_error(task, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
                                "the bus does not know whose process this is");
        return;
    }
    ServiceCaller *caller = g_new0(ServiceCaller, 1);
    caller->bus_name = g_strdup(g_task_get_task_data(task));
    caller->uid = uid;
    g_autoptr(GVariant) groups = g_variant_lookup_value(all, "UnixGroupIDs", G_VARIANT_TYPE("au"));
    if (groups != NULL)
        take_groups(caller, groups);
    g_task_return_pointer(task, caller, (GDestroyNotify)service_caller_free);
}

void service_caller_ask(GDBusConnection *bus, const char *bus_name, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, data);
    g_task_set_source_tag(task, service_caller_ask);
    g_task_set_task_data(task, g_strdup(bus_name), g_free);
    g_dbus_connection_call(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetConnectionCredentials",
                           g_variant_new("(s)", bus_name), G_VARIANT_TYPE("(a{sv})"),
                           G_DBUS_CALL_FLAGS_NONE, ASK_MS, cancellable, on_credentials, task);
}

ServiceCaller *service_caller_ask_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void service_caller_ask_named(const ServiceCaller *caller, ServiceDirectory *directory,
                              const DialtoneProfile *profile, ServiceDirectoryAnswer answer,
                              gpointer data)
{
    static const gid_t NONE[1]; /* NULL would be those of the directory */
    const DialtoneSubject subject = {.uid = caller->uid,
                                     .gids = caller->groups != NULL ? caller->groups : NONE,
                                     .gids_n = caller->n_groups};
    service_directory_ask(directory, profile, &subject, answer, data);
}

void service_caller_free(ServiceCaller *caller)
{
    if (caller == NULL)
        return;
    g_free(caller->bus_name);
    g_free(caller->groups);
    g_free(caller);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's connections end when their last session does, unless the profile says otherwise
 * (KeepAfterLogout=yes). logind says when that is; where there is none, nobody logs out.
 */
#include "client/service/manager-private.h"

#include "client/service/log.h"

static void end_connections(ServiceManager *self, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, self->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const DialtoneProfile *profile = service_connection_profile(value);
        if (service_connection_owner(value) != uid || profile->keep_after_logout)
            continue;
        service_log(uid, profile->name, "ends, for uid %u has logged out", (unsigned)uid);
        service_connection_stop(value, NULL);
    }
}

static void on_user_removed(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *signal, GVariant *parameters,
                            gpointer data)
{
    guint32 uid = 0;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(uo)")))
        return;
    g_variant_get(parameters, "(u&o)", &uid, NULL);
    if (uid != 0)
        end_connections(data, uid);
}

void service_logout_begin(ServiceManager *self)
{
    self->logout = g_dbus_connection_signal_subscribe(
        self->bus, "org.freedesktop.login1", "org.freedesktop.login1.Manager", "UserRemoved",
        "/org/freedesktop/login1", NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_user_removed, self, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's connections end when their last session does, unless the profile says otherwise
 * (KeepAfterLogout=yes). logind says when that is; where there is none, nobody logs out. A signal
 * counts only if the owner of logind's name has sent it: anybody may send one to us alone.
 */
#include "client/service/manager-private.h"

#include "client/service/log.h"

#define BUS_NAME "org.freedesktop.login1"

struct ServiceLogout {
    guint signal, name; /* what is listened to */
    char *owner;        /* of the name; NULL: it is not there */
};

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
        /* Nobody's hand has: a rule goes on as before, for who else is there or comes back. */
        ServiceProfile *of = service_manager_profile_of(self, value);
        if (of != NULL)
            of->rule.ending = true;
        service_connection_stop(value, NULL);
    }
}

static void on_user_removed(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *signal, GVariant *parameters,
                            gpointer data)
{
    ServiceManager *self = data;
    guint32 uid = 0;
    if (g_strcmp0(sender, self->logout->owner) != 0 ||
        !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(uo)")))
        return;
    g_variant_get(parameters, "(u&o)", &uid, NULL);
    if (uid != 0)
        end_connections(self, uid);
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    struct ServiceLogout *logout = data;
    g_free(logout->owner);
    logout->owner = g_strdup(owner);
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
    struct ServiceLogout *logout = data;
    g_clear_pointer(&logout->owner, g_free);
}

void service_logout_begin(ServiceManager *self)
{
    struct ServiceLogout *logout = g_new0(struct ServiceLogout, 1);
    self->logout = logout;
    logout->signal = g_dbus_connection_signal_subscribe(
        self->bus, BUS_NAME, "org.freedesktop.login1.Manager", "UserRemoved",
        "/org/freedesktop/login1", NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_user_removed, self, NULL);
    logout->name = g_bus_watch_name_on_connection(
        self->bus, BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, on_appeared, on_vanished, logout, NULL);
}

void service_logout_end(ServiceManager *self)
{
    struct ServiceLogout *logout = self->logout;
    g_bus_unwatch_name(logout->name);
    g_dbus_connection_signal_unsubscribe(self->bus, logout->signal);
    g_free(logout->owner);
    g_clear_pointer(&self->logout, g_free);
}

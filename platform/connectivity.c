// SPDX-License-Identifier: GPL-2.0-or-later
/* The property Connectivity of org.freedesktop.NetworkManager: it fetches a page of its
 * distribution's now and then, and sees when it is given another. Nothing is fetched by us.
 */
#include "platform/connectivity.h"

#include "platform/bus-connect.h"

#define BUS_NAME    "org.freedesktop.NetworkManager"
#define OBJECT_PATH "/org/freedesktop/NetworkManager"
#define PROPERTIES  "org.freedesktop.DBus.Properties"
#define PROPERTY    "Connectivity"

enum {
    WAIT_MS = 500, /* for the bus, and for the answer */
    PORTAL = 2,    /* NMConnectivityState */
};

static GVariant *ask(GDBusConnection *bus)
{
    return g_dbus_connection_call_sync(
        bus, BUS_NAME, OBJECT_PATH, PROPERTIES, "Get", g_variant_new("(ss)", BUS_NAME, PROPERTY),
        G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MS, NULL, NULL);
}

static bool says_portal(GVariant *reply)
{
    g_autoptr(GVariant) value = NULL;

    g_variant_get(reply, "(v)", &value);
    return g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32) &&
           g_variant_get_uint32(value) == PORTAL;
}

bool platform_connectivity_is_portal(void)
{
    GDBusConnection *bus = platform_bus_connect(WAIT_MS, NULL);

    if (!bus)
        return false;
    g_autoptr(GVariant) reply = ask(bus);
    bool portal = reply && says_portal(reply);

    platform_bus_disconnect(bus);
    return portal;
}

/* ---- as it changes ---- */

struct PlatformPortalWatch {
    GDBusConnection *bus;
    PlatformPortalFunc func;
    gpointer user_data;
    GCancellable *cancellable;
    guint signal;
    bool portal;
};

static void settle(PlatformPortalWatch *watch, bool portal)
{
    if (portal == watch->portal)
        return;
    watch->portal = portal;
    watch->func(portal, watch->user_data);
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (reply)
        settle(user_data, says_portal(reply));
}

static void on_changed(GDBusConnection *bus, const char *sender, const char *path,
                       const char *interface, const char *name, GVariant *arguments,
                       gpointer user_data)
{
    g_autoptr(GVariant) changed = NULL;
    guint32 value;

    if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    g_variant_get(arguments, "(&s@a{sv}@as)", NULL, &changed, NULL);
    if (g_variant_lookup(changed, PROPERTY, "u", &value))
        settle(user_data, value == PORTAL);
}

PlatformPortalWatch *platform_portal_watch_new(GDBusConnection *bus, PlatformPortalFunc func,
                                               gpointer user_data)
{
    PlatformPortalWatch *watch = g_new0(PlatformPortalWatch, 1);

    watch->bus = g_object_ref(bus);
    watch->func = func;
    watch->user_data = user_data;
    watch->cancellable = g_cancellable_new();
    watch->signal = g_dbus_connection_signal_subscribe(
        bus, BUS_NAME, PROPERTIES, "PropertiesChanged", OBJECT_PATH, BUS_NAME,
        G_DBUS_SIGNAL_FLAGS_NONE, on_changed, watch, NULL);
    g_dbus_connection_call(bus, BUS_NAME, OBJECT_PATH, PROPERTIES, "Get",
                           g_variant_new("(ss)", BUS_NAME, PROPERTY), G_VARIANT_TYPE("(v)"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, watch->cancellable, on_answer,
                           watch);
    return watch;
}

void platform_portal_watch_free(PlatformPortalWatch *watch)
{
    if (!watch)
        return;
    g_dbus_connection_signal_unsubscribe(watch->bus, watch->signal);
    g_cancellable_cancel(watch->cancellable);
    g_object_unref(watch->cancellable);
    g_object_unref(watch->bus);
    g_free(watch);
}

bool platform_portal_watch_is_portal(const PlatformPortalWatch *watch)
{
    return watch->portal;
}

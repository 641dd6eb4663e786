// SPDX-License-Identifier: GPL-2.0-or-later
/* The property Connectivity of org.freedesktop.NetworkManager: it fetches a page of its
 * distribution's now and then, and sees when it is given another. Nothing is fetched by us.
 */
#include "platform/connectivity.h"

#include "platform/bus-connect.h"

#define BUS_NAME    "org.freedesktop.NetworkManager"
#define OBJECT_PATH "/org/freedesktop/NetworkManager"

enum {
    WAIT_MS = 500, /* for the bus, and for the answer */
    PORTAL = 2,    /* NMConnectivityState */
};

static GVariant *ask(GDBusConnection *bus)
{
    return g_dbus_connection_call_sync(
        bus, BUS_NAME, OBJECT_PATH, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", BUS_NAME, "Connectivity"), G_VARIANT_TYPE("(v)"),
        G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MS, NULL, NULL);
}

bool platform_connectivity_is_portal(void)
{
    GDBusConnection *bus = platform_bus_connect(WAIT_MS, NULL);
    bool portal = false;

    if (!bus)
        return false;
    g_autoptr(GVariant) reply = ask(bus);

    if (reply) {
        g_autoptr(GVariant) value = NULL;

        g_variant_get(reply, "(v)", &value);
        portal = g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32) &&
                 g_variant_get_uint32(value) == PORTAL;
    }
    platform_bus_disconnect(bus);
    return portal;
}

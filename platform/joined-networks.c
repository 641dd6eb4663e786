// SPDX-License-Identifier: GPL-2.0-or-later
/* ActiveConnections and PrimaryConnection of org.freedesktop.NetworkManager, and of each active
 * connection what it is called; of Wi-Fi also the access point's SSID.
 *
 * All is asked anew after each change, by calls that run side by side; what changes meanwhile is
 * asked once more behind them. An object that goes while it is asked is left out, for the signal
 * that tells of it follows. A connection counts when it is activated: one that comes up may fail,
 * and one that goes down is no network to rely on. NetworkManager is trusted with its names, and
 * not with types and sizes.
 */
#include "platform/joined-networks.h"

#include <string.h>

#define BUS_NAME     "org.freedesktop.NetworkManager"
#define OBJECT_PATH  "/org/freedesktop/NetworkManager"
#define ACTIVE       BUS_NAME ".Connection.Active"
#define ACCESS_POINT BUS_NAME ".AccessPoint"
#define PROPERTIES   "org.freedesktop.DBus.Properties"

enum {
    WAIT_MS = 5000,
    PAUSE_MS = 100, /* changes come in swarms */
    NETWORKS_MAX = 64,
    SSID_MAX = 32,
    ACTIVATED = 2, /* NMActiveConnectionState */
};

/* One round of questions; lives until the last of them is answered. */
typedef struct Look {
    PlatformJoinedWatch *watch; /* NULL: nobody wants it any more */
    guint open;
    char *primary;
    GPtrArray *networks;
} Look;

/* One question. */
typedef struct Call {
    Look *look;
    char *path;
    PlatformJoinedNetwork *network; /* whose access point is asked for; NULL */
} Call;

struct PlatformJoinedWatch {
    GDBusConnection *bus;
    PlatformJoinedFunc func;
    gpointer user_data;
    GCancellable *cancellable;
    guint name, manager_signal, active_signal;
    bool there, again;
    GSource *pause;
    Look *look;          /* under way; NULL: none */
    GPtrArray *networks; /* NULL: not known */
};

void platform_joined_network_free(PlatformJoinedNetwork *network)
{
    if (!network)
        return;
    g_free(network->id);
    g_free(network->uuid);
    g_clear_pointer(&network->ssid, g_bytes_unref);
    g_free(network);
}

/* ---- the end of a round ---- */

static void tell(PlatformJoinedWatch *watch, GPtrArray *networks_take)
{
    g_clear_pointer(&watch->networks, g_ptr_array_unref);
    watch->networks = networks_take;
    watch->func(watch->user_data);
}

static void ask_soon(PlatformJoinedWatch *watch);

static void look_finish(Look *look)
{
    PlatformJoinedWatch *watch = look->watch;
    GPtrArray *networks = g_steal_pointer(&look->networks);

    g_free(look->primary);
    g_free(look);
    if (!watch) {
        g_clear_pointer(&networks, g_ptr_array_unref);
        return;
    }
    watch->look = NULL;
    if (watch->again)
        ask_soon(watch);
    tell(watch, networks);
}

/* Whatever is answered from now on is nobody's. */
static void look_drop(PlatformJoinedWatch *watch)
{
    if (watch->look)
        watch->look->watch = NULL;
    watch->look = NULL;
}

static void call_end(Call *call)
{
    Look *look = call->look;

    g_free(call->path);
    g_free(call);
    if (--look->open == 0)
        look_finish(look);
}

/* ---- questions ---- */

static void ask(Look *look, const char *path, PlatformJoinedNetwork *network, const char *interface,
                GAsyncReadyCallback callback)
{
    Call *call = g_new(Call, 1);

    *call = (Call){.look = look, .path = g_strdup(path), .network = network};
    look->open++;
    g_dbus_connection_call(look->watch->bus, BUS_NAME, call->path, PROPERTIES, "GetAll",
                           g_variant_new("(s)", interface), G_VARIANT_TYPE("(a{sv})"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MS, look->watch->cancellable,
                           callback, call);
}

/* A dictionary, or NULL. */
static GVariant *answer(GObject *source, GAsyncResult *result, const Call *call)
{
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);

    return reply && call->look->watch ? g_variant_get_child_value(reply, 0) : NULL;
}

static void on_access_point(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Call *call = user_data;
    g_autoptr(GVariant) said = answer(source, result, call);
    g_autoptr(GVariant) ssid =
        said ? g_variant_lookup_value(said, "Ssid", G_VARIANT_TYPE_BYTESTRING) : NULL;
    gsize n = ssid ? g_variant_get_size(ssid) : 0;

    if (n > 0 && n <= SSID_MAX)
        call->network->ssid = g_bytes_new(g_variant_get_data(ssid), n);
    /* Without it the network would be taken for another one. */
    if (!ssid && call->look->networks)
        g_ptr_array_remove(call->look->networks, call->network);
    call_end(call);
}

/* The dictionary's; empty: it has none. */
static const char *text_of(GVariant *properties, const char *key, const char *format)
{
    const char *text = "";

    (void)g_variant_lookup(properties, key, format, &text);
    return text;
}

static void take_active(const Call *call, GVariant *properties)
{
    Look *look = call->look;
    guint32 state = 0;
    gboolean vpn = FALSE;

    (void)g_variant_lookup(properties, "State", "u", &state);
    (void)g_variant_lookup(properties, "Vpn", "b", &vpn);
    if (state != ACTIVATED || vpn)
        return;
    PlatformJoinedNetwork *network = g_new0(PlatformJoinedNetwork, 1);

    network->id = g_strdup(text_of(properties, "Id", "&s"));
    network->uuid = g_strdup(text_of(properties, "Uuid", "&s"));
    network->primary = g_strcmp0(call->path, look->primary) == 0;
    g_ptr_array_add(look->networks, network);
    const char *point = text_of(properties, "SpecificObject", "&o");

    if (!strcmp(text_of(properties, "Type", "&s"), "802-11-wireless") && point[0] != '\0' &&
        strcmp(point, "/") != 0)
        ask(look, point, network, ACCESS_POINT, on_access_point);
}

static void on_active(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Call *call = user_data;
    g_autoptr(GVariant) properties = answer(source, result, call);

    if (properties)
        take_active(call, properties);
    call_end(call);
}

static void on_manager(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Call *call = user_data;
    Look *look = call->look;
    g_autoptr(GVariant) properties = answer(source, result, call);
    g_autoptr(GVariant) active = properties
                                     ? g_variant_lookup_value(properties, "ActiveConnections",
                                                              G_VARIANT_TYPE_OBJECT_PATH_ARRAY)
                                     : NULL;

    if (active) {
        look->networks =
            g_ptr_array_new_with_free_func((GDestroyNotify)platform_joined_network_free);
        look->primary = g_strdup(text_of(properties, "PrimaryConnection", "&o"));
    }
    for (gsize i = 0; active && i < MIN(g_variant_n_children(active), NETWORKS_MAX); i++) {
        g_autoptr(GVariant) path = g_variant_get_child_value(active, i);

        ask(look, g_variant_get_string(path, NULL), NULL, ACTIVE, on_active);
    }
    call_end(call);
}

static gboolean on_pause_over(gpointer user_data)
{
    PlatformJoinedWatch *watch = user_data;

    g_clear_pointer(&watch->pause, g_source_unref);
    watch->again = false;
    watch->look = g_new0(Look, 1);
    watch->look->watch = watch;
    ask(watch->look, OBJECT_PATH, NULL, BUS_NAME, on_manager);
    return G_SOURCE_REMOVE;
}

static void ask_soon(PlatformJoinedWatch *watch)
{
    watch->again = watch->look != NULL;
    if (watch->look || watch->pause || !watch->there)
        return;
    watch->pause = g_timeout_source_new(PAUSE_MS);
    g_source_set_callback(watch->pause, on_pause_over, watch, NULL);
    g_source_attach(watch->pause, g_main_context_get_thread_default());
}

/* ---- what NetworkManager says ---- */

static void on_changed(GDBusConnection *bus, const char *sender, const char *path,
                       const char *interface, const char *name, GVariant *arguments,
                       gpointer user_data)
{
    ask_soon(user_data);
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner,
                        gpointer user_data)
{
    PlatformJoinedWatch *watch = user_data;

    watch->there = true;
    ask_soon(watch);
}

static void forget_pause(PlatformJoinedWatch *watch)
{
    if (watch->pause)
        g_source_destroy(watch->pause);
    g_clear_pointer(&watch->pause, g_source_unref);
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer user_data)
{
    PlatformJoinedWatch *watch = user_data;

    watch->there = watch->again = false;
    forget_pause(watch);
    look_drop(watch);
    tell(watch, NULL);
}

/* ---- life ---- */

static guint hear(PlatformJoinedWatch *watch, const char *interface)
{
    return g_dbus_connection_signal_subscribe(watch->bus, BUS_NAME, PROPERTIES, "PropertiesChanged",
                                              NULL, interface, G_DBUS_SIGNAL_FLAGS_NONE, on_changed,
                                              watch, NULL);
}

PlatformJoinedWatch *platform_joined_watch_new(GDBusConnection *bus, PlatformJoinedFunc func,
                                               gpointer user_data)
{
    PlatformJoinedWatch *watch = g_new0(PlatformJoinedWatch, 1);

    watch->bus = g_object_ref(bus);
    watch->func = func;
    watch->user_data = user_data;
    watch->cancellable = g_cancellable_new();
    watch->manager_signal = hear(watch, BUS_NAME);
    watch->active_signal = hear(watch, ACTIVE);
    watch->name = g_bus_watch_name_on_connection(bus, BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                 on_appeared, on_vanished, watch, NULL);
    return watch;
}

void platform_joined_watch_free(PlatformJoinedWatch *watch)
{
    if (!watch)
        return;
    g_bus_unwatch_name(watch->name);
    g_dbus_connection_signal_unsubscribe(watch->bus, watch->manager_signal);
    g_dbus_connection_signal_unsubscribe(watch->bus, watch->active_signal);
    forget_pause(watch);
    look_drop(watch);
    g_cancellable_cancel(watch->cancellable);
    g_object_unref(watch->cancellable);
    g_clear_pointer(&watch->networks, g_ptr_array_unref);
    g_object_unref(watch->bus);
    g_free(watch);
}

const GPtrArray *platform_joined_networks(const PlatformJoinedWatch *watch)
{
    return watch->networks;
}

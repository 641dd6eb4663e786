// SPDX-License-Identifier: GPL-2.0-or-later
/* PrepareForSleep of org.freedesktop.login1, and a delay lock, so that the machine does not sleep
 * in the middle of what the main loop does: the lock is given back in a turn of the same loop.
 *
 * logind and the bus may be away, come later, go in between, or answer nothing: every call is
 * asynchronous, a bus that is gone is looked for again, rarely, and a sleep that nobody says the
 * end of ends after a time that is counted while awake (inhibitors hold a sleep up for a few
 * seconds). A signal counts only if the owner of logind's name has sent it.
 */
#include "platform/sleep-watch.h"

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <unistd.h>

#define BUS_NAME    "org.freedesktop.login1"
#define OBJECT_PATH "/org/freedesktop/login1"
#define MANAGER     "org.freedesktop.login1.Manager"

enum {
    WAIT_MS = 25000,
    FIRST_LOOK_MS = 100, /* who connects does not wait for it */
    LOOK_AGAIN_S = 60,
    AWAKE_MOST_S = 20, /* of logind's InhibitDelayMaxSec, and the like of others */
};

struct PlatformSleepWatch {
    PlatformSleepFunc func;
    void *user_data;
    GCancellable *cancellable;
    GDBusConnection *bus; /* NULL: none */
    char *owner;          /* of logind's name; NULL: it is not there */
    guint name, signal;
    int lock;         /* -1: none */
    gboolean asleep;  /* BEGINS was told */
    GSource *awake;   /* ends a sleep that nobody ends */
    GSource *looking; /* for a bus */
};

static void connect_bus(PlatformSleepWatch *watch);

static GSource *attach(GSource *source, GSourceFunc func, PlatformSleepWatch *watch)
{
    g_source_set_callback(source, func, watch, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

static void forget(GSource **sourcep)
{
    if (*sourcep)
        g_source_destroy(*sourcep);
    g_clear_pointer(sourcep, g_source_unref);
}

/* ---- the lock ---- */

static void unlock(PlatformSleepWatch *watch)
{
    if (watch->lock >= 0)
        close(watch->lock);
    watch->lock = -1;
}

static void on_locked(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);
    gint32 handle;

    /* Cancelled: there is no watch any more. Refused: then it sleeps without waiting for us. */
    if (!reply || !fds)
        return;
    PlatformSleepWatch *watch = user_data;

    g_variant_get(reply, "(h)", &handle);
    unlock(watch);
    watch->lock = g_unix_fd_list_get(fds, handle, NULL);
    /* It came too late for the sleep that it was for. */
    if (watch->asleep)
        unlock(watch);
}

static void lock(PlatformSleepWatch *watch)
{
    g_dbus_connection_call_with_unix_fd_list(
        watch->bus, watch->owner, OBJECT_PATH, MANAGER, "Inhibit",
        g_variant_new("(ssss)", "sleep", "Dialtone", "The VPN finishes what it has begun.",
                      "delay"),
        G_VARIANT_TYPE("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MS, NULL, watch->cancellable,
        on_locked, watch);
}

/* ---- sleep ---- */

static void end_sleep(PlatformSleepWatch *watch)
{
    forget(&watch->awake);
    if (!watch->asleep)
        return;
    watch->asleep = FALSE;
    if (watch->owner)
        lock(watch);
    watch->func(PLATFORM_SLEEP_OVER, watch->user_data);
}

static gboolean on_awake(gpointer user_data)
{
    end_sleep(user_data);
    return G_SOURCE_REMOVE;
}

static void begin_sleep(PlatformSleepWatch *watch)
{
    if (!watch->asleep) {
        watch->asleep = TRUE;
        watch->awake = attach(g_timeout_source_new_seconds(AWAKE_MOST_S), on_awake, watch);
        watch->func(PLATFORM_SLEEP_BEGINS, watch->user_data);
    }
    unlock(watch);
}

static void on_prepare(GDBusConnection *bus, const char *sender, const char *path,
                       const char *interface, const char *name, GVariant *arguments,
                       gpointer user_data)
{
    PlatformSleepWatch *watch = user_data;
    gboolean begins;

    if (g_strcmp0(sender, watch->owner) != 0 ||
        !g_variant_is_of_type(arguments, G_VARIANT_TYPE("(b)")))
        return;
    g_variant_get(arguments, "(b)", &begins);
    if (begins)
        begin_sleep(watch);
    else
        end_sleep(watch);
}

/* ---- logind ---- */

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner,
                        gpointer user_data)
{
    PlatformSleepWatch *watch = user_data;

    g_free(watch->owner);
    watch->owner = g_strdup(owner);
    lock(watch);
}

/* The end of a sleep is nobody's to tell then. */
static void on_vanished(GDBusConnection *bus, const char *name, gpointer user_data)
{
    PlatformSleepWatch *watch = user_data;

    g_clear_pointer(&watch->owner, g_free);
    unlock(watch);
    end_sleep(watch);
}

/* ---- the bus ---- */

static gboolean on_look(gpointer user_data)
{
    PlatformSleepWatch *watch = user_data;

    forget(&watch->looking);
    connect_bus(watch);
    return G_SOURCE_REMOVE;
}

static void leave_bus(PlatformSleepWatch *watch)
{
    if (watch->name)
        g_bus_unwatch_name(watch->name);
    if (watch->signal)
        g_dbus_connection_signal_unsubscribe(watch->bus, watch->signal);
    watch->name = watch->signal = 0;
    if (watch->bus)
        g_signal_handlers_disconnect_by_data(watch->bus, watch);
    g_clear_object(&watch->bus);
    g_clear_pointer(&watch->owner, g_free);
    unlock(watch);
}

static void on_closed(GDBusConnection *bus, gboolean vanished, GError *error, gpointer user_data)
{
    PlatformSleepWatch *watch = user_data;

    leave_bus(watch);
    end_sleep(watch);
    if (!watch->looking)
        watch->looking = attach(g_timeout_source_new_seconds(LOOK_AGAIN_S), on_look, watch);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus = g_dbus_connection_new_for_address_finish(result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    PlatformSleepWatch *watch = user_data;

    if (!bus) {
        watch->looking = attach(g_timeout_source_new_seconds(LOOK_AGAIN_S), on_look, watch);
        return;
    }
    watch->bus = bus;
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    g_signal_connect(bus, "closed", G_CALLBACK(on_closed), watch);
    watch->signal =
        g_dbus_connection_signal_subscribe(bus, BUS_NAME, MANAGER, "PrepareForSleep", OBJECT_PATH,
                                           NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_prepare, watch, NULL);
    watch->name = g_bus_watch_name_on_connection(bus, BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                 on_appeared, on_vanished, watch, NULL);
}

static void connect_bus(PlatformSleepWatch *watch)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);

    if (address)
        g_dbus_connection_new_for_address(address,
                                          G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                              G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                          NULL, watch->cancellable, on_connected, watch);
}

/* ---- life ---- */

PlatformSleepWatch *platform_sleep_watch_new(PlatformSleepFunc func, void *user_data)
{
    PlatformSleepWatch *watch = g_new0(PlatformSleepWatch, 1);

    watch->func = func;
    watch->user_data = user_data;
    watch->lock = -1;
    watch->cancellable = g_cancellable_new();
    watch->looking = attach(g_timeout_source_new(FIRST_LOOK_MS), on_look, watch);
    return watch;
}

void platform_sleep_watch_free(PlatformSleepWatch *watch)
{
    if (!watch)
        return;
    g_cancellable_cancel(watch->cancellable);
    g_object_unref(watch->cancellable);
    forget(&watch->awake);
    forget(&watch->looking);
    leave_bus(watch);
    g_free(watch);
}

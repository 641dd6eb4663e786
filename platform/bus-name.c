// SPDX-License-Identifier: GPL-2.0-or-later
/* A name on the system bus.
 *
 * No call is lost when the program ends by itself: the name is given back first, and whatever was
 * sent to it before that is served by this process still; a later call starts the next one.
 */
#include "platform/bus-name.h"

#include "platform/notify.h"

#include <glib-unix.h>
#include <signal.h>

enum { START_S = 20 };

struct PlatformBusName {
    PlatformBusNameOptions options;
    GMainLoop *loop;
    GDBusConnection *connection;
    guint owner;
    guint start_timer, idle_timer;
    guint signals[2];
    guint holds;
    gboolean told; /* to end */
    PlatformNotify *notify;
    GError *error;
};

/* ---- ending ---- */

static void fail(PlatformBusName *self, const char *message)
{
    if (!self->error)
        self->error =
            g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", self->options.name, message);
    g_main_loop_quit(self->loop);
}

static gboolean on_idle(gpointer user_data)
{
    PlatformBusName *self = user_data;

    self->idle_timer = 0;
    g_main_loop_quit(self->loop);
    return G_SOURCE_REMOVE;
}

void platform_bus_name_status(PlatformBusName *self, const char *status)
{
    platform_notify_status(self->notify, status);
}

static void await_idle(PlatformBusName *self)
{
    if (self->holds == 0 && self->options.idle_s > 0 && !self->idle_timer)
        self->idle_timer = g_timeout_add_seconds(self->options.idle_s, on_idle, self);
}

void platform_bus_name_hold(PlatformBusName *self)
{
    self->holds++;
    g_clear_handle_id(&self->idle_timer, g_source_remove);
}

void platform_bus_name_release(PlatformBusName *self)
{
    self->holds--;
    if (self->owner)
        await_idle(self);
    else if (self->holds == 0)
        g_main_loop_quit(self->loop);
}

/* Nobody told us to: what has arrived is served, and what that holds is waited for. */
static void serve_the_rest(PlatformBusName *self)
{
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    if (self->holds > 0 && !self->told && !self->error)
        g_main_loop_run(self->loop);
}

/* ---- events ---- */

static gboolean on_signal(gpointer user_data)
{
    PlatformBusName *self = user_data;

    self->told = TRUE;
    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_late(gpointer user_data)
{
    PlatformBusName *self = user_data;

    self->start_timer = 0;
    fail(self, "the system bus does not answer");
    return G_SOURCE_REMOVE;
}

static void on_bus(GDBusConnection *connection, const char *name, gpointer user_data)
{
    PlatformBusName *self = user_data;
    g_autoptr(GError) error = NULL;

    self->connection = g_object_ref(connection);
    /* It would send us SIGTERM. That the bus is gone is told by on_lost() too. */
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    if (!self->options.serve(connection, self->options.user_data, &error))
        fail(self, error->message);
}

static void on_acquired(GDBusConnection *connection, const char *name, gpointer user_data)
{
    PlatformBusName *self = user_data;

    g_clear_handle_id(&self->start_timer, g_source_remove);
    platform_notify_ready(self->notify);
    await_idle(self);
}

static void on_lost(GDBusConnection *connection, const char *name, gpointer user_data)
{
    PlatformBusName *self = user_data;

    if (!connection || g_dbus_connection_is_closed(connection))
        fail(self, "the system bus cannot be reached");
    else
        fail(self, "the name is refused, or another one has it");
}

/* ---- life ---- */

PlatformBusName *platform_bus_name_new(const PlatformBusNameOptions *options)
{
    PlatformBusName *self = g_new0(PlatformBusName, 1);

    self->options = *options;
    self->loop = g_main_loop_new(NULL, FALSE);
    self->notify = platform_notify_new();
    self->signals[0] = g_unix_signal_add(SIGTERM, on_signal, self);
    self->signals[1] = g_unix_signal_add(SIGINT, on_signal, self);
    return self;
}

gboolean platform_bus_name_run(PlatformBusName *self, GError **error)
{
    self->start_timer = g_timeout_add_seconds(START_S, on_late, self);
    self->owner =
        g_bus_own_name(G_BUS_TYPE_SYSTEM, self->options.name, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                       on_bus, on_acquired, on_lost, self, NULL);
    g_main_loop_run(self->loop);
    /* Told first, the service manager takes the loss of the name for no failure. */
    platform_notify_stopping(self->notify);
    g_clear_handle_id(&self->owner, g_bus_unown_name);
    if (!self->told && !self->error)
        serve_the_rest(self);
    if (!self->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&self->error));
    return FALSE;
}

void platform_bus_name_free(PlatformBusName *self)
{
    if (!self)
        return;
    g_clear_handle_id(&self->owner, g_bus_unown_name);
    g_clear_handle_id(&self->start_timer, g_source_remove);
    g_clear_handle_id(&self->idle_timer, g_source_remove);
    for (guint i = 0; i < G_N_ELEMENTS(self->signals); i++)
        g_source_remove(self->signals[i]);
    g_clear_object(&self->connection);
    g_clear_error(&self->error);
    platform_notify_free(self->notify);
    g_main_loop_unref(self->loop);
    g_free(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a program that the system bus starts: it owns a name until it was idle for a while,
   is told to end (SIGTERM, SIGINT), or loses the name or the bus. */
#pragma once

#include <gio/gio.h>

typedef struct PlatformBusName PlatformBusName;

typedef struct PlatformBusNameOptions {
    const char *name;
    unsigned idle_s; /* it ends after so long without a hold; 0: never */
    /* Exports what can be called, before the name is there. */
    gboolean (*serve)(GDBusConnection *connection, gpointer user_data, GError **error);
    gpointer user_data;
} PlatformBusNameOptions;

PlatformBusName *platform_bus_name_new(const PlatformBusNameOptions *options);
void platform_bus_name_free(PlatformBusName *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformBusName, platform_bus_name_free)

/* Something goes on that the program has to stay for. */
void platform_bus_name_hold(PlatformBusName *self);
void platform_bus_name_release(PlatformBusName *self);
/* For the service manager; see platform/notify. It hears of the start, the end and the main loop's
   life anyway. */
void platform_bus_name_status(PlatformBusName *self, const char *status);
/* Until the end. FALSE: there is no bus, or the name was refused or lost. */
gboolean platform_bus_name_run(PlatformBusName *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who calls a method: what the bus itself says of a sender, never what the sender says. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/service/directory.h"

typedef struct ServiceCaller {
    char *bus_name;
    uid_t uid;
    gid_t *groups;
    gsize n_groups;
} ServiceCaller;

/* Asks the bus; ends with service_caller_ask_finish(). */
void service_caller_ask(GDBusConnection *bus, const char *bus_name, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer data);
ServiceCaller *service_caller_ask_finish(GAsyncResult *result,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the profile names them, who are in the groups that the bus says. */
void service_caller_ask_named(const ServiceCaller *caller, ServiceDirectory *directory,
                              const DialtoneProfile *profile, ServiceDirectoryAnswer answer,
                              gpointer data);
void service_caller_free(ServiceCaller *caller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServiceCaller, service_caller_free)

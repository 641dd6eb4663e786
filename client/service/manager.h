/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service as one object: profiles, connections and agents, on a bus. */
#pragma once

#include <gio/gio.h>

#include "client/service/directory.h"

#define SERVICE_BUS_NAME "org.dialtone.Dialtone1"
#define SERVICE_PATH     "/org/dialtone/Dialtone1"

/* Connections that one uid may want, so that nobody takes all there are. */
enum { SERVICE_CONNECTIONS_MAX = 16 };

typedef struct ServiceManager ServiceManager;

/* Exports everything; the name is the caller's to own. */
ServiceManager *service_manager_new(GDBusConnection *bus, ServiceDirectory *directory_take);
/* Says good-bye to every gateway, puts the network back, and then calls @done; in bounded time. */
void service_manager_stop(ServiceManager *self, void (*done)(gpointer data), gpointer data);
void service_manager_free(ServiceManager *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServiceManager, service_manager_free)

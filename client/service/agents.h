/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs that act for users: org.dialtone.Agent1, by uid. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct ServiceAgents ServiceAgents;

typedef struct ServiceAgent {
    char *bus_name;
    char *path;
    uid_t uid;
    guint64 serial; /* grows with each that registers */
    guint watch;
} ServiceAgent;

typedef struct ServiceAgentsHandlers {
    void (*came)(uid_t uid, gpointer data);
    void (*left)(uid_t uid, gpointer data); /* the last of this uid */
} ServiceAgentsHandlers;

ServiceAgents *service_agents_new(GDBusConnection *bus, const ServiceAgentsHandlers *handlers,
                                  gpointer data);
void service_agents_free(ServiceAgents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServiceAgents, service_agents_free)

/* False with a DIALTONE_FAILURE: there are too many. Registering twice is once. */
bool service_agents_add(ServiceAgents *self, uid_t uid, const char *bus_name, const char *path,
                        GError **error);
void service_agents_remove(ServiceAgents *self, const char *bus_name, const char *path);
bool service_agents_has(const ServiceAgents *self, uid_t uid) G_GNUC_WARN_UNUSED_RESULT;

/* The one to ask: of @uid, first that of the process @preferred (NULL: none), then the newest; only
 * those whose serial is not in @tried (of guint64). NULL: nobody. Owned by @self. */
const ServiceAgent *service_agents_pick(const ServiceAgents *self, uid_t uid, const char *preferred,
                                        const GArray *tried) G_GNUC_WARN_UNUSED_RESULT;
/* The newest of all, whoever's; otherwise likewise. */
const ServiceAgent *service_agents_newest(const ServiceAgents *self,
                                          const GArray *tried) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may be asked on behalf of a user. An agent is a name on the bus and an object there; when the
 * name goes, so does the agent.
 */
#include "client/service/agents.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

enum { AGENTS_MAX = 16 }; /* of one uid */

struct ServiceAgents {
    GDBusConnection *bus;
    GPtrArray *all; /* of ServiceAgent, oldest first */
    guint64 serial;
    const ServiceAgentsHandlers *handlers;
    gpointer data;
};

static void agent_free(gpointer data)
{
    ServiceAgent *agent = data;
    g_bus_unwatch_name(agent->watch);
    g_free(agent->bus_name);
    g_free(agent->path);
    g_free(agent);
}

static guint count(const ServiceAgents *self, uid_t uid)
{
    guint n = 0;
    for (guint i = 0; i < self->all->len; i++) {
        const ServiceAgent *agent = self->all->pdata[i];
        n += agent->uid == uid ? 1 : 0;
    }
    return n;
}

static void remove_at(ServiceAgents *self, guint at)
{
    const ServiceAgent *agent = self->all->pdata[at];
    uid_t uid = agent->uid;
    g_ptr_array_remove_index(self->all, at);
    if (count(self, uid) == 0)
        self->handlers->left(uid, self->data);
}

/* @path NULL: all of that name. */
static void forget(ServiceAgents *self, const char *bus_name, const char *path)
{
    for (guint i = self->all->len; i-- > 0;) {
        const ServiceAgent *agent = self->all->pdata[i];
        if (strcmp(agent->bus_name, bus_name) == 0 &&
            (path == NULL || strcmp(agent->path, path) == 0))
            remove_at(self, i);
    }
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
    /* A copy: the name is the agent's, and goes with it. */
    g_autofree char *bus_name = g_strdup(name);
    forget(data, bus_name, NULL);
}

bool service_agents_add(ServiceAgents *self, uid_t uid, const char *bus_name, const char *path,
                        GError **error)
{
    for (guint i = 0; i < self->all->len; i++) {
        const ServiceAgent *agent = self->all->pdata[i];
        if (strcmp(agent->bus_name, bus_name) == 0 && strcmp(agent->path, path) == 0)
            return true;
    }
    if (count(self, uid) >= AGENTS_MAX) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("End some of the programs that connect."),
                             _("There are %d agents of this user already."), AGENTS_MAX);
        return false;
    }
    ServiceAgent *agent = g_new0(ServiceAgent, 1);
    *agent = (ServiceAgent){.bus_name = g_strdup(bus_name),
                            .path = g_strdup(path),
                            .uid = uid,
                            .serial = ++self->serial};
    g_ptr_array_add(self->all, agent);
    agent->watch = g_bus_watch_name_on_connection(
        self->bus, bus_name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_vanished, self, NULL);
    self->handlers->came(uid, self->data);
    return true;
}

void service_agents_remove(ServiceAgents *self, const char *bus_name, const char *path)
{
    forget(self, bus_name, path);
}

bool service_agents_has(const ServiceAgents *self, uid_t uid)
{
    return count(self, uid) > 0;
}

static bool was_tried(const GArray *tried, guint64 serial)
{
    for (guint i = 0; tried != NULL && i < tried->len; i++)
        if (g_array_index(tried, guint64, i) == serial)
            return true;
    return false;
}

const ServiceAgent *service_agents_pick(const ServiceAgents *self, uid_t uid, const char *preferred,
                                        const GArray *tried)
{
    const ServiceAgent *best = NULL;
    for (guint i = 0; i < self->all->len; i++) {
        const ServiceAgent *agent = self->all->pdata[i];
        if (agent->uid != uid || was_tried(tried, agent->serial))
            continue;
        best = agent;
        if (preferred != NULL && strcmp(agent->bus_name, preferred) == 0)
            return agent;
    }
    return best;
}

const ServiceAgent *service_agents_newest(const ServiceAgents *self, const GArray *tried)
{
    for (guint i = self->all->len; i-- > 0;) {
        const ServiceAgent *agent = self->all->pdata[i];
        if (!was_tried(tried, agent->serial))
            return agent;
    }
    return NULL;
}

ServiceAgents *service_agents_new(GDBusConnection *bus, const ServiceAgentsHandlers *handlers,
                                  gpointer data)
{
    ServiceAgents *self = g_new0(ServiceAgents, 1);
    *self = (ServiceAgents){.bus = g_object_ref(bus),
                            .all = g_ptr_array_new_with_free_func(agent_free),
                            .handlers = handlers,
                            .data = data};
    return self;
}

void service_agents_free(ServiceAgents *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->all);
    g_object_unref(self->bus);
    g_free(self);
}

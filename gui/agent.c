/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent is one object on the bus for as long as the program runs, registered anew with each
 * service that comes. It serves whatever is the user's.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/agent.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "client/profile/parse.h"
#include "dialtone-agent1.h"
#include "gui/agent-session.h"

#define AGENT_PATH "/org/dialtone/Agent"

struct _DialtoneAgent {
    GObject parent_instance;
    DialtoneServiceClient *service;
    DialtoneCatalog *catalog;
    DialtoneBusAgent1 *skeleton; /* NULL: not exported yet */
    GPtrArray *sessions;         /* of DialtoneAgentSession */
    GHashTable *refused;
};

G_DEFINE_TYPE(DialtoneAgent, dialtone_agent, G_TYPE_OBJECT)

/* ---- serving ---- */

static void session_free(gpointer session)
{
    dialtone_agent_session_free(session);
}

static void on_ended(DialtoneAgentSession *session, gpointer data)
{
    DialtoneAgent *self = data;
    g_ptr_array_remove(self->sessions, session);
}

static void refuse(GDBusMethodInvocation *invocation, const char *why)
{
    g_dbus_method_invocation_return_dbus_error(invocation, "org.dialtone.Dialtone1.Error.Usage",
                                               why);
}

/* Anybody can send to our name; the service alone is listened to. */
static gboolean is_of_service(DialtoneAgent *self, GDBusMethodInvocation *invocation)
{
    g_autofree char *owner = dialtone_service_client_dup_owner(self->service);
    return owner != NULL && strcmp(owner, g_dbus_method_invocation_get_sender(invocation)) == 0;
}

static gboolean is_true(GVariant *options, const char *name)
{
    gboolean value = FALSE;
    return g_variant_lookup(options, name, "b", &value) && value;
}

static gboolean on_serve(DialtoneBusAgent1 *skeleton, GDBusMethodInvocation *invocation,
                         GUnixFDList *fds, const char *connection, const char *text,
                         GVariant *options, GVariant *handle, gpointer data)
{
    DialtoneAgent *self = data;
    if (!is_of_service(self, invocation)) {
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.DBus.Error.AccessDenied", "this agent hears the service");
        return TRUE;
    }
    g_autoptr(DialtoneProfile) profile =
        dialtone_profile_parse_with_psk(text, strlen(text), "profile", NULL);
    int fd = fds != NULL ? g_unix_fd_list_get(fds, g_variant_get_handle(handle), NULL) : -1;
    if (profile == NULL || fd < 0) {
        refuse(invocation, "this agent can't read that");
        if (fd >= 0)
            close(fd);
        return TRUE;
    }
    dialtone_bus_agent1_complete_serve(skeleton, invocation, NULL);
    const DialtoneAgentSessionSetup setup = {.fd = fd,
                                             .profile_take = g_steal_pointer(&profile),
                                             .text = text,
                                             .has_own = is_true(options, "has-certificate"),
                                             .has_authorities = is_true(options, "has-authorities"),
                                             .connection = connection,
                                             .catalog = self->catalog,
                                             .refused = self->refused,
                                             .ended = on_ended,
                                             .data = self};
    DialtoneAgentSession *session = dialtone_agent_session_new(&setup);
    if (session != NULL)
        g_ptr_array_add(self->sessions, session);
    return TRUE;
}

/* ---- coming and going ---- */

static void on_registered(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (!dialtone_bus_manager_call_register_agent_finish(DIALTONE_BUS_MANAGER(source), result,
                                                         &error))
        g_warning("the service takes no agent: %s", error->message);
}

static gboolean export(DialtoneAgent *self)
{
    g_autoptr(GError) error = NULL;
    if (self->skeleton != NULL)
        return TRUE;
    self->skeleton = dialtone_bus_agent1_skeleton_new();
    g_signal_connect(self->skeleton, "handle-serve", G_CALLBACK(on_serve), self);
    if (g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->skeleton),
                                         dialtone_service_client_get_bus(self->service), AGENT_PATH,
                                         &error))
        return TRUE;
    g_warning("no agent: %s", error->message);
    g_clear_object(&self->skeleton);
    return FALSE;
}

static void on_presence(DialtoneServiceClient *service, gpointer data)
{
    DialtoneAgent *self = data;
    if (dialtone_service_client_get_presence(service) != DIALTONE_SERVICE_THERE || !export(self))
        return;
    dialtone_bus_manager_call_register_agent(dialtone_service_client_get_manager(service),
                                             AGENT_PATH, g_variant_new("a{sv}", NULL), NULL,
                                             on_registered, NULL);
}

/* ---- the class ---- */

static void dialtone_agent_dispose(GObject *object)
{
    DialtoneAgent *self = DIALTONE_AGENT(object);
    if (self->service != NULL)
        g_signal_handlers_disconnect_by_data(self->service, self);
    if (self->skeleton != NULL) {
        g_signal_handlers_disconnect_by_data(self->skeleton, self);
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(self->skeleton));
    }
    g_clear_pointer(&self->sessions, g_ptr_array_unref);
    g_clear_pointer(&self->refused, g_hash_table_unref);
    g_clear_object(&self->skeleton);
    g_clear_object(&self->catalog);
    g_clear_object(&self->service);
    G_OBJECT_CLASS(dialtone_agent_parent_class)->dispose(object);
}

static void dialtone_agent_class_init(DialtoneAgentClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_agent_dispose;
}

static void dialtone_agent_init(DialtoneAgent *self)
{
    self->sessions = g_ptr_array_new_with_free_func(session_free);
    self->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

DialtoneAgent *dialtone_agent_new(DialtoneServiceClient *service, DialtoneCatalog *catalog)
{
    DialtoneAgent *self = g_object_new(DIALTONE_TYPE_AGENT, NULL);
    self->service = g_object_ref(service);
    self->catalog = g_object_ref(catalog);
    g_signal_connect(service, "presence", G_CALLBACK(on_presence), self);
    on_presence(service, self);
    return self;
}

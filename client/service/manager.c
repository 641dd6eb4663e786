/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What exists: profiles, connections, agents, each an object on the bus as long as it lives, and
 * what becomes of one when another goes.
 */
#include "client/service/manager-private.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/service/holds.h"
#include "client/service/log.h"
#include "client/service/rules.h"
#include "client/service/wanted.h"

enum { STOP_SECONDS = 10 };

/* ---- what there is ---- */

static void not_there(GError **error)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL,
                         _("It is not there any more."));
}

ServiceProfile *service_manager_profile(ServiceManager *self, const char *path, GError **error)
{
    ServiceProfile *profile = g_hash_table_lookup(self->profiles, path);
    if (profile == NULL)
        not_there(error);
    return profile;
}

ServiceConnection *service_manager_connection(ServiceManager *self, const char *path,
                                              GError **error)
{
    ServiceConnection *connection = g_hash_table_lookup(self->connections, path);
    if (connection == NULL)
        not_there(error);
    return connection;
}

char *service_manager_next_path(ServiceManager *self, const char *kind)
{
    return g_strdup_printf(SERVICE_PATH "/%s/%" G_GUINT64_FORMAT, kind, ++self->serial);
}

/* ---- profiles ---- */

static void connect_calls(ServiceManager *self, gpointer skeleton, const char *const *signals)
{
    for (; *signals != NULL; signals++)
        g_signal_connect_swapped(skeleton, *signals, G_CALLBACK(service_request_begin), self);
}

ServiceProfile *service_manager_add_profile(ServiceManager *self, DialtoneProfile *profile_take,
                                            DialtoneLayer layer, uid_t owner, const char *file)
{
    static const char *const CALLS[] = {"handle-connect", "handle-get-text", "handle-remove", NULL};
    g_autofree char *path = service_manager_next_path(self, "profile");
    ServiceProfile *profile = service_profile_new(path, profile_take, layer, owner, file);
    service_hold_restore(self, profile);
    connect_calls(self, profile->skeleton, CALLS);
    g_hash_table_insert(self->profiles, profile->path, profile);
    g_dbus_object_manager_server_export(self->server, G_DBUS_OBJECT_SKELETON(profile->object));
    return profile;
}

ServiceProfile *service_manager_system_profile(ServiceManager *self, const char *uuid)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, self->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceProfile *profile = value;
        if (service_profile_is_system(profile) && g_strcmp0(profile->profile->uuid, uuid) == 0)
            return profile;
    }
    return NULL;
}

void service_manager_remove_profile(ServiceManager *self, ServiceProfile *profile)
{
    ServiceConnection *connection = service_manager_connection_of(self, profile);
    if (connection != NULL)
        service_connection_set_profile(connection, "/");
    g_dbus_object_manager_server_unexport(self->server, profile->path);
    g_hash_table_remove(self->profiles, profile->path);
}

void service_manager_replace_profile(ServiceManager *self, ServiceProfile *old, ServiceProfile *by)
{
    ServiceConnection *connection = service_manager_connection_of(self, old);
    if (connection != NULL) {
        service_profile_set_connection(by, service_connection_path(connection));
        service_connection_set_profile(connection, by->path);
        service_profile_set_connection(old, NULL);
    }
    service_rules_take_over(old, by);
    service_manager_remove_profile(self, old);
}

/* A user's profiles are the user's programs' to bring along; what is connected stays for status. */
static void drop_profiles(ServiceManager *self, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    g_hash_table_iter_init(&iter, self->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceProfile *profile = value;
        if (!service_profile_is_system(profile) && profile->owner == uid &&
            service_manager_connection_of(self, profile) == NULL)
            g_ptr_array_add(gone, profile);
    }
    for (guint i = 0; i < gone->len; i++)
        service_manager_remove_profile(self, gone->pdata[i]);
}

/* ---- connections ---- */

ServiceConnection *service_manager_connection_of(ServiceManager *self,
                                                 const ServiceProfile *profile)
{
    return g_hash_table_lookup(self->connections,
                               dialtone_bus_profile_get_connection(profile->skeleton));
}

guint service_manager_count(ServiceManager *self, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    guint n = 0;
    g_hash_table_iter_init(&iter, self->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        n += service_connection_owner(value) == uid ? 1 : 0;
    return n;
}

ServiceProfile *service_manager_profile_of(ServiceManager *self, const ServiceConnection *of)
{
    GHashTableIter iter;
    gpointer value;
    const char *path = service_connection_path(of);
    g_hash_table_iter_init(&iter, self->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceProfile *profile = value;
        if (strcmp(dialtone_bus_profile_get_connection(profile->skeleton), path) == 0)
            return profile;
    }
    return NULL;
}

/* Of the file that says that it is wanted. */
static const char *key_of(const ServiceConnection *connection)
{
    return strrchr(service_connection_path(connection), '/') + 1;
}

static void quit_if_stopped(ServiceManager *self)
{
    if (self->stopped == NULL || g_hash_table_size(self->connections) > 0)
        return;
    void (*stopped)(gpointer data) = self->stopped;
    self->stopped = NULL;
    g_clear_handle_id(&self->stop_timer, g_source_remove);
    stopped(self->stopped_data);
}

/* A password that nobody types is sent again only when something about it has changed: each time
 * counts where accounts are locked. */
static void note_refusal(ServiceManager *self, ServiceProfile *profile,
                         const ServiceConnection *connection)
{
    if (service_connection_failure(connection) != DIALTONE_FAILURE_USER_AUTHENTICATION ||
        (service_connection_owner(connection) != 0 &&
         (!service_profile_is_system(profile) ||
          profile->profile->password_source != DIALTONE_SOURCE_SYSTEM)))
        return;
    profile->refused = true;
    service_hold_keep(self, profile);
    if (profile->profile->rule != DIALTONE_RULE_MANUAL || service_always_wants(self, profile))
        service_log(profile->owner, profile->profile->name,
                    "does not connect by itself again until a secret or the profile changes");
}

/* Whoever wanted it has been told, and may want it again. */
static void on_failed(ServiceConnection *connection, gpointer data)
{
    ServiceManager *self = data;
    ServiceProfile *profile = service_manager_profile_of(self, connection);
    service_wanted_forget(key_of(connection));
    if (profile == NULL)
        return;
    if (service_connection_was_connected(connection))
        profile->pause = 0;
    note_refusal(self, profile, connection);
    if (profile->refused || service_rules_failed(self, profile, connection))
        return;
    if (service_policy_is_always_on(self, profile) ||
        (service_connection_owner(connection) == 0 && service_always_wants(self, profile)))
        service_always_again(self, profile);
}

static void on_gone(ServiceConnection *connection, gpointer data)
{
    ServiceManager *self = data;
    /* What the end of the service ends is wanted when it begins again. */
    if (!self->stopping)
        service_wanted_forget(key_of(connection));
    uid_t owner = service_connection_owner(connection);
    ServiceProfile *profile = service_manager_profile_of(self, connection);
    if (profile != NULL)
        service_profile_set_connection(profile, NULL);
    g_autofree char *path = profile != NULL ? g_strdup(profile->path) : NULL;
    g_hash_table_remove(self->connections, service_connection_path(connection));
    if (!service_agents_has(self->agents, owner))
        drop_profiles(self, owner);
    profile = path != NULL ? service_manager_profile(self, path, NULL) : NULL;
    const bool by_hand = profile != NULL && !profile->rule.ending;
    if (profile != NULL)
        service_rules_gone(self, profile);
    /* Who has logged out leaves it to the machine. */
    if (profile != NULL && !by_hand && !self->stopping &&
        service_policy_is_always_on(self, profile))
        service_always_profile(self, profile);
    quit_if_stopped(self);
}

static void keep_wanted(const ServiceConnection *connection, const ServiceProfile *profile)
{
    bool is_system = service_profile_is_system(profile);
    const char *text = service_connection_text(connection);
    const char *override = service_connection_override(connection);
    const ServiceWanted wanted = {.owner = service_connection_owner(connection),
                                  .by_rule = profile->rule.by_rule,
                                  .uuid = is_system ? profile->profile->uuid : NULL,
                                  .text = is_system ? NULL : (char *)(uintptr_t)text,
                                  .override = (char *)(uintptr_t) override};
    service_wanted_keep(key_of(connection), &wanted);
}

static void on_changed(ServiceConnection *connection, gpointer data)
{
    ServiceManager *self = data;
    const ServiceProfile *profile = service_manager_profile_of(self, connection);
    if (profile != NULL)
        keep_wanted(connection, profile);
}

/* NULL without an error: it takes nothing from the machine. */
static TunnelSecrets *system_secrets(ServiceManager *self, const ServiceProfile *profile,
                                     GError **error)
{
    if (!service_profile_is_system(profile) ||
        !dialtone_profile_wants_system_secrets(profile->profile))
        return NULL;
    g_autoptr(DialtoneSecrets) read =
        dialtone_system_secrets_get(self->secrets, profile->profile, error);
    g_autoptr(TunnelSecrets) secrets = read != NULL ? tunnel_secrets_new() : NULL;
    if (secrets == NULL || !tunnel_secrets_take_file(secrets, read, error))
        return NULL;
    return g_steal_pointer(&secrets);
}

/* NULL without an error: it is the agent's. */
static ServiceCredential *system_credential(ServiceManager *self, const ServiceProfile *profile,
                                            const ServiceWish *wish, GError **error)
{
    if (!service_profile_is_system(profile))
        return NULL;
    const char *text = wish->text != NULL ? wish->text : profile->text;
    g_autoptr(DialtoneProfile) connected =
        dialtone_profile_parse_with_psk(text, strlen(text), "profile", NULL);
    const ServiceCredentialSetup setup = {.base = profile->profile,
                                          .profile = connected,
                                          .file = profile->file,
                                          .secrets = self->secrets,
                                          .owner = wish->owner};
    return connected != NULL ? service_credential_load(&setup, error) : NULL;
}

ServiceConnection *service_manager_connect(ServiceManager *self, ServiceProfile *profile,
                                           const ServiceWish *wish)
{
    static const char *const CALLS[] = {
        "handle-get-report", "handle-get-reports", "handle-get-counters", "handle-get-offloads",
        "handle-disconnect", "handle-renegotiate", "handle-take-profile", NULL};
    g_autofree char *path = service_manager_next_path(self, "connection");
    GError *error = NULL;
    TunnelSecrets *secrets = system_secrets(self, profile, &error);
    ServiceCredential *credential =
        error == NULL ? system_credential(self, profile, wish, &error) : NULL;
    const ServiceConnectionSetup setup = {.bus = self->bus,
                                          .server = self->server,
                                          .agents = self->agents,
                                          .path = path,
                                          .profile_path = profile->path,
                                          .profile_text =
                                              wish->text != NULL ? wish->text : profile->text,
                                          .override = wish->override,
                                          .layer = dialtone_layer_name(profile->layer),
                                          .owner = wish->owner,
                                          .agent = wish->agent,
                                          .system_secrets_take = secrets,
                                          .credential_take = credential,
                                          .error_take = error,
                                          .failed = on_failed,
                                          .changed = on_changed,
                                          .gone = on_gone,
                                          .data = self};
    ServiceConnection *connection = service_connection_new(&setup);
    g_hash_table_insert(self->connections, (gpointer)(uintptr_t)service_connection_path(connection),
                        connection);
    DialtoneBusObjectSkeleton *object = service_connection_object(connection);
    g_autoptr(DialtoneBusConnection) skeleton =
        dialtone_bus_object_get_connection(DIALTONE_BUS_OBJECT(object));
    connect_calls(self, skeleton, CALLS);
    g_dbus_object_manager_server_export(self->server, G_DBUS_OBJECT_SKELETON(object));
    service_profile_set_connection(profile, path);
    profile->rule.by_rule = wish->by_rule;
    profile->rule.ending = false;
    keep_wanted(connection, profile);
    service_log(wish->owner, profile->profile->name, "wanted by uid %u", (unsigned)wish->owner);
    return connection;
}

bool service_manager_change(ServiceManager *self, ServiceConnection *connection,
                            const ServiceWish *wish, GError **error)
{
    const ServiceProfile *profile = service_manager_profile_of(self, connection);
    g_autoptr(GError) failed = NULL;
    g_return_val_if_fail(profile != NULL, false);
    g_autoptr(TunnelSecrets) secrets = system_secrets(self, profile, &failed);
    ServiceCredential *credential =
        failed == NULL ? system_credential(self, profile, wish, &failed) : NULL;
    if (failed != NULL) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    const ServiceConnectionChange change = {.profile_text =
                                                wish->text != NULL ? wish->text : profile->text,
                                            .override = wish->override,
                                            .agent = wish->agent,
                                            .system_secrets_take = g_steal_pointer(&secrets),
                                            .credential_take = credential};
    service_log(wish->owner, profile->profile->name, "takes the changed profile");
    return service_connection_change(connection, &change, error);
}

void service_manager_want_by_hand(ServiceManager *self, ServiceProfile *profile)
{
    const ServiceConnection *current = service_manager_connection_of(self, profile);
    if (!profile->rule.by_rule || current == NULL)
        return;
    profile->rule.by_rule = false;
    keep_wanted(current, profile);
}

/* ---- agents ---- */

static void on_agent_came(uid_t uid, gpointer data)
{
    ServiceManager *self = data;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, self->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (service_connection_owner(value) == uid)
            service_connection_agent_came(value);
    service_rules_agent_came(self);
}

static void on_agents_left(uid_t uid, gpointer data)
{
    drop_profiles(data, uid);
}

static const ServiceAgentsHandlers AGENTS = {.came = on_agent_came, .left = on_agents_left};

/* ---- life ---- */

static void export_manager(ServiceManager *self)
{
    static const char *const CALLS[] = {"handle-add-profile",         "handle-register-agent",
                                        "handle-unregister-agent",    "handle-get-log",
                                        "handle-release-kill-switch", NULL};
    self->skeleton = dialtone_bus_manager_skeleton_new();
    self->object = dialtone_bus_object_skeleton_new(SERVICE_PATH "/manager");
    dialtone_bus_manager_set_version(self->skeleton, DIALTONE_VERSION);
    connect_calls(self, self->skeleton, CALLS);
    dialtone_bus_object_skeleton_set_manager(self->object, self->skeleton);
    g_dbus_object_manager_server_export(self->server, G_DBUS_OBJECT_SKELETON(self->object));
}

ServiceManager *service_manager_new(GDBusConnection *bus, ServiceDirectory *directory_take)
{
    ServiceManager *self = g_new0(ServiceManager, 1);
    self->bus = g_object_ref(bus);
    self->server = g_dbus_object_manager_server_new(SERVICE_PATH);
    self->agents = service_agents_new(bus, &AGENTS, self);
    self->directory = directory_take;
    self->under_way = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    service_policy_begin(self);
    self->profiles =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)service_profile_free);
    self->connections = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify)service_connection_free);
    export_manager(self);
    service_kill_switches_begin(self);
    service_system_profiles_begin(self);
    service_always_begin(self);
    service_logout_begin(self);
    g_dbus_object_manager_server_set_connection(self->server, bus);
    return self;
}

static gboolean on_stop_late(gpointer data)
{
    ServiceManager *self = data;
    self->stop_timer = 0;
    g_warning("%u connections did not end in time", g_hash_table_size(self->connections));
    g_hash_table_remove_all(self->connections);
    quit_if_stopped(self);
    return G_SOURCE_REMOVE;
}

void service_manager_stop(ServiceManager *self, void (*done)(gpointer data), gpointer data)
{
    GHashTableIter iter;
    gpointer value;
    if (self->stopped != NULL)
        return;
    self->stopping = true;
    self->stopped = done;
    self->stopped_data = data;
    self->stop_timer = g_timeout_add_seconds(STOP_SECONDS, on_stop_late, self);
    g_hash_table_iter_init(&iter, self->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        service_connection_stop(value, NULL);
    quit_if_stopped(self);
}

void service_manager_free(ServiceManager *self)
{
    if (self == NULL)
        return;
    g_clear_handle_id(&self->stop_timer, g_source_remove);
    service_logout_end(self);
    service_rules_end(self);
    dialtone_system_watch_free(self->watch);
    service_policy_end(self);
    service_kill_switches_end(self);
    g_hash_table_unref(self->connections);
    g_hash_table_unref(self->profiles);
    service_agents_free(self->agents);
    service_directory_free(self->directory);
    service_always_end(self);
    g_hash_table_unref(self->under_way);
    g_object_unref(self->object);
    g_object_unref(self->skeleton);
    g_object_unref(self->server);
    g_object_unref(self->bus);
    g_free(self);
}

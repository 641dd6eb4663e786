/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the service and what it has. Profiles of the user's own are files that this program
 * reads: the service is given their text, never a path.
 */
#include "client/cli/service.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/text-agent.h"
#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/parse.h"
#include "client/profile/store.h"

#define BUS_NAME "org.dialtone.Dialtone1"
#define BUS_PATH "/org/dialtone/Dialtone1"

enum {
    CALL_MS = 30 * 1000,
    ASKED_MS = 150 * 1000, /* polkit may ask a person meanwhile */
};

/* ---- the service ---- */

static CliService *service_of(GDBusConnection *bus_take, GDBusObjectManager *objects_take)
{
    g_autoptr(GDBusObject) object =
        g_dbus_object_manager_get_object(objects_take, BUS_PATH "/manager");
    CliService *service = g_new0(CliService, 1);
    service->bus = bus_take;
    service->objects = objects_take;
    if (object != NULL)
        service->manager = dialtone_bus_object_get_manager(DIALTONE_BUS_OBJECT(object));
    return service;
}

static CliService *find(GDBusObjectManagerClientFlags flags, GError **error)
{
    GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    if (bus == NULL)
        return NULL;
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    GDBusObjectManager *objects =
        dialtone_bus_object_manager_client_new_sync(bus, flags, BUS_NAME, BUS_PATH, NULL, error);
    if (objects == NULL) {
        g_object_unref(bus);
        return NULL;
    }
    return service_of(bus, objects);
}

/* A service that just ends, or was killed, is started again by the bus when it is asked next. */
static CliService *find_or_start(GError **error)
{
    g_autoptr(GError) first = NULL;
    CliService *service = find(G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_NONE, &first);
    if (service != NULL || !g_error_matches(first, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)) {
        if (service == NULL)
            g_propagate_error(error, g_steal_pointer(&first));
        return service;
    }
    g_usleep(G_USEC_PER_SEC / 5);
    return find(G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_NONE, error);
}

CliService *cli_service_new(GError **error)
{
    g_autoptr(GError) remote = NULL;
    g_autoptr(CliService) service = find_or_start(&remote);
    if (service != NULL && service->manager != NULL) {
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(service->manager), CALL_MS);
        return g_steal_pointer(&service);
    }
    if (remote == NULL)
        g_set_error(&remote, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, "nobody has its name");
    g_propagate_error(error, dialtone_bus_error_read(remote));
    return NULL;
}

CliService *cli_service_new_if_running(void)
{
    g_autoptr(CliService) service =
        find(G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START, NULL);
    return service != NULL && service->manager != NULL ? g_steal_pointer(&service) : NULL;
}

void cli_service_free(CliService *service)
{
    if (service == NULL)
        return;
    g_clear_object(&service->manager);
    g_clear_object(&service->objects);
    g_clear_object(&service->bus);
    g_free(service);
}

/* ---- profiles ---- */

static bool is_called(DialtoneBusProfile *profile, const char *what)
{
    const char *uuid = dialtone_bus_profile_get_uuid(profile);
    return strcmp(dialtone_bus_profile_get_name(profile), what) == 0 ||
           (*uuid != '\0' && g_ascii_strcasecmp(uuid, what) == 0);
}

/* A user's own files are read anew each time, so of the service's profiles those of the system's
 * layers alone are looked for. */
static DialtoneBusProfile *find_system(CliService *service, const char *what)
{
    g_autolist(GDBusObject) objects = g_dbus_object_manager_get_objects(service->objects);
    for (GList *at = objects; at != NULL; at = at->next) {
        g_autoptr(DialtoneBusProfile) profile =
            dialtone_bus_object_get_profile(DIALTONE_BUS_OBJECT(at->data));
        if (profile != NULL && is_called(profile, what) &&
            strcmp(dialtone_bus_profile_get_layer(profile), "user") != 0)
            return g_steal_pointer(&profile);
    }
    return NULL;
}

/* A proxy that does not wait for the object manager to hear of the object. */
static DialtoneBusProfile *proxy_of(CliService *service, const char *path, GError **error)
{
    g_autoptr(GError) remote = NULL;
    DialtoneBusProfile *profile = dialtone_bus_profile_proxy_new_sync(
        service->bus, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, BUS_NAME, path, NULL, &remote);
    if (profile == NULL)
        g_propagate_error(error, dialtone_bus_error_read(remote));
    return profile;
}

static DialtoneBusProfile *add(CliService *service, const DialtoneProfile *profile, GError **error)
{
    g_autoptr(GError) remote = NULL;
    g_autofree char *text = dialtone_profile_to_text(profile, true), *path = NULL;
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "name", g_variant_new_string(profile->name));
    if (dialtone_bus_manager_call_add_profile_sync(
            service->manager, text, g_variant_builder_end(&options), &path, NULL, &remote))
        return proxy_of(service, path, error);
    g_propagate_error(error, dialtone_bus_error_read(remote));
    return NULL;
}

static void print_issues(const GPtrArray *issues, const char *file)
{
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(issues->pdata[i], file);
        standalone_print_notice(text);
    }
}

/* The service does not read the user's files, so it is told what they changed. */
static bool read_override(const DialtoneStore *store, CliProfile *profile, GError **error)
{
    const char *uuid = dialtone_bus_profile_get_uuid(profile->proxy);
    g_autoptr(DialtoneFound) found = dialtone_store_open(store, uuid, true, NULL);
    if (found == NULL || found->override == NULL)
        return true;
    if (found->profile == NULL) {
        dialtone_found_fail(found, error);
        return false;
    }
    print_issues(found->issues, found->override);
    return g_file_get_contents(found->override, &profile->override, NULL, error);
}

bool cli_service_profile(CliService *service, const char *what, bool psk_at_hand,
                         CliProfile *profile, GError **error)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(getuid());
    profile->proxy = find_system(service, what);
    if (profile->proxy != NULL)
        return read_override(store, profile, error);
    g_autoptr(DialtoneFound) found = dialtone_store_load(store, what, psk_at_hand, error);
    if (found == NULL)
        return false;
    print_issues(found->entry->issues, found->entry->path);
    profile->proxy = add(service, found->profile, error);
    profile->path = g_strdup(found->entry->path);
    return profile->proxy != NULL;
}

bool cli_service_has_profile(CliService *service, const char *what)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(getuid());
    g_autoptr(DialtoneBusProfile) system = find_system(service, what);
    g_autofree char *path = system == NULL ? dialtone_store_find(store, what, NULL) : NULL;
    return system != NULL || path != NULL;
}

void cli_profile_clear(CliProfile *profile)
{
    g_clear_object(&profile->proxy);
    g_clear_pointer(&profile->path, g_free);
    g_clear_pointer(&profile->override, g_free);
}

/* ---- connections ---- */

GPtrArray *cli_service_connections(CliService *service, const char *name)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_object_unref);
    g_autolist(GDBusObject) objects =
        service != NULL ? g_dbus_object_manager_get_objects(service->objects) : NULL;
    for (GList *at = objects; at != NULL; at = at->next) {
        g_autoptr(DialtoneBusConnection) connection =
            dialtone_bus_object_get_connection(DIALTONE_BUS_OBJECT(at->data));
        if (connection != NULL &&
            (name == NULL || strcmp(dialtone_bus_connection_get_name(connection), name) == 0))
            g_ptr_array_add(found, g_steal_pointer(&connection));
    }
    return found;
}

bool cli_service_carries(DialtoneBusConnection *connection, const PlatformSlotInfo *tunnel)
{
    return tunnel->uid == dialtone_bus_connection_get_owner(connection) &&
           strcmp(tunnel->label, dialtone_bus_connection_get_name(connection)) == 0;
}

static bool is_known(const GPtrArray *connections, const PlatformSlotInfo *tunnel)
{
    for (guint i = 0; i < connections->len; i++)
        if (cli_service_carries(connections->pdata[i], tunnel))
            return true;
    return false;
}

/* What others have is not meant by who names nothing. */
static bool is_meant(const char *name, uid_t owner)
{
    return name != NULL || getuid() == 0 || getuid() == owner;
}

void cli_targets_find(CliTargets *targets, const char *name)
{
    targets->service = cli_service_new_if_running();
    targets->connections = cli_service_connections(targets->service, name);
    targets->tunnels = cli_tunnels(name);
    for (guint i = targets->tunnels->len; i-- > 0;) {
        const PlatformSlotInfo *tunnel = &g_array_index(targets->tunnels, PlatformSlotInfo, i);
        if (is_known(targets->connections, tunnel) || !is_meant(name, tunnel->uid))
            g_array_remove_index(targets->tunnels, i);
    }
    for (guint i = targets->connections->len; i-- > 0;)
        if (!is_meant(name, dialtone_bus_connection_get_owner(targets->connections->pdata[i])))
            g_ptr_array_remove_index(targets->connections, i);
}

guint cli_targets_count(const CliTargets *targets)
{
    return targets->connections->len + targets->tunnels->len;
}

void cli_targets_clear(CliTargets *targets)
{
    g_clear_pointer(&targets->connections, g_ptr_array_unref);
    g_clear_pointer(&targets->tunnels, g_array_unref);
    g_clear_pointer(&targets->service, cli_service_free);
}

/* ---- calls that polkit may ask a person about ---- */

typedef struct Answer {
    GVariant *value;
    GError *error;
    bool is_there;
} Answer;

static void on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    Answer *answer = data;
    answer->value =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &answer->error);
    answer->is_there = true;
}

static gboolean on_interrupt(int fd, GIOCondition condition, gpointer data)
{
    g_cancellable_cancel(data);
    return G_SOURCE_REMOVE;
}

static GSource *cancel_by(int interrupt, GCancellable *cancellable, GMainContext *context)
{
    GSource *source = g_unix_fd_source_new(interrupt, G_IO_IN);
    g_source_set_callback(source, G_SOURCE_FUNC(on_interrupt), cancellable, NULL);
    g_source_attach(source, context);
    return source;
}

/* Generated code has no flag to say that a person is there to be asked. In a context of its own,
 * for what else is heard meanwhile may depend on the answer. */
static GVariant *call_once(GDBusProxy *object, const CliCall *call, GError **error)
{
    Answer answer = {0};
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GSource) source =
        call->interrupt >= 0 ? cancel_by(call->interrupt, cancellable, context) : NULL;
    g_main_context_push_thread_default(context);
    g_dbus_connection_call(g_dbus_proxy_get_connection(object), BUS_NAME,
                           g_dbus_proxy_get_object_path(object),
                           g_dbus_proxy_get_interface_name(object), call->method, call->parameters,
                           NULL, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ASKED_MS,
                           cancellable, on_answer, &answer);
    while (!answer.is_there)
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
    if (source != NULL)
        g_source_destroy(source);
    if (answer.error != NULL)
        g_propagate_error(error, answer.error);
    return answer.value;
}

static bool is_challenge(const GError *error)
{
    g_autofree char *name = g_dbus_error_get_remote_error(error);
    return g_strcmp0(name, DIALTONE_BUS_ERROR_CHALLENGE) == 0;
}

/* Where polkit has found nobody to ask, there may be somebody at this terminal. */
GVariant *cli_service_call(GDBusProxy *object, const CliCall *call, GError **error)
{
    g_autoptr(GVariant) parameters =
        call->parameters != NULL ? g_variant_ref_sink(call->parameters) : NULL;
    g_autoptr(GError) first = NULL;
    CliTextAgent agent = {0};
    /* The words may be said twice. */
    const CliCall kept = {call->method, parameters, call->interrupt};
    GVariant *answer = call_once(object, &kept, &first);
    if (answer == NULL && is_challenge(first) && cli_text_agent_start(&agent)) {
        answer = call_once(object, &kept, error);
        cli_text_agent_end(&agent);
    } else if (answer == NULL) {
        g_propagate_error(error, g_steal_pointer(&first));
    }
    return answer;
}

static int call(GDBusProxy *object, const CliCall *words)
{
    g_autoptr(GError) remote = NULL, error = NULL;
    g_autoptr(GVariant) answer = cli_service_call(object, words, &remote);
    if (answer != NULL)
        return DIALTONE_FAILURE_NONE;
    error = dialtone_bus_error_read(remote);
    return cli_fail(error);
}

int cli_service_disconnect(DialtoneBusConnection *connection)
{
    const CliCall words = {.method = "Disconnect", .interrupt = -1};
    return call(G_DBUS_PROXY(connection), &words);
}

int cli_service_renegotiate(DialtoneBusConnection *connection)
{
    const CliCall words = {.method = "Renegotiate", .interrupt = -1};
    return call(G_DBUS_PROXY(connection), &words);
}

int cli_service_release(CliService *service, const char *name)
{
    const CliCall words = {.method = "ReleaseKillSwitch",
                           .parameters = g_variant_new("(sa{sv})", name, NULL),
                           .interrupt = -1};
    return call(G_DBUS_PROXY(service->manager), &words);
}

static bool is_ours(DialtoneBusConnection *connection)
{
    return getuid() == 0 || getuid() == dialtone_bus_connection_get_owner(connection);
}

static DialtoneReport *read_report(const char *json)
{
    DialtoneReport *report = dialtone_report_from_json(json, strlen(json), NULL);
    if (report != NULL)
        cli_report_localize(report);
    return report;
}

DialtoneReport *cli_service_report(DialtoneBusConnection *connection)
{
    g_autofree char *json = NULL;
    if (!is_ours(connection) ||
        !dialtone_bus_connection_call_get_report_sync(connection, &json, NULL, NULL))
        return NULL;
    return read_report(json);
}

GPtrArray *cli_service_reports(DialtoneBusConnection *connection, guint *serial)
{
    GPtrArray *reports = g_ptr_array_new_with_free_func((GDestroyNotify)dialtone_report_free);
    g_auto(GStrv) texts = NULL;
    if (is_ours(connection))
        (void)dialtone_bus_connection_call_get_reports_sync(connection, *serial, serial, &texts,
                                                            NULL, NULL);
    for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
        DialtoneReport *report = read_report(texts[i]);
        if (report != NULL)
            g_ptr_array_add(reports, report);
    }
    /* The service may be that of before an update, and knows its last report only. */
    DialtoneReport *last = texts == NULL ? cli_service_report(connection) : NULL;
    if (last != NULL) {
        g_ptr_array_add(reports, last);
        *serial = dialtone_bus_connection_get_serial(connection);
    }
    return reports;
}

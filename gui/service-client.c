/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One object manager for as long as the program runs: it follows the service over restarts by
 * itself. Starting the service is asked of the bus apart from it, so that a service that can't be
 * started has a reason that can be shown. One that goes away is started again, but each time only
 * after a pause, for it may be going down again and again.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/service-client.h"

#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"

#define BUS_NAME "org.dialtone.Dialtone1"
#define BUS_PATH "/org/dialtone/Dialtone1"

enum {
    START_MS = 20 * 1000,
    ASKED_MS = 150 * 1000, /* polkit may ask a person meanwhile */
    PAUSE_SECONDS = 1,
    STARTS_MAX = 5,
};

enum { SIGNAL_PRESENCE, SIGNAL_OBJECTS, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneServiceClient {
    GObject parent_instance;
    GCancellable *cancellable;
    GDBusConnection *bus;
    GDBusObjectManager *objects; /* NULL: the bus has not been reached */
    DialtoneBusManager *manager; /* NULL: the service is not there */
    DialtoneServicePresence presence;
    GError *error;
    guint pause;
    guint starts; /* in a row that brought no service */
    gboolean starting;
};

G_DEFINE_TYPE(DialtoneServiceClient, dialtone_service_client, G_TYPE_OBJECT)

static void set_presence(DialtoneServiceClient *self, DialtoneServicePresence presence,
                         GError *error_take)
{
    g_clear_error(&self->error);
    self->error = error_take;
    self->presence = presence;
    g_signal_emit(self, signals[SIGNAL_PRESENCE], 0);
}

static void set_missing(DialtoneServiceClient *self, const GError *remote)
{
    GError *error = dialtone_bus_error_read(remote);
    self->starting = FALSE;
    g_debug("the service is missing: %s", remote->message);
    set_presence(self, DIALTONE_SERVICE_MISSING, error);
}

/* ---- coming and going ---- */

static void find_manager(DialtoneServiceClient *self)
{
    g_autoptr(GDBusObject) object =
        g_dbus_object_manager_get_object(self->objects, BUS_PATH "/manager");
    DialtoneBusManager *manager =
        object != NULL ? dialtone_bus_object_get_manager(DIALTONE_BUS_OBJECT(object)) : NULL;
    gboolean came = manager != NULL && self->manager == NULL;
    g_clear_object(&self->manager);
    self->manager = manager;
    if (came) {
        self->starting = FALSE;
        self->starts = 0;
        set_presence(self, DIALTONE_SERVICE_THERE, NULL);
    }
}

static gboolean on_pause(gpointer data)
{
    DialtoneServiceClient *self = data;
    self->pause = 0;
    if (self->manager == NULL)
        dialtone_service_client_start(self);
    return G_SOURCE_REMOVE;
}

static void on_owner(GObject *objects, GParamSpec *pspec, gpointer data)
{
    DialtoneServiceClient *self = data;
    g_autofree char *owner = dialtone_service_client_dup_owner(self);
    if (owner != NULL) {
        find_manager(self);
        return;
    }
    if (self->manager == NULL)
        return;
    g_clear_object(&self->manager);
    set_presence(self, DIALTONE_SERVICE_STARTING, NULL);
    if (self->pause == 0)
        self->pause = g_timeout_add_seconds(PAUSE_SECONDS, on_pause, self);
}

static void on_object(GDBusObjectManager *objects, GDBusObject *object, gpointer data)
{
    DialtoneServiceClient *self = data;
    find_manager(self);
    g_signal_emit(self, signals[SIGNAL_OBJECTS], 0);
}

static void on_properties(GDBusObjectManager *objects, GDBusObjectProxy *object, GDBusProxy *proxy,
                          GVariant *changed, const char *const *invalidated, gpointer data)
{
    g_signal_emit(data, signals[SIGNAL_OBJECTS], 0);
}

/* It has been started, and ended or fell silent before it could be asked for anything. */
static void start_again(DialtoneServiceClient *self)
{
    g_autoptr(GError) error = NULL;
    self->starting = FALSE;
    if (++self->starts < STARTS_MAX) {
        if (self->pause == 0)
            self->pause = g_timeout_add_seconds(PAUSE_SECONDS, on_pause, self);
        return;
    }
    self->starts = 0;
    g_set_error_literal(&error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY,
                        _("it ends as soon as it is started"));
    set_missing(self, error);
}

static void on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    DialtoneServiceClient *self = data;
    if (answer == NULL) {
        set_missing(self, error);
        return;
    }
    find_manager(self);
    if (self->manager == NULL)
        start_again(self);
}

static void start_service(DialtoneServiceClient *self)
{
    g_dbus_connection_call(self->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "StartServiceByName",
                           g_variant_new("(su)", BUS_NAME, 0), G_VARIANT_TYPE("(u)"),
                           G_DBUS_CALL_FLAGS_NONE, START_MS, self->cancellable, on_started, self);
}

static void on_objects(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusObjectManager *objects = dialtone_bus_object_manager_client_new_finish(result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    DialtoneServiceClient *self = data;
    if (objects == NULL) {
        set_missing(self, error);
        return;
    }
    self->objects = objects;
    g_signal_connect(objects, "notify::name-owner", G_CALLBACK(on_owner), self);
    g_signal_connect(objects, "object-added", G_CALLBACK(on_object), self);
    g_signal_connect(objects, "object-removed", G_CALLBACK(on_object), self);
    g_signal_connect(objects, "interface-proxy-properties-changed", G_CALLBACK(on_properties),
                     self);
    start_service(self);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus = g_bus_get_finish(result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    DialtoneServiceClient *self = data;
    if (bus == NULL) {
        set_missing(self, error);
        return;
    }
    self->bus = bus;
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    dialtone_bus_object_manager_client_new(bus,
                                           G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START,
                                           BUS_NAME, BUS_PATH, self->cancellable, on_objects, self);
}

void dialtone_service_client_start(DialtoneServiceClient *self)
{
    if (self->starting || self->manager != NULL)
        return;
    self->starting = TRUE;
    set_presence(self, DIALTONE_SERVICE_STARTING, NULL);
    if (self->objects != NULL)
        start_service(self);
    else
        g_bus_get(G_BUS_TYPE_SYSTEM, self->cancellable, on_bus, self);
}

/* ---- what there is ---- */

DialtoneServicePresence dialtone_service_client_get_presence(DialtoneServiceClient *self)
{
    return self->presence;
}

const GError *dialtone_service_client_get_error(DialtoneServiceClient *self)
{
    return self->error;
}

GDBusConnection *dialtone_service_client_get_bus(DialtoneServiceClient *self)
{
    return self->bus;
}

DialtoneBusManager *dialtone_service_client_get_manager(DialtoneServiceClient *self)
{
    return self->manager;
}

char *dialtone_service_client_dup_owner(DialtoneServiceClient *self)
{
    return self->objects != NULL ? g_dbus_object_manager_client_get_name_owner(
                                       G_DBUS_OBJECT_MANAGER_CLIENT(self->objects))
                                 : NULL;
}

GList *dialtone_service_client_get_objects(DialtoneServiceClient *self)
{
    return self->manager != NULL ? g_dbus_object_manager_get_objects(self->objects) : NULL;
}

/* ---- calls ---- */

/* Generated code has no flag to say that a person is there to be asked. */
void dialtone_service_client_call(GDBusProxy *object, const char *method, GVariant *parameters,
                                  GAsyncReadyCallback done, gpointer data)
{
    g_dbus_connection_call(
        g_dbus_proxy_get_connection(object), BUS_NAME, g_dbus_proxy_get_object_path(object),
        g_dbus_proxy_get_interface_name(object), method, parameters, NULL,
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, ASKED_MS, NULL, done, data);
}

GVariant *dialtone_service_client_call_finish(GObject *source, GAsyncResult *result, GError **error)
{
    g_autoptr(GError) remote = NULL;
    GVariant *answer = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &remote);
    if (answer == NULL)
        g_propagate_error(error, dialtone_bus_error_read(remote));
    return answer;
}

/* ---- the class ---- */

static void dialtone_service_client_dispose(GObject *object)
{
    DialtoneServiceClient *self = DIALTONE_SERVICE_CLIENT(object);
    g_cancellable_cancel(self->cancellable);
    g_clear_handle_id(&self->pause, g_source_remove);
    if (self->objects != NULL)
        g_signal_handlers_disconnect_by_data(self->objects, self);
    g_clear_object(&self->manager);
    g_clear_object(&self->objects);
    g_clear_object(&self->bus);
    G_OBJECT_CLASS(dialtone_service_client_parent_class)->dispose(object);
}

static void dialtone_service_client_finalize(GObject *object)
{
    DialtoneServiceClient *self = DIALTONE_SERVICE_CLIENT(object);
    g_clear_object(&self->cancellable);
    g_clear_error(&self->error);
    G_OBJECT_CLASS(dialtone_service_client_parent_class)->finalize(object);
}

static void dialtone_service_client_class_init(DialtoneServiceClientClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->dispose = dialtone_service_client_dispose;
    object_class->finalize = dialtone_service_client_finalize;
    signals[SIGNAL_PRESENCE] = g_signal_new("presence", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                            0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_OBJECTS] = g_signal_new("objects", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_service_client_init(DialtoneServiceClient *self)
{
    self->cancellable = g_cancellable_new();
}

DialtoneServiceClient *dialtone_service_client_new(void)
{
    return g_object_new(DIALTONE_TYPE_SERVICE_CLIENT, NULL);
}

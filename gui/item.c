/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile and its connection, told together. The connection's object on the bus goes when it has
 * ended; a failure keeps its object, and what it reported, until the user begins anew. Calls that
 * are under way keep the item alive, so none of them has to be cancelled.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/item.h"

#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/weak.h"
#include "gui/service-client.h"

enum { NOTICES_MAX = 16 * 1024 };

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneItem {
    GObject parent_instance;
    char *key;
    char *name;
    char *description;
    char *path;
    char *uuid;
    char *mistakes;
    char *text;
    char *override;
    char *notice;
    DialtoneBusProfile *profile;
    DialtoneBusConnection *connection;
    DialtoneReport *report;
    GError *error;
    DialtoneWait wait;
    gint64 since;
    guint serial;    /* of the report that was asked for last */
    guint calls;     /* that are under way */
    gboolean wants;  /* what the last of them is to bring about */
    gboolean leaves; /* it was given up before there was anything to end */
    gboolean take_over;
};

G_DEFINE_TYPE(DialtoneItem, dialtone_item, G_TYPE_OBJECT)

static void changed(DialtoneItem *self)
{
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

/* ---- what it is ---- */

const char *dialtone_item_get_key(DialtoneItem *self)
{
    return self->key;
}

const char *dialtone_item_get_name(DialtoneItem *self)
{
    return self->name;
}

const char *dialtone_item_get_description(DialtoneItem *self)
{
    return self->description != NULL ? self->description : "";
}

const char *dialtone_item_get_path(DialtoneItem *self)
{
    return self->path;
}

const char *dialtone_item_get_uuid(DialtoneItem *self)
{
    return self->uuid;
}

const char *dialtone_item_get_mistakes(DialtoneItem *self)
{
    return self->mistakes;
}

DialtoneState dialtone_item_get_state(DialtoneItem *self)
{
    DialtoneState state = DIALTONE_STATE_IDLE;
    if (self->connection == NULL)
        return self->calls == 0 || !self->wants ? DIALTONE_STATE_IDLE
               : self->leaves                   ? DIALTONE_STATE_DISCONNECTING
                                                : DIALTONE_STATE_RESOLVING;
    if (self->calls > 0 && !self->wants)
        return DIALTONE_STATE_DISCONNECTING;
    if (!dialtone_state_from_name(dialtone_bus_connection_get_state(self->connection), &state))
        g_debug("%s is in a state that is not known", self->name);
    gboolean ends = state == DIALTONE_STATE_DISCONNECTING || state == DIALTONE_STATE_FAILED;
    return self->wait != DIALTONE_WAIT_NONE && !ends ? DIALTONE_STATE_NEEDS_SECRETS : state;
}

DialtoneWait dialtone_item_get_wait(DialtoneItem *self)
{
    return self->wait;
}

const DialtoneReport *dialtone_item_get_report(DialtoneItem *self)
{
    return self->report;
}

DialtoneBusConnection *dialtone_item_get_connection(DialtoneItem *self)
{
    return dialtone_item_is_others(self) ? NULL : self->connection;
}

const GError *dialtone_item_get_error(DialtoneItem *self)
{
    return self->error;
}

const char *dialtone_item_get_notice(DialtoneItem *self)
{
    return self->notice;
}

gint64 dialtone_item_get_since(DialtoneItem *self)
{
    return self->since;
}

gboolean dialtone_item_is_wanted(DialtoneItem *self)
{
    DialtoneState state = dialtone_item_get_state(self);
    return state != DIALTONE_STATE_IDLE && state != DIALTONE_STATE_FAILED &&
           state != DIALTONE_STATE_DISCONNECTING;
}

gboolean dialtone_item_is_others(DialtoneItem *self)
{
    return self->connection != NULL &&
           dialtone_bus_connection_get_owner(self->connection) != (guint)getuid();
}

gboolean dialtone_item_is_object(DialtoneItem *self, const char *connection)
{
    return self->connection != NULL &&
           strcmp(g_dbus_proxy_get_object_path(G_DBUS_PROXY(self->connection)), connection) == 0;
}

/* It may be there before the call that wants it has been answered, or after that. A failure that is
 * still there from the time before is no connection. */
static void leave(DialtoneItem *self)
{
    if (self->leaves && self->calls == 0 && dialtone_item_is_wanted(self) &&
        !dialtone_item_is_others(self))
        dialtone_item_disconnect(self);
}

/* ---- reports ---- */

/* It counts from when the tunnel was up first; keys that were agreed on anew change nothing. */
static void count_since(DialtoneItem *self)
{
    if (self->report->state != DIALTONE_STATE_CONNECTED)
        self->since = 0;
    else if (self->since == 0)
        self->since = self->report->time_us > 0 ? self->report->time_us : g_get_real_time();
}

/* A file of secrets is for who has nobody to ask; here somebody is there, and gave no answer. */
static void advise(DialtoneReport *report)
{
    if (report->reason != DIALTONE_FAILURE_SECRET_MISSING || report->advice == NULL ||
        strstr(report->advice, "--secrets") == NULL)
        return;
    g_free(report->advice);
    report->advice = g_strdup(_("Try again, and answer what you are asked for."));
}

static void on_report(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneItem) self = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *json = NULL;
    DialtoneReport *report = NULL;
    if (dialtone_bus_connection_call_get_report_finish(DIALTONE_BUS_CONNECTION(source), &json,
                                                       result, &error))
        report = dialtone_report_from_json(json, strlen(json), &error);
    if (report == NULL) {
        g_debug("no report of %s: %s", self->name, error->message);
        return;
    }
    if (DIALTONE_BUS_CONNECTION(source) != self->connection) {
        dialtone_report_free(report);
        return;
    }
    g_clear_pointer(&self->report, dialtone_report_free);
    dialtone_report_localize(report);
    advise(report);
    self->report = report;
    dialtone_report_mark_weak(report);
    count_since(self);
    changed(self);
}

static void ask_for_report(DialtoneItem *self)
{
    guint serial = dialtone_bus_connection_get_serial(self->connection);
    if (serial == self->serial || dialtone_item_is_others(self))
        return;
    self->serial = serial;
    dialtone_bus_connection_call_get_report(self->connection, NULL, on_report, g_object_ref(self));
}

static void forget_connection(DialtoneItem *self)
{
    g_clear_pointer(&self->report, dialtone_report_free);
    g_clear_pointer(&self->notice, g_free);
    self->serial = 0;
    self->since = 0;
    self->wait = DIALTONE_WAIT_NONE;
}

void dialtone_item_set_objects(DialtoneItem *self, DialtoneBusProfile *profile,
                               DialtoneBusConnection *connection)
{
    gboolean came = g_set_object(&self->profile, profile) && profile != NULL;
    if (g_set_object(&self->connection, connection)) {
        forget_connection(self);
        came |= connection != NULL;
    }
    /* What could not be done before says nothing of what is there now. */
    if (came && self->calls == 0)
        g_clear_error(&self->error);
    if (self->connection != NULL)
        ask_for_report(self);
    leave(self);
    changed(self);
}

void dialtone_item_set_wait(DialtoneItem *self, DialtoneWait wait)
{
    if (self->wait == wait)
        return;
    self->wait = wait;
    changed(self);
}

void dialtone_item_add_notice(DialtoneItem *self, const char *notice)
{
    g_autofree char *line = dialtone_text_clean(notice, strlen(notice), 4096, DIALTONE_TEXT_LINE);
    const char *before = self->notice;
    if (before != NULL && (strstr(before, line) != NULL || strlen(before) > NOTICES_MAX))
        return;
    char *all = before != NULL ? g_strconcat(before, "\n", line, NULL) : g_strdup(line);
    g_free(self->notice);
    self->notice = all;
    changed(self);
}

void dialtone_item_forget_error(DialtoneItem *self)
{
    if (self->error == NULL || self->calls > 0)
        return;
    g_clear_error(&self->error);
    changed(self);
}

static void set_string(char **into, const char *from)
{
    char *copy = g_strdup(from);
    g_free(*into);
    *into = copy;
}

void dialtone_item_set_source(DialtoneItem *self, const DialtoneItemSource *source)
{
    set_string(&self->description, source->description);
    set_string(&self->path, source->path);
    set_string(&self->uuid, source->uuid);
    set_string(&self->mistakes, source->mistakes);
    set_string(&self->text, source->text);
    set_string(&self->override, source->override);
}

/* ---- the switch ---- */

static void begin(DialtoneItem *self, gboolean wants)
{
    self->calls++;
    self->wants = wants;
    self->leaves = FALSE;
    g_clear_error(&self->error);
    changed(self);
}

static void end(DialtoneItem *self, GError *error_take)
{
    self->calls--;
    if (error_take != NULL) {
        g_clear_error(&self->error);
        self->error = error_take;
        self->leaves = FALSE;
    }
    leave(self);
    changed(self);
}

static void on_connect(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneItem) self = data;
    GError *error = NULL;
    g_autoptr(GVariant) answer = dialtone_service_client_call_finish(source, result, &error);
    if (answer != NULL)
        g_debug("%s is wanted", self->name);
    end(self, error);
}

static void want(DialtoneItem *self, GDBusProxy *profile)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (self->take_over)
        g_variant_builder_add(&options, "{sv}", "take-over", g_variant_new_boolean(TRUE));
    if (self->override != NULL)
        g_variant_builder_add(&options, "{sv}", "override", g_variant_new_string(self->override));
    dialtone_service_client_call(profile, "Connect",
                                 g_variant_new("(@a{sv})", g_variant_builder_end(&options)),
                                 on_connect, g_object_ref(self));
}

static void on_proxy(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneItem) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneBusProfile) profile = dialtone_bus_profile_proxy_new_finish(result, &error);
    if (profile == NULL) {
        end(self, g_steal_pointer(&error));
        return;
    }
    want(self, G_DBUS_PROXY(profile));
}

/* The object manager may not have heard of the object yet. */
static void on_added(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneItem) self = data;
    GError *error = NULL;
    const char *path = NULL;
    g_autoptr(GVariant) answer = dialtone_service_client_call_finish(source, result, &error);
    if (answer == NULL || !g_variant_is_of_type(answer, G_VARIANT_TYPE("(o)"))) {
        end(self, error);
        return;
    }
    g_variant_get(answer, "(&o)", &path);
    dialtone_bus_profile_proxy_new(G_DBUS_CONNECTION(source), G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                   "org.dialtone.Dialtone1", path, NULL, on_proxy,
                                   g_object_ref(self));
}

static void add_and_want(DialtoneItem *self, DialtoneBusManager *manager)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "name", g_variant_new_string(self->name));
    dialtone_service_client_call(
        G_DBUS_PROXY(manager), "AddProfile",
        g_variant_new("(s@a{sv})", self->text, g_variant_builder_end(&options)), on_added,
        g_object_ref(self));
}

void dialtone_item_connect(DialtoneItem *self, DialtoneBusManager *manager, gboolean take_over)
{
    if (self->calls > 0 || (dialtone_item_is_wanted(self) && !take_over))
        return;
    begin(self, TRUE);
    self->take_over = take_over;
    if (manager != NULL && self->text != NULL && self->mistakes == NULL) {
        add_and_want(self, manager);
        return;
    }
    if (manager != NULL && self->profile != NULL) {
        want(self, G_DBUS_PROXY(self->profile));
        return;
    }
    GError *error = NULL;
    if (self->mistakes != NULL)
        dialtone_failure_set(&error, DIALTONE_FAILURE_PROFILE_INVALID, self->mistakes,
                             _("This profile has mistakes."));
    else
        dialtone_failure_set(&error, DIALTONE_FAILURE_INTERNAL, NULL,
                             _("The service is not there."));
    end(self, error);
}

static void on_disconnect(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneItem) self = data;
    GError *error = NULL;
    GVariant *answer = dialtone_service_client_call_finish(source, result, &error);
    g_clear_pointer(&answer, g_variant_unref);
    end(self, error);
}

void dialtone_item_disconnect(DialtoneItem *self)
{
    gboolean comes = self->calls > 0 && self->wants;
    if (self->calls > 0 && !comes)
        return;
    if (comes && (self->connection == NULL || !dialtone_item_is_wanted(self))) {
        self->leaves = TRUE;
        changed(self);
        return;
    }
    if (self->connection == NULL)
        return;
    begin(self, FALSE);
    dialtone_service_client_call(G_DBUS_PROXY(self->connection), "Disconnect", NULL, on_disconnect,
                                 g_object_ref(self));
}

static void on_removed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = dialtone_service_client_call_finish(source, result, &error);
    if (answer == NULL)
        g_debug("the service keeps a profile: %s", error->message);
}

/* What is connected stays what it was connected as. */
void dialtone_item_renamed(DialtoneItem *self)
{
    if (self->profile != NULL && !dialtone_item_is_wanted(self))
        dialtone_service_client_call(G_DBUS_PROXY(self->profile), "Remove", NULL, on_removed, NULL);
}

void dialtone_item_remove(DialtoneItem *self)
{
    if (self->connection != NULL && !dialtone_item_is_others(self))
        dialtone_item_disconnect(self);
    if (self->profile != NULL)
        dialtone_service_client_call(G_DBUS_PROXY(self->profile), "Remove", NULL, on_removed, NULL);
}

/* ---- the class ---- */

static void dialtone_item_finalize(GObject *object)
{
    DialtoneItem *self = DIALTONE_ITEM(object);
    g_clear_object(&self->profile);
    g_clear_object(&self->connection);
    g_clear_pointer(&self->report, dialtone_report_free);
    g_clear_error(&self->error);
    g_free(self->key);
    g_free(self->name);
    g_free(self->description);
    g_free(self->path);
    g_free(self->uuid);
    g_free(self->mistakes);
    g_free(self->text);
    g_free(self->override);
    g_free(self->notice);
    G_OBJECT_CLASS(dialtone_item_parent_class)->finalize(object);
}

static void dialtone_item_class_init(DialtoneItemClass *class)
{
    G_OBJECT_CLASS(class)->finalize = dialtone_item_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_item_init(DialtoneItem *self)
{
}

DialtoneItem *dialtone_item_new(const char *key, const char *name)
{
    DialtoneItem *self = g_object_new(DIALTONE_TYPE_ITEM, NULL);
    self->key = g_strdup(key);
    self->name = g_strdup(name);
    return self;
}

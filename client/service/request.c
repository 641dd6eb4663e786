/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How every call goes: the table names the method, the bus names the caller, the method says what
 * has to be allowed, polkit allows it, the method runs. A method that the table lacks is refused.
 *
 * How many calls wait at a time is limited for each sender and, where polkit decides, for each
 * user, so that nobody fills the memory of the service, nor keeps others from calling: what a
 * person is asked about may wait for two minutes, and whether anybody answers is up to the caller.
 */
#include <string.h>

#include "client/common/bus-error.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"

enum {
    SENDER_MAX = 128,
    USER_MAX = 16, /* calls that wait for polkit: the bus lets us ask 128 things at a time */
};

/* ---- how many ---- */

static bool enter(ServiceManager *manager, const char *who, guint max)
{
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(manager->under_way, who));
    if (n < max)
        g_hash_table_insert(manager->under_way, g_strdup(who), GUINT_TO_POINTER(n + 1));
    return n < max;
}

static void leave(ServiceManager *manager, const char *who)
{
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(manager->under_way, who));
    if (n > 1)
        g_hash_table_insert(manager->under_way, g_strdup(who), GUINT_TO_POINTER(n - 1));
    else
        g_hash_table_remove(manager->under_way, who);
}

static void too_many(GDBusMethodInvocation *invocation_take)
{
    g_dbus_method_invocation_return_dbus_error(
        invocation_take, "org.freedesktop.DBus.Error.LimitsExceeded", "too many calls at a time");
}

/* ---- the end ---- */

static void request_free(ServiceRequest *request)
{
    leave(request->manager, request->sender);
    if (request->user != NULL)
        leave(request->manager, request->user);
    g_clear_object(&request->invocation);
    service_caller_free(request->caller);
    g_free(request->sender);
    g_free(request->user);
    g_free(request->about);
    g_free(request);
}

/* Told as theirs, so that it takes no room from others. */
static void refuse(ServiceRequest *request, const GError *error)
{
    GDBusMethodInvocation *invocation = g_steal_pointer(&request->invocation);
    const ServiceCaller *caller = request->caller;
    if (caller != NULL && dialtone_failure_of(error) == DIALTONE_FAILURE_NOT_PERMITTED)
        service_log(caller->uid, NULL, "refused %s.%s to uid %u: %s", request->method->interface,
                    request->method->name, (unsigned)caller->uid, error->message);
    dialtone_bus_error_return(invocation, error);
    request_free(request);
}

void service_request_return(ServiceRequest *request, GVariant *value)
{
    g_dbus_method_invocation_return_value(g_steal_pointer(&request->invocation), value);
}

/* Said by a name of its own, so that who called can bring somebody with a password. */
static void challenge(ServiceRequest *request)
{
    g_autofree char *text = g_strconcat(
        _("That takes an administrator's password."), "\n",
        _("Do it in a session of the desktop or at a terminal, where it is asked for, or "
          "with sudo."),
        NULL);
    g_dbus_method_invocation_return_dbus_error(g_steal_pointer(&request->invocation),
                                               DIALTONE_BUS_ERROR_CHALLENGE, text);
}

static void on_allowed(ServiceAnswer answer, gpointer data);

static bool is_interactive(GDBusMethodInvocation *invocation)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
    return (g_dbus_message_get_flags(message) &
            G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
}

/* False: there is nothing more to be allowed. */
static bool ask_also(ServiceRequest *request)
{
    if (request->asked_also || request->also == SERVICE_ACTION_ANYBODY)
        return false;
    request->asked_also = true;
    service_authority_check(request->caller, request->also, is_interactive(request->invocation),
                            on_allowed, request);
    return true;
}

static void end(ServiceRequest *request, const GError *error)
{
    if (error != NULL)
        refuse(request, error);
    else
        request_free(request);
}

/* What its sender has given up meanwhile is not done: nobody would know of it. */
static void on_sender_looked_up(GObject *source, GAsyncResult *result, gpointer data)
{
    ServiceRequest *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(ServiceCaller) still = service_caller_ask_finish(result, &error);
    if (still != NULL)
        request->method->run(request, &error);
    else
        service_log(request->caller->uid, NULL, "%s.%s is not done: its caller has gone",
                    request->method->interface, request->method->name);
    end(request, error);
}

/* Not yet, where polkit may have asked a person: that takes time. */
static void run(ServiceRequest *request)
{
    g_autoptr(GError) error = NULL;
    if (request->user != NULL && is_interactive(request->invocation)) {
        service_caller_ask(request->manager->bus, request->sender, NULL, on_sender_looked_up,
                           request);
        return;
    }
    request->method->run(request, &error);
    end(request, error);
}

static void on_allowed(ServiceAnswer answer, gpointer data)
{
    ServiceRequest *request = data;
    g_autoptr(GError) error = NULL;
    switch (answer) {
    case SERVICE_YES:
        if (!ask_also(request))
            run(request);
        return;
    case SERVICE_CHALLENGE:
        challenge(request);
        break;
    case SERVICE_NO:
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Ask the administrator, or try again as an administrator."),
                             _("You are not allowed to do that."));
        break;
    case SERVICE_UNKNOWN:
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("See whether polkit runs (systemctl status polkit) and try again; "
                               "root needs it not."),
                             _("polkit, which says who may do that, gave no answer."));
        break;
    }
    end(request, error);
}

/* False: too many calls of this user's wait for it already. */
static bool may_ask_authority(ServiceRequest *request)
{
    if (request->action == SERVICE_ACTION_ANYBODY || request->action == SERVICE_ACTION_REFUSED)
        return true;
    g_autofree char *user = g_strdup_printf("uid %u", (unsigned)request->caller->uid);
    if (!enter(request->manager, user, USER_MAX))
        return false;
    request->user = g_steal_pointer(&user);
    return true;
}

static void decide(ServiceRequest *request, GError *error_take)
{
    g_autoptr(GError) error = error_take;
    if (error == NULL)
        request->action = request->method->decide(request, &error);
    if (error != NULL) {
        refuse(request, error);
    } else if (!may_ask_authority(request)) {
        too_many(g_steal_pointer(&request->invocation));
        request_free(request);
    } else {
        service_authority_check(request->caller, request->action,
                                is_interactive(request->invocation), on_allowed, request);
    }
}

static void on_named(ServiceNamed named, gpointer data)
{
    ServiceRequest *request = data;
    GError *error = NULL;
    request->named = named;
    if (named == SERVICE_NAMED_UNKNOWN)
        dialtone_failure_set(&error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Try again when the server that knows the users of this computer "
                               "can be reached."),
                             _("The directory of users gives no answer, so it is not known for "
                               "whom the profile is."));
    decide(request, error);
}

/* Its own, where it is about a profile, or that of a connection. */
static const ServiceProfile *profile_of(const ServiceRequest *request)
{
    const char *path = g_dbus_method_invocation_get_object_path(request->invocation);
    const ServiceProfile *profile = g_hash_table_lookup(request->manager->profiles, path);
    const ServiceConnection *connection = g_hash_table_lookup(request->manager->connections, path);
    if (profile == NULL && connection != NULL && request->method->takes_profile)
        profile = service_manager_profile_of(request->manager, connection);
    return profile;
}

/* A profile may be for some only, and who they are is another's to know. */
static void on_caller(GObject *source, GAsyncResult *result, gpointer data)
{
    ServiceRequest *request = data;
    GError *error = NULL;
    request->caller = service_caller_ask_finish(result, &error);
    const ServiceProfile *profile = profile_of(request);
    if (request->caller == NULL || profile == NULL || !service_profile_names_users(profile) ||
        request->caller->uid == 0) {
        decide(request, error);
        return;
    }
    /* It may be another by the time that all is allowed, with other names in it. */
    request->about = g_strdup(profile->path);
    service_caller_ask_named(request->caller, request->manager->directory, profile->profile,
                             on_named, request);
}

static const ServiceMethod *find(GDBusMethodInvocation *invocation)
{
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    const char *name = g_dbus_method_invocation_get_method_name(invocation);
    for (gsize i = 0; i < service_methods_n; i++)
        if (strcmp(service_methods[i].interface, interface) == 0 &&
            strcmp(service_methods[i].name, name) == 0)
            return &service_methods[i];
    return NULL;
}

gboolean service_request_begin(ServiceManager *manager, GDBusMethodInvocation *invocation)
{
    const ServiceMethod *method = find(invocation);
    const char *sender = g_dbus_method_invocation_get_sender(invocation);
    if (method == NULL || !enter(manager, sender, SENDER_MAX)) {
        too_many(invocation);
        return TRUE;
    }
    ServiceRequest *request = g_new0(ServiceRequest, 1);
    /* The handler owns the invocation; methods of GDBus that answer it take that. */
    *request = (ServiceRequest){.manager = manager,
                                .invocation = invocation,
                                .method = method,
                                .also = SERVICE_ACTION_ANYBODY,
                                .sender = g_strdup(sender)};
    service_caller_ask(manager->bus, sender, NULL, on_caller, request);
    return TRUE;
}

/* An option is known or it is an error: who misspells one shall hear of it. */
bool service_request_check_options(GVariant *options, const char *const *known, GError **error)
{
    GVariantIter iter;
    const char *key;
    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&sv}", &key, NULL)) {
        if (known != NULL && g_strv_contains(known, key))
            continue;
        dialtone_failure_set(error, DIALTONE_FAILURE_USAGE, NULL, _("There is no option \"%s\"."),
                             key);
        return false;
    }
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of org.dialtone.Dialtone1: one table, from a method to who may call it and what it
 * does. decide() looks at who owns what; run() looks again, for polkit may have asked somebody in
 * between.
 */
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/parse.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"
#include "client/service/override.h"
#include "client/service/rules.h"

static const char *const CONNECT_OPTIONS[] = {"take-over", "override", NULL};
static const char *const TAKE_OPTIONS[] = {"override", NULL};

static GVariant *parameters(const ServiceRequest *request)
{
    return g_dbus_method_invocation_get_parameters(request->invocation);
}

static const char *object_path(const ServiceRequest *request)
{
    return g_dbus_method_invocation_get_object_path(request->invocation);
}

static ServiceProfile *find_profile(ServiceRequest *request, GError **error)
{
    return service_manager_profile(request->manager, object_path(request), error);
}

static ServiceConnection *find_connection(ServiceRequest *request, GError **error)
{
    return service_manager_connection(request->manager, object_path(request), error);
}

/* ---- who ---- */

static ServiceAction anybody(ServiceRequest *request, GError **error)
{
    return SERVICE_ACTION_ANYBODY;
}

static bool may_use(const ServiceRequest *request, const ServiceProfile *profile)
{
    const uid_t uid = request->caller->uid;
    if (service_profile_names_users(profile))
        return uid == 0 ||
               (request->named == SERVICE_NAMED && g_strcmp0(request->about, profile->path) == 0);
    return service_profile_is_system(profile) || uid == 0 || uid == profile->owner;
}

/* A profile that is not the caller's does not exist for it. */
static ServiceAction whoever_uses(ServiceRequest *request, GError **error)
{
    const ServiceProfile *profile = find_profile(request, error);
    if (profile == NULL)
        return SERVICE_ACTION_REFUSED;
    return may_use(request, profile) ? SERVICE_ACTION_ANYBODY : SERVICE_ACTION_REFUSED;
}

static ServiceAction owner_of_profile(ServiceRequest *request, GError **error)
{
    const ServiceProfile *profile = find_profile(request, error);
    if (profile == NULL)
        return SERVICE_ACTION_REFUSED;
    if (service_profile_is_system(profile)) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Its file is where the administrator put it."),
                             _("A system profile can't be removed here."));
        return SERVICE_ACTION_REFUSED;
    }
    return profile->owner == request->caller->uid ? SERVICE_ACTION_ANYBODY : SERVICE_ACTION_REFUSED;
}

static bool wants_take_over(const ServiceRequest *request)
{
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 0);
    gboolean take_over = FALSE;
    return g_variant_lookup(options, "take-over", "b", &take_over) && take_over;
}

/* Somebody else's. What has failed stays only to tell them why; what began by itself and lacks a
 * secret is nobody's as long as nobody is there to give it. */
static bool is_in_use(const ServiceConnection *connection, uid_t caller)
{
    return connection != NULL && service_connection_owner(connection) != caller &&
           !service_connection_has_failed(connection) &&
           !service_connection_waits_for_anybody(connection);
}

/* Whoever may connect gets a new one; else it is their own, and goes on. */
static bool makes_one(const ServiceConnection *current, uid_t caller)
{
    return current == NULL || service_connection_owner(current) != caller ||
           service_connection_has_failed(current);
}

/* What the caller has changed in a profile of the system; NULL: nothing. The caller frees it. */
static char *override_of(const ServiceRequest *request, const ServiceProfile *profile)
{
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 0);
    char *text = NULL;
    if (service_profile_is_system(profile))
        (void)g_variant_lookup(options, "override", "s", &text);
    return text;
}

/* A kill switch that stays holds for everybody at this computer, and root alone releases it: who
 * may set one up is the administrator's to say, but where they have written it themselves. @text of
 * the profile as its user has changed it; NULL: not at all. */
static bool blocks_for_good(const ServiceProfile *profile, const char *text)
{
    const DialtoneProfile *base = profile->profile;
    if (service_profile_is_system(profile) && base->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT)
        return false;
    g_autoptr(DialtoneProfile) changed =
        text != NULL ? dialtone_profile_parse_with_psk(text, strlen(text), "profile", NULL) : NULL;
    const DialtoneProfile *used = changed != NULL ? changed : base;
    return used->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT;
}

static bool decide_kill_switch(ServiceRequest *request, const ServiceProfile *profile,
                               GError **error)
{
    g_autofree char *text = NULL, *override = override_of(request, profile);
    const ServiceChange change = {.profile = profile, .override = override};
    if (!service_override_apply(request->manager, &change, &text, error))
        return false;
    if (blocks_for_good(profile, text))
        request->also = SERVICE_ACTION_CONNECT_PERSISTENT;
    return true;
}

static bool check_use(const ServiceRequest *request, const ServiceProfile *profile, GError **error)
{
    if (may_use(request, profile))
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                         _("Its Users= and Groups= say who may; ask the administrator."),
                         _("The profile \"%s\" is not for you."), profile->profile->name);
    return false;
}

static ServiceAction decide_connect(ServiceRequest *request, GError **error)
{
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 0);
    ServiceProfile *profile = find_profile(request, error);
    if (profile == NULL || !service_request_check_options(options, CONNECT_OPTIONS, error))
        return SERVICE_ACTION_REFUSED;
    if (!check_use(request, profile, error) ||
        !service_policy_allows(request->manager, profile->profile, profile->layer, error))
        return SERVICE_ACTION_REFUSED;
    const ServiceConnection *current = service_manager_connection_of(request->manager, profile);
    const bool is_theirs = is_in_use(current, request->caller->uid);
    if (makes_one(current, request->caller->uid) && !decide_kill_switch(request, profile, error))
        return SERVICE_ACTION_REFUSED;
    if (is_theirs) {
        if (wants_take_over(request))
            return SERVICE_ACTION_TAKE_OVER;
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Ask that user to disconnect, or take the connection over as an "
                               "administrator: dialtone connect --take-over."),
                             _("The profile \"%s\" is in use by another user (uid %u)."),
                             profile->profile->name, (unsigned)service_connection_owner(current));
        return SERVICE_ACTION_REFUSED;
    }
    return service_profile_is_system(profile) ? SERVICE_ACTION_CONNECT_SYSTEM
                                              : SERVICE_ACTION_CONNECT_OWN;
}

static ServiceAction owner_of_connection(ServiceRequest *request, GError **error)
{
    const ServiceConnection *connection = find_connection(request, error);
    if (connection == NULL)
        return SERVICE_ACTION_REFUSED;
    return service_connection_owner(connection) == request->caller->uid ? SERVICE_ACTION_ANYBODY
                                                                        : SERVICE_ACTION_REFUSED;
}

/* The administrator has said that it is to be connected, for all users and always: who ends it
 * changes that, whoever has connected it. */
static bool is_always_on(const ServiceRequest *request, const ServiceConnection *connection)
{
    const ServiceProfile *profile = service_manager_profile_of(request->manager, connection);
    return profile != NULL && service_policy_is_always_on(request->manager, profile);
}

static ServiceAction decide_disconnect(ServiceRequest *request, GError **error)
{
    const ServiceConnection *connection = find_connection(request, error);
    if (connection == NULL)
        return SERVICE_ACTION_REFUSED;
    if (is_always_on(request, connection))
        return SERVICE_ACTION_MANAGE_SYSTEM_PROFILES;
    return service_connection_owner(connection) == request->caller->uid ? SERVICE_ACTION_ANYBODY
                                                                        : SERVICE_ACTION_TAKE_OVER;
}

static ServiceAction owner_or_take_over(ServiceRequest *request, GError **error)
{
    ServiceAction action = owner_of_connection(request, error);
    if (action == SERVICE_ACTION_REFUSED && (error == NULL || *error == NULL))
        action = SERVICE_ACTION_TAKE_OVER;
    return action;
}

/* ---- a profile that was changed while it is connected ---- */

/* What a connection is to go on with. */
typedef struct Wanted {
    ServiceProfile *profile;
    char *override, *text; /* text NULL: it is what the connection has */
} Wanted;

static void wanted_clear(Wanted *wanted)
{
    g_free(wanted->override);
    g_free(wanted->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

static bool takes_options(const ServiceRequest *request)
{
    return g_variant_n_children(parameters(request)) > 0;
}

/* Its file may be there, with a mistake that has taken it from the bus. */
static bool tell_mistake(const ServiceRequest *request, const ServiceConnection *connection,
                         GError **error)
{
    const GPtrArray *entries = dialtone_system_watch_profiles(request->manager->watch);
    const char *name = service_connection_profile(connection)->name;
    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        if (entry->profile != NULL || entry->issues->len == 0 || g_strcmp0(entry->name, name) != 0)
            continue;
        g_autofree char *text = dialtone_issue_text(entry->issues->pdata[0], entry->path);
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL, "%s", text);
        return true;
    }
    return false;
}

/* False: it can't be used; the connection goes on as it is. One that is gone has not changed. */
static bool find_wanted(ServiceRequest *request, const ServiceConnection *connection,
                        Wanted *wanted, GError **error)
{
    ServiceManager *manager = request->manager;
    wanted->profile = service_manager_profile_of(manager, connection);
    const ServiceProfile *profile = wanted->profile;
    if (profile == NULL)
        return !tell_mistake(request, connection, error);
    wanted->override = takes_options(request) ? override_of(request, profile)
                                              : g_strdup(service_connection_override(connection));
    const ServiceChange change = {.profile = profile, .override = wanted->override};
    if (!service_override_apply(manager, &change, &wanted->text, error))
        return false;
    if (wanted->text == NULL)
        wanted->text = g_strdup(profile->text);
    if (strcmp(wanted->text, service_connection_text(connection)) == 0) {
        g_clear_pointer(&wanted->text, g_free);
        return true;
    }
    return check_use(request, profile, error) &&
           service_policy_allows(manager, profile->profile, profile->layer, error);
}

static bool blocks_anew(const ServiceConnection *connection, const Wanted *wanted)
{
    return service_connection_profile(connection)->kill_switch != DIALTONE_KILL_SWITCH_PERSISTENT &&
           blocks_for_good(wanted->profile, wanted->text);
}

/* Another text is allowed as it is to who connects. */
static ServiceAction decide_change(ServiceRequest *request, GError **error)
{
    g_auto(Wanted) wanted = {0};
    const ServiceConnection *connection = find_connection(request, error);
    if (connection == NULL || !find_wanted(request, connection, &wanted, error))
        return SERVICE_ACTION_REFUSED;
    if (wanted.text == NULL)
        return SERVICE_ACTION_ANYBODY;
    if (blocks_anew(connection, &wanted))
        request->also = SERVICE_ACTION_CONNECT_PERSISTENT;
    return service_profile_is_system(wanted.profile) ? SERVICE_ACTION_CONNECT_SYSTEM
                                                     : SERVICE_ACTION_CONNECT_OWN;
}

static ServiceAction decide_renegotiate(ServiceRequest *request, GError **error)
{
    ServiceAction action = owner_or_take_over(request, error);
    return action == SERVICE_ACTION_ANYBODY ? decide_change(request, error) : action;
}

static ServiceAction decide_take_profile(ServiceRequest *request, GError **error)
{
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 0);
    ServiceAction action = owner_of_connection(request, error);
    if (action != SERVICE_ACTION_ANYBODY ||
        !service_request_check_options(options, TAKE_OPTIONS, error))
        return SERVICE_ACTION_REFUSED;
    return decide_change(request, error);
}

/* ---- Manager ---- */

static void run_register_agent(ServiceRequest *request, GError **error)
{
    const char *path = NULL;
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 1);
    g_variant_get_child(parameters(request), 0, "&o", &path);
    if (!service_request_check_options(options, NULL, error) ||
        !service_agents_add(request->manager->agents, request->caller->uid,
                            request->caller->bus_name, path, error))
        return;
    service_request_return(request, NULL);
}

static void run_unregister_agent(ServiceRequest *request, GError **error)
{
    const char *path = NULL;
    g_variant_get_child(parameters(request), 0, "&o", &path);
    service_agents_remove(request->manager->agents, request->caller->bus_name, path);
    service_request_return(request, NULL);
}

static void run_get_log(ServiceRequest *request, GError **error)
{
    guint32 max = 0;
    g_variant_get_child(parameters(request), 0, "u", &max);
    GVariant *lines = service_log_read(request->caller->uid, max);
    service_request_return(request, g_variant_new("(@a(tss))", lines));
}

/* ---- Profile ---- */

static bool may_be_here(ServiceRequest *request, const ServiceProfile *profile, const char *text,
                        GError **error)
{
    g_autoptr(DialtoneProfile) changed =
        text != NULL ? dialtone_profile_parse(text, strlen(text), "profile", NULL) : NULL;
    return service_rules_allow(request->manager, changed != NULL ? changed : profile->profile,
                               error);
}

static bool has_room(ServiceManager *manager, uid_t uid, GError **error)
{
    guint n = service_manager_count(manager, uid);
    if (n < SERVICE_CONNECTIONS_MAX)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                         _("Disconnect one of them; `dialtone status` lists them."),
                         _("You have %u connections already."), n);
    return false;
}

/* Whoever has it is disconnected first, where that is what was allowed: nobody may have had it when
 * that was asked. The new connection does not wait for that, for it has a tunnel of its own. */
static void run_connect(ServiceRequest *request, GError **error)
{
    ServiceManager *manager = request->manager;
    if (manager->stopping) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, _("Try again in a moment."),
                             _("The service is just ending."));
        return;
    }
    g_autofree char *text = NULL;
    ServiceProfile *profile = find_profile(request, error);
    g_autofree char *override = profile != NULL ? override_of(request, profile) : NULL;
    const ServiceChange change = {.profile = profile, .override = override};
    if (profile == NULL || !service_override_apply(manager, &change, &text, error) ||
        !may_be_here(request, profile, text, error))
        return;
    ServiceConnection *current = service_manager_connection_of(manager, profile);
    if (is_in_use(current, request->caller->uid) && request->action != SERVICE_ACTION_TAKE_OVER) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("The profile \"%s\" is in use by another user."),
                             profile->profile->name);
        return;
    }
    const bool is_new = makes_one(current, request->caller->uid);
    /* It was connected when that was decided. */
    if (is_new && blocks_for_good(profile, text) &&
        request->also != SERVICE_ACTION_CONNECT_PERSISTENT) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("Nobody was asked whether its kill switch may stay; try again."));
        return;
    }
    if (is_new && current != NULL) {
        service_connection_stop(current, NULL);
        current = NULL;
    }
    if (current == NULL && !has_room(manager, request->caller->uid, error))
        return;
    if (current == NULL) {
        const ServiceWish wish = {.owner = request->caller->uid,
                                  .agent = request->caller->bus_name,
                                  .text = text,
                                  .override = override};
        profile->refused = false;
        service_rules_release(manager, profile);
        current = service_manager_connect(manager, profile, &wish);
    }
    service_manager_want_by_hand(manager, profile);
    service_request_return(request, g_variant_new("(o)", service_connection_path(current)));
}

static void run_get_text(ServiceRequest *request, GError **error)
{
    const ServiceProfile *profile = find_profile(request, error);
    if (profile != NULL)
        service_request_return(request, g_variant_new("(s)", profile->text));
}

static void run_remove(ServiceRequest *request, GError **error)
{
    ServiceProfile *profile = find_profile(request, error);
    if (profile == NULL)
        return;
    service_manager_remove_profile(request->manager, profile);
    service_request_return(request, NULL);
}

/* ---- Connection ---- */

static void run_get_report(ServiceRequest *request, GError **error)
{
    const ServiceConnection *connection = find_connection(request, error);
    if (connection != NULL)
        service_request_return(request,
                               g_variant_new("(s)", service_connection_report(connection)));
}

static void run_get_reports(ServiceRequest *request, GError **error)
{
    const ServiceConnection *connection = find_connection(request, error);
    guint after = 0;
    if (connection == NULL)
        return;
    g_variant_get(parameters(request), "(u)", &after);
    service_request_return(request, service_connection_reports(connection, after));
}

static void run_get_counters(ServiceRequest *request, GError **error)
{
    const ServiceConnection *connection = find_connection(request, error);
    if (connection != NULL)
        service_request_return(request, service_connection_counters(connection));
}

static void run_get_offloads(ServiceRequest *request, GError **error)
{
    const ServiceConnection *connection = find_connection(request, error);
    if (connection != NULL)
        service_request_return(request, service_connection_offloads(connection));
}

static void run_disconnect(ServiceRequest *request, GError **error)
{
    ServiceConnection *connection = find_connection(request, error);
    if (connection == NULL)
        return;
    /* The policy was another one when that was decided. */
    if (is_always_on(request, connection) &&
        request->action != SERVICE_ACTION_MANAGE_SYSTEM_PROFILES) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("The policy keeps it connected by now; try again."));
        return;
    }
    service_connection_stop(connection, g_steal_pointer(&request->invocation));
}

static void return_changed(ServiceRequest *request, bool changed)
{
    service_request_return(request, takes_options(request) ? g_variant_new("(b)", changed) : NULL);
}

/* It was another text, or none, when that was decided. */
static bool was_decided(ServiceRequest *request, const ServiceConnection *connection,
                        const Wanted *wanted, GError **error)
{
    const bool asked =
        request->action != SERVICE_ACTION_ANYBODY &&
        (!blocks_anew(connection, wanted) || request->also == SERVICE_ACTION_CONNECT_PERSISTENT);
    if (!asked)
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("The profile was just changed again; try again."));
    return asked;
}

static void run_renegotiate(ServiceRequest *request, GError **error)
{
    ServiceConnection *connection = find_connection(request, error);
    g_auto(Wanted) wanted = {0};
    if (connection == NULL)
        return;
    if (request->action != SERVICE_ACTION_TAKE_OVER &&
        !find_wanted(request, connection, &wanted, error))
        return;
    if (wanted.text == NULL) {
        service_connection_renegotiate(connection);
        return_changed(request, false);
        return;
    }
    const ServiceWish wish = {.owner = service_connection_owner(connection),
                              .agent = request->caller->bus_name,
                              .text = wanted.text,
                              .override = wanted.override};
    if (was_decided(request, connection, &wanted, error) &&
        may_be_here(request, wanted.profile, wanted.text, error) &&
        service_manager_change(request->manager, connection, &wish, error))
        return_changed(request, true);
}

#define MANAGER    "org.dialtone.Dialtone1.Manager"
#define PROFILE    "org.dialtone.Dialtone1.Profile"
#define CONNECTION "org.dialtone.Dialtone1.Connection"

const ServiceMethod service_methods[] = {
    {MANAGER, "AddProfile", anybody, service_add_profile},
    {MANAGER, "RegisterAgent", anybody, run_register_agent},
    {MANAGER, "UnregisterAgent", anybody, run_unregister_agent},
    {MANAGER, "GetLog", anybody, run_get_log},
    {MANAGER, "ReleaseKillSwitch", service_kill_switches_decide, service_kill_switches_release},
    {PROFILE, "Connect", decide_connect, run_connect},
    {PROFILE, "GetText", whoever_uses, run_get_text},
    {PROFILE, "Remove", owner_of_profile, run_remove},
    {CONNECTION, "GetReport", owner_of_connection, run_get_report},
    {CONNECTION, "GetReports", owner_of_connection, run_get_reports},
    {CONNECTION, "GetCounters", owner_of_connection, run_get_counters},
    {CONNECTION, "GetOffloads", owner_of_connection, run_get_offloads},
    {CONNECTION, "Disconnect", decide_disconnect, run_disconnect},
    {CONNECTION, "Renegotiate", decide_renegotiate, run_renegotiate, true},
    {CONNECTION, "TakeProfile", decide_take_profile, run_renegotiate, true},
};
const gsize service_methods_n = G_N_ELEMENTS(service_methods);

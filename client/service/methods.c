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
#include "client/service/rules.h"

enum {
    PROFILES_MAX = 64, /* added by one uid */
    PROFILE_TEXT_MAX = 128 * 1024,
};

static const char *const ADD_OPTIONS[] = {"name", NULL};
static const char *const CONNECT_OPTIONS[] = {"take-over", "override", NULL};

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

/* An option is known or it is an error: who misspells one shall hear of it. */
static bool check_options(GVariant *options, const char *const *known, GError **error)
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

/* ---- who ---- */

static ServiceAction anybody(ServiceRequest *request, GError **error)
{
    return SERVICE_ACTION_ANYBODY;
}

static bool may_use(const ServiceRequest *request, const ServiceProfile *profile)
{
    const uid_t uid = request->caller->uid;
    if (service_profile_names_users(profile))
        return uid == 0 || request->named == SERVICE_NAMED;
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

static ServiceAction decide_connect(ServiceRequest *request, GError **error)
{
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 0);
    ServiceProfile *profile = find_profile(request, error);
    if (profile == NULL || !check_options(options, CONNECT_OPTIONS, error))
        return SERVICE_ACTION_REFUSED;
    if (!may_use(request, profile)) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Its Users= and Groups= say who may; ask the administrator."),
                             _("The profile \"%s\" is not for you."), profile->profile->name);
        return SERVICE_ACTION_REFUSED;
    }
    if (!service_policy_allows(request->manager, profile->profile, profile->layer, error))
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

static ServiceAction owner_or_take_over(ServiceRequest *request, GError **error)
{
    ServiceAction action = owner_of_connection(request, error);
    if (action == SERVICE_ACTION_REFUSED && (error == NULL || *error == NULL))
        action = SERVICE_ACTION_TAKE_OVER;
    return action;
}

/* ---- Manager ---- */

static guint count_of(ServiceManager *manager, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    guint n = 0;
    g_hash_table_iter_init(&iter, manager->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const ServiceProfile *profile = value;
        n += !service_profile_is_system(profile) && profile->owner == uid ? 1 : 0;
    }
    return n;
}

/* A system profile keeps its name and its UUID, also when its file has mistakes. */
static bool is_free(ServiceRequest *request, const DialtoneProfile *profile, GError **error)
{
    g_autofree char *why = dialtone_system_shadowed(
        dialtone_system_watch_profiles(request->manager->watch), profile->name, profile->uuid);
    if (why != NULL)
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED,
                             _("Give yours another name, and a UUID of its own."), "%s: %s",
                             profile->name, why);
    return why == NULL;
}

/* The caller's own of that name or UUID, or NULL. */
static ServiceProfile *find_own(ServiceRequest *request, const DialtoneProfile *profile)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, request->manager->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ServiceProfile *other = value;
        if (!service_profile_is_system(other) && other->owner == request->caller->uid &&
            service_profile_clashes(other, profile))
            return other;
    }
    return NULL;
}

static DialtoneProfile *parse(ServiceRequest *request, GError **error)
{
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 1);
    const char *text = NULL, *name = "profile";
    g_autoptr(GPtrArray) issues = NULL;
    if (!check_options(options, ADD_OPTIONS, error))
        return NULL;
    g_variant_get_child(parameters(request), 0, "&s", &text);
    (void)g_variant_lookup(options, "name", "&s", &name);
    if (strlen(text) > PROFILE_TEXT_MAX) {
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL,
                             _("The profile has more than %d KiB."), PROFILE_TEXT_MAX / 1024);
        return NULL;
    }
    if (strlen(name) > 128 || !dialtone_text_is_clean(name)) {
        dialtone_failure_set(error, DIALTONE_FAILURE_USAGE, NULL, _("The name can't be shown."));
        return NULL;
    }
    DialtoneProfile *profile = dialtone_profile_parse_with_psk(text, strlen(text), name, &issues);
    if (profile == NULL) {
        g_autofree char *issue =
            issues->len > 0 ? dialtone_issue_text(issues->pdata[0], name) : g_strdup(name);
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL, "%s", issue);
    }
    return profile;
}

static void run_add_profile(ServiceRequest *request, GError **error)
{
    ServiceManager *manager = request->manager;
    uid_t uid = request->caller->uid;
    g_autoptr(DialtoneProfile) profile = parse(request, error);
    if (profile == NULL || !is_free(request, profile, error) ||
        !service_policy_allows(manager, profile, DIALTONE_LAYER_USER, error))
        return;
    ServiceProfile *old = find_own(request, profile);
    if (old == NULL && count_of(manager, uid) >= PROFILES_MAX) {
        dialtone_failure_set(error, DIALTONE_FAILURE_NOT_PERMITTED, NULL,
                             _("There are %d profiles of yours already."), PROFILES_MAX);
        return;
    }
    ServiceProfile *added = service_manager_add_profile(manager, g_steal_pointer(&profile),
                                                        DIALTONE_LAYER_USER, uid, NULL);
    if (old != NULL)
        service_manager_replace_profile(manager, old, added);
    service_rules_look(manager, added);
    service_request_return(request, g_variant_new("(o)", added->path));
}

static void run_register_agent(ServiceRequest *request, GError **error)
{
    const char *path = NULL;
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters(request), 1);
    g_variant_get_child(parameters(request), 0, "&o", &path);
    if (!check_options(options, NULL, error) ||
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
        service_rules_release(profile);
        profile->refused = false;
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

static void run_disconnect(ServiceRequest *request, GError **error)
{
    ServiceConnection *connection = find_connection(request, error);
    if (connection != NULL)
        service_connection_stop(connection, g_steal_pointer(&request->invocation));
}

static void run_renegotiate(ServiceRequest *request, GError **error)
{
    ServiceConnection *connection = find_connection(request, error);
    if (connection == NULL)
        return;
    service_connection_renegotiate(connection);
    service_request_return(request, NULL);
}

#define MANAGER    "org.dialtone.Dialtone1.Manager"
#define PROFILE    "org.dialtone.Dialtone1.Profile"
#define CONNECTION "org.dialtone.Dialtone1.Connection"

const ServiceMethod service_methods[] = {
    {MANAGER, "AddProfile", anybody, run_add_profile},
    {MANAGER, "RegisterAgent", anybody, run_register_agent},
    {MANAGER, "UnregisterAgent", anybody, run_unregister_agent},
    {MANAGER, "GetLog", anybody, run_get_log},
    {PROFILE, "Connect", decide_connect, run_connect},
    {PROFILE, "GetText", whoever_uses, run_get_text},
    {PROFILE, "Remove", owner_of_profile, run_remove},
    {CONNECTION, "GetReport", owner_of_connection, run_get_report},
    {CONNECTION, "Disconnect", owner_or_take_over, run_disconnect},
    {CONNECTION, "Renegotiate", owner_or_take_over, run_renegotiate},
};
const gsize service_methods_n = G_N_ELEMENTS(service_methods);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AddProfile: a profile that a user's own program hands over. It is read again here, it can't be in
 * the way of one of the system's, and nobody has too many.
 */
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/parse.h"
#include "client/service/manager-private.h"
#include "client/service/rules.h"

enum {
    PROFILES_MAX = 64, /* added by one uid */
    PROFILE_TEXT_MAX = 128 * 1024,
};

static const char *const ADD_OPTIONS[] = {"name", NULL};

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
    GVariant *parameters = g_dbus_method_invocation_get_parameters(request->invocation);
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters, 1);
    const char *text = NULL, *name = "profile";
    g_autoptr(GPtrArray) issues = NULL;
    if (!service_request_check_options(options, ADD_OPTIONS, error))
        return NULL;
    g_variant_get_child(parameters, 0, "&s", &text);
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

void service_add_profile(ServiceRequest *request, GError **error)
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

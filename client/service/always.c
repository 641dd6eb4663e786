/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that nobody asks for: those that were wanted when the service ended, and system
 * profiles with Autoconnect=yes, which belong to root and take what secrets the machine has. One
 * that fails is tried again, ever more rarely: a missing secret or a gateway that is down must not
 * keep a computer busy. A password that was refused is not tried again at all until a secret, the
 * policy or the profile is another, or somebody connects by hand: that would lock an account.
 */
#include <string.h>

#include "client/profile/parse.h"
#include "client/service/holds.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"
#include "client/service/override.h"
#include "client/service/rules.h"
#include "client/service/wanted.h"

enum { PAUSE_SECONDS = 30, PAUSE_SECONDS_MAX = 15 * 60, ASK_TIMES = 20 };

/* ---- always ---- */

bool service_always_wants(ServiceManager *self, const ServiceProfile *profile)
{
    return service_profile_is_system(profile) &&
           (profile->profile->autoconnect || service_policy_is_always_on(self, profile));
}

static void connect_always(ServiceManager *self, ServiceProfile *profile)
{
    ServiceConnection *current = service_manager_connection_of(self, profile);
    if (current != NULL && !service_connection_has_failed(current))
        return;
    if (current != NULL)
        service_connection_stop(current, NULL);
    const ServiceWish wish = {.owner = 0};
    (void)service_manager_connect(self, profile, &wish);
}

typedef struct Retry {
    ServiceManager *manager;
    ServiceProfile *profile; /* whose end ends the timer */
} Retry;

static gboolean on_time(gpointer data)
{
    const Retry *retry = data;
    retry->profile->retry = 0;
    if (retry->manager->stopping)
        return G_SOURCE_REMOVE;
    if (!service_always_wants(retry->manager, retry->profile))
        service_rules_look(retry->manager, retry->profile);
    else if (service_rules_let_connect(retry->manager, retry->profile))
        connect_always(retry->manager, retry->profile);
    return G_SOURCE_REMOVE;
}

void service_always_again(ServiceManager *self, ServiceProfile *profile)
{
    Retry *retry = g_new0(Retry, 1);
    *retry = (Retry){self, profile};
    profile->pause =
        profile->pause == 0 ? PAUSE_SECONDS : MIN(2 * profile->pause, (guint)PAUSE_SECONDS_MAX);
    g_clear_handle_id(&profile->retry, g_source_remove);
    profile->retry =
        g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, profile->pause, on_time, retry, g_free);
    service_log(0, profile->profile->name, "tried again in %u seconds", profile->pause);
}

void service_always_profile(ServiceManager *self, ServiceProfile *profile)
{
    g_autoptr(GError) error = NULL;
    if (profile->refused || !service_always_wants(self, profile) ||
        !service_rules_let_connect(self, profile))
        return;
    if (service_policy_allows(self, profile->profile, profile->layer, &error))
        connect_always(self, profile);
    else
        service_log(0, profile->profile->name, "%s", error->message);
}

void service_always_look(ServiceManager *self)
{
    GHashTableIter iter;
    gpointer value;
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_hash_table_iter_init(&iter, self->profiles);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (service_profile_is_system(value))
            g_ptr_array_add(all, value);
    for (guint i = 0; i < all->len; i++) {
        ServiceProfile *profile = all->pdata[i];
        g_clear_handle_id(&profile->retry, g_source_remove);
        profile->refused = false;
        service_hold_keep(self, profile);
        service_rules_look(self, profile);
        service_always_profile(self, profile);
    }
}

/* ---- again ---- */

/* The profile, its locks and the policy may be others by now, and count as they are. */
static void connect_again(ServiceManager *self, ServiceProfile *profile,
                          const ServiceWanted *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    const bool is_system = service_profile_is_system(profile);
    const ServiceChange change = {.profile = profile,
                                  .override = is_system ? wanted->override : NULL,
                                  .tells = true,
                                  .owner = wanted->owner};
    if (!service_override_apply(self, &change, &text, &error) ||
        !service_policy_allows(self, profile->profile, profile->layer, &error)) {
        service_log(wanted->owner, profile->profile->name, "%s", error->message);
        return;
    }
    const ServiceWish wish = {.owner = wanted->owner,
                              .text = text,
                              .override = change.override,
                              .by_rule = wanted->by_rule};
    (void)service_manager_connect(self, profile, &wish);
}

/* What was wanted of the system's, while it is not known whether it is still for its user: the
 * administrator may have changed that. It stays written down meanwhile. */
typedef struct Asked {
    ServiceManager *manager;
    ServiceWanted *wanted;
    char *key;
    guint timer, times;
} Asked;

static void ask(Asked *asked);

static void asked_free(gpointer data)
{
    Asked *asked = data;
    g_clear_handle_id(&asked->timer, g_source_remove);
    service_wanted_free(asked->wanted);
    g_free(asked->key);
    g_free(asked);
}

static gboolean on_time_to_ask(gpointer data)
{
    Asked *asked = data;
    asked->timer = 0;
    ask(asked);
    return G_SOURCE_REMOVE;
}

static void on_named(ServiceNamed named, gpointer data)
{
    Asked *asked = data;
    ServiceManager *self = asked->manager;
    const ServiceWanted *wanted = asked->wanted;
    ServiceProfile *profile = service_manager_system_profile(self, wanted->uuid);
    if (named == SERVICE_NAMED_UNKNOWN && ++asked->times < ASK_TIMES) {
        asked->timer = g_timeout_add_seconds(PAUSE_SECONDS, on_time_to_ask, asked);
        return;
    }
    service_wanted_forget(asked->key);
    if (named == SERVICE_NAMED && profile != NULL &&
        service_manager_connection_of(self, profile) == NULL)
        connect_again(self, profile, wanted);
    else if (named != SERVICE_NAMED)
        service_log(wanted->owner, profile != NULL ? profile->profile->name : NULL,
                    "is not known to be for uid %u any more", (unsigned)wanted->owner);
    g_ptr_array_remove(self->asked, asked);
}

static void ask(Asked *asked)
{
    const ServiceProfile *profile =
        service_manager_system_profile(asked->manager, asked->wanted->uuid);
    const DialtoneSubject subject = {.uid = asked->wanted->owner};
    if (profile != NULL && service_profile_names_users(profile) && subject.uid != 0)
        service_directory_ask(asked->manager->directory, profile->profile, &subject, on_named,
                              asked);
    else
        on_named(SERVICE_NAMED, asked);
}

static void want_of_the_system(ServiceManager *self, ServiceWanted *wanted_take)
{
    Asked *asked = g_new0(Asked, 1);
    *asked = (Asked){.manager = self, .wanted = wanted_take};
    asked->key = g_strdup_printf("asked-%u", self->asked->len);
    service_wanted_keep(asked->key, asked->wanted);
    g_ptr_array_add(self->asked, asked);
    ask(asked);
}

static void want_own(ServiceManager *self, const ServiceWanted *wanted)
{
    DialtoneProfile *own =
        dialtone_profile_parse_with_psk(wanted->text, strlen(wanted->text), "profile", NULL);
    if (own != NULL)
        connect_again(
            self, service_manager_add_profile(self, own, DIALTONE_LAYER_USER, wanted->owner, NULL),
            wanted);
}

void service_always_begin(ServiceManager *self)
{
    g_autoptr(GPtrArray) all = service_wanted_take();
    self->asked = g_ptr_array_new_with_free_func(asked_free);
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        ServiceWanted *wanted = all->pdata[i];
        if (wanted->uuid != NULL) {
            want_of_the_system(self, wanted);
            continue;
        }
        if (wanted->text != NULL)
            want_own(self, wanted);
        service_wanted_free(wanted);
    }
}

/* What is asked for is written down, and wanted when the service begins again. */
void service_always_end(ServiceManager *self)
{
    g_ptr_array_unref(self->asked);
}

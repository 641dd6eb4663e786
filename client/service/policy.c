/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator allows, and what the machine knows: both are files of /etc/dialtone that
 * may change while the service runs. A policy that has mistakes is the strictest one, and says so.
 */
#include <unistd.h>

#include "client/profile/parse.h"
#include "client/profile/policy-check.h"
#include "client/service/log.h"
#include "client/service/manager-private.h"
#include "platform/secret-memory.h"

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static void load(ServiceManager *self)
{
    g_clear_pointer(&self->policy, dialtone_policy_free);
    self->policy = dialtone_policy_load(&dialtone_root_system);
    for (guint i = 0; i < self->policy->issues->len; i++) {
        g_autofree char *text =
            dialtone_issue_text(self->policy->issues->pdata[i], self->policy->path);
        service_log(0, NULL, "%s", text);
    }
    if (self->policy->broken)
        service_log(0, NULL, "%s", dialtone_policy_strictest());
}

/* What is connected stays: a policy is for what comes. */
static void on_policy_changed(gpointer data)
{
    load(data);
    service_always_look(data);
}

static void on_secrets_changed(gpointer data)
{
    service_always_look(data);
}

void service_policy_begin(ServiceManager *self)
{
    const DialtoneSystemSecretsSetup setup = {.root = dialtone_root_system,
                                              .group = dialtone_system_group(),
                                              .credentials = g_getenv("CREDENTIALS_DIRECTORY"),
                                              .memory = &MEMORY};
    load(self);
    self->secrets = dialtone_system_secrets_new(&setup);
    self->policy_watch = dialtone_policy_watch(&dialtone_root_system, on_policy_changed, self);
    self->secrets_watch = dialtone_system_secrets_watch(self->secrets, on_secrets_changed, self);
}

void service_policy_end(ServiceManager *self)
{
    dialtone_folder_watch_free(self->secrets_watch);
    dialtone_folder_watch_free(self->policy_watch);
    dialtone_system_secrets_free(self->secrets);
    dialtone_policy_free(self->policy);
}

bool service_policy_allows(ServiceManager *self, const DialtoneProfile *profile,
                           DialtoneLayer layer, GError **error)
{
    return dialtone_policy_check(self->policy, profile, layer, error);
}

bool service_policy_is_always_on(ServiceManager *self, const ServiceProfile *profile)
{
    const DialtoneStoreEntry *entry =
        self->watch != NULL
            ? dialtone_policy_always_on(self->policy, dialtone_system_watch_profiles(self->watch))
            : NULL;
    return entry != NULL && service_profile_is_system(profile) &&
           g_strcmp0(entry->uuid, profile->profile->uuid) == 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent without the service: the user's own process beside the tunnel's. It opens the secrets
 * file while it is still root (the file may be root's), becomes the user, reads the profile and
 * hands it over; the rest is agent.c's.
 *
 * The profile goes out before the secrets are read: who gives those by standard input may take
 * their time, and meanwhile the tunnel can be told to stop.
 */
#include "client/cli/standalone.h"

#include "client/cli/agent.h"
#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/access.h"
#include "client/profile/parse.h"
#include "client/profile/policy-check.h"
#include "client/profile/secrets.h"
#include "client/profile/store.h"
#include "client/profile/system-secrets.h"
#include "client/tunnel/config.h"
#include "client/tunnel/frames.h"
#include "platform/sandbox.h"
#include "platform/secret-memory.h"

/* ---- privileges ---- */

static bool become_caller(GError **error)
{
    PlatformIdentity caller;
    int result = platform_sandbox_caller_identity(&caller);
    if (result == 0)
        result = platform_sandbox_become(&caller);
    if (result == 0)
        result = platform_sandbox_keep_caps(NULL, 0);
    if (result == 0)
        result = platform_sandbox_harden();
    if (result == 0)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                         _("The privileges of root could not be given up: %s"),
                         g_strerror(-result));
    return false;
}

/* As root still, and so of files alone that are root's. NULL: the profile takes nothing from the
 * system, or @error says why it can't. Whether it is what the caller means is seen later. */
static DialtoneSecrets *read_system_secrets(const char *what, uid_t caller, GError **error)
{
    static const DialtoneSecretMemory memory = {platform_secret_alloc, platform_secret_free};
    const DialtoneSystemSecretsSetup setup = {
        .root = dialtone_root_system, .group = dialtone_system_group(), .memory = &memory};
    g_autoptr(DialtoneStoreEntry) entry = dialtone_store_find_system(&setup.root, what);
    if (entry == NULL || entry->profile == NULL ||
        !dialtone_profile_wants_system_secrets(entry->profile) ||
        !dialtone_access_check(entry->profile, caller, NULL))
        return NULL;
    g_autoptr(DialtoneSystemSecrets) secrets = dialtone_system_secrets_new(&setup);
    return dialtone_system_secrets_get(secrets, entry->profile, error);
}

/* ---- the profile ---- */

bool standalone_send_profile(int fd, const DialtoneFound *found, GError **error)
{
    const DialtoneProfile *profile = found->profile;
    g_autofree char *text = dialtone_profile_to_text(profile, true);
    unsigned flags = tunnel_config_needs_legacy(profile) ? TUNNEL_PROFILE_LEGACY : 0;
    if (found->entry->layer != DIALTONE_LAYER_USER)
        flags |= TUNNEL_PROFILE_SYSTEM;
    int result = tunnel_frame_send_profile(fd, text, flags);
    if (result == 0)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL,
                         _("The profile could not be handed over: %s"), g_strerror(-result));
    return false;
}

static void print_issues(const GPtrArray *issues, const char *file)
{
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(issues->pdata[i], file);
        standalone_print_notice(text);
    }
}

/* The policy holds for root as well: who may edit it needs no way around it. */
static bool is_permitted(const DialtoneFound *found, uid_t caller, GError **error)
{
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&dialtone_root_system);

    return dialtone_access_check(found->profile, caller, error) &&
           dialtone_policy_check(policy, found->profile, found->entry->layer, error);
}

static DialtoneFound *load_profile(const StandaloneOptions *options, uid_t caller, GError **error)
{
    g_autoptr(DialtoneStore) store = dialtone_store_new(caller);
    g_autoptr(DialtoneFound) found =
        dialtone_store_load(store, options->profile, options->secrets != NULL, error);
    if (found == NULL)
        return NULL;
    print_issues(found->entry->issues, found->entry->path);
    print_issues(found->issues, found->override);
    return is_permitted(found, caller, error) ? g_steal_pointer(&found) : NULL;
}

/* Whose the profile is does not change. */
typedef struct Reload {
    const StandaloneOptions *options;
    uid_t caller;
} Reload;

static DialtoneFound *load_again(gpointer data, GError **error)
{
    const Reload *reload = data;
    return load_profile(reload->options, reload->caller, error);
}

/* ---- life ---- */

int standalone_agent(const StandaloneOptions *options, int tunnel_fd)
{
    PlatformIdentity caller = {0};
    g_autoptr(GError) error = NULL;
    bool known = platform_sandbox_caller_identity(&caller) == 0;
    AgentSetup setup = {.fd = tunnel_fd,
                        .name = options->profile,
                        .caller = known ? caller.uid : 0,
                        .secrets_fd = -1,
                        .secrets = options->secrets,
                        .ask_command = options->ask_command,
                        .json = options->json,
                        .reload = load_again};
    Reload reload = {options, setup.caller};
    setup.data = &reload;
    g_autoptr(GError) no_secret = NULL;
    if (options->secrets != NULL)
        setup.secrets_fd = dialtone_secrets_open(options->secrets, setup.caller, &error);
    else
        setup.system = read_system_secrets(options->profile, setup.caller, &no_secret);
    bool ready = error == NULL && become_caller(&error);
    g_autoptr(DialtoneFound) found = ready ? load_profile(options, setup.caller, &error) : NULL;
    if (found != NULL && found->entry->layer == DIALTONE_LAYER_USER)
        g_clear_pointer(&setup.system, dialtone_secrets_free);
    g_autoptr(Agent) agent = agent_new(&setup);
    if (found != NULL && found->entry->layer != DIALTONE_LAYER_USER && no_secret != NULL)
        return agent_fail(agent, no_secret);
    if (found != NULL && standalone_send_profile(tunnel_fd, found, &error))
        return agent_run(agent, found->profile, found->entry->path);
    return agent_fail(agent, error);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocked is what the service connects by itself, as soon as it runs, with a kill switch: the
 * profile that the policy's AlwaysOn names, and those of the system with Autoconnect=yes. Where the
 * policy says, or may have said, that one is always on, and it is not known which, or it can't be
 * used, everything is blocked; another profile with mistakes is connected by nobody, and blocks
 * nothing. One with rules about networks waits until it is known which network that is.
 */
#include "client/boot/wanted.h"

#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/policy-check.h"
#include "client/tunnel/protected.h"

static void say(BootWanted *wanted, char *line_take)
{
    g_ptr_array_add(wanted->said, line_take);
}

static void say_issues(BootWanted *wanted, const GPtrArray *issues, const char *path)
{
    for (guint i = 0; i < issues->len; i++)
        say(wanted, dialtone_issue_text(issues->pdata[i], path));
}

static void block(BootWanted *wanted, char *label_take, PlatformKillSwitch *kill_switch_take)
{
    PlatformFirewallBlock *one = g_new0(PlatformFirewallBlock, 1);
    one->label = label_take;
    one->kill_switch = kill_switch_take;
    g_ptr_array_add(wanted->blocks, one);
}

/* By the name of the file that has to be mended: no connection takes that over. */
static void block_everything(BootWanted *wanted, const char *path)
{
    PlatformKillSwitch *kill_switch = platform_kill_switch_new();
    const PlatformPrefix everything = {.address.family = AF_INET};
    g_array_append_val(kill_switch->networks, everything);
    block(wanted, g_strndup(path, PLATFORM_SLOT_LABEL), kill_switch);
}

static bool has_rules(const DialtoneProfile *profile)
{
    return profile->rule != DIALTONE_RULE_MANUAL || profile->trusted->len > 0 ||
           profile->never->len > 0;
}

static void block_profile(BootWanted *wanted, const DialtoneStoreEntry *entry)
{
    const DialtoneProfile *profile = entry->profile;
    if (profile->kill_switch == DIALTONE_KILL_SWITCH_NO)
        return;
    if (has_rules(profile)) {
        say(wanted, g_strdup_printf(_("%s: not blocked from the boot on, for its [Rules] are about "
                                      "networks, and none is up"),
                                    entry->path));
        return;
    }
    PlatformKillSwitch *kill_switch = platform_kill_switch_new();
    tunnel_protect(profile, kill_switch);
    block(wanted, tunnel_label(profile), kill_switch);
}

/* The service refuses to connect it; the reason stands in the log that it writes. */
static bool is_allowed(BootWanted *wanted, const BootFiles *files, const DialtoneStoreEntry *entry)
{
    g_autoptr(GError) error = NULL;
    if (dialtone_policy_check(files->policy, entry->profile, entry->layer, &error))
        return true;
    say(wanted, g_strdup_printf(_("%s: not blocked from the boot on, for the policy forbids it"),
                                entry->path));
    return false;
}

static void add_profile(BootWanted *wanted, const BootFiles *files, const DialtoneStoreEntry *entry)
{
    if (entry->hidden != NULL)
        return;
    if (entry->profile == NULL) {
        say_issues(wanted, entry->issues, entry->path);
        say(wanted,
            g_strdup_printf(_("%s: it can't be used, and nothing is blocked for it"), entry->path));
    } else if (entry->profile->autoconnect && is_allowed(wanted, files, entry)) {
        block_profile(wanted, entry);
    }
}

BootWanted *boot_wanted_new(const BootFiles *files)
{
    const DialtonePolicy *policy = files->policy;
    const DialtoneStoreEntry *always_on = dialtone_policy_always_on(policy, files->profiles);
    BootWanted *wanted = g_new0(BootWanted, 1);
    wanted->blocks = g_ptr_array_new_with_free_func(platform_firewall_block_free);
    wanted->said = g_ptr_array_new_with_free_func(g_free);
    say_issues(wanted, policy->issues, policy->path);
    if (always_on == NULL && (policy->broken || policy->always_on != NULL)) {
        say(wanted, g_strdup_printf(_("%s: which profile is always on is not known, so everything "
                                      "is blocked; `dialtone disconnect --release-kill-switch` "
                                      "releases it"),
                                    policy->path));
        block_everything(wanted, policy->path);
    }
    if (always_on != NULL)
        block_profile(wanted, always_on);
    for (guint i = 0; i < files->profiles->len; i++)
        if (files->profiles->pdata[i] != always_on)
            add_profile(wanted, files, files->profiles->pdata[i]);
    return wanted;
}

void boot_wanted_free(BootWanted *wanted)
{
    if (wanted == NULL)
        return;
    g_ptr_array_unref(wanted->blocks);
    g_ptr_array_unref(wanted->said);
    g_free(wanted);
}

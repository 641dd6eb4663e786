/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile against the policy. A profile that names something forbidden is refused whole: to leave
 * it out of what is offered would connect with something that nobody wrote.
 *
 * Where the policy has mistakes, what it was to forbid is unknown, and only what everybody could
 * have without any setting is left: the system's profiles, with the algorithms that a profile has
 * which names none.
 */
#include "client/profile/policy-check.h"

#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"

typedef struct {
    const DialtonePolicy *policy;
    GPtrArray *findings;
    const char *group; /* of the proposals that are looked at */
    char **defaults;   /* the words of a profile that names no proposals */
} Check;

static void find(const Check *check, DialtonePolicyKey key, const char *message)
{
    const DialtonePolicy *policy = check->policy;
    const DialtoneIssue issue = {
        .line = policy->lines[key],
        .group = (char *)"Policy",
        .key = (char *)dialtone_policy_key_name(key),
        .message = (char *)message,
    };

    g_ptr_array_add(check->findings, dialtone_issue_text(&issue, policy->path));
}

/* ---- algorithms ---- */

static void check_word(const Check *check, const char *word, bool weak, const char *proposal)
{
    const DialtonePolicy *policy = check->policy;
    g_autofree char *message = NULL;

    if (g_strv_contains((const char *const *)policy->forbid, word)) {
        message = g_strdup_printf(_("%s is forbidden, and [%s] Proposals of the profile has it in "
                                    "%s"),
                                  word, check->group, proposal);
        find(check, DIALTONE_POLICY_FORBID, message);
    } else if (weak && !policy->weak_algorithms) {
        message = g_strdup_printf(_("%s is weak, and [%s] Proposals of the profile has it in %s"),
                                  word, check->group, proposal);
        find(check, DIALTONE_POLICY_WEAK_ALGORITHMS, message);
    } else if (policy->broken && !g_strv_contains((const char *const *)check->defaults, word)) {
        message = g_strdup_printf(_("%s: the policy has mistakes, and until they are mended %s is "
                                    "not used, which [%s] Proposals of the profile has in %s"),
                                  policy->path, word, check->group, proposal);
        g_ptr_array_add(check->findings, g_steal_pointer(&message));
    }
}

static void check_proposals(Check *check, const char *group, const GArray *proposals)
{
    check->group = group;
    for (guint i = 0; i < proposals->len; i++) {
        const DialtoneProposal *proposal = &g_array_index(proposals, DialtoneProposal, i);
        g_autofree char *text = dialtone_proposal_to_text(proposal);
        check_word(check, proposal->cipher->name, proposal->cipher->weak, text);
        if (proposal->hash != NULL)
            check_word(check, proposal->hash->name, proposal->hash->weak, text);
        if (proposal->group != NULL)
            check_word(check, proposal->group->name, proposal->group->weak, text);
    }
}

static char **default_words(void)
{
    g_autofree char *all =
        g_strdup_printf("%s;%s", dialtone_profile_key("Phase1", "Proposals")->fallback,
                        dialtone_profile_key("Phase2", "Proposals")->fallback);
    return g_strsplit_set(all, ";-", -1);
}

/* ---- the whole ---- */

static void check_layer(const Check *check, DialtoneLayer layer)
{
    const DialtonePolicy *policy = check->policy;

    if (layer != DIALTONE_LAYER_USER)
        return;
    if (!policy->user_profiles)
        find(check, DIALTONE_POLICY_USER_PROFILES,
             _("only profiles of the system may be used, and this is a user's own"));
    else if (policy->broken)
        g_ptr_array_add(check->findings,
                        g_strdup_printf(_("%s: the policy has mistakes, and until they are mended "
                                          "only profiles of the system may be used"),
                                        policy->path));
}

GPtrArray *dialtone_policy_findings(const DialtonePolicy *policy, const DialtoneProfile *profile,
                                    DialtoneLayer layer)
{
    g_auto(GStrv) defaults = default_words();
    Check check = {
        .policy = policy, .findings = g_ptr_array_new_with_free_func(g_free), .defaults = defaults};

    check_layer(&check, layer);
    check_proposals(&check, "Phase1", profile->phase1_proposals);
    check_proposals(&check, "Phase2", profile->phase2_proposals);
    return check.findings;
}

bool dialtone_policy_check(const DialtonePolicy *policy, const DialtoneProfile *profile,
                           DialtoneLayer layer, GError **error)
{
    g_autoptr(GPtrArray) findings = dialtone_policy_findings(policy, profile, layer);

    if (findings->len == 0)
        return true;
    if (policy->broken) {
        char *mistakes = dialtone_issues_text(policy->issues, policy->path);
        g_ptr_array_add(findings, mistakes);
    }
    g_ptr_array_add(findings, NULL);
    g_autofree char *all = g_strjoinv("\n", (char **)findings->pdata);
    dialtone_failure_set(error, DIALTONE_FAILURE_POLICY,
                         _("Ask your administrator: the profile can't be used on this computer as "
                           "it is. `dialtone policy` shows what is in force."),
                         "%s", all);
    return false;
}

const char *dialtone_policy_strictest(void)
{
    return _("until its mistakes are mended only profiles of the system may be used, with the "
             "algorithms of a profile that names none");
}

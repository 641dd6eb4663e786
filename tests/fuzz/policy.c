/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes what stands over profiles: the administrator's policy, and a user's override of a profile
 * of the system. The promises: a policy that has mistakes refuses whatever one without them could;
 * what is never the user's comes out of an override as it was; the two together are a profile
 * again. No finding is more than one clean line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/common/text.h"
#include "client/profile/override.h"
#include "client/profile/parse.h"
#include "client/profile/policy-check.h"
#include "client/profile/schema.h"

static const char BASE[] = "[Profile]\nName=Office\nUUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11\n"
                           "[Access]\nUsers=alice\nLock=Network.KillSwitch\n"
                           "[Gateway]\nAddress=vpn.example.com\n"
                           "[Identity]\nID=group@example.com\nAuth=psk\n"
                           "[Phase1]\nProposals=aes256-sha256-modp2048\n"
                           "[Network]\nKillSwitch=yes\n"
                           "[Secrets]\nPSK=system\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool promise)
{
    if (!promise)
        abort();
}

static void check_issues(const GPtrArray *issues)
{
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *text = dialtone_issue_text(issues->pdata[i], "F");
        expect(dialtone_text_is_clean(text));
    }
}

static void fuzz_policy(const DialtoneProfile *profile, const char *bytes, size_t n)
{
    g_autoptr(DialtonePolicy) policy = dialtone_policy_parse(bytes, n, "F");
    g_autoptr(GPtrArray) own = dialtone_policy_findings(policy, profile, DIALTONE_LAYER_USER);
    g_autoptr(GPtrArray) system =
        dialtone_policy_findings(policy, profile, DIALTONE_LAYER_ADMINISTRATOR);

    check_issues(policy->issues);
    expect(!policy->broken || own->len > 0);
    expect(own->len >= system->len);
    for (guint i = 0; i < own->len; i++)
        expect(dialtone_text_is_clean(own->pdata[i]));
}

/* All of these stand in the base, or are never to be set by a user of it. */
static bool is_the_administrator_s(const DialtoneProfileKey *row)
{
    static const char *const groups[] = {"Profile",  "Access", "Gateway",
                                         "Identity", "Phase1", NULL};

    return g_strv_contains(groups, row->group) || strcmp(row->key, "KillSwitch") == 0 ||
           strcmp(row->key, "PSK") == 0;
}

static void fuzz_override(const DialtoneProfile *base, const char *bytes, size_t n)
{
    const DialtoneOverride override = {.bytes = bytes, .n = n, .profile_path = "B"};
    g_autoptr(GPtrArray) issues = NULL;
    g_autoptr(DialtoneProfile) merged = dialtone_override_apply(base, &override, &issues);

    check_issues(issues);
    if (merged == NULL)
        return;
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (is_the_administrator_s(&dialtone_profile_keys[i]))
            expect(g_strcmp0(base->values[i], merged->values[i]) == 0 && !merged->overridden[i]);
    expect(merged->password_source != DIALTONE_SOURCE_SYSTEM);
    g_autofree char *text = dialtone_profile_to_text(merged, true);
    g_autoptr(DialtoneProfile) again = dialtone_profile_parse(text, strlen(text), "F", NULL);
    expect(again != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    g_autoptr(DialtoneProfile) base = dialtone_profile_parse(BASE, strlen(BASE), "B", NULL);

    expect(base != NULL);
    fuzz_policy(base, (const char *)data, n);
    fuzz_override(base, (const char *)data, n);
    return 0;
}

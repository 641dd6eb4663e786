/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a computer that boots blocks, out of the administrator's files: what is not understood must
 * not open what is to be shut always, and what nobody connects must not shut anything.
 */
#include "store-kit.h"

#include <string.h>

#include "client/boot/wanted.h"
#include "client/profile/system-store.h"

#define AUTO(name, more) NAMED(name) "[Network]\nAutoconnect=yes\n" more
#define EVERYTHING       "policy.conf"

/* "LABEL networks/excluded", one a block. */
static char *blocks_of(const BootWanted *wanted)
{
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < wanted->blocks->len; i++) {
        const PlatformFirewallBlock *block = wanted->blocks->pdata[i];
        g_string_append_printf(all, "%s%s %u/%u", i == 0 ? "" : "; ", block->label,
                               block->kill_switch->networks->len, block->kill_switch->exclude->len);
    }
    return g_string_free(all, FALSE);
}

static BootWanted *wanted_of(const StoreKit *kit, const char *policy_text)
{
    g_autoptr(DialtonePolicy) policy =
        dialtone_policy_parse(policy_text, strlen(policy_text), "policy.conf");
    g_autoptr(GPtrArray) profiles = dialtone_system_profiles(&kit->root);
    const BootFiles files = {.policy = policy, .profiles = profiles};

    return boot_wanted_new(&files);
}

static void expect_blocks(const StoreKit *kit, const char *policy, const char *blocks,
                          const char *said)
{
    g_autoptr(BootWanted) wanted = wanted_of(kit, policy);
    g_autofree char *found = blocks_of(wanted);

    assert_string_equal(found, blocks);
    g_ptr_array_add(wanted->said, NULL);
    g_autofree char *all = g_strjoinv("\n", (char **)wanted->said->pdata);
    if (said == NULL)
        assert_string_equal(all, "");
    else if (strstr(all, said) == NULL)
        fail_msg("'%s' is not said in '%s'", said, all);
}

static void put(const StoreKit *kit, const char *file, const char *text)
{
    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, file, text);
}

static void test_f6_without_files_nothing_is_blocked(void **state)
{
    expect_blocks(*state, "", "", NULL);
    expect_blocks(*state, "[Policy]\nUserProfiles=no\n", "", NULL);
}

static void test_f6_a_policy_that_is_not_understood_blocks_everything(void **state)
{
    const StoreKit *kit = *state;

    put(kit, "a.dialtone", NAMED("Office") "[Network]\nKillSwitch=yes\n");
    static const char *const rows[] = {
        "[Policy]\nAlwaysOn=\n",        "[Policy]\nAlwayson=Office\n", "[Policy\nAlwaysOn=Office\n",
        "[Policy]\nWeakAlgorithms=?\n", "[Policy]\nAlwaysOn=Nobody\n", "\xff",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        expect_blocks(kit, rows[i], EVERYTHING " 1/0", "policy.conf");
    /* What is always on is known all the same. */
    expect_blocks(kit, "[Policy]\nAlwaysOn=Office\nForbid=x\n", "Office 1/0", "policy.conf:3");
}

static void test_f6_what_is_always_on_and_can_t_be_used_blocks_everything(void **state)
{
    const StoreKit *kit = *state;

    put(kit, "a.dialtone", NAMED("Office") "[Network]\nKillSwitch=perhaps\n");
    expect_blocks(kit, "[Policy]\nAlwaysOn=Office\n", EVERYTHING " 1/0", "KillSwitch");
    /* And nothing, where it is not always on. */
    expect_blocks(kit, "", "", "nothing is blocked for it");
}

static void test_f6_what_is_connected_at_boot_blocks_its_own_networks(void **state)
{
    const StoreKit *kit = *state;

    put(kit, "a.dialtone", AUTO("Whole", "KillSwitch=persistent\nExclude=192.0.2.0/24\n"));
    put(kit, "b.dialtone",
        AUTO("Parts", "KillSwitch=yes\n") "[Phase2]\nNetworks=10.0.0.0/8;192.168.5.0/24\n");
    put(kit, "c.dialtone", AUTO("Open", "KillSwitch=no\n"));
    put(kit, "d.dialtone", NAMED("By hand") "[Network]\nKillSwitch=persistent\n");
    store_kit_put(kit, DIALTONE_LAYER_USER, "e.dialtone", AUTO("Mine", "KillSwitch=yes\n"));
    expect_blocks(kit, "", "Parts 2/0; Whole 1/1", NULL);
    /* Always on comes first, and once. */
    expect_blocks(kit, "[Policy]\nAlwaysOn=Whole\n", "Whole 1/1; Parts 2/0", NULL);
    expect_blocks(kit, "[Policy]\nAlwaysOn=By hand\n", "By hand 1/0; Parts 2/0; Whole 1/1", NULL);
    expect_blocks(kit, "[Policy]\nAlwaysOn=Open\n", "Parts 2/0; Whole 1/1", NULL);
}

static void test_f6_what_nobody_will_connect_blocks_nothing(void **state)
{
    const StoreKit *kit = *state;

    put(kit, "a.dialtone", AUTO("Rules", "KillSwitch=yes\n") "[Rules]\nNever=ssid:Office\n");
    expect_blocks(kit, "", "", "[Rules]");
    expect_blocks(kit, "[Policy]\nForbid=modp2048\n", "", "the policy forbids it");
    put(kit, "a.dialtone", AUTO("Office", "KillSwitch=yes\n"));
    expect_blocks(kit, "[Policy]\nForbid=modp2048\n", "", "the policy forbids it");
    /* But what is always on, and forbidden, is shut. */
    expect_blocks(kit, "[Policy]\nForbid=modp2048\nAlwaysOn=Office\n", "Office 1/0", NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_f6_without_files_nothing_is_blocked),
        CASE(test_f6_a_policy_that_is_not_understood_blocks_everything),
        CASE(test_f6_what_is_always_on_and_can_t_be_used_blocks_everything),
        CASE(test_f6_what_is_connected_at_boot_blocks_its_own_networks),
        CASE(test_f6_what_nobody_will_connect_blocks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

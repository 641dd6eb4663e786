/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another program that removes what the helper has set, in the kernel's own nf_tables: also in the
 * moment between the helper's change and what it reads of it, when both look alike.
 */
#include "platform/firewall.h"

#include "kit.h"
#include "platform/nft.h"

#include <sched.h>
#include <sys/stat.h>

enum { MOMENT_MS = 700, LONG_MS = 5000 };

static const char *meddling; /* of another program, right behind our next change; NULL: none */
static guint changes;        /* of ours */

gboolean __real_platform_nft_run(const char *text, GError **error);
gboolean __wrap_platform_nft_run(const char *text, GError **error);
gboolean __wrap_platform_nft_run(const char *text, GError **error)
{
    gboolean ok = __real_platform_nft_run(text, error);

    changes++;
    if (meddling)
        assert_true(__real_platform_nft_run(meddling, NULL));
    meddling = NULL;
    return ok;
}

typedef struct Stage {
    char *dir;
    PlatformSlot *slot;
    PlatformFirewall *firewall;
} Stage;

static void arm(Stage *stage)
{
    assert_true(platform_firewall_arm(stage->firewall, platform_kill_switch_new(), NULL));
}

/* In a network of its own, with slot 3. */
static Stage set_up(void)
{
    const PlatformFirewallClaim claim = {.kill_switch = TRUE};
    Stage stage = {.dir = kit_make_dir()};

    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || !platform_nft_is_there())
        skip();
    assert_int_equal(chmod(stage.dir, 0755), 0);
    assert_int_equal(platform_slot_lock(stage.dir, 3, &stage.slot), 0);
    g_strlcpy(platform_slot_info(stage.slot)->label, "Office", PLATFORM_SLOT_LABEL + 1);
    stage.firewall = platform_firewall_new(stage.slot, stage.dir);
    assert_true(platform_firewall_begin(stage.firewall, &claim, NULL));
    changes = 0;
    return stage;
}

static void clean_up(Stage *stage)
{
    platform_firewall_free(stage->firewall);
    platform_slot_release(stage->slot);
    kit_remove_dir(stage->dir);
}

static gboolean on_over(gpointer over)
{
    *(gboolean *)over = TRUE;
    return G_SOURCE_REMOVE;
}

/* Lets the main loop do what is due, until there were so many changes or the time is over. */
static void run_until(guint wanted, guint ms)
{
    gboolean over = FALSE;
    guint timer = g_timeout_add(ms, on_over, &over);

    while (!over && changes < wanted)
        g_main_context_iteration(NULL, TRUE);
    if (!over)
        g_source_remove(timer);
}

/* A rule can be added to a chain only where that is there. */
static void assert_stands(void)
{
    static const char *const chains[] = {"inet dialtone3 arriving", "inet dialtone3 leaving",
                                         "arp dialtone3 asked"};

    for (guint i = 0; i < G_N_ELEMENTS(chains); i++) {
        g_autofree char *text = g_strdup_printf("add rule %s counter\n", chains[i]);
        g_autoptr(GError) error = NULL;

        if (!__real_platform_nft_run(text, &error))
            fail_msg("%s: %s", chains[i], error->message);
    }
}

static void test_what_is_removed_later_comes_back(void **state)
{
    Stage stage = set_up();

    arm(&stage);
    run_until(2, MOMENT_MS);
    assert_int_equal(changes, 1);
    assert_true(__real_platform_nft_run("delete table inet dialtone3\n", NULL));
    run_until(2, LONG_MS);
    assert_int_equal(changes, 2);
    assert_stands();
    clean_up(&stage);
}

static void test_what_is_removed_right_behind_our_change_comes_back(void **state)
{
    static const char *const removals[] = {
        "delete table inet dialtone3\n",
        "delete table arp dialtone3\n",
        "flush chain inet dialtone3 beside\n",
        "flush ruleset\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(removals); i++) {
        Stage stage = set_up();

        meddling = removals[i];
        arm(&stage);
        run_until(2, LONG_MS);
        if (changes != 2)
            fail_msg("%u changes after %s", changes, removals[i]);
        assert_stands();
        clean_up(&stage);
    }
}

static void test_our_own_changes_are_no_news(void **state)
{
    Stage stage = set_up();

    arm(&stage);
    arm(&stage);
    meddling = "add table inet other\nadd chain inet other some\ndelete table inet other\n";
    arm(&stage);
    run_until(4, MOMENT_MS);
    assert_int_equal(changes, 3);
    assert_true(platform_firewall_release(stage.firewall, TRUE, NULL));
    run_until(5, MOMENT_MS);
    assert_int_equal(changes, 4);
    clean_up(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_removed_later_comes_back),
        cmocka_unit_test(test_what_is_removed_right_behind_our_change_comes_back),
        cmocka_unit_test(test_our_own_changes_are_no_news),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The administrator's policy. What it forbids must be refused with its line, and a policy that is
 * not understood must not allow what a mended one would forbid.
 */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/profile/policy-check.h"
#include "client/profile/policy.h"
#include "client/profile/system-store.h"

#define WEAK        PROFILE_AND("[Phase2]\nProposals=aes128-sha1-modp1024;aes256-sha256\n")
#define STRONG      PROFILE_AND("[Phase2]\nProposals=aes256gcm16-modp4096\n")
#define POLICY_FILE "/etc/dialtone/policy.conf"

static const DialtoneLayer SYSTEM = DIALTONE_LAYER_ADMINISTRATOR;
static const DialtoneLayer USER = DIALTONE_LAYER_USER;

/* What the policy says about the profile, a line each; "" for nothing. */
static char *verdict(const DialtonePolicy *policy, const char *profile_text, DialtoneLayer layer)
{
    g_autoptr(DialtoneProfile) profile = expect_valid(profile_text);
    g_autoptr(GPtrArray) findings = dialtone_policy_findings(policy, profile, layer);
    g_autoptr(GError) error = NULL;
    bool good = dialtone_policy_check(policy, profile, layer, &error);

    assert_true(good == (findings->len == 0));
    if (!good)
        assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_POLICY);
    g_ptr_array_add(findings, NULL);
    return g_strjoinv("\n", (char **)findings->pdata);
}

static DialtonePolicy *policy_of(const char *text)
{
    return dialtone_policy_parse(text, strlen(text), "P");
}

static void expect_allowed(const char *policy_text, const char *profile, DialtoneLayer layer)
{
    g_autoptr(DialtonePolicy) policy = policy_of(policy_text);
    g_autofree char *said = verdict(policy, profile, layer);

    assert_false(policy->broken);
    assert_string_equal(said, "");
}

static void expect_forbidden(const char *policy_text, const char *profile, DialtoneLayer layer,
                             const char *line)
{
    g_autoptr(DialtonePolicy) policy = policy_of(policy_text);
    g_autofree char *said = verdict(policy, profile, layer);

    if (strstr(said, line) == NULL)
        fail_msg("'%s' is not said in '%s'", line, said);
}

/* The policy has the mistake, and the strictest is in force. */
static void expect_broken(const char *text, const char *mistake)
{
    g_autoptr(DialtonePolicy) policy = policy_of(text);
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < policy->issues->len; i++) {
        g_autofree char *line = dialtone_issue_text(policy->issues->pdata[i], "P");
        g_string_append_printf(all, "%s\n", line);
    }
    if (!policy->broken || strstr(all->str, mistake) == NULL)
        fail_msg("no '%s' in '%s'", mistake, all->str);
    g_string_free(all, TRUE);
    g_autofree char *own = verdict(policy, GOOD_PROFILE, USER);
    g_autofree char *weak = verdict(policy, WEAK, SYSTEM);
    g_autofree char *unknown = verdict(policy, STRONG, SYSTEM);
    g_autofree char *plain = verdict(policy, GOOD_PROFILE, SYSTEM);
    assert_non_null(strstr(own, "only profiles of the system may be used"));
    assert_non_null(strstr(weak, "modp1024"));
    assert_non_null(strstr(unknown, "modp4096"));
    assert_string_equal(plain, "");
}

static void test_mistakes_put_the_strictest_in_force(void **state G_GNUC_UNUSED)
{
    expect_broken("[Policy]\nWeakAlgoritms=no\n",
                  "P:2: [Policy] WeakAlgoritms: unknown key; did you mean WeakAlgorithms?");
    expect_broken("[Policy]\nNonsense=1\n", "P:2: [Policy] Nonsense: unknown key; the group has");
    expect_broken("[Policies]\nWeakAlgorithms=no\n", "P:1: [Policies]: unknown group");
    expect_broken("[Policy]\nWeakAlgorithms=false\n", "'false' is unknown; write yes or no");
    expect_broken("[Policy]\nWeakAlgorithms=yes # not yet\n", "write yes or no");
    expect_broken("[Policy]\nForbid=modp2084\n", "'modp2084' is unknown; write modp2048");
    expect_broken("[Policy]\nForbid=group2\n", "'group2' is unknown; write modp1024");
    expect_broken("[Policy]\nForbid=des,md5\n", "P:2: [Policy] Forbid: 'des,md5' is");
    expect_broken("[Policy]\nForbid=;\n", "'' is no algorithm");
    expect_broken("[Policy]\nForbid=\n", "nothing stands behind");
    expect_broken("[Policy]\nUserProfiles=no\nUserProfiles=yes\n",
                  "P:3: [Policy] UserProfiles: the "
                  "key stands twice");
    expect_broken("[Policy]\n[Policy]\n", "the group stands twice");
    expect_broken("WeakAlgorithms=no\n", "P:1: ");
    expect_broken("[Policy]\nWeakAlgorithms=no\n\xff\n", "P:3: ");
    expect_broken("[Policy\nWeakAlgorithms=no\n", "P:1: ");
}

/* Of a broken policy what can be read still holds. */
static void test_what_a_broken_policy_forbids_stays_forbidden(void **state G_GNUC_UNUSED)
{
    expect_forbidden("[Policy]\nForbid=sha256\nX=1\n", GOOD_PROFILE, SYSTEM,
                     "P:2: [Policy] Forbid: sha256 is forbidden, and [Phase1] Proposals");
}

static void test_a_broken_policy_never_allows_more_than_it_would_mended(void **state G_GNUC_UNUSED)
{
    g_autoptr(DialtonePolicy) policy = policy_of("[Policy]\nUserProfiles=yes\nX=1\n");
    g_autoptr(DialtoneProfile) profile = expect_valid(GOOD_PROFILE);
    g_autoptr(GError) error = NULL;

    assert_false(dialtone_policy_check(policy, profile, USER, &error));
    assert_non_null(strstr(error->message, "P:3: [Policy] X: unknown key"));
}

static void test_files_that_can_not_be_trusted_put_the_strictest_in_force(void **state)
{
    StoreKit *kit = *state;
    g_autofree char *path = g_strconcat(kit->path, POLICY_FILE, NULL);
    g_autofree char *folder = g_strconcat(kit->path, "/etc/dialtone", NULL);

    store_kit_put_at(kit, POLICY_FILE, "[Policy]\n", 0666);
    g_autoptr(DialtonePolicy) writable = dialtone_policy_load(&kit->root);
    assert_true(writable->broken && writable->present);
    g_remove(path);

    assert_int_equal(symlink("/dev/null", path), 0);
    g_autoptr(DialtonePolicy) link = dialtone_policy_load(&kit->root);
    assert_true(link->broken);
    g_remove(path);

    assert_int_equal(mkfifo(path, 0644), 0);
    g_autoptr(DialtonePolicy) fifo = dialtone_policy_load(&kit->root);
    assert_true(fifo->broken);
    g_remove(path);

    store_kit_put_at(kit, POLICY_FILE, "", 0644);
    assert_int_equal(truncate(path, 10 * 1024 * 1024), 0);
    g_autoptr(DialtonePolicy) huge = dialtone_policy_load(&kit->root);
    assert_true(huge->broken);
    g_remove(path);

    assert_int_equal(g_chmod(folder, 0777), 0);
    g_autoptr(DialtonePolicy) open_folder = dialtone_policy_load(&kit->root);
    assert_true(open_folder->broken);
    assert_int_equal(g_chmod(folder, 0755), 0);

    store_kit_put_at(kit, POLICY_FILE, "[Policy]\n", 0644);
    kit->root.owner++;
    g_autoptr(DialtonePolicy) foreign = dialtone_policy_load(&kit->root);
    kit->root.owner--;
    assert_true(foreign->broken);
}

static void test_the_example_is_right(void **state G_GNUC_UNUSED)
{
    gsize n = 0;
    g_autofree char *text = read_source_file("data/examples/policy.conf", &n);

    expect_forbidden(text, GOOD_PROFILE, USER, "P:7: [Policy] UserProfiles: ");
    expect_forbidden(text, WEAK, SYSTEM, "P:5: [Policy] Forbid: sha1 is forbidden");
    expect_allowed(text, STRONG, SYSTEM);
}

static void test_no_file_forbids_nothing(void **state)
{
    const StoreKit *kit = *state;
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&kit->root);
    g_autofree char *said = verdict(policy, WEAK, USER);

    assert_false(policy->present || policy->broken);
    assert_string_equal(said, "");
}

static void test_a_file_is_read_with_its_path(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put_at(kit, POLICY_FILE, "\xef\xbb\xbf# ours\r\n[Policy]\r\nWeakAlgorithms=no\r\n",
                     0644);
    g_autoptr(DialtonePolicy) policy = dialtone_policy_load(&kit->root);
    g_autofree char *said = verdict(policy, WEAK, SYSTEM);
    g_autofree char *start =
        g_strconcat(kit->path, POLICY_FILE ":3: [Policy] WeakAlgorithms: ", NULL);
    assert_false(policy->broken);
    assert_true(g_str_has_prefix(said, start));
}

static void test_weak_algorithms_are_forbidden_where_they_are_named(void **state G_GNUC_UNUSED)
{
    static const char policy[] = "[Policy]\nWeakAlgorithms=no\n";

    expect_forbidden(
        policy, WEAK, SYSTEM,
        "P:2: [Policy] WeakAlgorithms: modp1024 is weak, and [Phase2] Proposals of the "
        "profile has it in aes128-sha1-modp1024");
    expect_allowed(policy, STRONG, SYSTEM);
    expect_allowed(policy, STRONG, USER);
    expect_allowed("[Policy]\nWeakAlgorithms=yes\n", WEAK, USER);
}

static void test_words_are_forbidden_wherever_they_stand(void **state G_GNUC_UNUSED)
{
    static const char profile[] = "[Gateway]\nAddress=a\n[Identity]\nID=a@b.c\nAuth=psk\n"
                                  "[Phase1]\nProposals=3des-md5-modp2048\n"
                                  "[Phase2]\nProposals=aes256-sha1-ecp256\n";
    static const char *const words[] = {"3des", "md5", "modp2048", "aes256", "sha1", "ecp256"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *policy = g_strdup_printf("[Policy]\nForbid=sha512 ; %s;\n", words[i]);
        g_autofree char *line =
            g_strdup_printf("P:2: [Policy] Forbid: %s is forbidden, and [", words[i]);
        expect_forbidden(policy, profile, SYSTEM, line);
    }
    expect_allowed("[Policy]\nForbid=aes128;sha256;modp1024;ecp384\n", profile, USER);
}

/* What a profile has without naming it counts as well. */
static void test_default_proposals_are_forbidden_too(void **state G_GNUC_UNUSED)
{
    expect_forbidden("[Policy]\nForbid=aes256gcm16\n", GOOD_PROFILE, SYSTEM,
                     "aes256gcm16-modp2048");
}

static void test_users_own_profiles_can_be_forbidden(void **state G_GNUC_UNUSED)
{
    static const char policy[] = "[Policy]\nUserProfiles=no\n";

    expect_forbidden(policy, GOOD_PROFILE, USER,
                     "P:2: [Policy] UserProfiles: only profiles of the");
    expect_allowed(policy, GOOD_PROFILE, SYSTEM);
    expect_allowed(policy, GOOD_PROFILE, DIALTONE_LAYER_VENDOR);
}

static void test_always_on_is_a_profile_of_the_system_that_can_be_used(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, SYSTEM, "a.dialtone", WITH_UUID("Office", UUID_A));
    store_kit_put(kit, DIALTONE_LAYER_VENDOR, "b.dialtone", WITH_UUID("Office two", UUID_B));
    store_kit_put(kit, DIALTONE_LAYER_VENDOR, "c.dialtone", "[Profile]\nName=Broken\n");
    store_kit_put(kit, USER, "d.dialtone", NAMED("Mine"));
    g_autoptr(GPtrArray) all = dialtone_store_list(kit->store);
    static const struct {
        const char *value, *name;
    } rows[] = {{"Office", "Office"},
                {"0B8A7A52-5D44-4F43-BB0C-7C3F1A1E5C22", "Office two"},
                {"Office two", "Office two"},
                {"Broken", NULL},
                {"Mine", NULL},
                {"office", NULL}};

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf("[Policy]\nAlwaysOn=%s\n", rows[i].value);
        g_autoptr(DialtonePolicy) policy = policy_of(text);
        const DialtoneStoreEntry *entry = dialtone_policy_always_on(policy, all);
        assert_false(policy->broken);
        assert_string_equal(entry != NULL ? entry->name : "",
                            rows[i].name != NULL ? rows[i].name : "");
    }
    g_autoptr(DialtonePolicy) none = policy_of("[Policy]\n");
    assert_null(dialtone_policy_always_on(none, all));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_mistakes_put_the_strictest_in_force),
        CASE(test_what_a_broken_policy_forbids_stays_forbidden),
        CASE(test_a_broken_policy_never_allows_more_than_it_would_mended),
        CASE(test_files_that_can_not_be_trusted_put_the_strictest_in_force),
        CASE(test_the_example_is_right),
        CASE(test_no_file_forbids_nothing),
        CASE(test_a_file_is_read_with_its_path),
        CASE(test_weak_algorithms_are_forbidden_where_they_are_named),
        CASE(test_words_are_forbidden_wherever_they_stand),
        CASE(test_default_proposals_are_forbidden_too),
        CASE(test_users_own_profiles_can_be_forbidden),
        CASE(test_always_on_is_a_profile_of_the_system_that_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

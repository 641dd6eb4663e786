/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user changes in a profile of the system. The administrator relies on what is locked, and
 * on what decides where a secret of the system goes, staying as it was written.
 */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/profile/override.h"
#include "client/profile/schema.h"

#define BASE                                                                                       \
    "[Gateway]\nAddress=vpn.example.com\n"                                                         \
    "[Identity]\nID=group@example.com\nAuth=psk\n"                                                 \
    "[Network]\nDNS=10.0.0.53\n"

typedef struct {
    DialtoneProfile *base;
    DialtoneProfile *merged;
    char *issues;
} Merged;

static Merged merge(const char *base, const char *override)
{
    Merged merged = {.base = expect_valid(base)};
    g_autoptr(GPtrArray) issues = NULL;
    const DialtoneOverride part = {
        .bytes = override, .n = strlen(override), .profile_path = "/etc/x.dialtone"};
    GString *text = g_string_new(NULL);

    merged.merged = dialtone_override_apply(merged.base, &part, &issues);
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *line = dialtone_issue_text(issues->pdata[i], "O");
        g_string_append_printf(text, "%s\n", line);
    }
    merged.issues = g_string_free(text, FALSE);
    return merged;
}

static void merged_clear(Merged *merged)
{
    dialtone_profile_free(merged->base);
    dialtone_profile_free(merged->merged);
    g_free(merged->issues);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merged, merged_clear)

/* The setting is as in the base, and the override's line is told why. */
static void expect_kept(const char *base, const char *group, const char *key, const char *value)
{
    g_autofree char *override = g_strdup_printf("[%s]\n%s=%s\n", group, key, value);
    g_autofree char *said = g_strdup_printf("O:2: warning: [%s] %s: not changed: ", group, key);
    g_auto(Merged) merged = merge(base, override);

    if (merged.merged == NULL || !g_str_has_prefix(merged.issues, said))
        fail_msg("%s says\n%s", override, merged.issues);
    assert_non_null(strstr(merged.issues, "; remove the line"));
    if (g_strcmp0(dialtone_profile_value(merged.merged, group, key),
                  dialtone_profile_value(merged.base, group, key)) != 0)
        fail_msg("%s was taken", override);
}

static void expect_taken(const char *base, const char *group, const char *key, const char *value)
{
    g_autofree char *override = g_strdup_printf("[%s]\n%s=%s\n", group, key, value);
    g_auto(Merged) merged = merge(base, override);

    if (merged.merged == NULL)
        fail_msg("%s says\n%s", override, merged.issues);
    assert_string_equal(dialtone_profile_value(merged.merged, group, key), value);
    assert_true(
        merged.merged->overridden[dialtone_profile_key(group, key) - dialtone_profile_keys]);
}

static void expect_wrong(const char *base, const char *override, const char *where)
{
    g_auto(Merged) merged = merge(base, override);

    assert_null(merged.merged);
    if (strstr(merged.issues, where) == NULL)
        fail_msg("no '%s' in\n%s", where, merged.issues);
}

static void test_who_may_use_it_and_its_name_are_never_the_user_s(void **state G_GNUC_UNUSED)
{
    expect_kept(BASE "[Access]\nUsers=alice\n", "Access", "Users", "bob");
    expect_kept(BASE, "Access", "Groups", "staff");
    expect_kept(BASE "[Access]\nLock=Gateway\n", "Access", "Lock", "Phase2.Networks");
    expect_kept(BASE "[Profile]\nName=Office\n", "Profile", "Name", "Mine");
    expect_kept(BASE, "Profile", "UUID", UUID_A);
}

static void test_locked_settings_groups_and_all_stay(void **state G_GNUC_UNUSED)
{
    expect_kept(BASE "[Access]\nLock=Network.DNS\n", "Network", "DNS", "none");
    expect_kept(BASE "[Access]\nLock=Phase2;Network\n", "Network", "MTU", "1300");
    expect_kept(BASE "[Access]\nLock=all\n", "Phase2", "Networks", "10.0.0.0/8");
    expect_taken(BASE "[Access]\nLock=Network.DNS\n", "Network", "MTU", "1300");
    expect_taken(BASE "[Access]\nLock=Phase1\n", "Phase2", "Lifetime", "2h");
}

static void test_a_lock_names_its_line(void **state G_GNUC_UNUSED)
{
    g_auto(Merged) merged = merge(BASE "[Access]\nLock=all\n", "[Network]\nDNS=none\n");

    assert_non_null(
        strstr(merged.issues, "locked by the administrator in /etc/x.dialtone, line 9"));
}

static void test_a_secret_of_the_system_keeps_its_gateway(void **state G_GNUC_UNUSED)
{
    static const char psk[] = BASE "[Secrets]\nPSK=system\n";
    static const char password[] = BASE "[Secrets]\nPassword=system\n";
    static const char *const bases[] = {psk, password};

    for (gsize i = 0; i < G_N_ELEMENTS(bases); i++) {
        expect_kept(bases[i], "Gateway", "Address", "192.0.2.66");
        expect_kept(bases[i], "Gateway", "RemoteID", "fqdn:evil.example.com");
        expect_kept(bases[i], "Identity", "ID", "mallory@example.com");
        expect_kept(bases[i], "Identity", "Auth", "hybrid");
        expect_kept(bases[i], "Identity", "CA", "file:/home/mallory/ca.pem");
        expect_kept(bases[i], "Phase1", "Proposals", "des-md5-modp768");
        expect_kept(bases[i], "Quirks", "InitialContact", "yes");
        expect_taken(bases[i], "Network", "DNS", "none");
    }
    expect_kept(password, "UserAuth", "User", "mallory");
    expect_kept(password, "UserAuth", "XAuth", "no");
    expect_taken(psk, "UserAuth", "User", "alice");
    expect_kept(psk, "Secrets", "PSK", "keyring");
    expect_kept(password, "Secrets", "Password", "ask");
    expect_taken(psk, "Secrets", "Password", "ask");
}

/* The service reads the key and signs: for the administrator's gateway alone. */
static void a_key_that_is_a_file_is_the_systems(void **state)
{
    static const char file[] = "[Gateway]\nAddress=vpn.example.com\n"
                               "[Identity]\nID=group@example.com\nAuth=certificate\n"
                               "Certificate=file:/etc/dialtone/office.p12\n";
    static const char card[] = "[Gateway]\nAddress=vpn.example.com\n"
                               "[Identity]\nID=group@example.com\nAuth=certificate\n"
                               "Certificate=pkcs11:token=Card\n";
    static const char *const changes[][3] = {
        {"Gateway", "Address", "other.example.com"},
        {"Gateway", "RemoteID", "fqdn:other.example.com"},
        {"Identity", "CA", "file:/home/mallory/ca.pem"},
        {"Identity", "Certificate", "file:/etc/ssl/private/other.pem"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        expect_kept(file, changes[i][0], changes[i][1], changes[i][2]);
        expect_taken(card, changes[i][0], changes[i][1], changes[i][2]);
    }
}

static void test_nobody_takes_a_secret_from_the_system(void **state G_GNUC_UNUSED)
{
    expect_kept(BASE "[Secrets]\nPSK=keyring\n", "Secrets", "PSK", "system");
    expect_kept(BASE, "Secrets", "Password", "system");
}

static void test_mistakes_are_told_at_the_override_s_line(void **state G_GNUC_UNUSED)
{
    expect_wrong(BASE, "[Network]\nMTU=12\n", "O:2: [Network] MTU: ");
    expect_wrong(BASE, "[Network]\n\nMUT=1300\n", "O:3: [Network] MUT: unknown key; did you mean");
    expect_wrong(BASE, "[Nonsense]\nX=1\n", "O:1: [Nonsense]: unknown group");
    expect_wrong(BASE, "Address=x\n", "O:1: ");
    expect_wrong(BASE, "[Network]\nMTU=1300\nMTU=1400\n",
                 "O:3: [Network] MTU: the key stands twice");
    expect_wrong(BASE, "[Network]\nConfig=none\n", "O: [Network] Address: Config=none needs it");
    expect_wrong(BASE, "[Identity]\nAuth=hybrid\n[UserAuth]\nXAuth=no\n",
                 "O:4: [UserAuth] XAuth: hybrid is");
    expect_wrong(BASE, "[Network]\nDNS=\xff\n", "O:2: ");
}

static void test_what_is_changed_is_changed_and_the_rest_stays(void **state G_GNUC_UNUSED)
{
    g_auto(Merged) merged =
        merge(BASE "[Phase2]\nNetworks=10.0.0.0/8\n",
              "# mine\n[UserAuth]\nUser=DOMAIN\\\\alice\n[Network]\nMTU=1300\n");

    assert_non_null(merged.merged);
    assert_string_equal(merged.issues, "");
    assert_string_equal(merged.merged->user, "DOMAIN\\alice");
    assert_int_equal(merged.merged->mtu, 1300);
    assert_int_equal(merged.merged->networks->len, 1);
    assert_string_equal(merged.merged->name, merged.base->name);
    gsize dns = (gsize)(dialtone_profile_key("Network", "DNS") - dialtone_profile_keys);
    gsize mtu = (gsize)(dialtone_profile_key("Network", "MTU") - dialtone_profile_keys);
    assert_false(merged.merged->overridden[dns]);
    assert_int_equal(merged.merged->lines[dns], 7);
    assert_true(merged.merged->overridden[mtu]);
    assert_int_equal(merged.merged->lines[mtu], 5);
}

static void test_an_empty_override_changes_nothing(void **state G_GNUC_UNUSED)
{
    g_auto(Merged) merged = merge(BASE, "\xef\xbb\xbf# nothing\n");
    assert_non_null(merged.merged);
    g_autofree char *before = dialtone_profile_to_text(merged.base, true);
    g_autofree char *after = dialtone_profile_to_text(merged.merged, true);

    assert_string_equal(before, after);
}

static void test_a_weak_algorithm_is_told_once_and_only_if_it_is_taken(void **state G_GNUC_UNUSED)
{
    static const char weak[] = "[Phase1]\nProposals=aes256-sha1-modp1024\n";
    g_auto(Merged) taken = merge(BASE, weak);
    g_auto(Merged) locked = merge(BASE "[Access]\nLock=Phase1\n", weak);

    assert_non_null(strstr(taken.issues, "modp1024"));
    assert_null(strchr(strchr(taken.issues, '\n') + 1, '\n'));
    assert_null(strstr(locked.issues, "modp1024"));
}

/* ---- in the store ---- */

static void test_the_store_finds_the_override_by_uuid(void **state)
{
    const StoreKit *kit = *state;
    g_autoptr(GError) error = NULL;

    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, "x.dialtone", WITH_UUID("Office", UUID_A));
    store_kit_put_at(kit, "/overrides/" UUID_A ".dialtone", "[Network]\nMTU=1300\n", 0644);
    g_autoptr(DialtoneFound) found = dialtone_store_open(kit->store, "Office", false, &error);
    assert_non_null(found);
    assert_true(g_str_has_suffix(found->override, "/overrides/" UUID_A ".dialtone"));
    assert_int_equal(found->profile->mtu, 1300);
    assert_int_equal(found->entry->profile->mtu, 0);
}

static void test_a_broken_override_is_told_with_its_file(void **state)
{
    const StoreKit *kit = *state;
    g_autoptr(GError) error = NULL;

    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, "x.dialtone", WITH_UUID("Office", UUID_A));
    store_kit_put_at(kit, "/overrides/" UUID_A ".dialtone", "[Network]\nMTU=0\n", 0644);
    g_autoptr(DialtoneFound) found = dialtone_store_open(kit->store, "Office", false, NULL);
    assert_non_null(found);
    assert_null(found->profile);
    dialtone_found_fail(found, &error);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
    assert_non_null(strstr(error->message, "/overrides/" UUID_A ".dialtone:2: [Network] MTU: "));
}

static void test_a_user_s_own_profile_has_no_override(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone", WITH_UUID("Office", UUID_A));
    store_kit_put_at(kit, "/overrides/" UUID_A ".dialtone", "[Network]\nMTU=1300\n", 0644);
    g_autoptr(DialtoneFound) found = dialtone_store_open(kit->store, "Office", false, NULL);
    assert_non_null(found);
    assert_null(found->override);
    assert_int_equal(found->profile->mtu, 0);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_a_file_is_the_systems),
        cmocka_unit_test(test_who_may_use_it_and_its_name_are_never_the_user_s),
        cmocka_unit_test(test_locked_settings_groups_and_all_stay),
        cmocka_unit_test(test_a_lock_names_its_line),
        cmocka_unit_test(test_a_secret_of_the_system_keeps_its_gateway),
        cmocka_unit_test(test_nobody_takes_a_secret_from_the_system),
        cmocka_unit_test(test_mistakes_are_told_at_the_override_s_line),
        cmocka_unit_test(test_what_is_changed_is_changed_and_the_rest_stays),
        cmocka_unit_test(test_an_empty_override_changes_nothing),
        cmocka_unit_test(test_a_weak_algorithm_is_told_once_and_only_if_it_is_taken),
        IN_STORE(test_the_store_finds_the_override_by_uuid),
        IN_STORE(test_a_broken_override_is_told_with_its_file),
        IN_STORE(test_a_user_s_own_profile_has_no_override),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile while somebody works at it: what they did not touch stays as it was written, what they
 * typed means what they typed, and nothing that is locked becomes theirs.
 */
#include "profile-kit.h"

#include <string.h>

#include "client/profile/draft.h"
#include "client/profile/schema.h"

static const DialtoneProfileKey *row(const char *group, const char *key)
{
    const DialtoneProfileKey *found = dialtone_profile_key(group, key);
    assert_non_null(found);
    return found;
}

static void expect_setting(const DialtoneDraft *draft, const char *group, const char *key,
                           const char *value)
{
    g_autofree char *has = dialtone_draft_get(draft, row(group, key));
    assert_string_equal(has, value);
}

static void test_what_is_typed_is_never_more_than_one_value(void **state)
{
    g_autoptr(DialtoneDraft) draft = dialtone_draft_new(GOOD_PROFILE, "F", NULL);
    dialtone_draft_set(draft, row("Profile", "Description"), "a\n[Quirks]\r\nNatT=off");
    expect_setting(draft, "Profile", "Description", "a [Quirks]  NatT=off");
    expect_setting(draft, "Quirks", "NatT", "force");
    assert_non_null(dialtone_draft_profile(draft));
}

static void test_escapes_are_the_files_and_not_the_users(void **state)
{
    static const char *const values[] = {"CORP\\alice", "a\\s", "\\\\", "caf\xc3\xa9 = # ;",
                                         "a  b"};
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(DialtoneDraft) draft = dialtone_draft_new(GOOD_PROFILE, "F", NULL);
        dialtone_draft_set(draft, row("UserAuth", "User"), values[i]);
        expect_setting(draft, "UserAuth", "User", values[i]);
        const DialtoneProfile *profile = dialtone_draft_profile(draft);
        assert_non_null(profile);
        assert_string_equal(profile->user, values[i]);
    }
}

static void test_a_mistake_is_told_at_its_setting_and_goes_with_it(void **state)
{
    g_autoptr(DialtoneDraft) draft = dialtone_draft_new(GOOD_PROFILE, "F", NULL);
    const DialtoneProfileKey *address = row("Gateway", "Address");
    assert_null(dialtone_draft_issue(draft, address));
    dialtone_draft_set(draft, address, "300.1.2.3");
    assert_non_null(dialtone_draft_issue(draft, address));
    assert_null(dialtone_draft_issue(draft, row("Identity", "ID")));
    assert_null(dialtone_draft_profile(draft));
    dialtone_draft_set(draft, address, "");
    assert_non_null(dialtone_draft_issue(draft, address));
    assert_false(dialtone_draft_has(draft, address));
    dialtone_draft_set(draft, address, " 192.0.2.7 ");
    assert_null(dialtone_draft_issue(draft, address));
    expect_setting(draft, "Gateway", "Address", "192.0.2.7");
}

static void test_a_default_is_not_written_unless_it_was(void **state)
{
    g_autoptr(DialtoneDraft) draft = dialtone_draft_new(PROFILE_AND("Lifetime=4h\n"), "F", NULL);
    dialtone_draft_set(draft, row("Network", "KillSwitch"), "yes");
    dialtone_draft_set(draft, row("Network", "KillSwitch"), "no");
    assert_false(dialtone_draft_has(draft, row("Network", "KillSwitch")));
    dialtone_draft_set(draft, row("Phase1", "Lifetime"), "8h");
    assert_true(dialtone_draft_has(draft, row("Phase1", "Lifetime")));
}

static void test_everything_that_can_be_said_can_be_set_and_taken_back(void **state)
{
    static const char mark[] = "x1";
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *key = &dialtone_profile_keys[i];
        g_autoptr(DialtoneDraft) draft = dialtone_draft_new("# only this\n", "F", NULL);
        dialtone_draft_set(draft, key, mark);
        expect_setting(draft, key->group, key->key, mark);
        dialtone_draft_set(draft, key, "");
        assert_false(dialtone_draft_has(draft, key));
        assert_non_null(strstr(dialtone_draft_text(draft), "# only this\n"));
    }
}

static void test_what_is_locked_says_why_and_holds(void **state)
{
    g_autoptr(DialtoneProfile) base =
        expect_valid(PROFILE_AND("[Network]\nMTU=1300\n[Access]\nLock=Network.MTU\n"));
    g_autoptr(DialtoneDraft) draft = dialtone_draft_new("[Network]\nMTU=1400\n", "F", base);
    g_autofree char *mtu = dialtone_draft_locked(draft, row("Network", "MTU"));
    g_autofree char *name = dialtone_draft_locked(draft, row("Profile", "Name"));
    assert_non_null(mtu);
    assert_non_null(name);
    assert_null(dialtone_draft_locked(draft, row("Network", "DNS")));
    assert_int_equal(dialtone_draft_profile(draft)->mtu, 1300);
    dialtone_draft_set(draft, row("Network", "DNS"), "none");
    assert_int_equal(dialtone_draft_profile(draft)->dns_mode, DIALTONE_DNS_NONE);
    expect_setting(draft, "Gateway", "Address", "192.0.2.1");
    dialtone_draft_set(draft, row("Gateway", "Address"), "192.0.2.1");
    assert_false(dialtone_draft_has(draft, row("Gateway", "Address")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_typed_is_never_more_than_one_value),
        cmocka_unit_test(test_escapes_are_the_files_and_not_the_users),
        cmocka_unit_test(test_a_mistake_is_told_at_its_setting_and_goes_with_it),
        cmocka_unit_test(test_a_default_is_not_written_unless_it_was),
        cmocka_unit_test(test_everything_that_can_be_said_can_be_set_and_taken_back),
        cmocka_unit_test(test_what_is_locked_says_why_and_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may use a profile, and what may be written about it. A name that nobody has must let nobody
 * in, and an empty list must not let everybody in.
 */
#include "store-kit.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/profile/access.h"

static bool allowed(const char *more, uid_t uid, gid_t gid)
{
    g_autofree char *text = g_strconcat(GOOD_PROFILE, more, NULL);
    g_autoptr(DialtoneProfile) profile = expect_valid(text);
    const DialtoneSubject subject = {.uid = uid, .gids = &gid, .gids_n = 1};

    return dialtone_profile_allows(profile, &subject);
}

static void test_names_that_nobody_has_let_nobody_in(void **state G_GNUC_UNUSED)
{
    assert_false(allowed("[Access]\nUsers=no-such-user\n", 1000, 1000));
    assert_false(allowed("[Access]\nUsers=no-such-user\n", (uid_t)-1, 1000));
    assert_false(allowed("[Access]\nGroups=no-such-group\n", 1000, (gid_t)-1));
    assert_false(allowed("[Access]\nGroups=no-such-group\nUsers=nor-this\n", 1000, 0));
}

static void test_an_empty_list_is_refused(void **state G_GNUC_UNUSED)
{
    expect_refused(PROFILE_AND("[Access]\nUsers=\n"), "F:10: [Access] Users: ", "nothing stands");
    expect_refused(PROFILE_AND("[Access]\nGroups=;\n"), "F:10: [Access] Groups: ", "empty");
    expect_refused(PROFILE_AND("[Access]\nUsers=a;;b\n"), "F:10: [Access] Users: ", "empty");
}

static void test_numbers_and_lists_of_other_kinds_are_refused(void **state G_GNUC_UNUSED)
{
    expect_refused(PROFILE_AND("[Access]\nUsers=1000\n"),
                   "F:10: [Access] Users: ", "'1000' is a number; write the name");
    expect_refused(PROFILE_AND("[Access]\nUsers=alice,bob\n"),
                   "F:10: [Access] Users: ", "Users=alice;bob");
    expect_refused(PROFILE_AND("[Access]\nGroups=a:b\n"), "F:10: [Access] Groups: ", "no name");
    expect_refused(PROFILE_AND("[Access]\nUsers=-x\n"), "F:10: [Access] Users: ", "no name");
    expect_refused(PROFILE_AND("[Access]\nUsers=DOMAIN\\sam\n"),
                   "F:10: [Access] Users: ", "written twice");
}

static void test_without_names_everybody_may(void **state G_GNUC_UNUSED)
{
    assert_true(allowed("", 1000, 1000));
    assert_true(allowed("[Access]\nLock=all\n", 1000, 1000));
}

static void test_users_are_let_in_by_name(void **state G_GNUC_UNUSED)
{
    const struct passwd *user = getpwnam("daemon");

    if (user == NULL)
        skip();
    assert_true(allowed("[Access]\nUsers=no-such-user;daemon\n", user->pw_uid, 12345));
    assert_false(allowed("[Access]\nUsers=daemon\n", user->pw_uid + 1, 12345));
    /* A user's name is no group's. */
    assert_false(allowed("[Access]\nGroups=no-such-group\nUsers=daemon\n", 12345, user->pw_gid));
}

static void test_groups_are_let_in_by_name(void **state G_GNUC_UNUSED)
{
    const struct group *group = getgrnam("daemon");

    if (group == NULL)
        skip();
    assert_true(allowed("[Access]\nGroups=daemon\n", 12345, group->gr_gid));
    assert_true(allowed("[Access]\nUsers=no-such-user\nGroups=daemon\n", 12345, group->gr_gid));
    assert_false(allowed("[Access]\nGroups=daemon\n", 12345, group->gr_gid + 1));
}

static void test_root_may_for_it_could_change_the_profile(void **state G_GNUC_UNUSED)
{
    assert_true(allowed("[Access]\nUsers=no-such-user\n", 0, 12345));
}

static void test_a_user_s_groups_are_those_of_the_directory(void **state G_GNUC_UNUSED)
{
    const struct passwd *user = getpwnam("daemon");
    g_autoptr(GArray) nobody = dialtone_access_groups((uid_t)-2);
    bool found = false;

    assert_int_equal(nobody->len, 0);
    if (user == NULL)
        skip();
    g_autoptr(GArray) gids = dialtone_access_groups(user->pw_uid);
    for (guint i = 0; i < gids->len; i++)
        found = found || g_array_index(gids, gid_t, i) == user->pw_gid;
    assert_true(found);
}

static void test_a_refusal_says_whom_to_ask(void **state G_GNUC_UNUSED)
{
    g_autoptr(DialtoneProfile) profile = expect_valid(NAMED("Office") "[Access]\nUsers=nobody-x\n");
    g_autoptr(GError) error = NULL;

    assert_false(dialtone_access_check(profile, 12345, &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_NOT_PERMITTED);
    assert_string_equal(error->message, "You may not use the profile 'Office'.");
    assert_non_null(strstr(dialtone_failure_advice(error), "[Access]"));
}

static void test_locks_name_settings(void **state G_GNUC_UNUSED)
{
    expect_refused(PROFILE_AND("[Access]\nLock=Address\n"),
                   "F:10: [Access] Lock: ", "write Gateway.Address");
    expect_refused(PROFILE_AND("[Access]\nLock=Gateway.Adress\n"),
                   "F:10: [Access] Lock: ", "did you mean Gateway.Address?");
    expect_refused(PROFILE_AND("[Access]\nLock=everything there is\n"),
                   "F:10: [Access] Lock: ", "write all, a group as in Gateway");
    expect_refused(PROFILE_AND("[Access]\nLock=Gateway;Gateway\n"),
                   "F:10: [Access] Lock: ", "stands twice");
    g_autoptr(DialtoneProfile) profile =
        expect_valid(PROFILE_AND("[Access]\nLock=Gateway ; Phase1.Proposals;all\n"));
    assert_string_equal(dialtone_profile_value(profile, "Access", "Lock"),
                        "Gateway;Phase1.Proposals;all");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_nobody_has_let_nobody_in),
        cmocka_unit_test(test_an_empty_list_is_refused),
        cmocka_unit_test(test_numbers_and_lists_of_other_kinds_are_refused),
        cmocka_unit_test(test_without_names_everybody_may),
        cmocka_unit_test(test_users_are_let_in_by_name),
        cmocka_unit_test(test_groups_are_let_in_by_name),
        cmocka_unit_test(test_root_may_for_it_could_change_the_profile),
        cmocka_unit_test(test_a_user_s_groups_are_those_of_the_directory),
        cmocka_unit_test(test_a_refusal_says_whom_to_ask),
        cmocka_unit_test(test_locks_name_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* When the machine's files alone say which groups a user has, and which those are. */
#include "kit.h"

#include "platform/groups.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static const char PASSWD[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "alice:x:1000:1000::/home/alice:/bin/sh\n"
                             "alic:x:1001:1001::/home/alic:/bin/sh\n";
static const char GROUP[] = "root:x:0:\n"
                            "alice:x:1000:alice\n"
                            "dialout:x:20:bob,alice\n"
                            "sudo:x:27:alicea,bob\n"
                            "pcscd:x:110:alice,bob\n";
static const char OWN[] = "passwd: files systemd\ngroup: files systemd\nhosts: files dns\n";

static char *root;

static void put(const char *path, const char *text)
{
    g_autofree char *full = g_strconcat(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);

    assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
    kit_write(full, text);
}

static int set_up(void **state)
{
    root = kit_make_dir();
    put("/etc/passwd", PASSWD);
    put("/etc/group", GROUP);
    put("/etc/nsswitch.conf", OWN);
    return 0;
}

static int tear_down(void **state)
{
    kit_remove_dir(root);
    return 0;
}

static bool reads(uid_t uid, gid_t gid, PlatformGroups *groups)
{
    return platform_groups_read(root, uid, gid, groups);
}

/* ---- others have to be asked ---- */

static void test_who_is_in_no_file_is_asked_for_elsewhere(void **state)
{
    PlatformGroups groups;

    assert_false(reads(4242, 4242, &groups));
    put("/etc/passwd", "");
    assert_false(reads(1000, 1000, &groups));
    put("/etc/passwd", PASSWD);
    assert_true(reads(1000, 1000, &groups));
}

static void test_another_source_is_asked(void **state)
{
    static const char *const others[] = {
        "",
        "group: sss files\n",
        "group: files sss systemd\n",
        "group: files ldap\n",
        "group: compat\n",
        "group: db files\n",
        "group: systemd\n",
        "group:\n",
        "group: # files\n",
        "groups: files\n",
        "group: files [NOTFOUND=return] systemd\n",
        "group: files [ SUCCESS = continue ] systemd\n",
        "group: files\ninitgroups: files sss\n",
        "initgroups: files sss\ngroup: files\n",
        "initgroups: files\n",
        " group : files nis\n",
        "group: files\ngroup: files winbind\n",
    };
    PlatformGroups groups;

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        put("/etc/nsswitch.conf", others[i]);
        assert_false(reads(1000, 1000, &groups));
    }
}

static void test_a_line_that_is_too_long_is_not_half_understood(void **state)
{
    g_autofree char *spaces = g_strnfill(2000, ' ');
    g_autofree char *text = g_strdup_printf("group: files%ssss\n", spaces);
    PlatformGroups groups;

    put("/etc/nsswitch.conf", text);
    assert_false(reads(1000, 1000, &groups));
}

static void test_records_of_userdb_are_asked_for(void **state)
{
    static const char *const records[] = {
        "/etc/userdb/alice:docker.membership",
        "/run/userdb/x.user",
        "/run/host/userdb/x.group",
        "/usr/local/lib/userdb/x.group",
        "/usr/lib/userdb/x.group",
        "/run/systemd/userdb/com.example.Directory",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(records); i++) {
        g_autofree char *full = g_strconcat(root, records[i], NULL);
        PlatformGroups groups;

        put(records[i], "");
        assert_false(reads(1000, 1000, &groups));
        assert_int_equal(unlink(full), 0);
        assert_true(reads(1000, 1000, &groups));
    }
}

static void test_too_many_groups_are_not_cut(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    PlatformGroups groups;

    for (int i = 1; i < PLATFORM_GROUPS_MAX; i++)
        g_string_append_printf(text, "g%d:x:%d:alice\n", i, 5000 + i);
    put("/etc/group", text->str);
    assert_true(reads(1000, 1000, &groups));
    assert_int_equal(groups.n, PLATFORM_GROUPS_MAX);
    g_string_append(text, "more:x:4000:alice\n");
    put("/etc/group", text->str);
    assert_false(reads(1000, 1000, &groups));
}

/* ---- what the files say ---- */

static void test_a_member_has_its_groups_and_no_other(void **state)
{
    static const char *const own[] = {
        OWN,
        "group: files\n",
        "group:files\n",
        "group: files [SUCCESS=merge] systemd # local\n",
        "#group: sss\n\tgroup:\tfiles systemd\ninitgroups: files [SUCCESS=continue] systemd",
    };
    PlatformGroups groups;

    for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
        put("/etc/nsswitch.conf", own[i]);
        assert_true(reads(1000, 1000, &groups));
        assert_int_equal(groups.n, 3);
        assert_int_equal(groups.gids[0], 1000);
        assert_int_equal(groups.gids[1], 20);
        assert_int_equal(groups.gids[2], 110);
        assert_true(reads(1001, 1001, &groups));
        assert_int_equal(groups.n, 1);
        assert_int_equal(groups.gids[0], 1001);
    }
}

static void test_services_of_systemd_s_own_add_none(void **state)
{
    PlatformGroups groups;

    put("/run/systemd/userdb/io.systemd.DynamicUser", "");
    assert_true(reads(1000, 1000, &groups));
}

static bool contains(const gid_t *gids, size_t n, gid_t gid)
{
    for (size_t i = 0; i < n; i++) {
        if (gids[i] == gid)
            return true;
    }
    return false;
}

/* Of this machine, user by user. */
static void test_the_c_library_says_the_same(void **state)
{
    setpwent();
    for (const struct passwd *user = getpwent(); user; user = getpwent()) {
        PlatformGroups groups;
        gid_t gids[PLATFORM_GROUPS_MAX];
        int n = PLATFORM_GROUPS_MAX;

        if (!platform_groups_read("", user->pw_uid, user->pw_gid, &groups))
            continue;
        assert_true(getgrouplist(user->pw_name, user->pw_gid, gids, &n) >= 0);
        assert_int_equal(groups.n, n);
        for (size_t i = 0; i < groups.n; i++)
            assert_true(contains(gids, (size_t)n, groups.gids[i]));
    }
    endpwent();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_who_is_in_no_file_is_asked_for_elsewhere),
        CASE(test_another_source_is_asked),
        CASE(test_a_line_that_is_too_long_is_not_half_understood),
        CASE(test_records_of_userdb_are_asked_for),
        CASE(test_too_many_groups_are_not_cut),
        CASE(test_a_member_has_its_groups_and_no_other),
        CASE(test_services_of_systemd_s_own_add_none),
        CASE(test_the_c_library_says_the_same),
    };

    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wanted, over a restart: files that somebody has broken are not wanted, and what is in a
 * profile comes back byte for byte. */
#include "service-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "client/service/wanted.h"

static char *folder;

static int set_up(void **state)
{
    folder = g_dir_make_tmp("dialtone-wanted-XXXXXX", NULL);
    g_setenv("RUNTIME_DIRECTORY", folder, TRUE);
    return folder == NULL;
}

static int tear_down(void **state)
{
    int result = g_rmdir(folder);
    g_free(folder);
    return result;
}

static void put(const char *name, const char *bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    assert_true(g_file_set_contents(path, bytes, -1, NULL));
}

static void what_is_broken_is_not_wanted_and_goes(void **state)
{
    put("1.wanted", "");
    put("2.wanted", "[Wanted]\nOwner=-1\n");
    put("3.wanted", "[Wanted]\nOwner=4294967295\nText=x\n");
    put("4.wanted", "[Wanted]\nOwner=99999999999999999999\n");
    put("5.wanted", "\xff\xfe no key file");
    g_autofree char *huge = g_strnfill(1024 * 1024, 'x');
    g_autofree char *too_large = g_strconcat("[Wanted]\nOwner=1\nUUID=x\nOverride=", huge, NULL);
    put("6.wanted", too_large);
    g_autofree char *link = g_build_filename(folder, "7.wanted", NULL);
    assert_int_equal(symlink("/dev/zero", link), 0);
    g_autoptr(GPtrArray) all = service_wanted_take();
    assert_int_equal(all->len, 0);
}

static void a_profile_comes_back_as_it_was(void **state)
{
    const ServiceWanted kept = {
        .owner = 1000,
        .text = (char *)"[Profile]\nName=B\xc3\xbcro; \\ # \"x\"\n\n[UserAuth]\n"
                        "User=a b\\\\c\n"};
    service_wanted_keep("7", &kept);
    g_autoptr(GPtrArray) all = service_wanted_take();
    assert_int_equal(all->len, 1);
    const ServiceWanted *got = all->pdata[0];
    assert_int_equal(got->owner, 1000);
    assert_string_equal(got->text, kept.text);
    assert_null(got->uuid);
}

/* A user may write anything into it, up to 64 KiB of what takes most room when it is escaped. */
static void what_a_user_changed_comes_back_byte_for_byte(void **state)
{
    g_autofree char *backslashes = g_strnfill(64 * 1024, '\\');
    const char *const changes[] = {"[Network]\nMTU=1300\n# B\xc3\xbcro; \\ \"x\"\n",
                                   "\n[Wanted]\nOwner=0\n", "  \t\r\n[\x01\x7f;=", "", backslashes};
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        const ServiceWanted kept = {
            .owner = 1000, .uuid = (char *)"x", .override = (char *)(uintptr_t)changes[i]};
        service_wanted_keep("7", &kept);
        g_autoptr(GPtrArray) all = service_wanted_take();
        assert_int_equal(all->len, 1);
        const ServiceWanted *got = all->pdata[0];
        assert_int_equal(got->owner, 1000);
        assert_string_equal(got->override, changes[i]);
        assert_null(got->text);
    }
}

static void nobody_else_can_read_it(void **state)
{
    const ServiceWanted kept = {.owner = 0, .uuid = (char *)"6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"};
    g_autofree char *path = g_build_filename(folder, "8.wanted", NULL);
    GStatBuf status;
    service_wanted_keep("8", &kept);
    assert_int_equal(g_stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    service_wanted_forget("8");
    assert_int_not_equal(g_stat(path, &status), 0);
}

static void what_was_taken_is_not_wanted_twice(void **state)
{
    const ServiceWanted kept = {.owner = 1, .uuid = (char *)"x"};
    service_wanted_keep("9", &kept);
    g_autoptr(GPtrArray) first = service_wanted_take();
    g_autoptr(GPtrArray) second = service_wanted_take();
    assert_int_equal(first->len, 1);
    assert_int_equal(second->len, 0);
}

static void without_a_folder_nothing_is_kept(void **state)
{
    const ServiceWanted kept = {.owner = 1, .uuid = (char *)"x"};
    g_unsetenv("RUNTIME_DIRECTORY");
    service_wanted_keep("9", &kept);
    g_autoptr(GPtrArray) all = service_wanted_take();
    assert_int_equal(all->len, 0);
    g_setenv("RUNTIME_DIRECTORY", folder, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_broken_is_not_wanted_and_goes),
        cmocka_unit_test(a_profile_comes_back_as_it_was),
        cmocka_unit_test(what_a_user_changed_comes_back_byte_for_byte),
        cmocka_unit_test(nobody_else_can_read_it),
        cmocka_unit_test(what_was_taken_is_not_wanted_twice),
        cmocka_unit_test(without_a_folder_nothing_is_kept),
    };
    return cmocka_run_group_tests_name("service wanted", tests, set_up, tear_down);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that only the administrator can have written. The service relies on nothing else being
 * read: whoever could put a profile there would choose the gateway of every user.
 */
#include "store-kit.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/profile/owned.h"

static const char FOLDER[] = "/etc/dialtone/profiles";
static const char FILE_NAME[] = "/etc/dialtone/profiles/x.dialtone";

/* What is said about the folder; "" when it opens, NULL when it isn't there. */
static char *folder_word(const DialtoneRoot *root)
{
    char *why = NULL;
    int fd = dialtone_owned_folder(root, FOLDER, &why);

    if (fd < 0)
        return why;
    assert_null(why);
    close(fd);
    return g_strdup("");
}

static void expect_folder(const DialtoneRoot *root, const char *said)
{
    g_autofree char *why = folder_word(root);

    if (why == NULL || strstr(why, said) == NULL)
        fail_msg("'%s' does not say '%s'", why != NULL ? why : "(nothing)", said);
}

static DialtoneOwned rule_of(const StoreKit *kit)
{
    return (DialtoneOwned){.owner = kit->root.owner, .forbidden = 022, .max = 1024};
}

static void expect_file(const StoreKit *kit, const DialtoneOwned *rule, const char *said)
{
    g_autofree char *why = NULL;
    char *whyp = NULL;
    int folder = dialtone_owned_folder(&kit->root, FOLDER, &whyp);
    gsize n = 0;

    assert_true(folder >= 0);
    g_autofree char *bytes = dialtone_owned_read(folder, "x.dialtone", rule, &n, &whyp);
    close(folder);
    why = whyp;
    assert_null(bytes);
    if (why == NULL || strstr(why, said) == NULL)
        fail_msg("'%s' does not say '%s'", why != NULL ? why : "(nothing)", said);
}

static void test_e6_a_folder_that_is_a_link_is_refused(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *moved = g_strconcat(kit->path, "/elsewhere", NULL);

    assert_int_equal(g_rename(kit->folder[DIALTONE_LAYER_ADMINISTRATOR], moved), 0);
    assert_int_equal(symlink(moved, kit->folder[DIALTONE_LAYER_ADMINISTRATOR]), 0);
    expect_folder(&kit->root, "profiles is a link");
}

static void test_e6_a_folder_on_the_way_that_is_a_link_is_refused(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *moved = g_strconcat(kit->path, "/elsewhere", NULL);
    g_autofree char *middle = g_strconcat(kit->path, "/etc/dialtone", NULL);

    assert_int_equal(g_rename(middle, moved), 0);
    assert_int_equal(symlink(moved, middle), 0);
    expect_folder(&kit->root, "dialtone is a link");
}

static void test_e6_folders_that_others_can_write_to_are_refused(void **state)
{
    static const char *const paths[] = {"/etc", "/etc/dialtone", "/etc/dialtone/profiles"};
    static const int modes[] = {0777, 0757, 0775, 01777};
    const StoreKit *kit = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *path = g_strconcat(kit->path, paths[i], NULL);
        for (gsize j = 0; j < G_N_ELEMENTS(modes); j++) {
            assert_int_equal(g_chmod(path, modes[j]), 0);
            expect_folder(&kit->root, "can write to it");
        }
        assert_int_equal(g_chmod(path, 0755), 0);
        g_autofree char *why = folder_word(&kit->root);
        assert_string_equal(why, "");
    }
}

static void test_e6_folders_of_somebody_else_are_refused(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneRoot foreign = {.path = kit->path, .owner = kit->root.owner + 1};

    expect_folder(&foreign, "does not belong to");
}

static void test_a_file_in_the_place_of_a_folder_is_refused(void **state)
{
    const StoreKit *kit = *state;

    assert_int_equal(g_rmdir(kit->folder[DIALTONE_LAYER_ADMINISTRATOR]), 0);
    store_kit_put_at(kit, FOLDER, "", 0644);
    expect_folder(&kit->root, "no folder");
}

static void test_no_folder_is_no_fault(void **state)
{
    const StoreKit *kit = *state;
    char *why = NULL;

    assert_int_equal(g_rmdir(kit->folder[DIALTONE_LAYER_ADMINISTRATOR]), 0);
    assert_int_equal(dialtone_owned_folder(&kit->root, FOLDER, &why), -1);
    assert_null(why);
}

static void test_e6_a_file_that_is_a_link_is_refused(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneOwned rule = rule_of(kit);
    g_autofree char *path = g_strconcat(kit->path, FILE_NAME, NULL);

    assert_int_equal(symlink("/etc/passwd", path), 0);
    expect_file(kit, &rule, "it is a link");
}

static void test_e6_files_that_others_can_write_to_are_refused(void **state)
{
    static const guint modes[] = {0666, 0646, 0664, 0622};
    const StoreKit *kit = *state;
    const DialtoneOwned rule = rule_of(kit);

    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        store_kit_put_at(kit, FILE_NAME, GOOD_PROFILE, modes[i]);
        expect_file(kit, &rule, "run: chmod go-w");
    }
}

static void test_e6_files_of_somebody_else_are_refused(void **state)
{
    const StoreKit *kit = *state;
    DialtoneOwned rule = rule_of(kit);

    store_kit_put_at(kit, FILE_NAME, GOOD_PROFILE, 0644);
    rule.owner++;
    expect_file(kit, &rule, "does not belong to");
}

static void test_bits_that_a_rule_forbids_are_named(void **state)
{
    const StoreKit *kit = *state;
    DialtoneOwned rule = rule_of(kit);

    rule.forbidden = 0137;
    store_kit_put_at(kit, FILE_NAME, GOOD_PROFILE, 0644);
    expect_file(kit, &rule, "mode 0644; run: chmod 0640");
}

static void test_what_is_no_file_is_refused_and_does_not_hang(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneOwned rule = rule_of(kit);
    g_autofree char *path = g_strconcat(kit->path, FILE_NAME, NULL);

    assert_int_equal(mkfifo(path, 0644), 0);
    expect_file(kit, &rule, "no regular file");
    g_remove(path);
    assert_int_equal(g_mkdir(path, 0755), 0);
    expect_file(kit, &rule, "it is a directory");
}

static void test_a_file_that_is_too_large_is_refused(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneOwned rule = rule_of(kit);
    g_autofree char *path = g_strconcat(kit->path, FILE_NAME, NULL);

    store_kit_put_at(kit, FILE_NAME, "", 0644);
    assert_int_equal(truncate(path, 10 * 1024 * 1024), 0);
    expect_file(kit, &rule, "too large");
}

/* Nobody but root can read what has no mode at all. */
static void test_a_file_that_can_not_be_read_says_so(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneOwned rule = rule_of(kit);

    if (geteuid() == 0)
        skip();
    store_kit_put_at(kit, FILE_NAME, GOOD_PROFILE, 0000);
    expect_file(kit, &rule, "Permission denied");
}

static void test_a_right_file_is_read_whole(void **state)
{
    const StoreKit *kit = *state;
    const DialtoneOwned rule = rule_of(kit);
    g_autofree char *why = NULL;
    gsize n = 0;

    store_kit_put_at(kit, FILE_NAME, GOOD_PROFILE, 0640);
    int folder = dialtone_owned_folder(&kit->root, FOLDER, &why);
    assert_true(folder >= 0);
    g_autofree char *bytes = dialtone_owned_read(folder, "x.dialtone", &rule, &n, &why);
    close(folder);
    assert_null(why);
    assert_int_equal(n, strlen(GOOD_PROFILE));
    assert_string_equal(bytes, GOOD_PROFILE);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_e6_a_folder_that_is_a_link_is_refused),
        CASE(test_e6_a_folder_on_the_way_that_is_a_link_is_refused),
        CASE(test_e6_folders_that_others_can_write_to_are_refused),
        CASE(test_e6_folders_of_somebody_else_are_refused),
        CASE(test_a_file_in_the_place_of_a_folder_is_refused),
        CASE(test_no_folder_is_no_fault),
        CASE(test_e6_a_file_that_is_a_link_is_refused),
        CASE(test_e6_files_that_others_can_write_to_are_refused),
        CASE(test_e6_files_of_somebody_else_are_refused),
        CASE(test_bits_that_a_rule_forbids_are_named),
        CASE(test_what_is_no_file_is_refused_and_does_not_hang),
        CASE(test_a_file_that_is_too_large_is_refused),
        CASE(test_a_file_that_can_not_be_read_says_so),
        CASE(test_a_right_file_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

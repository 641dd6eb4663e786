/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file a name means. The administrator relies on a user's profile never taking the place of
 * a provisioned one, and everybody on getting a broken profile's mistakes rather than "no such
 * profile".
 */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"

static void expect_found(const StoreKit *kit, const char *what, DialtoneLayer layer,
                         const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = dialtone_store_find(kit->store, what, &error);
    g_autofree char *wanted = g_build_filename(kit->folder[layer], file, NULL);

    if (found == NULL)
        fail_msg("%s: %s", what, error->message);
    assert_string_equal(found, wanted);
}

static void expect_missing(const StoreKit *kit, const char *what, const char *advice)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = dialtone_store_find(kit->store, what, &error);

    assert_null(found);
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
    if (strstr(dialtone_failure_advice(error), advice) == NULL)
        fail_msg("'%s' does not say '%s'", dialtone_failure_advice(error), advice);
}

static void test_names_uuids_and_stems_find_a_profile(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "o.dialtone",
                  WITH_UUID("Head office", "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"));
    expect_found(kit, "Head office", DIALTONE_LAYER_USER, "o.dialtone");
    expect_found(kit, "o", DIALTONE_LAYER_USER, "o.dialtone");
    expect_found(kit, "6F1C0F5E-0D0F-4D53-8A36-1C1D4F0A2B11", DIALTONE_LAYER_USER, "o.dialtone");
}

static void test_a_user_can_not_take_the_place_of_the_administrator(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "office.dialtone", NAMED("Office"));
    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, "corp.dialtone", NAMED("Office"));
    expect_found(kit, "Office", DIALTONE_LAYER_ADMINISTRATOR, "corp.dialtone");
}

static void test_a_user_can_not_take_a_uuid_of_the_vendor(void **state)
{
    const StoreKit *kit = *state;
    static const char uuid[] = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11";

    store_kit_put(kit, DIALTONE_LAYER_USER, "mine.dialtone",
                  WITH_UUID("Mine", "6F1C0F5E-0D0F-4D53-8A36-1C1D4F0A2B11"));
    store_kit_put(kit, DIALTONE_LAYER_VENDOR, "theirs.dialtone",
                  WITH_UUID("Theirs", "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"));
    expect_found(kit, uuid, DIALTONE_LAYER_VENDOR, "theirs.dialtone");

    g_autoptr(GError) error = NULL;
    assert_null(dialtone_store_find(kit->store, "Mine", &error));
    assert_non_null(strstr(error->message, "mine.dialtone is not used: the system's "));
    assert_non_null(strstr(error->message, "theirs.dialtone has its UUID"));
}

static void test_the_administrator_wins_over_the_vendor(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_VENDOR, "office.dialtone", GOOD_PROFILE);
    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, "office.dialtone", GOOD_PROFILE);
    expect_found(kit, "office", DIALTONE_LAYER_ADMINISTRATOR, "office.dialtone");
}

static void test_a_broken_profile_is_found_by_its_name(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone", "[Profile]\nName=Broken\n[Nonsense]\n");
    expect_found(kit, "Broken", DIALTONE_LAYER_USER, "x.dialtone");
    expect_found(kit, "x", DIALTONE_LAYER_USER, "x.dialtone");
}

static void test_two_of_one_name_are_not_guessed_between(void **state)
{
    const StoreKit *kit = *state;
    g_autoptr(GError) error = NULL;

    store_kit_put(kit, DIALTONE_LAYER_USER, "a.dialtone", NAMED("Office"));
    store_kit_put(kit, DIALTONE_LAYER_USER, "b.dialtone", NAMED("Office"));
    assert_null(dialtone_store_find(kit->store, "Office", &error));
    assert_non_null(strstr(error->message, "2 profiles are called 'Office'"));
}

static void test_a_name_that_is_near_is_suggested(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "a.dialtone", NAMED("Office"));
    expect_missing(kit, "ofice", "Did you mean 'Office'?");
    expect_missing(kit, "zzzzzzz", "There are 'Office'");
}

static void test_no_profiles_at_all_is_said(void **state)
{
    expect_missing(*state, "office", "no profiles yet");
}

static void test_missing_directories_are_empty_layers(void **state)
{
    const StoreKit *kit = *state;

    g_rmdir(kit->folder[DIALTONE_LAYER_VENDOR]);
    g_autoptr(GPtrArray) entries = dialtone_store_list(kit->store);
    assert_int_equal(entries->len, 0);
}

static void test_a_path_is_a_path(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "a.dialtone", GOOD_PROFILE);
    g_autofree char *path = g_build_filename(kit->folder[DIALTONE_LAYER_USER], "a.dialtone", NULL);
    g_autofree char *found = dialtone_store_find(kit->store, path, NULL);
    assert_string_equal(found, path);
    expect_missing(kit, "./no-such", "dialtone list");
    expect_missing(kit, "no-such.dialtone", "dialtone list");
}

static void test_hidden_files_and_others_are_not_listed(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, ".x.dialtone", GOOD_PROFILE);
    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone~", GOOD_PROFILE);
    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone.rpmnew", GOOD_PROFILE);
    g_autoptr(GPtrArray) entries = dialtone_store_list(kit->store);
    assert_int_equal(entries->len, 0);
}

static void test_what_is_no_file_does_not_hang(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *fifo = g_build_filename(kit->folder[DIALTONE_LAYER_USER], "f.dialtone", NULL);

    assert_int_equal(mkfifo(fifo, 0600), 0);
    g_autoptr(GPtrArray) entries = dialtone_store_list(kit->store);
    assert_int_equal(entries->len, 1);
    assert_null(((const DialtoneStoreEntry *)entries->pdata[0])->profile);
}

static void test_the_list_says_what_is_hidden_and_what_is_broken(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, "a.dialtone", NAMED("Office"));
    store_kit_put(kit, DIALTONE_LAYER_USER, "b.dialtone", NAMED("Office"));
    store_kit_put(kit, DIALTONE_LAYER_USER, "c.dialtone", "[Nonsense]\n");
    g_autoptr(GPtrArray) entries = dialtone_store_list(kit->store);
    const DialtoneStoreEntry *first = entries->pdata[0], *second = entries->pdata[1],
                             *third = entries->pdata[2];

    assert_int_equal(entries->len, 3);
    assert_true(first->profile != NULL && first->hidden == NULL);
    assert_int_equal(first->layer, DIALTONE_LAYER_ADMINISTRATOR);
    assert_true(second->profile != NULL && second->hidden != NULL);
    assert_true(third->profile == NULL && third->hidden == NULL);
    assert_string_equal(third->name, "c");
}

/* ---- files ---- */

static void expect_no_profile(const StoreKit *kit, const char *path, const char *said)
{
    g_autoptr(GError) error = NULL;

    assert_null(dialtone_store_load(kit->store, path, false, &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_PROFILE_INVALID);
    assert_true(g_str_has_prefix(error->message, path));
    if (strstr(error->message, said) == NULL)
        fail_msg("'%s' does not say '%s'", error->message, said);
}

static void test_a_file_of_ten_megabytes_is_refused_unread(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *path = store_kit_path(kit, DIALTONE_LAYER_USER, "big.dialtone");

    store_kit_put(kit, DIALTONE_LAYER_USER, "big.dialtone", "");
    assert_int_equal(truncate(path, 10 * 1024 * 1024), 0);
    expect_no_profile(kit, path, "too large");
}

static void test_directories_devices_and_nothing_are_no_profiles(void **state)
{
    static const char *const paths[] = {"/tmp", "/dev/zero", "/no/such/file", "/etc/passwd/x"};

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        expect_no_profile(*state, paths[i], ": ");
}

static void test_an_error_has_every_line_and_the_file(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *path = store_kit_path(kit, DIALTONE_LAYER_USER, "x.dialtone");
    g_autofree char *second = g_strdup_printf("\n%s:4: [Identity] ID: ", path);

    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone",
                  "[Gateway]\nAddress=a b\n[Identity]\nID=10.0.0.1\n");
    expect_no_profile(kit, path, ":2: [Gateway] Address: ");
    expect_no_profile(kit, path, second);
}

/* A preshared key from a secrets file makes up for a profile that names none. */
static void test_a_key_at_hand_counts(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone",
                  "[Gateway]\nAddress=a\n[Identity]\nID=a@b.c\n");
    g_autoptr(DialtoneFound) without = dialtone_store_load(kit->store, "x", false, NULL);
    g_autoptr(DialtoneFound) with = dialtone_store_load(kit->store, "x", true, NULL);
    assert_null(without);
    assert_non_null(with);
    assert_int_equal(with->profile->auth, DIALTONE_AUTH_PSK);
    g_autofree char *text = dialtone_profile_to_text(with->profile, false);
    dialtone_profile_free(expect_valid(text));
}

/* A key at hand makes up for no other mistake. */
static void test_what_was_refused_stays_so_with_a_key_at_hand(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone", GOOD_PROFILE "[Secrets]\nPSK=system\n");
    store_kit_put(kit, DIALTONE_LAYER_USER, "y.dialtone", "[Gateway]\nAddress=\n");
    g_autoptr(DialtoneFound) x = dialtone_store_load(kit->store, "x", true, NULL);
    g_autoptr(DialtoneFound) y = dialtone_store_load(kit->store, "y", true, NULL);
    assert_null(x);
    assert_null(y);
}

static void expect_of_the_system(const StoreKit *kit, const char *what, bool found)
{
    g_autoptr(DialtoneStoreEntry) entry = dialtone_store_find_system(&kit->root, what);

    if ((entry != NULL) != found)
        fail_msg("%s was %s", what, found ? "not found" : "found");
}

/* Root looks for it before it has become the user. */
static void test_root_looks_at_no_file_of_a_user_s(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *theirs = store_kit_path(kit, DIALTONE_LAYER_USER, "mine.dialtone");
    g_autofree char *ours = store_kit_path(kit, DIALTONE_LAYER_ADMINISTRATOR, "corp.dialtone");
    g_autofree char *around = g_strconcat(kit->folder[DIALTONE_LAYER_USER],
                                          "/../etc/dialtone/"
                                          "profiles/corp.dialtone",
                                          NULL);

    store_kit_put(kit, DIALTONE_LAYER_USER, "mine.dialtone", WITH_UUID("Mine", UUID_B));
    store_kit_put(kit, DIALTONE_LAYER_ADMINISTRATOR, "corp.dialtone", WITH_UUID("Office", UUID_A));
    expect_of_the_system(kit, theirs, false);
    expect_of_the_system(kit, "Mine", false);
    expect_of_the_system(kit, UUID_B, false);
    expect_of_the_system(kit, ours, true);
    expect_of_the_system(kit, around, true);
    expect_of_the_system(kit, "Office", true);
    expect_of_the_system(kit, "corp", true);
    expect_of_the_system(kit, UUID_A, true);
}

static void test_access_in_a_profile_of_one_s_own_is_warned_of(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, DIALTONE_LAYER_USER, "x.dialtone",
                  GOOD_PROFILE "[Access]\nUsers=bob\nLock=all\n");
    g_autoptr(DialtoneFound) found = dialtone_store_load(kit->store, "x", false, NULL);
    assert_non_null(found);
    assert_int_equal(found->entry->issues->len, 2);
    const DialtoneIssue *first = found->entry->issues->pdata[0];
    assert_true(first->warning && first->line == 10);
    assert_non_null(strstr(first->message, "in a profile of the system only"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_names_uuids_and_stems_find_a_profile),
        CASE(test_a_user_can_not_take_the_place_of_the_administrator),
        CASE(test_a_user_can_not_take_a_uuid_of_the_vendor),
        CASE(test_the_administrator_wins_over_the_vendor),
        CASE(test_a_broken_profile_is_found_by_its_name),
        CASE(test_two_of_one_name_are_not_guessed_between),
        CASE(test_a_name_that_is_near_is_suggested),
        CASE(test_no_profiles_at_all_is_said),
        CASE(test_missing_directories_are_empty_layers),
        CASE(test_a_path_is_a_path),
        CASE(test_hidden_files_and_others_are_not_listed),
        CASE(test_what_is_no_file_does_not_hang),
        CASE(test_the_list_says_what_is_hidden_and_what_is_broken),
        CASE(test_a_file_of_ten_megabytes_is_refused_unread),
        CASE(test_directories_devices_and_nothing_are_no_profiles),
        CASE(test_an_error_has_every_line_and_the_file),
        CASE(test_a_key_at_hand_counts),
        CASE(test_what_was_refused_stays_so_with_a_key_at_hand),
        CASE(test_root_looks_at_no_file_of_a_user_s),
        CASE(test_access_in_a_profile_of_one_s_own_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

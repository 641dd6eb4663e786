/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system's profiles. The administrator relies on the own file winning over the vendor's, on
 * one bad file not taking the others along, and the service on each UUID meaning one profile.
 */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/profile/system-store.h"

#define ADMINISTRATOR DIALTONE_LAYER_ADMINISTRATOR
#define VENDOR        DIALTONE_LAYER_VENDOR

/* "Office administrator ok; Other vendor hidden": name, layer and fate of each. */
static char *summary(const StoreKit *kit)
{
    g_autoptr(GPtrArray) profiles = dialtone_system_profiles(&kit->root);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < profiles->len; i++) {
        const DialtoneStoreEntry *entry = profiles->pdata[i];
        const char *fate = entry->hidden != NULL    ? "hidden"
                           : entry->profile == NULL ? "broken"
                                                    : "ok";
        assert_true((entry->profile != NULL) || entry->issues->len > 0);
        g_string_append_printf(text, "%s%s %s %s", i > 0 ? "; " : "", entry->name,
                               dialtone_layer_name(entry->layer), fate);
    }
    return g_string_free(text, FALSE);
}

static void expect(const StoreKit *kit, const char *wanted)
{
    g_autofree char *got = summary(kit);
    assert_string_equal(got, wanted);
}

static char *mistakes_of(const StoreKit *kit, guint i)
{
    g_autoptr(GPtrArray) profiles = dialtone_system_profiles(&kit->root);
    GString *all = g_string_new(NULL);

    assert_true(i < profiles->len);
    const DialtoneStoreEntry *entry = profiles->pdata[i];
    for (guint j = 0; j < entry->issues->len; j++) {
        g_autofree char *text = dialtone_issue_text(entry->issues->pdata[j], "F");
        g_string_append_printf(all, "%s\n", text);
    }
    return g_string_free(all, FALSE);
}

static void test_e6_files_that_can_not_be_trusted_are_listed_as_broken(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *link = store_kit_path(kit, ADMINISTRATOR, "b.dialtone");
    g_autofree char *fifo = store_kit_path(kit, ADMINISTRATOR, "c.dialtone");
    g_autofree char *writable = store_kit_path(kit, ADMINISTRATOR, "d.dialtone");

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("Good"));
    assert_int_equal(symlink("a.dialtone", link), 0);
    assert_int_equal(mkfifo(fifo, 0644), 0);
    store_kit_put(kit, ADMINISTRATOR, "d.dialtone", NAMED("Writable"));
    assert_int_equal(g_chmod(writable, 0666), 0);
    expect(kit, "Good administrator ok; b administrator broken; c administrator broken; "
                "d administrator broken");
}

static void test_e6_a_folder_that_can_not_be_trusted_says_so_and_is_not_read(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("Office"));
    store_kit_put(kit, VENDOR, "b.dialtone", NAMED("Other"));
    assert_int_equal(g_chmod(kit->folder[ADMINISTRATOR], 0777), 0);
    expect(kit, "profiles administrator broken; Other vendor hidden");
    g_autofree char *mistakes = mistakes_of(kit, 0);
    assert_non_null(strstr(mistakes, "can write to it"));
}

static void test_all_is_foreign_where_the_owner_is_another(void **state)
{
    StoreKit *kit = *state;

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("Office"));
    kit->root.owner++;
    expect(kit, "profiles administrator broken; profiles vendor broken");
    kit->root.owner--;
}

static void test_a_broken_file_takes_no_other_along(void **state)
{
    const StoreKit *kit = *state;
    g_autofree char *huge = store_kit_path(kit, VENDOR, "huge.dialtone");

    store_kit_put(kit, ADMINISTRATOR, "bad.dialtone", "[Profile]\nName=Bad\n[Nonsense]\n\xff\n");
    store_kit_put(kit, ADMINISTRATOR, "good.dialtone", NAMED("Good"));
    store_kit_put(kit, VENDOR, "huge.dialtone", "");
    assert_int_equal(truncate(huge, 10 * 1024 * 1024), 0);
    store_kit_put(kit, VENDOR, "mark.dialtone", "\xef\xbb\xbf" NAMED("Mark"));
    expect(kit, "Bad administrator broken; Good administrator ok; Mark vendor ok; "
                "huge vendor broken");
}

static void test_the_administrator_wins_by_file_name(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, VENDOR, "x.dialtone", NAMED("Theirs"));
    store_kit_put(kit, ADMINISTRATOR, "x.dialtone", NAMED("Ours"));
    expect(kit, "Ours administrator ok; Theirs vendor hidden");
}

static void test_the_administrator_wins_by_uuid(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, VENDOR, "x.dialtone", WITH_UUID("Theirs", UUID_A));
    store_kit_put(kit, ADMINISTRATOR, "y.dialtone", WITH_UUID("Ours", UUID_A));
    expect(kit, "Ours administrator ok; Theirs vendor hidden");
}

/* What the administrator meant to replace must not come back by a typing error. */
static void test_the_administrator_wins_also_with_mistakes(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, VENDOR, "x.dialtone", WITH_UUID("Theirs", UUID_A));
    store_kit_put(kit, ADMINISTRATOR, "x.dialtone", "[Nonsense]\n");
    expect(kit, "x administrator broken; Theirs vendor hidden");
    store_kit_put(kit, ADMINISTRATOR, "x.dialtone", "");
    expect(kit, "x administrator broken; Theirs vendor hidden");
}

static void test_one_uuid_twice_in_a_layer_is_the_first_one_s(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", WITH_UUID("One", UUID_A));
    store_kit_put(kit, ADMINISTRATOR, "b.dialtone", WITH_UUID("Two", UUID_A));
    store_kit_put(kit, ADMINISTRATOR, "c.dialtone", WITH_UUID("Three", UUID_B));
    expect(kit, "One administrator ok; Three administrator ok; Two administrator hidden");
    g_autofree char *mistakes = mistakes_of(kit, 2);
    assert_non_null(strstr(mistakes, "F:11: [Profile] UUID: "));
    assert_non_null(strstr(mistakes, "a.dialtone has the same"));
}

static void test_profiles_without_a_uuid_have_the_same_one_each_time(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, VENDOR, "x.dialtone", NAMED("Theirs"));
    g_autoptr(GPtrArray) before = dialtone_system_profiles(&kit->root);
    const DialtoneStoreEntry *vendor = before->pdata[0];
    assert_true(g_uuid_string_is_valid(vendor->uuid));
    store_kit_put(kit, ADMINISTRATOR, "x.dialtone", NAMED("Renamed"));
    g_autoptr(GPtrArray) after = dialtone_system_profiles(&kit->root);
    const DialtoneStoreEntry *administrator = after->pdata[0];
    assert_string_equal(vendor->uuid, administrator->uuid);
}

static void test_a_system_secret_needs_a_uuid_that_is_written(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, ADMINISTRATOR, "x.dialtone", GOOD_PROFILE "[Secrets]\nPSK=system\n");
    expect(kit, "x administrator broken");
    g_autofree char *mistakes = mistakes_of(kit, 0);
    assert_non_null(strstr(mistakes, "F:10: [Secrets] PSK: system is "));
    assert_non_null(strstr(mistakes, "write UUID="));
    store_kit_put(kit, ADMINISTRATOR, "x.dialtone",
                  GOOD_PROFILE "[Profile]\nUUID=" UUID_A "\n[Secrets]\nPSK=system\n");
    expect(kit, "x administrator ok");
}

static void expect_shadowed(const StoreKit *kit, const char *name, const char *uuid,
                            const char *said)
{
    g_autoptr(GPtrArray) profiles = dialtone_system_profiles(&kit->root);
    g_autofree char *why = dialtone_system_shadowed(profiles, name, uuid);

    if (said == NULL)
        assert_null(why);
    else if (why == NULL || strstr(why, said) == NULL)
        fail_msg("'%s' does not say '%s'", why != NULL ? why : "(nothing)", said);
}

static void test_a_user_s_profile_takes_no_place_of_the_system_s(void **state)
{
    const StoreKit *kit = *state;

    store_kit_put(kit, ADMINISTRATOR, "corp.dialtone", WITH_UUID("Office", UUID_A));
    store_kit_put(kit, VENDOR, "broken.dialtone", "[Profile]\nName=Broken\nUUID=" UUID_B "\n");
    expect_shadowed(kit, "Mine", UUID_A, "corp.dialtone has its UUID");
    expect_shadowed(kit, "Mine", "6F1C0F5E-0D0F-4D53-8A36-1C1D4F0A2B11", "has its UUID");
    expect_shadowed(kit, "Office", NULL, "corp.dialtone has its name");
    expect_shadowed(kit, "corp", NULL, "corp.dialtone has its name");
    expect_shadowed(kit, "Broken", NULL, "has its name");
    expect_shadowed(kit, "Mine", UUID_B, "has its UUID");
    expect_shadowed(kit, "Mine", NULL, NULL);
    expect_shadowed(kit, "profiles", "11111111-2222-4333-8444-555555555555", NULL);
}

static void test_nothing_there_is_nothing_listed(void **state)
{
    const StoreKit *kit = *state;

    expect(kit, "");
    g_rmdir(kit->folder[VENDOR]);
    g_rmdir(kit->folder[ADMINISTRATOR]);
    expect(kit, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_e6_files_that_can_not_be_trusted_are_listed_as_broken),
        CASE(test_e6_a_folder_that_can_not_be_trusted_says_so_and_is_not_read),
        CASE(test_all_is_foreign_where_the_owner_is_another),
        CASE(test_a_broken_file_takes_no_other_along),
        CASE(test_the_administrator_wins_by_file_name),
        CASE(test_the_administrator_wins_by_uuid),
        CASE(test_the_administrator_wins_also_with_mistakes),
        CASE(test_one_uuid_twice_in_a_layer_is_the_first_one_s),
        CASE(test_profiles_without_a_uuid_have_the_same_one_each_time),
        CASE(test_a_system_secret_needs_a_uuid_that_is_written),
        CASE(test_a_user_s_profile_takes_no_place_of_the_system_s),
        CASE(test_nothing_there_is_nothing_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

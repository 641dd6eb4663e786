/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles that change while they are watched. The service relies on hearing of each change, also
 * in folders that were made after it began, and on hearing once of what happens at once.
 */
#include "store-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/profile/system-watch.h"

#define ADMINISTRATOR DIALTONE_LAYER_ADMINISTRATOR
#define VENDOR        DIALTONE_LAYER_VENDOR

enum { PATIENCE_MS = 20 * 1000, SILENCE_MS = 600 };

typedef struct {
    const StoreKit *kit;
    DialtoneSystemWatch *watch;
    GString *told; /* "+Office ~Other -Third" */
    guint calls;
    bool late; /* patience is over */
} Watcher;

static void tell(GString *told, char sign, const GPtrArray *entries)
{
    for (guint i = 0; i < entries->len; i++) {
        const DialtoneStoreEntry *entry = entries->pdata[i];
        g_string_append_printf(told, "%s%c%s", told->len > 0 ? " " : "", sign, entry->name);
    }
}

static void on_changed(const DialtoneSystemChange *change, gpointer data)
{
    Watcher *watcher = data;

    watcher->calls++;
    tell(watcher->told, '+', change->added);
    tell(watcher->told, '~', change->changed);
    tell(watcher->told, '-', change->removed);
    assert_non_null(dialtone_system_watch_profiles(watcher->watch));
}

static Watcher watch(const StoreKit *kit)
{
    return (Watcher){.kit = kit, .told = g_string_new(NULL)};
}

static void begin(Watcher *watcher)
{
    watcher->watch = dialtone_system_watch_new(&watcher->kit->root, on_changed, watcher);
}

static void end(Watcher *watcher)
{
    dialtone_system_watch_free(watcher->watch);
    g_string_free(watcher->told, TRUE);
}

static gboolean on_late(gpointer data)
{
    ((Watcher *)data)->late = true;
    return G_SOURCE_REMOVE;
}

static void run_for(Watcher *watcher, guint ms, bool until_told)
{
    guint calls = watcher->calls;
    guint timer = g_timeout_add(ms, on_late, watcher);

    watcher->late = false;
    while (!watcher->late && !(until_told && watcher->calls > calls))
        g_main_context_iteration(NULL, TRUE);
    if (!watcher->late)
        g_source_remove(timer);
}

static void expect_told(Watcher *watcher, const char *wanted)
{
    run_for(watcher, PATIENCE_MS, true);
    assert_string_equal(watcher->told->str, wanted);
    g_string_set_size(watcher->told, 0);
}

static void expect_silence(Watcher *watcher)
{
    run_for(watcher, SILENCE_MS, false);
    assert_string_equal(watcher->told->str, "");
}

static void test_added_changed_and_removed_are_told(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);
    g_autofree char *path = store_kit_path(kit, VENDOR, "b.dialtone");

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", WITH_UUID("A", UUID_A));
    begin(&watcher);
    expect_silence(&watcher);
    store_kit_put(kit, VENDOR, "b.dialtone", WITH_UUID("B", UUID_B));
    expect_told(&watcher, "+B");
    store_kit_put(kit, VENDOR, "b.dialtone", WITH_UUID("Better", UUID_B));
    expect_told(&watcher, "~Better");
    assert_int_equal(g_remove(path), 0);
    expect_told(&watcher, "-Better");
    end(&watcher);
}

static void test_folders_that_are_made_later_are_seen(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);
    g_autofree char *above = g_path_get_dirname(kit->folder[ADMINISTRATOR]);

    assert_int_equal(g_rmdir(kit->folder[ADMINISTRATOR]), 0);
    assert_int_equal(g_rmdir(above), 0);
    begin(&watcher);
    assert_int_equal(g_mkdir(above, 0755), 0);
    expect_silence(&watcher);
    assert_int_equal(g_mkdir(kit->folder[ADMINISTRATOR], 0755), 0);
    expect_silence(&watcher);
    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("A"));
    expect_told(&watcher, "+A");
    end(&watcher);
}

/* As configuration management does it. */
static void test_a_folder_that_is_replaced_is_seen(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);
    g_autofree char *old = g_strconcat(kit->folder[VENDOR], ".old", NULL);
    g_autofree char *new = g_strconcat(kit->folder[VENDOR], ".new", NULL);
    g_autofree char *file = g_build_filename(new, "b.dialtone", NULL);

    store_kit_put(kit, VENDOR, "a.dialtone", NAMED("A"));
    assert_int_equal(g_mkdir(new, 0755), 0);
    assert_true(g_file_set_contents(file, NAMED("B"), -1, NULL));
    begin(&watcher);
    assert_int_equal(g_rename(kit->folder[VENDOR], old), 0);
    assert_int_equal(g_rename(new, kit->folder[VENDOR]), 0);
    expect_told(&watcher, "+B -A");
    store_kit_put(kit, VENDOR, "c.dialtone", NAMED("C"));
    expect_told(&watcher, "+C");
    end(&watcher);
}

static void test_what_becomes_untrusted_has_changed(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);
    g_autofree char *path = store_kit_path(kit, ADMINISTRATOR, "a.dialtone");

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("A"));
    begin(&watcher);
    assert_int_equal(g_chmod(path, 0666), 0);
    /* Its name can't be read any more. */
    expect_told(&watcher, "~a");
    assert_int_equal(g_chmod(path, 0644), 0);
    expect_told(&watcher, "~A");
    assert_int_equal(g_chmod(kit->folder[ADMINISTRATOR], 0777), 0);
    expect_told(&watcher, "+profiles -A");
    end(&watcher);
}

/* Whoever knows profiles by their UUID sees another text under the same one. */
static void test_the_administrator_s_in_the_vendor_s_place_is_a_change(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);
    g_autofree char *path = store_kit_path(kit, ADMINISTRATOR, "x.dialtone");

    store_kit_put(kit, VENDOR, "x.dialtone", NAMED("Theirs"));
    begin(&watcher);
    store_kit_put(kit, ADMINISTRATOR, "x.dialtone", NAMED("Ours"));
    expect_told(&watcher, "~Ours");
    assert_int_equal(g_remove(path), 0);
    expect_told(&watcher, "~Theirs");
    end(&watcher);
}

static void test_what_happens_at_once_is_told_once(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);

    begin(&watcher);
    for (guint i = 0; i < 50; i++) {
        g_autofree char *file = g_strdup_printf("p%02u.dialtone", i);
        store_kit_put(kit, VENDOR, file, GOOD_PROFILE);
    }
    run_for(&watcher, PATIENCE_MS, true);
    run_for(&watcher, SILENCE_MS, false);
    assert_int_equal(watcher.calls, 1);
    assert_int_equal(dialtone_system_watch_profiles(watcher.watch)->len, 50);
    end(&watcher);
}

static void test_what_never_rests_is_told_all_the_same(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);
    gint64 stop = g_get_monotonic_time() + 3 * G_USEC_PER_SEC;
    guint i = 0;

    begin(&watcher);
    while (watcher.calls == 0 && g_get_monotonic_time() < stop) {
        g_autofree char *text = g_strdup_printf(GOOD_PROFILE "# %u\n", i++);
        store_kit_put(kit, VENDOR, "p.dialtone", text);
        run_for(&watcher, 50, false);
    }
    assert_true(watcher.calls > 0);
    end(&watcher);
}

static void test_other_files_and_equal_ones_are_no_change(void **state)
{
    const StoreKit *kit = *state;
    Watcher watcher = watch(kit);

    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("A"));
    begin(&watcher);
    store_kit_put(kit, ADMINISTRATOR, "a.dialtone", NAMED("A"));
    store_kit_put(kit, ADMINISTRATOR, "README", "no profile");
    store_kit_put_at(kit, "/etc/passwd", "", 0644);
    expect_silence(&watcher);
    end(&watcher);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, store_kit_setup, store_kit_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(test_added_changed_and_removed_are_told),
        CASE(test_folders_that_are_made_later_are_seen),
        CASE(test_a_folder_that_is_replaced_is_seen),
        CASE(test_what_becomes_untrusted_has_changed),
        CASE(test_the_administrator_s_in_the_vendor_s_place_is_a_change),
        CASE(test_what_happens_at_once_is_told_once),
        CASE(test_what_never_rests_is_told_all_the_same),
        CASE(test_other_files_and_equal_ones_are_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

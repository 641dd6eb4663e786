/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What does not connect by itself, over a restart. Relied on by whoever has disconnected and left
 * the computer alone, and by whoever's account is locked after so many wrong passwords. */
#include "service-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/profile/parse.h"
#include "client/service/holds.h"

static const char TEXT[] = "[Profile]\nName=Corp\nUUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11\n"
                           "[Gateway]\nAddress=192.0.2.1\n[Identity]\nID=a@example.com\nAuth=psk\n"
                           "[Phase1]\nProposals=aes256-sha256-modp2048\n[Phase2]\n"
                           "Proposals=aes256-sha256\n[Secrets]\nPSK=keyring\n[Rules]\n";

static char *folder;
static ServiceManager manager;
static GPtrArray *profiles;

static void profile_free(gpointer data)
{
    ServiceProfile *profile = data;
    dialtone_profile_free(profile->profile);
    g_free(profile->text);
    g_free(profile);
}

static int set_up(void **state)
{
    folder = g_dir_make_tmp("dialtone-holds-XXXXXX", NULL);
    g_setenv("RUNTIME_DIRECTORY", folder, TRUE);
    profiles = g_ptr_array_new_with_free_func(profile_free);
    manager = (ServiceManager){.where.network = g_strdup("cafe")};
    return folder == NULL;
}

static guint empty(bool remove)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint n = 0;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        n++;
        if (remove)
            g_unlink(path);
    }
    return n;
}

static guint files(void)
{
    return empty(false);
}

static int tear_down(void **state)
{
    empty(true);
    int result = g_rmdir(folder);
    g_free(folder);
    g_free(manager.where.network);
    g_ptr_array_unref(profiles);
    return result;
}

/* Another object of the same profile, as the next service has it. @more lines of [Rules]. */
static ServiceProfile *profile_of(const char *more, DialtoneLayer layer)
{
    ServiceProfile *profile = g_new0(ServiceProfile, 1);
    profile->text = g_strconcat(TEXT, more, NULL);
    profile->profile = dialtone_profile_parse(profile->text, strlen(profile->text), "x", NULL);
    profile->layer = layer;
    profile->owner = layer == DIALTONE_LAYER_USER ? 1000 : 0;
    assert_non_null(profile->profile);
    g_ptr_array_add(profiles, profile);
    return profile;
}

static ServiceProfile *corp(void)
{
    return profile_of("Connect=always\n", DIALTONE_LAYER_ADMINISTRATOR);
}

static void keep(bool held, bool refused)
{
    ServiceProfile *profile = corp();
    profile->rule.held = held;
    profile->refused = refused;
    service_hold_keep(&manager, profile);
}

static ServiceProfile *restore(ServiceProfile *profile)
{
    service_hold_restore(&manager, profile);
    return profile;
}

static void spoil(const char *bytes, gsize n)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *path = g_build_filename(folder, g_dir_read_name(dir), NULL);
    assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
}

static void what_is_broken_holds_nothing_and_goes(void **state)
{
    static const char *const broken[] = {"",
                                         "[Hold]\nNetwork\n",
                                         "\xff\xfe no key file",
                                         "[Other]\nNetwork=cafe\n",
                                         "[Hold]\nRefused=x\n",
                                         "[Hold]\nRefusedText=y\nRefused=9999999999999999\n"};
    g_autofree char *huge = g_strnfill(64 * 1024, 'x');
    for (gsize i = 0; i <= G_N_ELEMENTS(broken); i++) {
        const char *bytes = i < G_N_ELEMENTS(broken) ? broken[i] : huge;
        keep(true, true);
        spoil(bytes, strlen(bytes));
        const ServiceProfile *profile = restore(corp());
        assert_false(profile->rule.held);
        assert_false(profile->refused);
        assert_int_equal(files(), 0);
    }
}

static void a_link_is_not_followed_to_what_never_ends(void **state)
{
    keep(true, false);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *path = g_build_filename(folder, g_dir_read_name(dir), NULL);
    g_unlink(path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_false(restore(corp())->rule.held);
}

static void it_holds_on_the_same_network_alone(void **state)
{
    keep(true, false);
    assert_true(restore(corp())->rule.held);
    g_free(manager.where.network);
    manager.where.network = NULL; /* nobody has said yet which it is */
    assert_true(restore(corp())->rule.held);
    assert_string_equal(manager.where.network, "cafe");
    g_free(manager.where.network);
    manager.where.network = g_strdup("hotel");
    assert_false(restore(corp())->rule.held);
    assert_int_equal(files(), 0);
}

static void what_is_released_comes_back_free(void **state)
{
    keep(true, true);
    keep(false, false);
    assert_int_equal(files(), 0);
    assert_false(restore(corp())->rule.held);
}

static void without_rules_and_without_a_network_nothing_is_kept(void **state)
{
    ServiceProfile *manual = profile_of("", DIALTONE_LAYER_ADMINISTRATOR);
    manual->rule.held = true;
    service_hold_keep(&manager, manual);
    assert_int_equal(files(), 0);
    g_clear_pointer(&manager.where.network, g_free);
    keep(true, false);
    assert_int_equal(files(), 0);
}

static void a_refused_password_holds_for_the_same_text(void **state)
{
    keep(false, true);
    assert_true(restore(corp())->refused);
    assert_false(restore(profile_of("Connect=untrusted\n", DIALTONE_LAYER_ADMINISTRATOR))->refused);
    assert_int_equal(files(), 0);
}

/* Whoever has the same UUID is not the same. */
static void what_is_a_user_s_and_what_is_the_system_s_are_two(void **state)
{
    keep(true, true);
    const ServiceProfile *users = restore(profile_of("Connect=always\n", DIALTONE_LAYER_USER));
    assert_false(users->rule.held || users->refused);
    assert_true(restore(corp())->rule.held);
}

static void nobody_else_can_read_it_and_it_holds_no_text(void **state)
{
    struct stat info;
    keep(true, true);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *path = g_build_filename(folder, g_dir_read_name(dir), NULL), *bytes = NULL;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(g_file_get_contents(path, &bytes, NULL, NULL));
    assert_null(strstr(bytes, "example.com"));
}

static void many_profiles_of_a_user_s_do_not_fill_the_folder(void **state)
{
    for (guint i = 0; i < 400; i++) {
        ServiceProfile *profile = profile_of("Connect=always\n", DIALTONE_LAYER_USER);
        g_free(profile->profile->uuid);
        profile->profile->uuid = g_strdup_printf("%u", i);
        profile->rule.held = true;
        service_hold_keep(&manager, profile);
    }
    assert_int_equal(files(), 256);
    keep(false, true); /* nor keep the administrator's out */
    assert_true(restore(corp())->refused);
}

static void without_a_folder_nothing_is_kept(void **state)
{
    g_unsetenv("RUNTIME_DIRECTORY");
    keep(true, true);
    assert_false(restore(corp())->rule.held);
    assert_int_equal(files(), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_broken_holds_nothing_and_goes),
        CASE(a_link_is_not_followed_to_what_never_ends),
        CASE(it_holds_on_the_same_network_alone),
        CASE(what_is_released_comes_back_free),
        CASE(without_rules_and_without_a_network_nothing_is_kept),
        CASE(a_refused_password_holds_for_the_same_text),
        CASE(what_is_a_user_s_and_what_is_the_system_s_are_two),
        CASE(nobody_else_can_read_it_and_it_holds_no_text),
        CASE(many_profiles_of_a_user_s_do_not_fill_the_folder),
        CASE(without_a_folder_nothing_is_kept),
    };
    return cmocka_run_group_tests_name("service holds", tests, NULL, NULL);
}

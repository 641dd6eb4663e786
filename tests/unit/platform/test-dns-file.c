// SPDX-License-Identifier: GPL-2.0-or-later
/* /etc/resolv.conf replaced and put back: exactly, and never over somebody else's text.
 *
 * Mount points are tried where the test may unshare its mounts (as root), else those cases skip.
 */
#include "kit.h"

#include "platform/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORIGINAL "# mine\nnameserver 192.0.2.1\noptions edns0\n"

typedef struct Place {
    char *dir, *conf, *run, *saved;
    PlatformDnsPaths paths;
    PlatformDnsConfig config;
    struct stat before;
} Place;

static int set_up(void **state)
{
    Place *place = g_new0(Place, 1);

    place->dir = kit_make_dir();
    place->conf = kit_path(place->dir, "resolv.conf");
    place->run = kit_path(place->dir, "run");
    place->saved = kit_path(place->dir, "resolv.conf.before-dialtone0");
    assert_int_equal(mkdir(place->run, 0755), 0);
    place->paths = (PlatformDnsPaths){place->conf, place->run, "/nonexistent", "/nonexistent"};
    place->config.n_servers = 1;
    platform_address_parse("10.1.0.53", &place->config.servers[0]);
    kit_write(place->conf, ORIGINAL);
    const struct timespec times[2] = {{1500000000, 123456789}, {1400000000, 987654321}};

    assert_int_equal(chmod(place->conf, 0640), 0);
    assert_int_equal(utimensat(AT_FDCWD, place->conf, times, 0), 0);
    assert_int_equal(lstat(place->conf, &place->before), 0);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    Place *place = *state;

    umount2(place->conf, MNT_DETACH);
    kit_remove_dir(place->dir);
    g_free(place->conf);
    g_free(place->run);
    g_free(place->saved);
    g_free(place);
    return 0;
}

static void set(Place *place)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = platform_dns_file_set(&place->paths, "dialtone0", &place->config, &error);

    if (!ok)
        print_message("%s\n", error->message);
    assert_true(ok);
}

static void undo(Place *place)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = platform_dns_file_undo(&place->paths, "dialtone0", &error);

    if (!ok)
        print_message("%s\n", error->message);
    assert_true(ok);
}

static void assert_text(const char *path, const char *text)
{
    g_autofree char *now = kit_read(path);

    assert_non_null(now);
    assert_string_equal(now, text);
}

static void assert_ours(const Place *place, const char *server)
{
    g_autofree char *text = kit_read(place->conf);
    g_autofree char *owner = platform_dns_file_owner(text);
    g_autofree char *line = g_strdup_printf("\nnameserver %s\n", server);

    assert_non_null(owner);
    assert_string_equal(owner, "dialtone0");
    assert_non_null(strstr(text, line));
}

/* Nothing is left beside the file. */
static void assert_clean(const Place *place)
{
    g_autoptr(GDir) dir = g_dir_open(place->dir, 0, NULL);
    g_autoptr(GDir) run = g_dir_open(place->run, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)))
        assert_true(!strcmp(name, "resolv.conf") || !strcmp(name, "run") || !strcmp(name, "other"));
    assert_null(g_dir_read_name(run));
}

static void assert_as_before(const Place *place)
{
    struct stat now;

    assert_int_equal(lstat(place->conf, &now), 0);
    assert_int_equal(now.st_ino, place->before.st_ino);
    assert_int_equal(now.st_mode, place->before.st_mode);
    assert_int_equal(now.st_uid, place->before.st_uid);
    assert_int_equal(now.st_gid, place->before.st_gid);
    assert_int_equal(now.st_mtim.tv_sec, place->before.st_mtim.tv_sec);
    assert_int_equal(now.st_mtim.tv_nsec, place->before.st_mtim.tv_nsec);
    assert_text(place->conf, ORIGINAL);
    assert_clean(place);
}

/* ---- a file ---- */

static void test_a_file_comes_back_as_the_same_inode_mode_and_times(void **state)
{
    Place *place = *state;

    set(place);
    assert_ours(place, "10.1.0.53");
    undo(place);
    assert_as_before(place);
}

static void test_another_configuration_replaces_ours_and_keeps_the_original(void **state)
{
    Place *place = *state;

    set(place);
    platform_address_parse("10.1.0.54", &place->config.servers[0]);
    set(place);
    assert_ours(place, "10.1.0.54");
    undo(place);
    assert_as_before(place);
}

static void test_undo_of_nothing_changes_nothing_and_repeats(void **state)
{
    Place *place = *state;

    undo(place);
    undo(place);
    assert_as_before(place);
    set(place);
    undo(place);
    undo(place);
    assert_as_before(place);
}

static void test_a_file_that_was_missing_is_missing_again(void **state)
{
    Place *place = *state;

    assert_int_equal(unlink(place->conf), 0);
    set(place);
    assert_ours(place, "10.1.0.53");
    undo(place);
    assert_int_equal(access(place->conf, F_OK), -1);
    assert_clean(place);
}

/* ---- a symbolic link ---- */

static void link_to(Place *place, const char *target)
{
    assert_int_equal(unlink(place->conf), 0);
    assert_int_equal(symlink(target, place->conf), 0);
    assert_int_equal(lstat(place->conf, &place->before), 0);
}

static void assert_link(const Place *place, const char *target)
{
    g_autofree char *now = g_file_read_link(place->conf, NULL);
    struct stat status;

    assert_non_null(now);
    assert_string_equal(now, target);
    assert_int_equal(lstat(place->conf, &status), 0);
    assert_int_equal(status.st_ino, place->before.st_ino);
    assert_clean(place);
}

static void test_a_symbolic_link_comes_back_and_its_target_was_never_touched(void **state)
{
    Place *place = *state;
    g_autofree char *target = kit_path(place->dir, "other");

    kit_write(target, ORIGINAL);
    link_to(place, "other");
    set(place);
    assert_ours(place, "10.1.0.53");
    assert_text(target, ORIGINAL);
    assert_false(g_file_test(place->conf, G_FILE_TEST_IS_SYMLINK));
    undo(place);
    assert_link(place, "other");
    assert_text(target, ORIGINAL);
}

static void test_a_dangling_link_comes_back(void **state)
{
    Place *place = *state;

    link_to(place, "../run/nothing/here");
    set(place);
    assert_ours(place, "10.1.0.53");
    undo(place);
    assert_link(place, "../run/nothing/here");
}

/* ---- somebody else writes meanwhile ---- */

static void test_a_file_that_another_program_wrote_meanwhile_stays(void **state)
{
    Place *place = *state;

    set(place);
    kit_write(place->conf, "nameserver 198.51.100.1\n");
    undo(place);
    assert_text(place->conf, "nameserver 198.51.100.1\n");
    assert_clean(place);
}

static void test_a_file_that_another_program_renamed_into_place_stays(void **state)
{
    Place *place = *state;
    g_autofree char *fresh = kit_path(place->dir, "other");

    set(place);
    kit_write(fresh, "nameserver 198.51.100.2\n");
    assert_int_equal(rename(fresh, place->conf), 0);
    undo(place);
    assert_text(place->conf, "nameserver 198.51.100.2\n");
    assert_clean(place);
}

static void test_a_line_added_to_our_text_makes_it_theirs(void **state)
{
    Place *place = *state;

    set(place);
    g_autofree char *ours = kit_read(place->conf);
    g_autofree char *theirs = g_strconcat(ours, "options timeout:1\n", NULL);

    kit_write(place->conf, theirs);
    undo(place);
    assert_text(place->conf, theirs);
}

static void test_a_file_removed_meanwhile_stays_removed(void **state)
{
    Place *place = *state;

    set(place);
    assert_int_equal(unlink(place->conf), 0);
    undo(place);
    assert_int_equal(access(place->conf, F_OK), -1);
    assert_clean(place);
}

static void test_what_was_written_meanwhile_is_the_new_original(void **state)
{
    Place *place = *state;

    set(place);
    kit_write(place->conf, "nameserver 198.51.100.3\n");
    set(place);
    assert_ours(place, "10.1.0.53");
    undo(place);
    assert_text(place->conf, "nameserver 198.51.100.3\n");
    assert_clean(place);
}

static void test_another_tunnel_is_not_replaced(void **state)
{
    Place *place = *state;
    g_autoptr(GError) error = NULL;

    set(place);
    assert_false(platform_dns_file_set(&place->paths, "dialtone1", &place->config, &error));
    assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_BUSY));
    assert_true(platform_dns_file_undo(&place->paths, "dialtone1", NULL));
    assert_ours(place, "10.1.0.53");
    undo(place);
    assert_as_before(place);
}

/* ---- crashes: the steps of set one by one ---- */

static void test_a_crash_before_the_exchange_leaves_the_original(void **state)
{
    Place *place = *state;

    set(place);
    g_autofree char *ours = kit_read(place->conf);

    undo(place);
    kit_write(place->saved, ours);
    undo(place);
    assert_as_before(place);
}

static void test_a_crash_with_half_a_text_leaves_the_original(void **state)
{
    Place *place = *state;

    kit_write(place->saved, "# Dialtone wrote this file for dialt");
    undo(place);
    assert_as_before(place);
}

static void test_a_crash_while_changing_our_text_leaves_nothing_behind(void **state)
{
    Place *place = *state;
    g_autofree char *fresh = kit_path(place->dir, "resolv.conf.new-dialtone0");

    set(place);
    kit_write(fresh, "half a te");
    undo(place);
    assert_as_before(place);
}

static void test_e6_a_link_planted_where_the_original_is_kept_is_not_followed(void **state)
{
    Place *place = *state;
    g_autofree char *victim = kit_path(place->dir, "other");

    kit_write(victim, "precious");
    assert_int_equal(symlink(victim, place->saved), 0);
    set(place);
    assert_text(victim, "precious");
    undo(place);
    assert_as_before(place);
    assert_text(victim, "precious");
}

/* ---- a mount point ---- */

static void mount_over(Place *place)
{
    static bool unshared;
    g_autofree char *other = kit_path(place->dir, "other");

    if (!unshared && (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
                      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
        skip();
    unshared = true;
    kit_write(other, ORIGINAL);
    const struct timespec times[2] = {{1500000001, 5}, {1400000001, 7}};

    assert_int_equal(utimensat(AT_FDCWD, other, times, 0), 0);
    assert_int_equal(chmod(other, 0604), 0);
    if (mount(other, place->conf, NULL, MS_BIND, NULL) < 0)
        skip();
    assert_int_equal(stat(place->conf, &place->before), 0);
}

static void test_a_mount_point_is_written_in_place_and_comes_back_with_its_times(void **state)
{
    Place *place = *state;

    mount_over(place);
    set(place);
    assert_ours(place, "10.1.0.53");
    undo(place);
    assert_as_before(place);
}

static void test_a_mount_point_takes_another_configuration(void **state)
{
    Place *place = *state;

    mount_over(place);
    set(place);
    platform_address_parse("10.1.0.54", &place->config.servers[0]);
    set(place);
    assert_ours(place, "10.1.0.54");
    undo(place);
    assert_as_before(place);
}

static void test_a_mount_point_written_meanwhile_stays(void **state)
{
    Place *place = *state;

    mount_over(place);
    set(place);
    kit_write(place->conf, "nameserver 198.51.100.4\n");
    undo(place);
    assert_text(place->conf, "nameserver 198.51.100.4\n");
    assert_clean(place);
}

/* ---- whose text it is ---- */

static void test_texts_that_only_look_like_ours_are_not(void **state)
{
    static const char *const texts[] = {
        "",
        "# Dialtone wrote this file for ",
        "# Dialtone wrote this file for dialtone0",
        "# Dialtone wrote this file for dialtone0 (0123456789abcdef)\n",
        "# Dialtone wrote this file for dialtone0 (0123456789abcdef)",
        "# Dialtone wrote this file for dialtone0 ()\nnameserver 1.1.1.1\n",
        "# Dialtone wrote this file for ../../etc/x (0123456789abcdef)\n",
        "# Dialtone wrote this file for dialtone0dialtone0dialtone0 (0123456789abcdef)\n",
        "nameserver 10.0.0.1\n# Dialtone wrote this file for dialtone0 (0123456789abcdef)\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_null(platform_dns_file_owner(texts[i]));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_file_comes_back_as_the_same_inode_mode_and_times),
        CASE(test_another_configuration_replaces_ours_and_keeps_the_original),
        CASE(test_undo_of_nothing_changes_nothing_and_repeats),
        CASE(test_a_file_that_was_missing_is_missing_again),
        CASE(test_a_symbolic_link_comes_back_and_its_target_was_never_touched),
        CASE(test_a_dangling_link_comes_back),
        CASE(test_a_file_that_another_program_wrote_meanwhile_stays),
        CASE(test_a_file_that_another_program_renamed_into_place_stays),
        CASE(test_a_line_added_to_our_text_makes_it_theirs),
        CASE(test_a_file_removed_meanwhile_stays_removed),
        CASE(test_what_was_written_meanwhile_is_the_new_original),
        CASE(test_another_tunnel_is_not_replaced),
        CASE(test_a_crash_before_the_exchange_leaves_the_original),
        CASE(test_a_crash_with_half_a_text_leaves_the_original),
        CASE(test_a_crash_while_changing_our_text_leaves_nothing_behind),
        CASE(test_e6_a_link_planted_where_the_original_is_kept_is_not_followed),
        CASE(test_a_mount_point_is_written_in_place_and_comes_back_with_its_times),
        CASE(test_a_mount_point_takes_another_configuration),
        CASE(test_a_mount_point_written_meanwhile_stays),
        cmocka_unit_test(test_texts_that_only_look_like_ours_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One key changed, everything else as the user wrote it: comments, blanks, order, line ends, the
 * file's mode, and the link that it may be reached by.
 */
#include "profile-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/profile/edit.h"

typedef struct Row {
    const char *before, *after;
} Row;

/* Each sets [Phase1] Proposals=new. */
static const Row ROWS[] = {
    {"[Phase1]\nProposals=old\n", "[Phase1]\nProposals=new\n"},
    {"# a\n[Phase1]\n# b\nProposals = old\n\n# c\n[Phase2]\nProposals=old\n",
     "# a\n[Phase1]\n# b\nProposals=new\n\n# c\n[Phase2]\nProposals=old\n"},
    {"[Phase2]\nProposals=old\n[Phase1]\nLifetime=8h\n",
     "[Phase2]\nProposals=old\n[Phase1]\nProposals=new\nLifetime=8h\n"},
    {"[Phase1]\n#Proposals=old\n", "[Phase1]\nProposals=new\n#Proposals=old\n"},
    {"[Gateway]\nAddress=a\n", "[Gateway]\nAddress=a\n\n[Phase1]\nProposals=new\n"},
    {"", "\n[Phase1]\nProposals=new\n"},
    {"[Phase1]\nProposals=old", "[Phase1]\nProposals=new\n"},
    {"[Phase1]\r\nProposals=old\r\nLifetime=8h\r\n",
     "[Phase1]\r\nProposals=new\r\nLifetime=8h\r\n"},
    {"\xef\xbb\xbf[Phase1]\nProposals=old\n", "\xef\xbb\xbf[Phase1]\nProposals=new\n"},
    {"[Phase1]\nProposals=old\nProposals=older\n", "[Phase1]\nProposals=new\nProposals=older\n"},
    {"[Phase10]\nProposals=old\n", "[Phase10]\nProposals=old\n\n[Phase1]\nProposals=new\n"},
};

static void test_one_line_changes_and_no_other(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
        g_autofree char *after = dialtone_edit_set(ROWS[i].before, "Phase1", "Proposals", "new");
        assert_string_equal(after, ROWS[i].after);
    }
}

static void test_what_was_set_is_what_the_parser_reads(void **state)
{
    g_autofree char *text =
        dialtone_edit_set(GOOD_PROFILE, "Phase1", "Proposals", "aes192-sha384-ecp384");
    g_autoptr(DialtoneProfile) profile = expect_valid(text);
    assert_string_equal(dialtone_profile_value(profile, "Phase1", "Proposals"),
                        "aes192-sha384-ecp384");
}

/* Each takes [Phase1] Proposals away. */
static const Row GONE[] = {
    {"[Phase1]\n# a\nProposals=old\n# b\n", "[Phase1]\n# a\n# b\n"},
    {"[Phase2]\nProposals=old\n", "[Phase2]\nProposals=old\n"},
    {"[Phase1]\n#Proposals=old\n", "[Phase1]\n#Proposals=old\n"},
    {"[Phase1]\r\n Proposals = old\r\nLifetime=8h\r\n", "[Phase1]\r\nLifetime=8h\r\n"},
    {"[Phase1]\nProposals=old\nProposals=older\n", "[Phase1]\nProposals=older\n"},
    {"\xef\xbb\xbf[Phase1]\nProposals=old", "\xef\xbb\xbf[Phase1]\n"},
    {"", ""},
};

static void test_one_line_goes_and_no_other(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(GONE); i++) {
        g_autofree char *after = dialtone_edit_unset(GONE[i].before, "Phase1", "Proposals");
        assert_string_equal(after, GONE[i].after);
    }
}

typedef struct Place {
    char *folder, *file, *link;
} Place;

static int make_place(void **state)
{
    Place *place = g_new0(Place, 1);
    place->folder = g_dir_make_tmp("dialtone-XXXXXX", NULL);
    place->file = g_build_filename(place->folder, "a.dialtone", NULL);
    place->link = g_build_filename(place->folder, "b.dialtone", NULL);
    *state = place;
    return !g_file_set_contents(place->file, "before", -1, NULL) ||
           symlink("a.dialtone", place->link) != 0 || g_chmod(place->file, 0640) != 0;
}

static int remove_place(void **state)
{
    Place *place = *state;
    g_chmod(place->folder, 0700);
    g_unlink(place->link);
    g_unlink(place->file);
    g_rmdir(place->folder);
    g_free(place->folder);
    g_free(place->file);
    g_free(place->link);
    g_free(place);
    return 0;
}

static void test_mode_and_link_stay(void **state)
{
    const Place *place = *state;
    g_autofree char *text = NULL;
    struct stat info;
    assert_true(dialtone_edit_write(place->link, "after", NULL));
    assert_true(g_file_get_contents(place->file, &text, NULL, NULL));
    assert_string_equal(text, "after");
    assert_int_equal(g_stat(place->file, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_true(g_file_test(place->link, G_FILE_TEST_IS_SYMLINK));
}

static void test_what_is_not_there_is_an_error_with_advice(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_false(dialtone_edit_write("/nonexistent/a.dialtone", "after", &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_NOT_PERMITTED);
    assert_non_null(dialtone_failure_advice(error));
}

/* A name is a stranger's: no folder of it is entered, and no file taken from anybody. */
static void test_a_new_file_stays_in_its_folder_and_takes_nobody_elses_place(void **state)
{
    static const struct {
        const char *name, *file;
    } rows[] = {
        {"../../etc/passwd", "-..-etc-passwd.dialtone"},
        {".hidden", "hidden.dialtone"},
        {"", "profile.dialtone"},
        {"...", "profile 2.dialtone"},
        {"Office", "Office.dialtone"},
        {"Office", "Office 2.dialtone"},
    };
    const Place *place = *state;
    g_autofree char *folder = g_build_filename(place->folder, "deep", "profiles", NULL);
    g_autofree char *deep = g_path_get_dirname(folder);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *wanted = g_build_filename(folder, rows[i].file, NULL);
        g_autofree char *path = dialtone_edit_create(folder, rows[i].name, "text", NULL);
        struct stat info;
        assert_string_equal(path, wanted);
        assert_int_equal(g_stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_build_filename(folder, rows[i].file, NULL);
        g_autofree char *text = NULL;
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_string_equal(text, "text");
        g_unlink(path);
    }
    assert_int_equal(g_rmdir(folder), 0); /* nothing else is left in it */
    g_rmdir(deep);
}

/* The service reads a file as soon as it is there. */
static void test_a_new_file_is_there_with_its_text_or_not_at_all(void **state)
{
    const Place *place = *state;
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bool came = false;

    assert_true(inotify_add_watch(watch, place->folder, IN_CREATE | IN_MOVED_TO | IN_MODIFY) >= 0);
    g_autofree char *path = dialtone_edit_create(place->folder, "Office", "text", NULL);
    assert_non_null(path);
    ssize_t n = read(watch, events, sizeof(events));
    assert_true(n > 0);
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const void *)(events + at);
        bool is_it = event->len > 0 && strcmp(event->name, "Office.dialtone") == 0;
        assert_false(is_it && (event->mask & IN_MODIFY) != 0);
        came = came || is_it;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    assert_true(came);
    close(watch);
    g_unlink(path);
}

static void test_a_folder_that_can_not_be_made_is_an_error(void **state)
{
    const Place *place = *state;
    g_autoptr(GError) error = NULL;
    assert_null(dialtone_edit_create(place->file, "a", "text", &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_NOT_PERMITTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_changes_and_no_other),
        cmocka_unit_test(test_one_line_goes_and_no_other),
        cmocka_unit_test_setup_teardown(
            test_a_new_file_stays_in_its_folder_and_takes_nobody_elses_place, make_place,
            remove_place),
        cmocka_unit_test_setup_teardown(test_a_new_file_is_there_with_its_text_or_not_at_all,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_a_folder_that_can_not_be_made_is_an_error, make_place,
                                        remove_place),
        cmocka_unit_test(test_what_was_set_is_what_the_parser_reads),
        cmocka_unit_test_setup_teardown(test_mode_and_link_stay, make_place, remove_place),
        cmocka_unit_test(test_what_is_not_there_is_an_error_with_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

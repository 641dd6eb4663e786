/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One key changed, everything else as the user wrote it: comments, blanks, order, line ends, the
 * file's mode, and the link that it may be reached by.
 */
#include "profile-kit.h"

#include <glib/gstdio.h>
#include <string.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_changes_and_no_other),
        cmocka_unit_test(test_what_was_set_is_what_the_parser_reads),
        cmocka_unit_test_setup_teardown(test_mode_and_link_stay, make_place, remove_place),
        cmocka_unit_test(test_what_is_not_there_is_an_error_with_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

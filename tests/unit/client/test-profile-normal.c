/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The normal form, in which a profile is handed from the process that reads files to the one that
 * speaks to the network: it must mean the same. And that no input whatever gives both a profile
 * and an error, or neither.
 */
#include "profile-kit.h"

#include <string.h>

#include "client/profile/schema.h"

/* The tunnel gets the normal form without the file, and reports the name. */
static void test_any_file_gives_a_name_that_survives_the_normal_form(void **state)
{
    static const struct {
        const char *file, *name;
    } files[] = {
        {"office.dialtone", "office"},
        {"/a/b c/Head  office.dialtone", "Head  office"},
        {"-rf.dialtone", "rf"},
        {".hidden.dialtone", "hidden"},
        {"x.dialtone.dialtone", "x"},
        {".dialtone", "dialtone"},
        {"..", "profile"},
        {"/", "profile"},
        {"", "profile"},
        {" blanks .dialtone", "blanks"},
        {"a\\b.dialtone", "a\\b"},
        {"a\x1b[31m\nb.dialtone", "a[31m b"},
        {"\xff\xfe.dialtone", "dialtone"},
        {"profile", "profile"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(DialtoneProfile) p =
            dialtone_profile_parse(GOOD_PROFILE, strlen(GOOD_PROFILE), files[i].file, NULL);
        g_autofree char *text = dialtone_profile_to_text(p, false);
        g_autoptr(DialtoneProfile) again = expect_valid(text);
        if (strcmp(files[i].file, "\xff\xfe.dialtone") != 0)
            assert_string_equal(p->name, files[i].name);
        assert_string_equal(again->name, p->name);
    }
    g_autofree char *huge = g_strnfill(5000, 'x');
    g_autoptr(DialtoneProfile) p =
        dialtone_profile_parse(GOOD_PROFILE, strlen(GOOD_PROFILE), huge, NULL);
    g_autofree char *text = dialtone_profile_to_text(p, true);
    g_autoptr(DialtoneProfile) again = expect_valid(text);
    assert_string_equal(again->name, p->name);
}

/* The service and the tunnel get the normal form: it must mean the same. */
static void assert_normal_form_is_stable(const DialtoneProfile *profile)
{
    for (int defaults = 0; defaults < 2; defaults++) {
        g_autofree char *text = dialtone_profile_to_text(profile, defaults != 0);
        g_autoptr(GPtrArray) issues = NULL;
        g_autoptr(DialtoneProfile) again =
            dialtone_profile_parse(text, strlen(text), profile->name, &issues);
        assert_non_null(again);
        for (gsize i = 0; i < dialtone_profile_keys_n; i++)
            assert_int_equal(g_strcmp0(profile->values[i], again->values[i]), 0);
    }
}

static void test_the_normal_form_parses_to_the_same_profile(void **state)
{
    gsize n = 0;
    g_autofree char *sample = read_source_file("docs/sample.dialtone", &n);
    g_autoptr(DialtoneProfile) p = expect_valid(sample);
    g_autofree char *once = dialtone_profile_to_text(p, false);
    g_autoptr(DialtoneProfile) again = expect_valid(once);
    g_autofree char *twice = dialtone_profile_to_text(again, false);

    assert_normal_form_is_stable(p);
    assert_string_equal(once, twice);
}

/* Either a profile or an error, never both, never neither. */
static bool check_invariant(const char *bytes, gsize n)
{
    g_autoptr(GPtrArray) issues = NULL;
    g_autoptr(DialtoneProfile) profile = dialtone_profile_parse(bytes, n, "F", &issues);
    bool error = false;

    for (guint i = 0; i < issues->len; i++)
        error = error || !((const DialtoneIssue *)issues->pdata[i])->warning;
    assert_int_equal(error, profile == NULL);
    if (profile != NULL)
        assert_normal_form_is_stable(profile);
    return profile != NULL;
}

static void test_every_truncation_of_the_sample_is_a_profile_or_an_error(void **state)
{
    gsize n = 0;
    g_autofree char *sample = read_source_file("docs/sample.dialtone", &n);
    guint valid = 0;

    for (gsize cut = 0; cut <= n; cut++) {
        g_autofree char *exact = g_memdup2(sample, cut); /* no NUL behind it: ASan sees overreads */
        valid += check_invariant(exact, cut);
    }
    assert_in_range(valid, 1, n);
}

static void test_damaged_samples_are_profiles_or_errors(void **state)
{
    gsize n = 0;
    g_autofree char *sample = read_source_file("docs/sample.dialtone", &n);
    g_autoptr(GRand) random = g_rand_new_with_seed(20240717);
    guint refused = 0;

    for (guint round = 0; round < 3000; round++) {
        g_autofree char *bytes = g_memdup2(sample, n);
        for (gint edits = g_rand_int_range(random, 1, 4); edits > 0; edits--)
            bytes[g_rand_int_range(random, 0, (gint32)n)] = (char)g_rand_int_range(random, 0, 256);
        refused += !check_invariant(bytes, n);
    }
    assert_in_range(refused, 1000, 2999);
}

/* What `sort` or an editor did to a file: lines in another order, doubled, left out. */
static void test_shuffled_lines_are_profiles_or_errors(void **state)
{
    gsize n = 0;
    g_autofree char *sample = read_source_file("docs/sample.dialtone", &n);
    g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
    gint32 count = (gint32)g_strv_length(lines);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (guint round = 0; round < 1000; round++) {
        GString *text = g_string_new(NULL);
        for (gint32 i = 0; i < count; i++)
            g_string_append_printf(text, "%s\n", lines[g_rand_int_range(random, 0, count)]);
        check_invariant(text->str, text->len);
        g_string_free(text, TRUE);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_file_gives_a_name_that_survives_the_normal_form),
        cmocka_unit_test(test_the_normal_form_parses_to_the_same_profile),
        cmocka_unit_test(test_every_truncation_of_the_sample_is_a_profile_or_an_error),
        cmocka_unit_test(test_damaged_samples_are_profiles_or_errors),
        cmocka_unit_test(test_shuffled_lines_are_profiles_or_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

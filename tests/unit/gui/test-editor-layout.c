/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The editor shows everything that a profile can say: each setting of the schema once, each of its
 * words among what may be picked, and no two mnemonics that lead to different things.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "client/profile/schema.h"
#include "gui/editor-layout.h"

typedef void (*Visit)(const DialtoneEditorPage *page, const DialtoneSetting *setting,
                      gpointer data);

static void each(Visit visit, gpointer data)
{
    for (gsize i = 0; i < dialtone_editor_pages_n; i++)
        for (gsize k = 0; k < dialtone_editor_pages[i].n; k++)
            visit(&dialtone_editor_pages[i], &dialtone_editor_pages[i].settings[k], data);
}

static void count(const DialtoneEditorPage *page, const DialtoneSetting *setting, gpointer data)
{
    guint *times = data;
    const DialtoneProfileKey *row = dialtone_profile_key(setting->group, setting->key);
    if (row == NULL)
        fail_msg("[%s] %s is no setting", setting->group, setting->key);
    times[row - dialtone_profile_keys]++;
}

static void test_each_setting_is_in_the_editor_once(void **state)
{
    guint times[DIALTONE_PROFILE_KEYS_MAX] = {0};
    each(count, times);
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (times[i] != 1)
            fail_msg("[%s] %s is there %u times", dialtone_profile_keys[i].group,
                     dialtone_profile_keys[i].key, times[i]);
}

static gboolean is_option(const DialtoneOption *options, const char *word)
{
    for (; options != NULL && options->label != NULL; options++)
        if (options->typed == DIALTONE_TYPED_NOTHING && strcmp(options->word, word) == 0)
            return TRUE;
    return FALSE;
}

static void look_at_words(const DialtoneEditorPage *page, const DialtoneSetting *setting,
                          gpointer data)
{
    const DialtoneProfileKey *row = dialtone_profile_key(setting->group, setting->key);
    for (const DialtoneWord *word = row->words; word != NULL && word->word != NULL; word++)
        if (!is_option(setting->options, word->word))
            fail_msg("[%s] %s can't be %s", setting->group, setting->key, word->word);
    if (row->parse != dialtone_value_secret_source)
        return;
    assert_true(is_option(setting->options, "keyring"));
    assert_true(is_option(setting->options, "ask"));
    assert_true(is_option(setting->options, "system"));
}

static void test_each_word_of_the_schema_can_be_picked(void **state)
{
    each(look_at_words, NULL);
}

static void look_at_mnemonics(const DialtoneEditorPage *page, const DialtoneSetting *setting,
                              gpointer data)
{
    GHashTable *seen = data;
    const char *mark = strchr(setting->label, '_');
    assert_non_null(mark);
    g_autofree char *what = g_strdup_printf("%s %c", page->name, g_ascii_tolower(mark[1]));
    if (!g_hash_table_add(seen, g_strdup(what)))
        fail_msg("%s stands twice, once in %s", what, setting->label);
    if (strchr("cst", g_ascii_tolower(mark[1])) != NULL)
        fail_msg("%s is a mnemonic of the window", what);
}

static void test_mnemonics_lead_to_one_thing(void **state)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    each(look_at_mnemonics, seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_setting_is_in_the_editor_once),
        cmocka_unit_test(test_each_word_of_the_schema_can_be_picked),
        cmocka_unit_test(test_mnemonics_lead_to_one_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

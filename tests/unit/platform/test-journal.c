// SPDX-License-Identifier: GPL-2.0-or-later
/* The helper's journal: what a crash may have left of it, and what is read from that. */
#include "kit.h"

#include "platform/slot-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char *dir;
static int folder;

static int set_up(void **state)
{
    dir = kit_make_dir();
    folder = open(dir, O_RDONLY | O_DIRECTORY);
    return folder < 0;
}

static int tear_down(void **state)
{
    close(folder);
    kit_remove_dir(dir);
    return 0;
}

static unsigned count(const PlatformSlotJournal *journal)
{
    unsigned n = 0;

    for (int i = 0; i < PLATFORM_SLOT_NOTE_COUNT; i++)
        n += journal->noted[i];
    return n;
}

static PlatformSlotJournal load(void)
{
    PlatformSlotJournal journal;

    platform_slot_journal_load(&journal, folder, 7);
    return journal;
}

static char *journal_path(void)
{
    char name[PLATFORM_SLOT_JOURNAL_NAME];

    platform_slot_journal_name(7, name);
    return kit_path(dir, name);
}

static void write_journal(const char *text)
{
    g_autofree char *path = journal_path();

    kit_write(path, text);
}

static void test_a_missing_or_empty_journal_notes_nothing(void **state)
{
    assert_int_equal(count(&(PlatformSlotJournal){0}), 0);
    PlatformSlotJournal journal = load();

    assert_int_equal(count(&journal), 0);
    write_journal("");
    journal = load();
    assert_int_equal(count(&journal), 0);
}

static void test_notes_are_read_back_in_another_process_life(void **state)
{
    PlatformSlotJournal journal = load();

    for (int i = 0; i < PLATFORM_SLOT_NOTE_COUNT; i++) {
        assert_int_equal(platform_slot_journal_note(&journal, (PlatformSlotNote)i), 0);
        assert_int_equal(platform_slot_journal_note(&journal, (PlatformSlotNote)i), 0);
        PlatformSlotJournal again = load();

        assert_int_equal(count(&again), (unsigned)i + 1);
        assert_true(again.noted[i]);
    }
    platform_slot_journal_discard(&journal);
    journal = load();
    assert_int_equal(count(&journal), 0);
}

/* A change is made only after its line was synced whole, so a torn line stands for none. */
static void test_every_torn_journal_reads_as_the_lines_that_are_whole(void **state)
{
    PlatformSlotJournal journal = load();

    for (int i = 0; i < PLATFORM_SLOT_NOTE_COUNT; i++)
        assert_int_equal(platform_slot_journal_note(&journal, (PlatformSlotNote)i), 0);
    g_autofree char *path = journal_path();
    g_autofree char *text = kit_read(path);
    unsigned last = 0;

    for (size_t n = 0; n <= strlen(text); n++) {
        g_autofree char *torn = g_strndup(text, n);

        write_journal(torn);
        journal = load();
        assert_true(count(&journal) == last || count(&journal) == last + 1);
        if (count(&journal) > last)
            assert_int_equal(torn[n - 1], '\n');
        last = count(&journal);
    }
    assert_int_equal(last, PLATFORM_SLOT_NOTE_COUNT);
}

static void test_a_note_after_a_torn_line_is_read(void **state)
{
    PlatformSlotJournal journal = load();
    g_autofree char *path = journal_path();

    assert_int_equal(platform_slot_journal_note(&journal, PLATFORM_SLOT_NOTE_LINK), 0);
    int fd = open(path, O_WRONLY | O_APPEND);

    assert_int_equal(write(fd, "dns-fi", 6), 6);
    close(fd);
    assert_int_equal(platform_slot_journal_note(&journal, PLATFORM_SLOT_NOTE_TABLE), 0);
    journal = load();
    assert_true(journal.noted[PLATFORM_SLOT_NOTE_LINK]);
    assert_true(journal.noted[PLATFORM_SLOT_NOTE_TABLE]);
    assert_int_equal(count(&journal), 2);
}

static void test_garbage_notes_nothing(void **state)
{
    static const char *const texts[] = {
        "table",     "tablex\n", " table\n",   "table \n", "TABLE\n",
        "table\r\n", "\n\n\n",   "rm -rf /\n", "%s%n\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        write_journal(texts[i]);
        PlatformSlotJournal journal = load();

        assert_int_equal(count(&journal), 0);
    }
}

static void test_the_journal_of_another_network_namespace_is_not_ours(void **state)
{
    char name[PLATFORM_SLOT_JOURNAL_NAME];

    platform_slot_journal_name(7, name);
    name[strlen(name) - strlen("0.journal")] ^= 1;
    g_autofree char *path = kit_path(dir, name);

    kit_write(path, "\ntable\n");
    PlatformSlotJournal journal = load();

    assert_int_equal(count(&journal), 0);
    platform_slot_journal_discard(&journal);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_e6_a_link_in_the_journal_s_place_is_not_followed(void **state)
{
    g_autofree char *path = journal_path();
    g_autofree char *victim = kit_path(dir, "victim");

    kit_write(victim, "table\n");
    assert_int_equal(symlink(victim, path), 0);
    PlatformSlotJournal journal = load();

    assert_int_equal(count(&journal), 0);
    assert_int_equal(platform_slot_journal_note(&journal, PLATFORM_SLOT_NOTE_TABLE), -ELOOP);
    assert_false(journal.noted[PLATFORM_SLOT_NOTE_TABLE]);
    g_autofree char *text = kit_read(victim);

    assert_string_equal(text, "table\n");
}

static void test_a_full_disk_fails_the_note(void **state)
{
    PlatformSlotJournal journal = load();

    /* /dev/full by another name. */
    g_autofree char *path = journal_path();

    if (geteuid() != 0 || mknod(path, S_IFCHR | 0666, makedev(1, 7)) < 0)
        skip();
    int fd = open(path, O_WRONLY);

    if (fd < 0)
        skip();
    close(fd);
    assert_true(platform_slot_journal_note(&journal, PLATFORM_SLOT_NOTE_TABLE) < 0);
    assert_false(journal.noted[PLATFORM_SLOT_NOTE_TABLE]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_missing_or_empty_journal_notes_nothing),
        CASE(test_notes_are_read_back_in_another_process_life),
        CASE(test_every_torn_journal_reads_as_the_lines_that_are_whole),
        CASE(test_a_note_after_a_torn_line_is_read),
        CASE(test_garbage_notes_nothing),
        CASE(test_the_journal_of_another_network_namespace_is_not_ours),
        CASE(test_e6_a_link_in_the_journal_s_place_is_not_followed),
        CASE(test_a_full_disk_fails_the_note),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

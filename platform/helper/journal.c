// SPDX-License-Identifier: GPL-2.0-or-later
/* One line for each kind of change that the helper is about to make, synced before it makes it.
 *
 * Everything else follows from the slot's number, so a line is one word. A line that was torn by a
 * crash has no newline, and its change was not made. The file's name has the network namespace: the
 * directory may be shared between namespaces, rules and routes are not.
 */
#include "platform/helper/journal.h"

#include "platform/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { JOURNAL_MAX = 1024 };

static const char *const words[HELPER_NOTE_COUNT] = {
    [HELPER_NOTE_LINK] = "link",
    [HELPER_NOTE_TABLE] = "table",
    [HELPER_NOTE_RESOLVED] = "dns-resolved",
    [HELPER_NOTE_RESOLVCONF] = "dns-resolvconf",
    [HELPER_NOTE_FILE] = "dns-file",
};

void helper_journal_name(unsigned number, char name[HELPER_JOURNAL_NAME])
{
    snprintf(name, HELPER_JOURNAL_NAME, "%u.%llu.journal", number,
             (unsigned long long)platform_slot_namespace());
}

static int open_file(const HelperJournal *journal, int flags)
{
    char name[HELPER_JOURNAL_NAME];

    helper_journal_name(journal->number, name);
    return openat(journal->dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void take_line(HelperJournal *journal, const char *line)
{
    for (int i = 0; i < HELPER_NOTE_COUNT; i++) {
        if (!strcmp(line, words[i]))
            journal->noted[i] = true;
    }
}

void helper_journal_load(HelperJournal *journal, int dirfd, unsigned number)
{
    char text[JOURNAL_MAX + 1];

    *journal = (HelperJournal){.dirfd = dirfd, .number = number};
    int fd = open_file(journal, O_RDONLY | O_NONBLOCK);

    if (fd < 0)
        return;
    ssize_t n = read(fd, text, JOURNAL_MAX);

    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        take_line(journal, line);
    }
}

static bool is_empty(const HelperJournal *journal)
{
    for (int i = 0; i < HELPER_NOTE_COUNT; i++) {
        if (journal->noted[i])
            return false;
    }
    return true;
}

int helper_journal_note(HelperJournal *journal, HelperNote note)
{
    char line[32];
    int r = 0;

    if (journal->noted[note])
        return 0;
    bool first = is_empty(journal);
    /* The first note begins a new file: a torn one may be left from a crash. */
    int fd = open_file(journal, O_WRONLY | O_CREAT | (first ? O_TRUNC : O_APPEND));

    if (fd < 0)
        return -errno;
    /* Begins with a newline, lest it continues a line that a full disk tore. */
    int n = snprintf(line, sizeof line, "\n%s\n", words[note]);

    if (write(fd, line, (size_t)n) != n || fsync(fd) < 0)
        r = -EIO;
    close(fd);
    if (r == 0)
        journal->noted[note] = true;
    return r;
}

void helper_journal_discard(HelperJournal *journal)
{
    char name[HELPER_JOURNAL_NAME];

    helper_journal_name(journal->number, name);
    (void)unlinkat(journal->dirfd, name, 0);
    memset(journal->noted, 0, sizeof journal->noted);
}

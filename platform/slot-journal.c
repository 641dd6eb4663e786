// SPDX-License-Identifier: GPL-2.0-or-later
/* One line for each kind of change that a helper is about to make, synced before it makes it.
 *
 * Everything else follows from the slot's number, so a line is one word. A line that was torn by a
 * crash has no newline, and its change was not made. The file's name has the network namespace: the
 * directory may be shared between namespaces, rules and routes are not.
 */
#include "platform/slot-journal.h"

#include "platform/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { JOURNAL_MAX = 1024 };

static const char *const words[PLATFORM_SLOT_NOTE_COUNT] = {
    [PLATFORM_SLOT_NOTE_LINK] = "link",
    [PLATFORM_SLOT_NOTE_TABLE] = "table",
    [PLATFORM_SLOT_NOTE_RESOLVED] = "dns-resolved",
    [PLATFORM_SLOT_NOTE_RESOLVCONF] = "dns-resolvconf",
    [PLATFORM_SLOT_NOTE_FILE] = "dns-file",
};

void platform_slot_journal_name(unsigned number, char name[PLATFORM_SLOT_JOURNAL_NAME])
{
    snprintf(name, PLATFORM_SLOT_JOURNAL_NAME, "%u.%llu.journal", number,
             (unsigned long long)platform_slot_namespace());
}

static int open_file(const PlatformSlotJournal *journal, int flags)
{
    char name[PLATFORM_SLOT_JOURNAL_NAME];

    platform_slot_journal_name(journal->number, name);
    return openat(journal->dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void take_line(PlatformSlotJournal *journal, const char *line)
{
    for (int i = 0; i < PLATFORM_SLOT_NOTE_COUNT; i++) {
        if (!strcmp(line, words[i]))
            journal->noted[i] = true;
    }
}

void platform_slot_journal_load(PlatformSlotJournal *journal, int dirfd, unsigned number)
{
    char text[JOURNAL_MAX + 1];

    *journal = (PlatformSlotJournal){.dirfd = dirfd, .number = number};
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

static bool is_empty(const PlatformSlotJournal *journal)
{
    for (int i = 0; i < PLATFORM_SLOT_NOTE_COUNT; i++) {
        if (journal->noted[i])
            return false;
    }
    return true;
}

int platform_slot_journal_note(PlatformSlotJournal *journal, PlatformSlotNote note)
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

void platform_slot_journal_discard(PlatformSlotJournal *journal)
{
    char name[PLATFORM_SLOT_JOURNAL_NAME];

    platform_slot_journal_name(journal->number, name);
    (void)unlinkat(journal->dirfd, name, 0);
    memset(journal->noted, 0, sizeof journal->noted);
}

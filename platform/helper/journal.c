// SPDX-License-Identifier: GPL-2.0-or-later
/* N.journal: one line for each kind of change that the helper is about to make, synced before it
 * makes it.
 *
 * Everything else follows from the slot's number, so a line is one word. A line that was torn by a
 * crash has no newline, and its change was not made. The first line names the network namespace:
 * the directory may be shared between namespaces, rules and routes are not.
 */
#include "platform/helper/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOURNAL_MAX = 1024 };

static const char *const words[HELPER_NOTE_COUNT] = {
    [HELPER_NOTE_LINK] = "link",
    [HELPER_NOTE_TABLE] = "table",
    [HELPER_NOTE_RESOLVED] = "dns-resolved",
    [HELPER_NOTE_RESOLVCONF] = "dns-resolvconf",
    [HELPER_NOTE_FILE] = "dns-file",
};

static unsigned long long namespace_id(void)
{
    struct stat status;

    return stat("/proc/self/ns/net", &status) == 0 ? (unsigned long long)status.st_ino : 0;
}

static int open_file(const HelperJournal *journal, int flags)
{
    char name[32];

    snprintf(name, sizeof name, "%u.journal", journal->number);
    return openat(journal->dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void take_line(HelperJournal *journal, const char *line)
{
    unsigned long long id;

    if (sscanf(line, "netns %llu", &id) == 1) {
        journal->foreign = id != namespace_id();
        return;
    }
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
    char line[96];
    int n = 0, r = 0;

    if (journal->noted[note])
        return 0;
    bool first = is_empty(journal);
    /* The first note begins a new file: a torn one may be left from a crash. */
    int fd = open_file(journal, O_WRONLY | O_CREAT | (first ? O_TRUNC : O_APPEND));

    if (fd < 0)
        return -errno;
    if (first)
        n = snprintf(line, sizeof line, "netns %llu\n", namespace_id());
    /* Begins with a newline, lest it continues a line that a full disk tore. */
    n += snprintf(line + n, sizeof line - (size_t)n, "\n%s\n", words[note]);
    if (write(fd, line, (size_t)n) != n || fsync(fd) < 0)
        r = -EIO;
    close(fd);
    if (r == 0)
        journal->noted[note] = true;
    return r;
}

void helper_journal_discard(HelperJournal *journal)
{
    char name[32];

    snprintf(name, sizeof name, "%u.journal", journal->number);
    (void)unlinkat(journal->dirfd, name, 0);
    memset(journal->noted, 0, sizeof journal->noted);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the helper is about to change, written down before it does. */
#pragma once

#include <stdbool.h>

typedef enum HelperNote {
    HELPER_NOTE_LINK,     /* the interface */
    HELPER_NOTE_TABLE,    /* rules and routes of the slot's table */
    HELPER_NOTE_RESOLVED, /* DNS, by the way of that name */
    HELPER_NOTE_RESOLVCONF,
    HELPER_NOTE_FILE,
    HELPER_NOTE_COUNT,
} HelperNote;

typedef struct HelperJournal {
    int dirfd;
    unsigned number;
    bool noted[HELPER_NOTE_COUNT];
} HelperJournal;

enum { HELPER_JOURNAL_NAME = 64 };

/* Of the network namespace that we are in: others' rules and routes can't be undone from here. */
void helper_journal_name(unsigned number, char name[HELPER_JOURNAL_NAME]);
/* Reads what stands in the slot's journal under dirfd, up to the first line that is not whole. None
   is an empty one. */
void helper_journal_load(HelperJournal *journal, int dirfd, unsigned number);
/* On the disk when it returns 0. What was noted already is not written again. */
__attribute__((warn_unused_result)) int helper_journal_note(HelperJournal *journal,
                                                            HelperNote note);
/* All was undone. */
void helper_journal_discard(HelperJournal *journal);

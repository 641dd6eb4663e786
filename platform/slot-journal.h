/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the holder of a slot is about to change, written down before it does. */
#pragma once

#include <stdbool.h>

typedef enum PlatformSlotNote {
    PLATFORM_SLOT_NOTE_LINK,     /* the interface */
    PLATFORM_SLOT_NOTE_TABLE,    /* rules and routes of the slot's table */
    PLATFORM_SLOT_NOTE_RESOLVED, /* DNS, by the way of that name */
    PLATFORM_SLOT_NOTE_RESOLVCONF,
    PLATFORM_SLOT_NOTE_FILE,
    PLATFORM_SLOT_NOTE_COUNT,
} PlatformSlotNote;

typedef struct PlatformSlotJournal {
    int dirfd;
    unsigned number;
    bool noted[PLATFORM_SLOT_NOTE_COUNT];
} PlatformSlotJournal;

enum { PLATFORM_SLOT_JOURNAL_NAME = 64 };

/* Of the network namespace that we are in: others' rules and routes can't be undone from here. */
void platform_slot_journal_name(unsigned number, char name[PLATFORM_SLOT_JOURNAL_NAME]);
/* Reads what stands in the slot's journal under dirfd, up to the first line that is not whole. None
   is an empty one. */
void platform_slot_journal_load(PlatformSlotJournal *journal, int dirfd, unsigned number);
/* On the disk when it returns 0. What was noted already is not written again. */
__attribute__((warn_unused_result)) int platform_slot_journal_note(PlatformSlotJournal *journal,
                                                                   PlatformSlotNote note);
/* All was undone. */
void platform_slot_journal_discard(PlatformSlotJournal *journal);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where each setting of a profile stands in the editor, what it is called there, and what may be
 * picked for it. A test holds this against the schema. */
#pragma once

#include <glib.h>

#include "client/profile/value.h"

/* One thing that may be picked; the value is its word, with what is typed behind it. */
typedef struct DialtoneOption {
    const char *word;  /* "file:"; "" where the value is what is typed, or nothing */
    const char *label; /* untranslated */
    enum {
        DIALTONE_TYPED_NOTHING,
        DIALTONE_TYPED_TEXT,
        DIALTONE_TYPED_WITH_AT,    /* what has an @ is this one */
        DIALTONE_TYPED_WITHOUT_AT, /* ... and what has none is this */
        DIALTONE_TYPED_FILE,
        DIALTONE_TYPED_FOLDER,
        DIALTONE_TYPED_TOKEN,
    } typed;
    gboolean system; /* for profiles of the system */
} DialtoneOption;

enum { DIALTONE_OPTIONS_MAX = 8 };

typedef struct DialtoneSetting {
    const char *group, *key;
    const char *label;             /* untranslated, with its mnemonic */
    const char *heading;           /* untranslated; NULL: it goes on under the one before */
    const DialtoneOption *options; /* up to one without a label; NULL: it is typed, or a switch */
} DialtoneSetting;

typedef struct DialtoneEditorPage {
    const char *name;
    const char *title; /* untranslated */
    const DialtoneSetting *settings;
    gsize n;
} DialtoneEditorPage;

extern const DialtoneEditorPage dialtone_editor_pages[];
extern const gsize dialtone_editor_pages_n;

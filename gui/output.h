/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verb of the command line finds out, shown while it does. */
#pragma once

#include <gtk/gtk.h>

typedef struct DialtoneOutputSetup {
    const char *title;
    const char *hint;         /* what is seen here */
    const char *file;         /* how it is called when it is saved; NULL: it can't be */
    const char *const *words; /* of the verb, behind "dialtone"; ends with NULL */
    const char *nothing;      /* said where the verb has nothing to say; NULL: it always has */
    guint columns;            /* before the text of a line: what is too long goes on below that */
    gboolean is_finding;      /* an exit code is no failure, but what was found */
} DialtoneOutputSetup;

#define DIALTONE_TYPE_OUTPUT (dialtone_output_get_type())
G_DECLARE_FINAL_TYPE(DialtoneOutput, dialtone_output, DIALTONE, OUTPUT, GtkDialog)

/* Begins at once; closing it ends the verb. */
GtkWidget *dialtone_output_new(GtkWindow *parent, const DialtoneOutputSetup *setup);

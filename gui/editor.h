/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that a profile can say, to be changed by a person. */
#pragma once

#include <gtk/gtk.h>

#include "gui/catalog.h"
#include "gui/kept-secrets.h"
#include "gui/profile-file.h"

#define DIALTONE_TYPE_EDITOR (dialtone_editor_get_type())
G_DECLARE_FINAL_TYPE(DialtoneEditor, dialtone_editor, DIALTONE, EDITOR, GtkDialog)

/* Takes @file. The window is gone when it is done with. */
GtkWidget *dialtone_editor_new(GtkWindow *parent, DialtoneCatalog *catalog,
                               DialtoneProfileFile *file_take);
/* Secrets that go into the keyring when it is saved. */
void dialtone_editor_keep(DialtoneEditor *self, const DialtoneKeptSecrets *kept);
/* One in which something was changed that is not saved. Borrowed; NULL. */
GtkWindow *dialtone_editor_find_unsaved(void);
/* Asks whether that is to be discarded. @then is called when it is gone for that, and not when it
 * stays. */
typedef void (*DialtoneEditorThen)(gpointer data);
void dialtone_editor_give_up_then(GtkWindow *editor, DialtoneEditorThen then, gpointer data);

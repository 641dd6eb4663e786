/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a secret is typed, and a button that shows what was. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_SECRET_ENTRY (dialtone_secret_entry_get_type())
G_DECLARE_FINAL_TYPE(DialtoneSecretEntry, dialtone_secret_entry, DIALTONE, SECRET_ENTRY, GtkBox)

/* @name: for who can't see the label. */
GtkWidget *dialtone_secret_entry_new(const char *name);
/* A label's mnemonic leads there, and its "changed" tells what is typed; owned by @self. */
GtkEntry *dialtone_secret_entry_get_entry(DialtoneSecretEntry *self);
/* In locked memory, owned by @self. */
const char *dialtone_secret_entry_get_text(DialtoneSecretEntry *self);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a preshared key is typed for a profile that is made: what is wrong with it, or how weak it
 * is, stands below. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_KEY_ROW (dialtone_key_row_get_type())
G_DECLARE_FINAL_TYPE(DialtoneKeyRow, dialtone_key_row, DIALTONE, KEY_ROW, GtkBox)

/* Signal "changed": something else is typed. */
GtkWidget *dialtone_key_row_new(void);
/* Stands before it; owned by whoever shows it. */
GtkWidget *dialtone_key_row_get_label(DialtoneKeyRow *self);
/* Nothing, or what can be a key, or it is not shown. */
gboolean dialtone_key_row_is_good(DialtoneKeyRow *self);
/* As it was typed; owned by @self. */
const char *dialtone_key_row_get_text(DialtoneKeyRow *self);
/* With its label. */
void dialtone_key_row_set_shown(DialtoneKeyRow *self, gboolean shown);

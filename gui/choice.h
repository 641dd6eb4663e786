/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One value of a profile: what is picked of a few, and what is typed behind it. */
#pragma once

#include <gtk/gtk.h>

#include "gui/editor-layout.h"

#define DIALTONE_TYPE_CHOICE (dialtone_choice_get_type())
G_DECLARE_FINAL_TYPE(DialtoneChoice, dialtone_choice, DIALTONE, CHOICE, GtkBox)

/* @options end with one without a label; NULL: everything is typed. @system: those for profiles of
 * the system are offered. Signal "changed": a person has changed it. */
GtkWidget *dialtone_choice_new(const DialtoneOption *options, gboolean system);
void dialtone_choice_set_value(DialtoneChoice *self, const char *value);
/* The caller frees it. */
char *dialtone_choice_get_value(DialtoneChoice *self);
/* The mouse wheel over @combo turns the page that it stands on, and picks nothing. Where a window
 * is narrow, its text is cut. */
void dialtone_choice_set_up(GtkComboBox *combo);
/* What stands in an empty entry. */
void dialtone_choice_set_placeholder(DialtoneChoice *self, const char *text);
/* What a label's mnemonic leads to. */
GtkWidget *dialtone_choice_get_focus(DialtoneChoice *self);
/* The parts, told to whoever can't see that @label stands beside them. */
void dialtone_choice_set_label(DialtoneChoice *self, GtkLabel *label, const char *description);

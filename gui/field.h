/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One setting of a draft: its label, what it is changed with, and what is wrong with it. */
#pragma once

#include <gtk/gtk.h>

#include "client/profile/draft.h"
#include "gui/editor-layout.h"
#include "gui/kept-secrets.h"

#define DIALTONE_TYPE_FIELD (dialtone_field_get_type())
G_DECLARE_FINAL_TYPE(DialtoneField, dialtone_field, DIALTONE, FIELD, GtkBox)

/* @draft outlives it. @system: it changes a profile of the system. Signal "changed": the draft has
 * another value now. */
GtkWidget *dialtone_field_new(const DialtoneSetting *setting, DialtoneDraft *draft,
                              gboolean system);
/* Where it names the user's certificate, that is shown below, and what opens it is put into @kept,
 * which outlives it. */
void dialtone_field_set_kept(DialtoneField *self, DialtoneKeptSecrets *kept);
/* Stands before it; owned by whoever shows it. */
GtkWidget *dialtone_field_get_label(DialtoneField *self);
/* What the setting is for, and how it is written; the caller frees it. */
char *dialtone_field_dup_help(DialtoneField *self);
/* Shows what the draft has now. A setting that was never touched is not called missing, unless
 * @all. */
void dialtone_field_update(DialtoneField *self, gboolean all);
/* There is a mistake in it, and it is shown. */
gboolean dialtone_field_is_wrong(DialtoneField *self);
const DialtoneProfileKey *dialtone_field_get_row(DialtoneField *self);
void dialtone_field_focus(DialtoneField *self);

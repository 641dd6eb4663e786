/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One proposal: a cipher, a hash and a Diffie-Hellman group, each picked from a list. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_PROPOSAL_ROW (dialtone_proposal_row_get_type())
G_DECLARE_FINAL_TYPE(DialtoneProposalRow, dialtone_proposal_row, DIALTONE, PROPOSAL_ROW,
                     GtkListBoxRow)

/* Signal "changed": a person has changed it. */
GtkWidget *dialtone_proposal_row_new(gboolean phase1, const char *proposal);
/* The caller frees it. */
char *dialtone_proposal_row_get_value(DialtoneProposalRow *self);
/* "modp2048"; NULL: without one. */
const char *dialtone_proposal_row_get_group(DialtoneProposalRow *self);
/* What it is dragged by. */
GtkWidget *dialtone_proposal_row_get_handle(DialtoneProposalRow *self);
/* Both from 1. */
void dialtone_proposal_row_set_place(DialtoneProposalRow *self, guint place, guint attempt);

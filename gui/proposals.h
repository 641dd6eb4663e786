/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proposals of a phase: picked from lists, in an order that is changed by drag and by keyboard.
 */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_PROPOSALS (dialtone_proposals_get_type())
G_DECLARE_FINAL_TYPE(DialtoneProposals, dialtone_proposals, DIALTONE, PROPOSALS, GtkBox)

/* Signal "changed": a person has changed it. */
GtkWidget *dialtone_proposals_new(gboolean phase1);
/* As a profile has them: "aes256-sha256-modp2048;aes128-sha1-modp2048". */
void dialtone_proposals_set_value(DialtoneProposals *self, const char *value);
/* The caller frees it. */
char *dialtone_proposals_get_value(DialtoneProposals *self);
void dialtone_proposals_focus(DialtoneProposals *self);
/* What a label's mnemonic leads to. */
GtkWidget *dialtone_proposals_get_focus(DialtoneProposals *self);
void dialtone_proposals_set_name(DialtoneProposals *self, const char *name,
                                 const char *description);

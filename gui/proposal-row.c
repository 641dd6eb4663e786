/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can't stand in a proposal of the phase is not in its lists. A word that none of them has
 * stays as it was written until something is picked in its place; the profile's own check says what
 * is wrong with it.
 */
#include "gui/proposal-row.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/profile.h"
#include "gui/choice.h"

enum { KINDS = 3, WORDS_MAX = 8 };
enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneProposalRow {
    GtkListBoxRow parent_instance;
    gboolean phase1;
    gboolean updating;
    char *strange; /* what was written and can't be shown; NULL */
    GtkWidget *handle;
    GtkComboBoxText *combos[KINDS]; /* by IkeAlgKind */
    GtkWidget *weak;
    GtkLabel *attempt;
};

G_DEFINE_TYPE(DialtoneProposalRow, dialtone_proposal_row, GTK_TYPE_LIST_BOX_ROW)

/* ---- what there is ---- */

static gboolean is_weak(IkeAlgKind kind, const char *name)
{
    switch (kind) {
    case IKE_ALG_CIPHER:
        return ike_cipher_by_name(name)->weak;
    case IKE_ALG_HASH:
        return ike_hash_by_name(name)->weak;
    case IKE_ALG_GROUP:
        return ike_group_by_name(name)->weak;
    }
    return FALSE;
}

static gboolean is_offered(const DialtoneProposalRow *self, IkeAlgKind kind, const char *name)
{
    switch (kind) {
    case IKE_ALG_CIPHER:
        return self->phase1 ? ike_cipher_by_name(name)->phase1 != 0
                            : ike_cipher_by_name(name)->esp != 0;
    case IKE_ALG_HASH:
        return self->phase1 ? ike_hash_by_name(name)->phase1 != 0
                            : ike_hash_by_name(name)->integrity != 0;
    case IKE_ALG_GROUP:
        return TRUE;
    }
    return FALSE;
}

static void fill(DialtoneProposalRow *self, IkeAlgKind kind)
{
    const char *name;
    if (!self->phase1 && kind == IKE_ALG_GROUP)
        gtk_combo_box_text_append(self->combos[kind], "", _("no PFS"));
    for (size_t i = 0; (name = ike_alg_name(kind, i)) != NULL; i++) {
        g_autofree char *label =
            is_weak(kind, name) ? g_strdup_printf(_("%s (weak)"), name) : g_strdup(name);
        if (is_offered(self, kind, name))
            gtk_combo_box_text_append(self->combos[kind], name, label);
    }
}

static const char *picked(DialtoneProposalRow *self, IkeAlgKind kind)
{
    const char *id = gtk_combo_box_get_active_id(GTK_COMBO_BOX(self->combos[kind]));
    return id != NULL && *id != '\0' ? id : NULL;
}

const char *dialtone_proposal_row_get_group(DialtoneProposalRow *self)
{
    return picked(self, IKE_ALG_GROUP);
}

static gboolean is_aead(DialtoneProposalRow *self)
{
    const char *cipher = picked(self, IKE_ALG_CIPHER);
    return cipher != NULL && ike_cipher_is_aead(ike_cipher_by_name(cipher));
}

/* ---- the value ---- */

char *dialtone_proposal_row_get_value(DialtoneProposalRow *self)
{
    GString *value = g_string_new(NULL);
    if (self->strange != NULL)
        return g_string_free(g_string_append(value, self->strange), FALSE);
    for (int kind = 0; kind < KINDS; kind++) {
        const char *name = picked(self, (IkeAlgKind)kind);
        if (name != NULL && !(kind == IKE_ALG_HASH && is_aead(self)))
            g_string_append_printf(value, "%s%s", value->len > 0 ? "-" : "", name);
    }
    return g_string_free(value, FALSE);
}

static void update(DialtoneProposalRow *self)
{
    gboolean weak = FALSE, aead = is_aead(self);
    for (int kind = 0; kind < KINDS; kind++) {
        const char *name = picked(self, (IkeAlgKind)kind);
        weak |= name != NULL && !(kind == IKE_ALG_HASH && aead) && is_weak((IkeAlgKind)kind, name);
    }
    gtk_widget_set_opacity(self->weak, weak ? 1 : 0);
    gtk_widget_set_sensitive(GTK_WIDGET(self->combos[IKE_ALG_HASH]), !aead);
    if (aead)
        gtk_combo_box_set_active(GTK_COMBO_BOX(self->combos[IKE_ALG_HASH]), -1);
    else if (self->strange == NULL && picked(self, IKE_ALG_HASH) == NULL)
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(self->combos[IKE_ALG_HASH]), "sha256");
}

static gboolean pick(DialtoneProposalRow *self, const char *word)
{
    for (int kind = 0; kind < KINDS; kind++) {
        GtkComboBox *combo = GTK_COMBO_BOX(self->combos[kind]);
        if (*word != '\0' && gtk_combo_box_get_active(combo) < 0 &&
            gtk_combo_box_set_active_id(combo, word))
            return TRUE;
    }
    return FALSE;
}

static void show_value(DialtoneProposalRow *self, const char *proposal)
{
    g_auto(GStrv) words = g_strsplit(proposal, "-", WORDS_MAX);
    gboolean known = TRUE;
    self->updating = TRUE;
    for (gsize i = 0; words[i] != NULL; i++)
        known = pick(self, words[i]) && known;
    if (!self->phase1 && picked(self, IKE_ALG_GROUP) == NULL)
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(self->combos[IKE_ALG_GROUP]), "");
    update(self);
    g_autofree char *shown = dialtone_proposal_row_get_value(self);
    if (!known || strcmp(shown, proposal) != 0)
        self->strange = g_strdup(proposal);
    self->updating = FALSE;
}

static void on_picked(GtkComboBox *combo, gpointer data)
{
    DialtoneProposalRow *self = data;
    if (self->updating)
        return;
    g_clear_pointer(&self->strange, g_free);
    self->updating = TRUE;
    update(self);
    self->updating = FALSE;
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

/* ---- what it looks like ---- */

GtkWidget *dialtone_proposal_row_get_handle(DialtoneProposalRow *self)
{
    return self->handle;
}

void dialtone_proposal_row_set_place(DialtoneProposalRow *self, guint place, guint attempt)
{
    g_autofree char *value = dialtone_proposal_row_get_value(self);
    g_autofree char *text = g_strdup_printf(_("Attempt %u"), attempt);
    gboolean weak = gtk_widget_get_opacity(self->weak) > 0;
    g_autofree char *name =
        weak ? g_strdup_printf(_("%u: %s, weak, attempt %u"), place, value, attempt)
             : g_strdup_printf(_("%u: %s, attempt %u"), place, value, attempt);
    gtk_label_set_text(self->attempt, text);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(self)), name);
}

static void dialtone_proposal_row_finalize(GObject *object)
{
    g_free(DIALTONE_PROPOSAL_ROW(object)->strange);
    G_OBJECT_CLASS(dialtone_proposal_row_parent_class)->finalize(object);
}

static void dialtone_proposal_row_class_init(DialtoneProposalRowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = dialtone_proposal_row_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/dialtone/Dialtone/proposal-row.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneProposalRow, handle);
    gtk_widget_class_bind_template_child(widget_class, DialtoneProposalRow, weak);
    gtk_widget_class_bind_template_child(widget_class, DialtoneProposalRow, attempt);
    gtk_widget_class_bind_template_child_full(widget_class, "cipher", FALSE,
                                              G_STRUCT_OFFSET(DialtoneProposalRow, combos[0]));
    gtk_widget_class_bind_template_child_full(widget_class, "hash", FALSE,
                                              G_STRUCT_OFFSET(DialtoneProposalRow, combos[1]));
    gtk_widget_class_bind_template_child_full(widget_class, "group", FALSE,
                                              G_STRUCT_OFFSET(DialtoneProposalRow, combos[2]));
    gtk_widget_class_bind_template_callback(widget_class, on_picked);
}

static void dialtone_proposal_row_init(DialtoneProposalRow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *dialtone_proposal_row_new(gboolean phase1, const char *proposal)
{
    DialtoneProposalRow *self = g_object_new(DIALTONE_TYPE_PROPOSAL_ROW, NULL);
    self->phase1 = phase1;
    for (int kind = 0; kind < KINDS; kind++) {
        dialtone_choice_set_up(GTK_COMBO_BOX(self->combos[kind]));
        fill(self, (IkeAlgKind)kind);
    }
    show_value(self, proposal);
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kind of thing a setting is changed with follows from the schema and from the options that
 * the layout has for it. A field knows its own setting only; that of others may change what is
 * wrong here, so all are updated when one changes.
 */
#include "gui/field.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/schema.h"
#include "gui/certificate-card.h"
#include "gui/choice.h"
#include "gui/proposals.h"

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneField {
    GtkBox parent_instance;
    const DialtoneSetting *setting;
    const DialtoneProfileKey *row;
    DialtoneDraft *draft;
    GtkWidget *label;
    GtkWidget *control;            /* a DialtoneChoice, a DialtoneProposals, or a GtkSwitch */
    DialtoneCertificateCard *card; /* NULL: it names no certificate of the user's */
    GtkLabel *problem;
    gboolean touched;
    gboolean wrong;
    gboolean updating; /* the control is changed by this program */
    gboolean telling;  /* the control was changed by a person: it shows what they typed */
};

G_DEFINE_TYPE(DialtoneField, dialtone_field, GTK_TYPE_BOX)

/* ---- the value ---- */

static void take(DialtoneField *self, const char *value)
{
    if (self->updating)
        return;
    self->touched = TRUE;
    dialtone_draft_set(self->draft, self->row, value);
    self->telling = TRUE;
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
    self->telling = FALSE;
}

static void on_choice(DialtoneChoice *choice, gpointer data)
{
    g_autofree char *value = dialtone_choice_get_value(choice);
    take(data, value);
}

static void on_proposals(DialtoneProposals *proposals, gpointer data)
{
    g_autofree char *value = dialtone_proposals_get_value(proposals);
    take(data, value);
}

static void on_switch(GObject *object, GParamSpec *property, gpointer data)
{
    take(data, gtk_switch_get_active(GTK_SWITCH(object)) ? "yes" : "no");
}

static void show_value(DialtoneField *self, const char *value)
{
    self->updating = TRUE;
    if (DIALTONE_IS_CHOICE(self->control))
        dialtone_choice_set_value(DIALTONE_CHOICE(self->control), value);
    else if (DIALTONE_IS_PROPOSALS(self->control))
        dialtone_proposals_set_value(DIALTONE_PROPOSALS(self->control), value);
    else
        gtk_switch_set_active(GTK_SWITCH(self->control), strcmp(value, "yes") == 0);
    self->updating = FALSE;
}

static char *shown_value(DialtoneField *self)
{
    if (DIALTONE_IS_CHOICE(self->control))
        return dialtone_choice_get_value(DIALTONE_CHOICE(self->control));
    if (DIALTONE_IS_PROPOSALS(self->control))
        return dialtone_proposals_get_value(DIALTONE_PROPOSALS(self->control));
    return g_strdup(gtk_switch_get_active(GTK_SWITCH(self->control)) ? "yes" : "no");
}

/* ---- what is said of it ---- */

char *dialtone_field_dup_help(DialtoneField *self)
{
    g_autofree char *locked = dialtone_draft_locked(self->draft, self->row);
    if (locked != NULL)
        return g_strdup_printf(_("This can’t be changed: %s."), locked);
    return g_strdup(_(self->row->help));
}

/* As a sentence of its own: in the profile's messages it follows the name of the key. */
static char *sentence(const DialtoneIssue *issue)
{
    g_autofree char *first = g_utf8_substring(issue->message, 0, 1);
    g_autofree char *upper = g_utf8_strup(first, -1);
    const char *rest = issue->message + strlen(first);
    /* The name of an algorithm is written as it is. */
    gboolean word = strcspn(issue->message, " ") == strcspn(issue->message, " 0123456789");
    g_autofree char *text = g_strconcat(word ? upper : first, rest, NULL);
    if (g_str_has_suffix(text, ".") || g_str_has_suffix(text, "。"))
        return g_steal_pointer(&text);
    /* TRANSLATORS: a sentence and what your language ends one with. */
    return g_strdup_printf(_("%s."), text);
}

static void show_problem(DialtoneField *self, gboolean all)
{
    const DialtoneIssue *issue = dialtone_draft_issue(self->draft, self->row);
    gboolean told = issue != NULL && (all || self->touched || issue->warning ||
                                      dialtone_draft_has(self->draft, self->row));
    g_autofree char *text = told ? sentence(issue) : NULL;
    AtkObject *accessible = gtk_widget_get_accessible(GTK_WIDGET(self->problem));
    self->wrong = told && !issue->warning;
    gtk_label_set_text(self->problem, text != NULL ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(self->problem), text != NULL);
    atk_object_set_name(accessible, text != NULL ? text : "");
}

/* Of what proves who one is, a profile has one thing: what is not used is not shown. */
static gboolean is_used(DialtoneField *self)
{
    const DialtoneProfileKey *auth = dialtone_profile_key("Identity", "Auth");
    g_autofree char *how = dialtone_draft_get(self->draft, auth);
    const char *key = self->row->key;
    if (dialtone_draft_has(self->draft, self->row) &&
        dialtone_draft_issue(self->draft, self->row) != NULL)
        return TRUE;
    if (strcmp(key, "Certificate") == 0 || strcmp(key, "Key") == 0)
        return strcmp(how, "certificate") == 0 || *how == '\0';
    if (strcmp(key, "PSK") == 0)
        return strcmp(how, "psk") == 0 || *how == '\0';
    if (strcmp(key, "CA") == 0 || strcmp(key, "CRL") == 0 || strcmp(key, "RequireCRL") == 0)
        return strcmp(how, "psk") != 0;
    return TRUE;
}

static char *get(DialtoneField *self, const char *group, const char *key)
{
    return dialtone_draft_get(self->draft, dialtone_profile_key(group, key));
}

/* What an administrator put into a profile of the system is not the user's to look into. */
static void show_card(DialtoneField *self, const char *value, gboolean used)
{
    g_autofree char *id = get(self, "Identity", "ID"), *key = get(self, "Identity", "Key");
    g_autofree char *uuid = get(self, "Profile", "UUID"), *name = get(self, "Profile", "Name");
    const DialtoneIssue *issue = dialtone_draft_issue(self->draft, self->row);
    gboolean good =
        used && (issue == NULL || issue->warning) && dialtone_draft_has(self->draft, self->row);
    const DialtoneCertificateQuery query = {
        .source = good ? value : "", .id = id, .key = key, .profile = *uuid != '\0' ? uuid : name};
    dialtone_certificate_card_show(self->card, &query);
}

void dialtone_field_set_kept(DialtoneField *self, DialtoneKeptSecrets *kept)
{
    if (strcmp(self->row->group, "Identity") != 0 || strcmp(self->row->key, "Certificate") != 0)
        return;
    self->card = DIALTONE_CERTIFICATE_CARD(dialtone_certificate_card_new(kept));
    gtk_box_pack_start(GTK_BOX(self), GTK_WIDGET(self->card), FALSE, FALSE, 0);
    dialtone_field_update(self, FALSE);
}

void dialtone_field_update(DialtoneField *self, gboolean all)
{
    g_autofree char *value = dialtone_draft_get(self->draft, self->row);
    g_autofree char *shown = shown_value(self);
    g_autofree char *locked = dialtone_draft_locked(self->draft, self->row);
    gboolean used = is_used(self);
    g_strstrip(shown);
    if (!self->telling && strcmp(shown, value) != 0)
        show_value(self, value);
    gtk_widget_set_sensitive(self->control, locked == NULL);
    gtk_widget_set_sensitive(self->label, locked == NULL);
    gtk_widget_set_visible(GTK_WIDGET(self), used);
    gtk_widget_set_visible(self->label, used);
    show_problem(self, all);
    if (self->card != NULL)
        show_card(self, value, used);
    g_autofree char *help = dialtone_field_dup_help(self);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self), locked != NULL ? help : NULL);
}

gboolean dialtone_field_is_wrong(DialtoneField *self)
{
    return self->wrong;
}

const DialtoneProfileKey *dialtone_field_get_row(DialtoneField *self)
{
    return self->row;
}

GtkWidget *dialtone_field_get_label(DialtoneField *self)
{
    return self->label;
}

static GtkWidget *focus_of(DialtoneField *self)
{
    if (DIALTONE_IS_CHOICE(self->control))
        return dialtone_choice_get_focus(DIALTONE_CHOICE(self->control));
    if (DIALTONE_IS_PROPOSALS(self->control))
        return dialtone_proposals_get_focus(DIALTONE_PROPOSALS(self->control));
    return self->control;
}

void dialtone_field_focus(DialtoneField *self)
{
    if (DIALTONE_IS_PROPOSALS(self->control))
        dialtone_proposals_focus(DIALTONE_PROPOSALS(self->control));
    else
        gtk_widget_grab_focus(focus_of(self));
}

/* ---- the class ---- */

static void dialtone_field_dispose(GObject *object)
{
    g_clear_object(&DIALTONE_FIELD(object)->label);
    G_OBJECT_CLASS(dialtone_field_parent_class)->dispose(object);
}

static void dialtone_field_class_init(DialtoneFieldClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_field_dispose;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_field_init(DialtoneField *self)
{
    GtkWidget *problem = gtk_label_new(NULL);
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    g_object_set(problem, "xalign", 0.0, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR,
                 "max-width-chars", 48, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "weak");
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "small");
    gtk_box_pack_end(GTK_BOX(self), problem, FALSE, FALSE, 0);
    self->problem = GTK_LABEL(problem);
}

static GtkWidget *make_choice(DialtoneField *self, gboolean system)
{
    GtkWidget *choice = dialtone_choice_new(self->setting->options, system);
    if (self->row->fallback != NULL)
        dialtone_choice_set_placeholder(DIALTONE_CHOICE(choice), self->row->fallback);
    else if (self->setting->options == NULL && strpbrk(self->row->syntax, ".;:") != NULL)
        dialtone_choice_set_placeholder(DIALTONE_CHOICE(choice), _(self->row->syntax));
    g_signal_connect(choice, "changed", G_CALLBACK(on_choice), self);
    return choice;
}

static GtkWidget *make_switch(DialtoneField *self)
{
    GtkWidget *control = gtk_switch_new();
    gtk_widget_set_halign(control, GTK_ALIGN_START);
    g_signal_connect(control, "notify::active", G_CALLBACK(on_switch), self);
    return control;
}

static GtkWidget *make_proposals(DialtoneField *self)
{
    GtkWidget *control =
        dialtone_proposals_new(self->row->parse == dialtone_value_phase1_proposals);
    g_signal_connect(control, "changed", G_CALLBACK(on_proposals), self);
    return control;
}

static void make_control(DialtoneField *self, gboolean system)
{
    const DialtoneProfileKey *row = self->row;
    if (row->parse == dialtone_value_flag)
        self->control = make_switch(self);
    else if (row->parse == dialtone_value_phase1_proposals ||
             row->parse == dialtone_value_phase2_proposals)
        self->control = make_proposals(self);
    else
        self->control = make_choice(self, system);
    gtk_widget_show(self->control);
    gtk_box_pack_start(GTK_BOX(self), self->control, FALSE, FALSE, 0);
}

static void name_control(DialtoneField *self)
{
    const char *name = gtk_label_get_text(GTK_LABEL(self->label));
    const char *help = _(self->row->help);
    AtkObject *accessible = gtk_widget_get_accessible(self->control);
    if (DIALTONE_IS_CHOICE(self->control)) {
        dialtone_choice_set_label(DIALTONE_CHOICE(self->control), GTK_LABEL(self->label), help);
    } else if (DIALTONE_IS_PROPOSALS(self->control)) {
        dialtone_proposals_set_name(DIALTONE_PROPOSALS(self->control), name, help);
    } else {
        atk_object_set_name(accessible, name);
        atk_object_set_description(accessible, help);
    }
}

GtkWidget *dialtone_field_new(const DialtoneSetting *setting, DialtoneDraft *draft, gboolean system)
{
    DialtoneField *self = g_object_new(DIALTONE_TYPE_FIELD, "visible", TRUE, "hexpand", TRUE, NULL);
    self->setting = setting;
    self->row = dialtone_profile_key(setting->group, setting->key);
    self->draft = draft;
    make_control(self, system);
    self->label = g_object_ref_sink(gtk_label_new_with_mnemonic(_(setting->label)));
    g_object_set(self->label, "visible", TRUE, "xalign", 1.0, "valign", GTK_ALIGN_START,
                 "mnemonic-widget", focus_of(self), NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(self->label), "dim-label");
    gtk_style_context_add_class(gtk_widget_get_style_context(self->label), "setting");
    name_control(self);
    g_autofree char *value = dialtone_draft_get(draft, self->row);
    show_value(self, value);
    dialtone_field_update(self, FALSE);
    return GTK_WIDGET(self);
}

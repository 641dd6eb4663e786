/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry for each thing that is asked for. The gateway's words come from a stranger: they are
 * cleaned again, shown as text, and never where this program's own words stand. What may be kept in
 * the keyring is only what the profile looks for there.
 */
#include "gui/prompt.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/secrets.h"
#include "gui/secret-buffer.h"
#include "platform/secret-memory.h"

struct _DialtonePrompt {
    GtkDialog parent_instance;
    GtkLabel *heading;
    GtkLabel *hint;
    GtkLabel *warning;
    GtkWidget *words_box;
    GtkLabel *words;
    GtkLabel *challenge;
    GtkGrid *grid;
    GtkToggleButton *keep;
    GtkLabel *problem;
    GtkEntry *entries[TUNNEL_ASK_KINDS]; /* NULL: not asked for */
    gboolean keepable[TUNNEL_ASK_KINDS];
};

G_DEFINE_TYPE(DialtonePrompt, dialtone_prompt, GTK_TYPE_DIALOG)

static const DialtoneSecretMemory MEMORY = {platform_secret_alloc, platform_secret_free};

static void set_text(GtkLabel *label, const char *text)
{
    g_autofree char *clean =
        text != NULL ? dialtone_text_clean(text, strlen(text), IKE_TEXT_MAX, DIALTONE_TEXT_LINES)
                     : NULL;
    gtk_label_set_text(label, clean != NULL ? clean : "");
    gtk_widget_set_visible(GTK_WIDGET(label), clean != NULL && *clean != '\0');
}

/* ---- what is asked for ---- */

static const char *label_of(const TunnelAsked *asked)
{
    switch (asked->kind) {
    case TUNNEL_ASK_PSK:
        return _("Preshared _key");
    case IKE_ASK_USER:
        return _("_User name");
    case IKE_ASK_PASSWORD:
        return asked->once ? _("_One-time code") : _("_Password");
    case IKE_ASK_PASSCODE:
        return _("Passcod_e");
    case IKE_ASK_NEXT_PIN:
        return _("New P_IN");
    case IKE_ASK_DOMAIN:
        return _("_Domain (may be empty)");
    case TUNNEL_ASK_PASSPHRASE:
        return _("Passp_hrase");
    case TUNNEL_ASK_PIN:
        return _("PI_N");
    default:
        return _("_Answer");
    }
}

static gboolean may_keep(const DialtoneProfile *profile, const TunnelQuestion *question,
                         const TunnelAsked *asked)
{
    if (tunnel_question_opens_key(question))
        return TRUE;
    if (asked->once || *question->challenge != '\0')
        return FALSE;
    if (asked->kind == TUNNEL_ASK_PSK)
        return profile->psk_source == DIALTONE_SOURCE_KEYRING;
    return asked->kind == IKE_ASK_PASSWORD && *question->message == '\0' &&
           profile->password_source == DIALTONE_SOURCE_KEYRING && profile->user != NULL;
}

/* A domain may be left empty; all else has to be said. */
static void on_entry(GtkEditable *editable, gpointer data)
{
    DialtonePrompt *self = data;
    gboolean complete = TRUE;
    for (guint kind = 0; kind < TUNNEL_ASK_KINDS; kind++)
        if (self->entries[kind] != NULL && kind != IKE_ASK_DOMAIN)
            complete = complete && gtk_entry_get_text_length(self->entries[kind]) > 0;
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), GTK_RESPONSE_OK, complete);
    gtk_widget_hide(GTK_WIDGET(self->problem));
}

static void add_entry(DialtonePrompt *self, const TunnelAsked *asked, int row)
{
    GtkWidget *entry =
        asked->secret ? gtk_entry_new_with_buffer(dialtone_secret_buffer_new()) : gtk_entry_new();
    GtkWidget *label = gtk_label_new_with_mnemonic(label_of(asked));
    if (asked->secret)
        g_object_unref(gtk_entry_get_buffer(GTK_ENTRY(entry)));
    g_object_set(entry, "visibility", !asked->secret, "activates-default", TRUE, "hexpand", TRUE,
                 "input-purpose",
                 asked->secret ? GTK_INPUT_PURPOSE_PASSWORD : GTK_INPUT_PURPOSE_FREE_FORM, NULL);
    g_object_set(label, "xalign", 0.0, "mnemonic-widget", entry, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    atk_object_set_name(gtk_widget_get_accessible(entry), gtk_label_get_text(GTK_LABEL(label)));
    gtk_grid_attach(self->grid, label, 0, row, 1, 1);
    gtk_grid_attach(self->grid, entry, 1, row, 1, 1);
    gtk_widget_show(label);
    gtk_widget_show(entry);
    g_signal_connect(entry, "changed", G_CALLBACK(on_entry), self);
    self->entries[asked->kind] = GTK_ENTRY(entry);
}

static void add_entries(DialtonePrompt *self, const DialtonePromptSetup *setup)
{
    gboolean any = FALSE;
    for (gsize i = 0; i < setup->question->asked_n; i++) {
        const TunnelAsked *asked = &setup->question->asked[i];
        if (asked->kind >= TUNNEL_ASK_KINDS || self->entries[asked->kind] != NULL || asked->keypad)
            continue;
        add_entry(self, asked, (int)i);
        self->keepable[asked->kind] = may_keep(setup->profile, setup->question, asked);
        any |= self->keepable[asked->kind];
    }
    gtk_widget_set_visible(GTK_WIDGET(self->keep), any);
    /* A card is worth less where its PIN lies beside it: who wants that says so. */
    gtk_toggle_button_set_active(self->keep, any && self->entries[TUNNEL_ASK_PIN] == NULL);
}

/* ---- answers ---- */

static gboolean take_psk(DialtonePrompt *self, const char *text, IkeSecret *into)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneSecrets) typed =
        dialtone_secrets_typed_psk(text, strlen(text), &MEMORY, &error);
    if (typed != NULL && tunnel_secret_set(into, typed->psk.bytes, typed->psk.n))
        return TRUE;
    set_text(self->problem, typed == NULL ? error->message : _("This key is too long."));
    return FALSE;
}

gboolean dialtone_prompt_read(DialtonePrompt *self, TunnelAnswer *answer)
{
    for (guint kind = 0; kind < TUNNEL_ASK_KINDS; kind++) {
        if (self->entries[kind] == NULL)
            continue;
        const char *text = gtk_entry_get_text(self->entries[kind]);
        IkeSecret *into = &answer->given[kind];
        if (kind == TUNNEL_ASK_PSK ? take_psk(self, text, into)
                                   : tunnel_secret_set(into, text, strlen(text)))
            continue;
        if (kind != TUNNEL_ASK_PSK)
            set_text(self->problem, _("This answer is too long."));
        gtk_widget_grab_focus(GTK_WIDGET(self->entries[kind]));
        return FALSE;
    }
    return TRUE;
}

const char *dialtone_prompt_get_kept(DialtonePrompt *self, guint kind)
{
    gboolean keep = gtk_toggle_button_get_active(self->keep);
    return keep && self->keepable[kind] ? gtk_entry_get_text(self->entries[kind]) : NULL;
}

/* ---- the class ---- */

static void dialtone_prompt_class_init(DialtonePromptClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/prompt.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, heading);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, hint);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, warning);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, words_box);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, words);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, challenge);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, grid);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, keep);
    gtk_widget_class_bind_template_child(widget_class, DialtonePrompt, problem);
}

static void dialtone_prompt_init(DialtonePrompt *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_dialog_set_default_response(GTK_DIALOG(self), GTK_RESPONSE_OK);
}

static void show_words(DialtonePrompt *self, const TunnelQuestion *question)
{
    g_autofree char *challenge = *question->challenge != '\0'
                                     ? g_strdup_printf(_("Challenge: %s"), question->challenge)
                                     : NULL;
    set_text(self->words, question->message);
    set_text(self->challenge, challenge);
    gtk_widget_set_visible(self->words_box, *question->message != '\0' || challenge != NULL);
}

/* Of a key that is locked nothing is the gateway's to say. */
static void show_key_hint(DialtonePrompt *self, const DialtonePromptSetup *setup)
{
    const char *locked = _("The keyring is locked, so what it keeps is asked for.");
    g_autofree char *text =
        g_strdup_printf("%s\n%s", setup->question->message, setup->locked ? locked : "");
    set_text(self->hint, g_strchomp(text));
}

static void show_hint(DialtonePrompt *self, const DialtonePromptSetup *setup)
{
    const char *user = setup->question->user_name;
    g_autofree char *as = *user != '\0' ? g_strdup_printf(_("You sign in as %s."), user) : NULL;
    if (setup->question->again)
        set_text(self->hint, _("The gateway did not accept that. Try once more."));
    else if (setup->locked)
        set_text(self->hint, _("The keyring is locked, so what it keeps is asked for."));
    else
        set_text(self->hint, as);
}

GtkWidget *dialtone_prompt_new(const DialtonePromptSetup *setup)
{
    DialtonePrompt *self = g_object_new(DIALTONE_TYPE_PROMPT, "use-header-bar", TRUE, NULL);
    g_autofree char *heading = g_strdup_printf(_("Sign in to %s"), setup->profile->name);
    gtk_label_set_text(self->heading, heading);
    if (tunnel_question_opens_key(setup->question)) {
        show_key_hint(self, setup);
        gtk_widget_set_visible(
            gtk_dialog_get_widget_for_response(GTK_DIALOG(self), GTK_RESPONSE_OK),
            !tunnel_question_is_for_keypad(setup->question));
    } else {
        show_hint(self, setup);
        set_text(self->warning, setup->warning);
        show_words(self, setup->question);
    }
    add_entries(self, setup);
    on_entry(NULL, self);
    return GTK_WIDGET(self);
}

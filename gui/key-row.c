/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules are those of the secrets file and of the prompt: 0x begins bytes. */
#include "gui/key-row.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/secrets.h"
#include "client/profile/strength.h"
#include "gui/secret-entry.h"
#include "platform/secret-memory.h"

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneKeyRow {
    GtkBox parent_instance;
    DialtoneSecretEntry *entry;
    GtkWidget *label;
    GtkLabel *problem;
    gboolean wrong;
};

G_DEFINE_TYPE(DialtoneKeyRow, dialtone_key_row, GTK_TYPE_BOX)

/* NULL: nothing. The caller frees it. */
static char *problem_of(DialtoneKeyRow *self)
{
    static const DialtoneSecretMemory memory = {platform_secret_alloc, platform_secret_free};
    g_autoptr(GError) error = NULL;
    const char *text = dialtone_key_row_get_text(self);
    self->wrong = FALSE;
    if (*text == '\0')
        return NULL;
    g_autoptr(DialtoneSecrets) typed =
        dialtone_secrets_typed_psk(text, strlen(text), &memory, &error);
    self->wrong = typed == NULL;
    if (typed == NULL)
        return g_strdup(error->message);
    return dialtone_strength_warning(typed->psk.bytes, typed->psk.n);
}

static void on_changed(GtkEditable *editable, gpointer data)
{
    DialtoneKeyRow *self = data;
    g_autofree char *text = problem_of(self);
    gtk_label_set_text(self->problem, text != NULL ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(self->problem), text != NULL);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

GtkWidget *dialtone_key_row_get_label(DialtoneKeyRow *self)
{
    return self->label;
}

gboolean dialtone_key_row_is_good(DialtoneKeyRow *self)
{
    return !self->wrong || !gtk_widget_get_visible(GTK_WIDGET(self));
}

const char *dialtone_key_row_get_text(DialtoneKeyRow *self)
{
    return dialtone_secret_entry_get_text(self->entry);
}

void dialtone_key_row_set_shown(DialtoneKeyRow *self, gboolean shown)
{
    gtk_widget_set_visible(GTK_WIDGET(self), shown);
    gtk_widget_set_visible(self->label, shown);
}

static void dialtone_key_row_dispose(GObject *object)
{
    g_clear_object(&DIALTONE_KEY_ROW(object)->label);
    G_OBJECT_CLASS(dialtone_key_row_parent_class)->dispose(object);
}

static void dialtone_key_row_class_init(DialtoneKeyRowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_key_row_dispose;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_key_row_init(DialtoneKeyRow *self)
{
    GtkWidget *problem = gtk_label_new(NULL);
    self->label = g_object_ref_sink(gtk_label_new_with_mnemonic(_("Preshared _key")));
    self->entry = DIALTONE_SECRET_ENTRY(
        dialtone_secret_entry_new(gtk_label_get_text(GTK_LABEL(self->label))));
    GtkEntry *entry = dialtone_secret_entry_get_entry(self->entry);
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    g_object_set(problem, "xalign", 0.0, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR,
                 "max-width-chars", 48, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "weak");
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "small");
    gtk_entry_set_placeholder_text(entry, _("Empty: ask when connecting"));
    g_object_set(self->label, "xalign", 1.0, "valign", GTK_ALIGN_START, "mnemonic-widget", entry,
                 NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(self->label), "dim-label");
    gtk_style_context_add_class(gtk_widget_get_style_context(self->label), "setting");
    g_signal_connect(entry, "changed", G_CALLBACK(on_changed), self);
    gtk_box_pack_start(GTK_BOX(self), GTK_WIDGET(self->entry), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(self), problem, FALSE, FALSE, 0);
    self->problem = GTK_LABEL(problem);
}

GtkWidget *dialtone_key_row_new(void)
{
    return g_object_new(DIALTONE_TYPE_KEY_ROW, "hexpand", TRUE, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value leads: which option is shown follows from it, while it is typed as well, for the reader
 * of profiles decides by the value and not by what somebody meant. Who picks another kind of name
 * gets the one that they have typed in that form.
 */
#include "gui/choice.h"

#include <string.h>

#include "client/common/i18n.h"
#include "gui/token-chooser.h"

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneChoice {
    GtkBox parent_instance;
    const DialtoneOption *options; /* NULL: everything is typed */
    gboolean system;
    char *strange; /* a value that no option is for; NULL */
    gboolean updating;
    GtkComboBoxText *combo; /* NULL without options */
    GtkEntry *entry;
    GtkWidget *browse;
};

G_DEFINE_TYPE(DialtoneChoice, dialtone_choice, GTK_TYPE_BOX)

static void tell(DialtoneChoice *self)
{
    g_clear_pointer(&self->strange, g_free);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

/* ---- options ---- */

static gboolean fits(const DialtoneOption *option, const char *value)
{
    gboolean at = strchr(value, '@') != NULL;
    switch (option->typed) {
    case DIALTONE_TYPED_NOTHING:
        return strcmp(option->word, value) == 0;
    case DIALTONE_TYPED_WITH_AT:
        return at;
    case DIALTONE_TYPED_WITHOUT_AT:
        return !at;
    case DIALTONE_TYPED_TEXT:
    case DIALTONE_TYPED_FILE:
    case DIALTONE_TYPED_FOLDER:
    case DIALTONE_TYPED_TOKEN:
        return g_str_has_prefix(value, option->word);
    }
    return FALSE;
}

static const DialtoneOption *option_for(const DialtoneChoice *self, const char *value)
{
    for (const DialtoneOption *option = self->options; option->label != NULL; option++)
        if (fits(option, value))
            return option;
    return NULL;
}

static const DialtoneOption *picked(DialtoneChoice *self)
{
    const char *id = gtk_combo_box_get_active_id(GTK_COMBO_BOX(self->combo));
    return id != NULL ? &self->options[g_ascii_strtoull(id, NULL, 10)] : NULL;
}

static void offer(DialtoneChoice *self, const DialtoneOption *option)
{
    g_autofree char *id = g_strdup_printf("%d", (int)(option - self->options));
    gtk_combo_box_text_append(self->combo, id, _(option->label));
}

static void show_option(DialtoneChoice *self, const DialtoneOption *option)
{
    g_autofree char *id =
        option != NULL ? g_strdup_printf("%d", (int)(option - self->options)) : NULL;
    if (option != NULL && !gtk_combo_box_set_active_id(GTK_COMBO_BOX(self->combo), id)) {
        offer(self, option);
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(self->combo), id);
    }
    if (option == NULL)
        gtk_combo_box_set_active(GTK_COMBO_BOX(self->combo), -1);
    gboolean types = option != NULL && option->typed != DIALTONE_TYPED_NOTHING;
    gtk_widget_set_visible(GTK_WIDGET(self->entry), types);
    gtk_widget_set_hexpand(GTK_WIDGET(self->combo), !types);
    gtk_widget_set_visible(self->browse, types && (option->typed == DIALTONE_TYPED_FILE ||
                                                   option->typed == DIALTONE_TYPED_FOLDER ||
                                                   option->typed == DIALTONE_TYPED_TOKEN));
}

/* ---- the value ---- */

void dialtone_choice_set_value(DialtoneChoice *self, const char *value)
{
    g_autofree char *before = dialtone_choice_get_value(self);
    if (strcmp(before, value) == 0 &&
        (self->combo == NULL || gtk_combo_box_get_active(GTK_COMBO_BOX(self->combo)) >= 0))
        return;
    self->updating = TRUE;
    g_clear_pointer(&self->strange, g_free);
    const DialtoneOption *option = self->options != NULL ? option_for(self, value) : NULL;
    if (self->options != NULL && option == NULL)
        self->strange = g_strdup(value);
    if (self->options != NULL)
        show_option(self, option);
    gtk_entry_set_text(self->entry, option != NULL && option->typed == DIALTONE_TYPED_NOTHING ? ""
                                    : option != NULL ? value + strlen(option->word)
                                                     : value);
    self->updating = FALSE;
}

char *dialtone_choice_get_value(DialtoneChoice *self)
{
    const char *text = gtk_entry_get_text(self->entry);
    const DialtoneOption *option = self->combo != NULL ? picked(self) : NULL;
    if (self->strange != NULL)
        return g_strdup(self->strange);
    if (self->combo == NULL)
        return g_strdup(text);
    if (option == NULL)
        return g_strdup("");
    return option->typed == DIALTONE_TYPED_NOTHING ? g_strdup(option->word)
                                                   : g_strconcat(option->word, text, NULL);
}

/* alice@example.com and alice.example.com are the same person in two forms. */
static void take_form(DialtoneChoice *self, const DialtoneOption *option)
{
    const char *text = gtk_entry_get_text(self->entry);
    g_autofree char *changed = NULL;
    if (option->typed == DIALTONE_TYPED_WITHOUT_AT) {
        changed = g_strdelimit(g_strdup(text), "@", '.');
    } else if (option->typed == DIALTONE_TYPED_WITH_AT && strchr(text, '@') == NULL) {
        const char *dot = strchr(text, '.');
        changed = dot != NULL ? g_strdup_printf("%.*s@%s", (int)(dot - text), text, dot + 1)
                              : g_strconcat(text, "@", NULL);
    }
    if (changed != NULL)
        gtk_entry_set_text(self->entry, changed);
}

static void on_picked(GtkComboBox *combo, gpointer data)
{
    DialtoneChoice *self = data;
    if (self->updating)
        return;
    const DialtoneOption *option = picked(self);
    self->updating = TRUE;
    if (option != NULL)
        take_form(self, option);
    show_option(self, option);
    self->updating = FALSE;
    tell(self);
}

static void on_typed(GtkEditable *editable, gpointer data)
{
    DialtoneChoice *self = data;
    if (self->updating)
        return;
    const DialtoneOption *option = self->combo != NULL ? picked(self) : NULL;
    if (option != NULL &&
        (option->typed == DIALTONE_TYPED_WITH_AT || option->typed == DIALTONE_TYPED_WITHOUT_AT)) {
        self->updating = TRUE;
        show_option(self, option_for(self, gtk_entry_get_text(self->entry)));
        self->updating = FALSE;
    }
    tell(self);
}

/* A setting that happens to be under the pointer while a page is read is not to change. */
static gboolean on_scroll(GtkWidget *combo, GdkEvent *event, gpointer data)
{
    g_signal_stop_emission_by_name(combo, "scroll-event");
    return GDK_EVENT_PROPAGATE;
}

void dialtone_choice_set_up(GtkComboBox *combo)
{
    g_autoptr(GList) cells = gtk_cell_layout_get_cells(GTK_CELL_LAYOUT(combo));
    for (GList *at = cells; at != NULL; at = at->next)
        g_object_set(at->data, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
    g_signal_connect(combo, "scroll-event", G_CALLBACK(on_scroll), NULL);
}

/* ---- files ---- */

static void on_chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    g_autoptr(DialtoneChoice) self = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));
    if (response == GTK_RESPONSE_ACCEPT && path != NULL)
        gtk_entry_set_text(self->entry, path);
    g_object_unref(dialog);
}

/* All files that a profile names are of these. */
static void add_filters(GtkFileChooser *chooser)
{
    static const char *const patterns[] = {"*.p12", "*.pfx", "*.pem", "*.crt",
                                           "*.cer", "*.der", "*.key", "*.crl"};
    GtkFileFilter *known = gtk_file_filter_new(), *all = gtk_file_filter_new();
    gtk_file_filter_set_name(known, _("Certificates and keys"));
    for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++)
        gtk_file_filter_add_pattern(known, patterns[i]);
    gtk_file_filter_set_name(all, _("All files"));
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(chooser, known);
    gtk_file_chooser_add_filter(chooser, all);
}

static void on_token(GtkDialog *dialog, int response, gpointer data)
{
    DialtoneChoice *self = data;
    const char *uri = dialtone_token_chooser_get_uri(DIALTONE_TOKEN_CHOOSER(dialog));
    const DialtoneOption *option = picked(self);
    if (response == GTK_RESPONSE_OK && uri != NULL && option != NULL &&
        g_str_has_prefix(uri, option->word))
        gtk_entry_set_text(self->entry, uri + strlen(option->word));
}

static void browse_tokens(DialtoneChoice *self)
{
    GtkWidget *top = gtk_widget_get_toplevel(GTK_WIDGET(self));
    GtkWidget *dialog = dialtone_token_chooser_new(GTK_WINDOW(top));
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_token), self, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

static void on_browse(GtkButton *button, gpointer data)
{
    DialtoneChoice *self = data;
    const DialtoneOption *option = picked(self);
    if (option != NULL && option->typed == DIALTONE_TYPED_TOKEN) {
        browse_tokens(self);
        return;
    }
    gboolean folder = option != NULL && option->typed == DIALTONE_TYPED_FOLDER;
    GtkWidget *top = gtk_widget_get_toplevel(GTK_WIDGET(self));
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        folder ? _("Choose a Folder") : _("Choose a File"), GTK_WINDOW(top),
        folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER : GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
    if (!folder)
        add_filters(GTK_FILE_CHOOSER(dialog));
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), g_object_ref(self));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- what it looks like ---- */

void dialtone_choice_set_placeholder(DialtoneChoice *self, const char *text)
{
    gtk_entry_set_placeholder_text(self->entry, text);
}

GtkWidget *dialtone_choice_get_focus(DialtoneChoice *self)
{
    return self->combo != NULL ? GTK_WIDGET(self->combo) : GTK_WIDGET(self->entry);
}

void dialtone_choice_set_label(DialtoneChoice *self, GtkLabel *label, const char *description)
{
    const char *name = gtk_label_get_text(label);
    AtkObject *entry = gtk_widget_get_accessible(GTK_WIDGET(self->entry));
    atk_object_add_relationship(entry, ATK_RELATION_LABELLED_BY,
                                gtk_widget_get_accessible(GTK_WIDGET(label)));
    atk_object_set_name(entry, name);
    atk_object_set_description(entry, description);
    if (self->combo == NULL)
        return;
    AtkObject *combo = gtk_widget_get_accessible(GTK_WIDGET(self->combo));
    atk_object_set_name(combo, name);
    atk_object_set_description(combo, description);
    g_autofree char *browse = g_strdup_printf(_("Browse: %s"), name);
    atk_object_set_name(gtk_widget_get_accessible(self->browse), browse);
}

static void dialtone_choice_finalize(GObject *object)
{
    g_free(DIALTONE_CHOICE(object)->strange);
    G_OBJECT_CLASS(dialtone_choice_parent_class)->finalize(object);
}

static void dialtone_choice_class_init(DialtoneChoiceClass *class)
{
    G_OBJECT_CLASS(class)->finalize = dialtone_choice_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_choice_init(DialtoneChoice *self)
{
    gtk_box_set_spacing(GTK_BOX(self), 6);
    self->entry = GTK_ENTRY(gtk_entry_new());
    self->browse = gtk_button_new_from_icon_name("document-open-symbolic", GTK_ICON_SIZE_BUTTON);
    gtk_widget_set_tooltip_text(self->browse, _("Browse"));
    g_object_set(self->entry, "activates-default", TRUE, "hexpand", TRUE, "width-chars", 16, NULL);
    g_signal_connect(self->entry, "changed", G_CALLBACK(on_typed), self);
    g_signal_connect(self->browse, "clicked", G_CALLBACK(on_browse), self);
    gtk_box_pack_end(GTK_BOX(self), self->browse, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(self), GTK_WIDGET(self->entry), TRUE, TRUE, 0);
}

GtkWidget *dialtone_choice_new(const DialtoneOption *options, gboolean system)
{
    DialtoneChoice *self = g_object_new(DIALTONE_TYPE_CHOICE, "visible", TRUE, NULL);
    self->options = options;
    self->system = system;
    if (options == NULL) {
        gtk_widget_show(GTK_WIDGET(self->entry));
        return GTK_WIDGET(self);
    }
    self->combo = GTK_COMBO_BOX_TEXT(gtk_combo_box_text_new());
    for (const DialtoneOption *option = options; option->label != NULL; option++)
        if (system || !option->system)
            offer(self, option);
    dialtone_choice_set_up(GTK_COMBO_BOX(self->combo));
    g_signal_connect(self->combo, "changed", G_CALLBACK(on_picked), self);
    gtk_box_pack_start(GTK_BOX(self), GTK_WIDGET(self->combo), FALSE, TRUE, 0);
    gtk_widget_show(GTK_WIDGET(self->combo));
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way leads to the text of a profile, which is looked at before it is added: a file and what
 * was pasted are a stranger's until somebody has seen whom they connect to. A reader of another
 * format needs no page of its own: it makes such a text in take_text().
 */
#include "gui/assistant.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/draft.h"
#include "client/profile/issue.h"
#include "client/profile/schema.h"
#include "gui/editor.h"
#include "gui/facts.h"
#include "gui/field.h"
#include "gui/kept-secrets.h"
#include "gui/key-row.h"
#include "gui/profile-file.h"
#include "gui/profile-secrets.h"
#include "gui/window.h"

enum { RESPONSE_BACK = 1 };

struct _DialtoneAssistant {
    GtkDialog parent_instance;
    DialtoneCatalog *catalog;
    DialtoneDraft *draft;     /* NULL before there is a text */
    DialtoneDraft *questions; /* what the questions are about */
    GPtrArray *fields;        /* of DialtoneField, which the grid owns */
    DialtoneKeyRow *key;
    DialtoneKeptSecrets *kept;
    GtkStack *stack;
    GtkGrid *grid;
    GtkTextView *paste;
    GtkLabel *review_title;
    GtkListBox *summary;
    GtkLabel *problem;
    GtkWidget *back;
    GtkWidget *next;
    GtkWidget *more;
    gboolean asked;   /* the text is what was answered */
    gboolean storing; /* the keyring is waited for */
};

G_DEFINE_TYPE(DialtoneAssistant, dialtone_assistant, GTK_TYPE_DIALOG)

static const DialtoneSetting *setting_of(const char *group, const char *key)
{
    for (gsize i = 0; i < dialtone_editor_pages_n; i++)
        for (gsize k = 0; k < dialtone_editor_pages[i].n; k++)
            if (strcmp(dialtone_editor_pages[i].settings[k].group, group) == 0 &&
                strcmp(dialtone_editor_pages[i].settings[k].key, key) == 0)
                return &dialtone_editor_pages[i].settings[k];
    return NULL;
}

static const char *page(DialtoneAssistant *self)
{
    return gtk_stack_get_visible_child_name(self->stack);
}

static gboolean is_page(DialtoneAssistant *self, const char *name)
{
    return strcmp(page(self), name) == 0;
}

static gboolean has_pasted(DialtoneAssistant *self)
{
    return gtk_text_buffer_get_char_count(gtk_text_view_get_buffer(self->paste)) > 0;
}

static void update(DialtoneAssistant *self)
{
    gboolean start = is_page(self, "start"), review = is_page(self, "review");
    gboolean ready = is_page(self, "questions") ? dialtone_draft_profile(self->questions) != NULL &&
                                                      dialtone_key_row_is_good(self->key)
                     : review ? self->draft != NULL && dialtone_draft_profile(self->draft) != NULL
                              : has_pasted(self);
    gtk_widget_set_visible(self->back, !start);
    gtk_widget_set_visible(self->next, !start);
    gtk_widget_set_visible(self->more, review && self->draft != NULL);
    gtk_widget_set_sensitive(self->next, ready && !self->storing);
    gtk_widget_set_sensitive(self->back, !self->storing);
    gtk_widget_set_sensitive(self->more, !self->storing);
    gtk_button_set_label(GTK_BUTTON(self->next), review ? _("_Add") : _("_Next"));
    gtk_dialog_set_default_response(GTK_DIALOG(self), GTK_RESPONSE_OK);
}

static void show_page(DialtoneAssistant *self, const char *name)
{
    gtk_stack_set_visible_child_name(self->stack, name);
    update(self);
    if (is_page(self, "review"))
        gtk_widget_grab_focus(gtk_widget_get_sensitive(self->next) ? self->next : self->back);
}

/* ---- what it says ---- */

static void add_fact(DialtoneAssistant *self, const char *name, const char *value)
{
    g_autofree char *clean = dialtone_text_clean(value, strlen(value), 500, DIALTONE_TEXT_LINE);
    if (*clean != '\0')
        dialtone_facts_add(self->summary, name, clean);
}

static void add_setting(DialtoneAssistant *self, const char *name, const char *group,
                        const char *key)
{
    g_autofree char *value = dialtone_draft_get(self->draft, dialtone_profile_key(group, key));
    add_fact(self, name, value);
}

/* A label that stands alone has no mnemonic: "_Connect", "接続(_C)". */
static char *without_mnemonic(const char *label)
{
    const char *behind = strstr(label, "(_"), *mark = strchr(label, '_');
    if (behind != NULL)
        return g_strndup(label, (gsize)(behind - label));
    return mark != NULL ? g_strdup_printf("%.*s%s", (int)(mark - label), label, mark + 1)
                        : g_strdup(label);
}

/* What a profile does by itself, where it does anything. */
static void add_picked(DialtoneAssistant *self, const char *group, const char *key)
{
    const DialtoneProfileKey *row = dialtone_profile_key(group, key);
    const DialtoneSetting *setting = setting_of(group, key);
    g_assert(setting != NULL); /* the editor has every setting */
    g_autofree char *value = dialtone_draft_get(self->draft, row);
    g_autofree char *name = without_mnemonic(_(setting->label));
    if (strcmp(value, row->fallback) == 0)
        return;
    for (const DialtoneOption *option = setting->options; option->label != NULL; option++)
        if (strcmp(option->word, value) == 0)
            add_fact(self, name, _(option->label));
}

static char *mistakes_of(const DialtoneDraft *draft)
{
    const GPtrArray *issues = dialtone_draft_issues(draft);
    GString *all = g_string_new(NULL);
    for (guint i = 0; i < issues->len; i++) {
        g_autofree char *line = dialtone_issue_text(issues->pdata[i], _("The text"));
        g_string_append_printf(all, "%s%s", all->len > 0 ? "\n" : "", line);
    }
    return g_string_free(all, FALSE);
}

static void remove_row(GtkWidget *row, gpointer data)
{
    gtk_widget_destroy(row);
}

static void show_review(DialtoneAssistant *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    g_autofree char *mistakes = mistakes_of(self->draft);
    gtk_container_foreach(GTK_CONTAINER(self->summary), remove_row, NULL);
    gtk_label_set_text(self->review_title, profile != NULL
                                               ? _("Add this profile?")
                                               : _("This is no profile that can be used"));
    if (profile != NULL) {
        add_fact(self, _("Name"), profile->name);
        add_setting(self, _("Gateway"), "Gateway", "Address");
        add_setting(self, _("You"), "Identity", "ID");
        add_setting(self, _("User"), "UserAuth", "User");
        add_setting(self, _("Phase 1"), "Phase1", "Proposals");
        add_setting(self, _("Phase 2"), "Phase2", "Proposals");
        add_setting(self, _("Networks"), "Phase2", "Networks");
        add_picked(self, "Rules", "Connect");
        add_picked(self, "Network", "KillSwitch");
    }
    gtk_widget_set_visible(GTK_WIDGET(self->summary), profile != NULL);
    gtk_label_set_text(self->problem, mistakes);
    gtk_widget_set_visible(GTK_WIDGET(self->problem), *mistakes != '\0');
    show_page(self, "review");
}

/* ---- the text ---- */

static void set(DialtoneDraft *draft, const char *group, const char *key, const char *value)
{
    dialtone_draft_set(draft, dialtone_profile_key(group, key), value);
}

/* Added twice, it is two profiles. */
static void make_unique(DialtoneAssistant *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    if (profile == NULL)
        return;
    g_autofree char *name = dialtone_catalog_free_name(self->catalog, profile->name);
    gboolean new_uuid =
        profile->uuid == NULL || dialtone_catalog_has_uuid(self->catalog, profile->uuid);
    g_autofree char *uuid = g_uuid_string_random();
    set(self->draft, "Profile", "Name", name);
    if (new_uuid)
        set(self->draft, "Profile", "UUID", uuid);
}

static void take_text(DialtoneAssistant *self, const char *text, const char *file)
{
    g_clear_pointer(&self->draft, dialtone_draft_free);
    self->draft = dialtone_draft_new(text, file, NULL);
    make_unique(self);
    show_review(self);
}

static void refuse(DialtoneAssistant *self, const char *why)
{
    g_clear_pointer(&self->draft, dialtone_draft_free);
    gtk_label_set_text(self->review_title, _("This is no profile that can be used"));
    gtk_label_set_text(self->problem, why);
    gtk_widget_show(GTK_WIDGET(self->problem));
    gtk_widget_hide(GTK_WIDGET(self->summary));
    show_page(self, "review");
}

static void take_bytes(DialtoneAssistant *self, const char *bytes, gsize n, const char *file)
{
    g_autofree char *text = g_strndup(bytes, n);
    if (n > DIALTONE_PROFILE_BYTES_MAX)
        refuse(self, _("It is too long."));
    else if (strlen(text) != n || !g_utf8_validate(text, (gssize)n, NULL))
        refuse(self, _("It is no text. A profile is a file that ends in .dialtone."));
    else
        take_text(self, text, file);
}

/* A file that is read: one byte more than a profile may have tells what is longer. */
typedef struct Reading {
    DialtoneAssistant *assistant;
    char *name;
    char bytes[DIALTONE_PROFILE_BYTES_MAX + 1];
} Reading;

static void reading_free(Reading *reading)
{
    g_object_unref(reading->assistant);
    g_free(reading->name);
    g_free(reading);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reading, reading_free)

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(Reading) reading = data;
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    gboolean good = g_input_stream_read_all_finish(G_INPUT_STREAM(source), result, &n, &error);
    if (reading->assistant->catalog == NULL)
        return;
    if (good)
        take_bytes(reading->assistant, reading->bytes, n, reading->name);
    else
        refuse(reading->assistant, error->message);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneAssistant) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GFileInputStream) stream = g_file_read_finish(G_FILE(source), result, &error);
    if (self->catalog == NULL)
        return;
    if (stream == NULL) {
        refuse(self, error->message);
        return;
    }
    Reading *reading = g_new0(Reading, 1);
    reading->assistant = g_object_ref(self);
    reading->name = g_file_get_basename(G_FILE(source));
    g_input_stream_read_all_async(G_INPUT_STREAM(stream), reading->bytes, sizeof reading->bytes,
                                  G_PRIORITY_DEFAULT, NULL, on_read, reading);
}

static void read_file(DialtoneAssistant *self, GFile *file)
{
    self->asked = FALSE;
    g_file_read_async(file, G_PRIORITY_DEFAULT, NULL, on_opened, g_object_ref(self));
}

/* ---- the ways ---- */

static void on_chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    g_autoptr(DialtoneAssistant) self = data;
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    if (response == GTK_RESPONSE_ACCEPT && file != NULL && self->catalog != NULL)
        read_file(self, file);
    g_object_unref(dialog);
}

static void on_file(GtkButton *button, DialtoneAssistant *self)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Choose a Profile"), GTK_WINDOW(self), GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
    GtkFileFilter *profiles = gtk_file_filter_new(), *all = gtk_file_filter_new();
    gtk_file_filter_set_name(profiles, _("Profiles"));
    gtk_file_filter_add_pattern(profiles, "*" DIALTONE_PROFILE_SUFFIX);
    gtk_file_filter_set_name(all, _("All files"));
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), profiles);
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), all);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), g_object_ref(self));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void on_paste(GtkButton *button, DialtoneAssistant *self)
{
    self->asked = FALSE;
    show_page(self, "paste");
    gtk_widget_grab_focus(GTK_WIDGET(self->paste));
}

static void on_questions(GtkButton *button, DialtoneAssistant *self)
{
    self->asked = TRUE;
    show_page(self, "questions");
    dialtone_field_focus(self->fields->pdata[0]);
}

static void on_pasted(GtkTextBuffer *buffer, DialtoneAssistant *self)
{
    update(self);
}

static void take_pasted(DialtoneAssistant *self)
{
    GtkTextIter start, end;
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->paste);
    gtk_text_buffer_get_bounds(buffer, &start, &end);
    g_autofree char *text = gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
    take_bytes(self, text, strlen(text), "profile" DIALTONE_PROFILE_SUFFIX);
}

/* Who is asked nothing but the gateway's name calls the profile by it. */
static void take_answers(DialtoneAssistant *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->questions);
    g_autofree char *name = g_strconcat(g_array_index(profile->gateways, DialtoneEndpoint, 0).host,
                                        DIALTONE_PROFILE_SUFFIX, NULL);
    take_text(self, dialtone_draft_text(self->questions), name);
}

/* ---- the end ---- */

/* What was typed for this text, and is of use to it. */
static void take_key(DialtoneAssistant *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    const char *text = dialtone_key_row_get_text(self->key);
    dialtone_kept_secrets_set(self->kept, "psk", self->asked && *text != '\0' ? text : NULL);
    if (!self->asked)
        dialtone_kept_secrets_set(self->kept, "passphrase", NULL);
    dialtone_kept_secrets_limit(self->kept, profile);
}

static void tell(DialtoneAssistant *self, const char *problem)
{
    gtk_label_set_text(self->problem, problem);
    gtk_widget_show(GTK_WIDGET(self->problem));
}

static gboolean write_file(DialtoneAssistant *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneProfileFile) file = dialtone_profile_file_new("");
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    if (!dialtone_profile_file_save(file, profile->name, dialtone_draft_text(self->draft), TRUE,
                                    &error)) {
        tell(self, error->message);
        return FALSE;
    }
    dialtone_catalog_reload(self->catalog);
    DialtoneItem *item = dialtone_catalog_find_path(self->catalog, file->path);
    GtkWindow *window = gtk_window_get_transient_for(GTK_WINDOW(self));
    if (item != NULL && DIALTONE_IS_WINDOW(window))
        dialtone_window_show_item(DIALTONE_WINDOW(window), item);
    gtk_widget_destroy(GTK_WIDGET(self));
    return TRUE;
}

/* What nobody has a profile for; one that was made here had nothing in the keyring before. */
static void forget(DialtoneAssistant *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    if (self->asked)
        dialtone_profile_secrets_forget(profile->uuid);
}

static void on_stored(PlatformKeyringResult result, gpointer data)
{
    g_autoptr(DialtoneAssistant) self = data;
    self->storing = FALSE;
    if (self->catalog == NULL) { /* it was closed meanwhile */
        forget(self);
        return;
    }
    update(self);
    if (result != PLATFORM_KEYRING_DONE) {
        g_autofree char *text = g_strdup_printf(
            "%s %s", dialtone_kept_secrets_problem(result),
            _("Nothing was added yet. Try again, or go back and leave the secret out: it is asked "
              "for when you connect."));
        tell(self, text);
    } else if (!write_file(self)) {
        forget(self);
    }
}

/* The key is in the keyring before there is a profile that looks for it. What got there is wiped,
 * and may be wanted once more where the profile can't be written: that is a copy. */
static void add(DialtoneAssistant *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    DialtoneKeptSecrets *stored = dialtone_kept_secrets_new();
    gtk_widget_hide(GTK_WIDGET(self->problem));
    take_key(self);
    self->storing = TRUE;
    update(self);
    dialtone_kept_secrets_copy(stored, self->kept);
    dialtone_kept_secrets_store(stored, profile->uuid, profile->name, on_stored,
                                g_object_ref(self));
    dialtone_kept_secrets_free(stored);
}

static void on_more(GtkButton *button, DialtoneAssistant *self)
{
    GtkWidget *editor =
        dialtone_editor_new(gtk_window_get_transient_for(GTK_WINDOW(self)), self->catalog,
                            dialtone_profile_file_new(dialtone_draft_text(self->draft)));
    if (dialtone_draft_profile(self->draft) != NULL)
        take_key(self);
    dialtone_editor_keep(DIALTONE_EDITOR(editor), self->kept);
    gtk_window_present(GTK_WINDOW(editor));
    gtk_widget_destroy(GTK_WIDGET(self));
}

static void go_on(DialtoneAssistant *self)
{
    if (is_page(self, "paste"))
        take_pasted(self);
    else if (is_page(self, "questions"))
        take_answers(self);
    else if (self->draft != NULL && dialtone_draft_profile(self->draft) != NULL)
        add(self);
}

static void go_back(DialtoneAssistant *self)
{
    gboolean from_review = is_page(self, "review");
    show_page(self, from_review && self->asked        ? "questions"
                    : from_review && has_pasted(self) ? "paste"
                                                      : "start");
}

static void dialtone_assistant_response(GtkDialog *dialog, int response)
{
    DialtoneAssistant *self = DIALTONE_ASSISTANT(dialog);
    if (response == GTK_RESPONSE_OK)
        go_on(self);
    else if (response == RESPONSE_BACK)
        go_back(self);
    else
        gtk_widget_destroy(GTK_WIDGET(self));
}

/* ---- the questions ---- */

static void show_key(DialtoneAssistant *self)
{
    const DialtoneProfileKey *row = dialtone_profile_key("Identity", "Auth");
    g_autofree char *how = dialtone_draft_get(self->questions, row);
    dialtone_key_row_set_shown(self->key, strcmp(how, "psk") == 0);
}

static void on_answer(DialtoneField *field, gpointer data)
{
    DialtoneAssistant *self = data;
    for (guint i = 0; i < self->fields->len; i++)
        dialtone_field_update(self->fields->pdata[i], FALSE);
    show_key(self);
    update(self);
}

static void on_key(DialtoneKeyRow *key, gpointer data)
{
    update(data);
}

/* Below the question of which it is. */
static void add_key(DialtoneAssistant *self, int row)
{
    GtkWidget *key = dialtone_key_row_new();
    self->key = DIALTONE_KEY_ROW(key);
    gtk_grid_attach(self->grid, key, 1, row, 1, 1);
    gtk_grid_attach(self->grid, dialtone_key_row_get_label(self->key), 0, row, 1, 1);
    g_signal_connect(key, "changed", G_CALLBACK(on_key), self);
    show_key(self);
}

static void add_questions(DialtoneAssistant *self)
{
    static const struct {
        const char *group, *key;
    } asked[] = {
        {"Gateway", "Address"},      {"Identity", "ID"},   {"Identity", "Auth"},
        {"Identity", "Certificate"}, {"UserAuth", "User"},
    };
    g_autofree char *text = dialtone_profile_file_template();
    self->questions = dialtone_draft_new(text, "profile" DIALTONE_PROFILE_SUFFIX, NULL);
    for (gsize i = G_N_ELEMENTS(asked); i-- > 0;) { /* as the editor does */
        GtkWidget *field =
            dialtone_field_new(setting_of(asked[i].group, asked[i].key), self->questions, FALSE);
        GtkWidget *label = dialtone_field_get_label(DIALTONE_FIELD(field));
        gtk_grid_attach(self->grid, field, 1, (int)(2 * i), 1, 1);
        gtk_grid_attach(self->grid, label, 0, (int)(2 * i), 1, 1);
        g_signal_connect(field, "changed", G_CALLBACK(on_answer), self);
        dialtone_field_set_kept(DIALTONE_FIELD(field), self->kept);
        g_ptr_array_insert(self->fields, 0, field);
        if (strcmp(asked[i].key, "Certificate") == 0)
            add_key(self, (int)(2 * i) - 1);
    }
}

/* ---- the class ---- */

static void dialtone_assistant_dispose(GObject *object)
{
    DialtoneAssistant *self = DIALTONE_ASSISTANT(object);
    g_clear_object(&self->catalog);
    g_clear_pointer(&self->fields, g_ptr_array_unref);
    G_OBJECT_CLASS(dialtone_assistant_parent_class)->dispose(object);
}

static void dialtone_assistant_finalize(GObject *object)
{
    DialtoneAssistant *self = DIALTONE_ASSISTANT(object);
    g_clear_pointer(&self->draft, dialtone_draft_free);
    g_clear_pointer(&self->questions, dialtone_draft_free);
    g_clear_pointer(&self->kept, dialtone_kept_secrets_free);
    G_OBJECT_CLASS(dialtone_assistant_parent_class)->finalize(object);
}

static void dialtone_assistant_class_init(DialtoneAssistantClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_assistant_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_assistant_finalize;
    GTK_DIALOG_CLASS(class)->response = dialtone_assistant_response;
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/dialtone/Dialtone/assistant.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, stack);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, grid);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, paste);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, review_title);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, summary);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, problem);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, back);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, next);
    gtk_widget_class_bind_template_child(widget_class, DialtoneAssistant, more);
    gtk_widget_class_bind_template_callback(widget_class, on_file);
    gtk_widget_class_bind_template_callback(widget_class, on_paste);
    gtk_widget_class_bind_template_callback(widget_class, on_questions);
    gtk_widget_class_bind_template_callback(widget_class, on_pasted);
    gtk_widget_class_bind_template_callback(widget_class, on_more);
}

static void dialtone_assistant_init(DialtoneAssistant *self)
{
    self->fields = g_ptr_array_new();
    self->kept = dialtone_kept_secrets_new();
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *dialtone_assistant_new(GtkWindow *parent, DialtoneCatalog *catalog, GFile *file)
{
    DialtoneAssistant *self = g_object_new(DIALTONE_TYPE_ASSISTANT, "use-header-bar", TRUE,
                                           "transient-for", parent, NULL);
    self->catalog = g_object_ref(catalog);
    add_questions(self);
    show_page(self, "start");
    if (file != NULL)
        read_file(self, file);
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The editor works at a text; its fields show what that says, and the reader of profiles says what
 * is wrong with it after each key that is pressed. Nothing reaches the file before it is saved.
 */
#include "gui/editor.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/issue.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"
#include "gui/editor-layout.h"
#include "gui/field.h"
#include "gui/profile-secrets.h"
#include "gui/trial.h"

enum { RESPONSE_TEST = 1 };

typedef void (*EditorStep)(DialtoneEditor *self);

struct _DialtoneEditor {
    GtkDialog parent_instance;
    DialtoneCatalog *catalog;
    DialtoneProfileFile *file;
    DialtoneDraft *draft;
    DialtoneKeptSecrets *kept; /* for when it is saved */
    DialtoneTrial *trial;      /* NULL: none was begun */
    EditorStep saved;          /* what comes behind saving */
    DialtoneEditorThen then;   /* what waits for it to be gone; NULL: nothing does */
    gpointer then_data;
    gboolean storing;  /* the keyring is waited for */
    gboolean changed;  /* since it was written */
    GPtrArray *fields; /* of DialtoneField, which their pages own */
    GtkStack *stack;
    GtkWidget *sidebar;
    GtkInfoBar *bar;
    GtkLabel *message;
    GtkLabel *help;
    GtkWidget *save;
    GtkWidget *test;
};

G_DEFINE_TYPE(DialtoneEditor, dialtone_editor, GTK_TYPE_DIALOG)

static void tell(DialtoneEditor *self, GtkMessageType type, const char *text)
{
    gtk_info_bar_set_message_type(self->bar, type);
    gtk_label_set_text(self->message, text != NULL ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(self->bar), text != NULL);
}

static gboolean is_system(const DialtoneEditor *self)
{
    return dialtone_profile_file_base(self->file) != NULL;
}

/* ---- what is wrong ---- */

/* A mistake that no field shows: a line that is no setting, or a name that is taken. */
static char *other_mistake(DialtoneEditor *self)
{
    const GPtrArray *issues = dialtone_draft_issues(self->draft);
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    for (guint i = 0; i < issues->len; i++) {
        const DialtoneIssue *issue = issues->pdata[i];
        if (issue->warning || (issue->group != NULL && issue->key != NULL &&
                               dialtone_profile_key(issue->group, issue->key) != NULL))
            continue;
        return dialtone_issue_text(issue, dialtone_profile_file_name(self->file));
    }
    GListModel *items = dialtone_catalog_get_items(self->catalog);
    for (guint i = 0; profile != NULL && !is_system(self) && i < g_list_model_get_n_items(items);
         i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        if (strcmp(dialtone_item_get_name(item), profile->name) == 0 &&
            (self->file->path == NULL ||
             g_strcmp0(dialtone_item_get_path(item), self->file->path) != 0))
            return g_strdup_printf(_("There is a profile “%s” already."), profile->name);
    }
    return NULL;
}

static gboolean page_is_wrong(DialtoneEditor *self, GtkWidget *page)
{
    for (guint i = 0; i < self->fields->len; i++)
        if (gtk_widget_is_ancestor(self->fields->pdata[i], page) &&
            dialtone_field_is_wrong(self->fields->pdata[i]))
            return TRUE;
    return FALSE;
}

static void mark_pages(DialtoneEditor *self)
{
    g_autoptr(GList) pages = gtk_container_get_children(GTK_CONTAINER(self->stack));
    for (GList *at = pages; at != NULL; at = at->next)
        gtk_container_child_set(GTK_CONTAINER(self->stack), at->data, "needs-attention",
                                page_is_wrong(self, at->data), NULL);
}

static void update(DialtoneEditor *self)
{
    g_autofree char *other = other_mistake(self);
    gboolean good = dialtone_draft_profile(self->draft) != NULL && other == NULL;
    for (guint i = 0; i < self->fields->len; i++)
        dialtone_field_update(self->fields->pdata[i], FALSE);
    mark_pages(self);
    gtk_widget_set_sensitive(self->save, good && !self->storing);
    gtk_widget_set_sensitive(self->test, good && !self->storing);
    if (other != NULL)
        tell(self, GTK_MESSAGE_WARNING, other);
    else if (is_system(self))
        tell(self, GTK_MESSAGE_INFO,
             _("Your administrator provides this profile. What you change is for you alone."));
    else
        tell(self, GTK_MESSAGE_INFO, NULL);
}

/* ---- fields ---- */

static void on_changed(DialtoneField *field, gpointer data)
{
    DialtoneEditor *self = data;
    g_clear_object(&self->trial);
    self->changed = TRUE;
    update(self);
}

static void on_focus(GtkContainer *field, GtkWidget *child, gpointer data)
{
    DialtoneEditor *self = data;
    g_autofree char *help = dialtone_field_dup_help(DIALTONE_FIELD(field));
    if (child != NULL)
        gtk_label_set_text(self->help, help);
}

/* In two rows of the grid from @row on, of which the first is the heading's. */
static void add_field(DialtoneEditor *self, GtkGrid *grid, const DialtoneSetting *setting, int row)
{
    GtkWidget *field = dialtone_field_new(setting, self->draft, is_system(self));
    gtk_grid_attach(grid, field, 1, row + 1, 1, 1);
    gtk_grid_attach(grid, dialtone_field_get_label(DIALTONE_FIELD(field)), 0, row + 1, 1, 1);
    g_signal_connect(field, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect(field, "set-focus-child", G_CALLBACK(on_focus), self);
    dialtone_field_set_kept(DIALTONE_FIELD(field), self->kept);
    g_ptr_array_insert(self->fields, 0, field);
    if (setting->heading == NULL)
        return;
    GtkWidget *heading = gtk_label_new(_(setting->heading));
    g_object_set(heading, "visible", TRUE, "xalign", 0.0, "margin-top", row > 0 ? 12 : 0, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(heading), "heading");
    gtk_grid_attach(grid, heading, 0, row, 2, 1);
}

static void add_page(DialtoneEditor *self, const DialtoneEditorPage *page)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);
    GtkWidget *grid = gtk_grid_new();
    g_object_set(scrolled, "hscrollbar-policy", GTK_POLICY_NEVER, NULL);
    g_object_set(grid, "row-spacing", 12, "column-spacing", 12, "margin", 24, NULL);
    /* A grid puts what comes last before the rest, where it is read out. */
    for (gsize i = page->n; i-- > 0;)
        add_field(self, GTK_GRID(grid), &page->settings[i], (int)(2 * i));
    gtk_container_add(GTK_CONTAINER(scrolled), grid);
    gtk_widget_show(grid);
    gtk_widget_show(scrolled);
    gtk_stack_add_titled(self->stack, scrolled, page->name, _(page->title));
}

/* The sidebar's rows are called as the pages are, which they show and do not tell. */
static void name_rows(GtkWidget *widget, gpointer data)
{
    GtkWidget *child = GTK_IS_LIST_BOX_ROW(widget) ? gtk_bin_get_child(GTK_BIN(widget)) : NULL;
    if (GTK_IS_LABEL(child))
        atk_object_set_name(gtk_widget_get_accessible(widget),
                            gtk_label_get_text(GTK_LABEL(child)));
    else if (GTK_IS_CONTAINER(widget))
        gtk_container_forall(GTK_CONTAINER(widget), name_rows, NULL);
}

/* ---- saving ---- */

static gboolean sets_anything(const DialtoneEditor *self)
{
    for (gsize i = 0; i < dialtone_profile_keys_n; i++)
        if (dialtone_draft_has(self->draft, &dialtone_profile_keys[i]))
            return TRUE;
    return FALSE;
}

/* The keyring finds what it keeps of a profile by this; what is another's too stays theirs. */
static void keep_secrets(DialtoneEditor *self, const DialtoneProfile *profile)
{
    const char *now = profile->uuid != NULL ? profile->uuid : profile->name;
    if (self->file->secrets != NULL && strcmp(self->file->secrets, now) != 0 &&
        !dialtone_catalog_shares_secrets(self->catalog, self->file->secrets, self->file->path) &&
        !dialtone_catalog_shares_secrets(self->catalog, now, self->file->path))
        dialtone_profile_secrets_move(self->file->secrets, now, profile->name);
    g_free(self->file->secrets);
    self->file->secrets = g_strdup(now);
}

/* Who gives a profile no name thinks of its gateway. */
static void give_name(DialtoneEditor *self)
{
    const DialtoneProfileKey *row = dialtone_profile_key("Profile", "Name");
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    if (self->file->path != NULL || dialtone_draft_has(self->draft, row))
        return;
    g_autofree char *name = dialtone_catalog_free_name(
        self->catalog, g_array_index(profile->gateways, DialtoneEndpoint, 0).host);
    dialtone_draft_set(self->draft, row, name);
    update(self);
}

static gboolean write_file(DialtoneEditor *self)
{
    g_autoptr(GError) error = NULL;
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    const char *text = dialtone_draft_text(self->draft);
    if (!dialtone_profile_file_save(self->file, profile->name, text, sets_anything(self), &error)) {
        tell(self, GTK_MESSAGE_ERROR, error->message);
        return FALSE;
    }
    DialtoneItem *item = dialtone_catalog_find_path(self->catalog, self->file->path);
    if (!is_system(self))
        keep_secrets(self, profile);
    if (item != NULL && strcmp(dialtone_item_get_name(item), profile->name) != 0)
        dialtone_item_renamed(item);
    dialtone_catalog_reload(self->catalog);
    return TRUE;
}

static void on_answer(GtkDialog *dialog, int response, gpointer data)
{
    DialtoneEditor *self = data;
    const EditorStep *step = g_object_get_data(G_OBJECT(dialog), "confirmed");
    EditorStep confirmed = *step;
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_ACCEPT)
        confirmed(self);
    else
        self->then = NULL;
}

/* Two may stand at a time, for whoever quits by the tray is asked too: each has its own step. */
static void ask(DialtoneEditor *self, const char *question, const char *more, const char *yes,
                EditorStep confirmed)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(GTK_WINDOW(self), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s", question);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", more);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Keep Editing"), GTK_RESPONSE_CANCEL);
    GtkWidget *button = gtk_dialog_add_button(GTK_DIALOG(dialog), yes, GTK_RESPONSE_ACCEPT);
    gtk_style_context_add_class(gtk_widget_get_style_context(button), "destructive-action");
    g_object_set_data_full(G_OBJECT(dialog), "confirmed", g_memdup2(&confirmed, sizeof(confirmed)),
                           g_free);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_answer), self, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

static void close_it(DialtoneEditor *self)
{
    DialtoneEditorThen then = self->then;
    gpointer data = self->then_data;
    gtk_widget_destroy(GTK_WIDGET(self));
    if (then != NULL)
        then(data);
}

/* The keyring may have asked a person, and fields were alive meanwhile: what was changed in them
 * is not saved yet. */
static void on_stored(PlatformKeyringResult result, gpointer data)
{
    g_autoptr(DialtoneEditor) self = data;
    if (self->catalog == NULL)
        return; /* it was closed meanwhile */
    self->storing = FALSE;
    update(self);
    if (result == PLATFORM_KEYRING_DONE) {
        if (self->saved != close_it ||
            (!self->changed && dialtone_kept_secrets_is_empty(self->kept)))
            self->saved(self);
        return;
    }
    g_autofree char *text =
        g_strdup_printf("%s %s", dialtone_kept_secrets_problem(result),
                        _("The profile is saved, but not what the keyring is to have of it. Save "
                          "it again to try once more."));
    tell(self, GTK_MESSAGE_WARNING, text);
}

static void write_and_go_on(DialtoneEditor *self)
{
    if (!write_file(self))
        return;
    dialtone_kept_secrets_limit(self->kept, dialtone_draft_profile(self->draft));
    self->storing = TRUE;
    self->changed = FALSE;
    update(self);
    dialtone_kept_secrets_store(self->kept, self->file->secrets,
                                dialtone_draft_profile(self->draft)->name, on_stored,
                                g_object_ref(self));
}

static void save(DialtoneEditor *self, EditorStep saved)
{
    if (dialtone_draft_profile(self->draft) == NULL)
        return;
    give_name(self);
    if (dialtone_draft_profile(self->draft) == NULL)
        return; /* a host may be what a name may not */
    self->saved = saved;
    if (dialtone_profile_file_has_changed(self->file))
        ask(self, _("The file has changed meanwhile."),
            _("Another program has written it since it was opened here. What that wrote is lost "
              "if you replace it."),
            _("_Replace It"), write_and_go_on);
    else
        write_and_go_on(self);
}

static gboolean is_unsaved(const DialtoneEditor *self)
{
    return strcmp(dialtone_draft_text(self->draft), self->file->text) != 0 ||
           !dialtone_kept_secrets_is_empty(self->kept);
}

static void give_up(DialtoneEditor *self)
{
    if (!is_unsaved(self))
        close_it(self);
    else
        ask(self, _("Discard what you changed?"), _("It has not been saved."), _("_Discard"),
            close_it);
}

/* ---- trying it ---- */

static void on_trial(DialtoneTrial *trial, gpointer data)
{
    g_autofree char *text = dialtone_trial_dup_text(trial);
    DialtoneTrialState state = dialtone_trial_get_state(trial);
    tell(data,
         state == DIALTONE_TRIAL_BAD    ? GTK_MESSAGE_WARNING
         : state == DIALTONE_TRIAL_GOOD ? GTK_MESSAGE_OTHER
                                        : GTK_MESSAGE_INFO,
         text);
}

static DialtoneItem *saved_item(DialtoneEditor *self)
{
    GListModel *items = dialtone_catalog_get_items(self->catalog);
    if (!is_system(self))
        return dialtone_catalog_find_path(self->catalog, self->file->path);
    for (guint i = 0; i < g_list_model_get_n_items(items); i++) {
        g_autoptr(DialtoneItem) item = g_list_model_get_item(items, i);
        if (dialtone_item_get_path(item) == NULL &&
            g_strcmp0(dialtone_item_get_uuid(item), self->file->secrets) == 0)
            return item; /* the list has it */
    }
    return NULL;
}

static void try_it(DialtoneEditor *self)
{
    DialtoneItem *item = saved_item(self);
    if (item == NULL)
        return;
    g_clear_object(&self->trial);
    self->trial = dialtone_trial_new(self->catalog, item);
    g_signal_connect_object(self->trial, "changed", G_CALLBACK(on_trial), self, 0);
    on_trial(self->trial, self);
}

static void save_and_try(DialtoneEditor *self)
{
    save(self, try_it);
}

static void test(DialtoneEditor *self)
{
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    if (profile != NULL && profile->kill_switch == DIALTONE_KILL_SWITCH_PERSISTENT)
        ask(self, _("What is for the tunnel stays blocked after the test."),
            _("Connect again, or release it: sudo dialtone disconnect --release-kill-switch"),
            _("Save and _Test"), save_and_try);
    else
        save_and_try(self);
}

/* ---- the class ---- */

static void dialtone_editor_response(GtkDialog *dialog, int response)
{
    DialtoneEditor *self = DIALTONE_EDITOR(dialog);
    if (response == RESPONSE_TEST)
        test(self);
    else if (response == GTK_RESPONSE_OK)
        save(self, close_it);
    else
        give_up(self);
}

static void focus_first(DialtoneEditor *self)
{
    GtkWidget *shown = gtk_stack_get_visible_child(self->stack);
    for (guint i = 0; i < self->fields->len; i++) {
        DialtoneField *field = self->fields->pdata[i];
        if (!gtk_widget_is_ancestor(GTK_WIDGET(field), shown) ||
            !gtk_widget_get_visible(GTK_WIDGET(field)) ||
            !gtk_widget_get_sensitive(dialtone_field_get_label(field)))
            continue;
        dialtone_field_focus(field);
        return;
    }
}

/* Pages are turned as in a notebook. */
static gboolean dialtone_editor_key_press_event(GtkWidget *widget, GdkEventKey *event)
{
    DialtoneEditor *self = DIALTONE_EDITOR(widget);
    gboolean control = (event->state & gtk_accelerator_get_default_mod_mask()) == GDK_CONTROL_MASK;
    if (!control || (event->keyval != GDK_KEY_Page_Down && event->keyval != GDK_KEY_Page_Up))
        return GTK_WIDGET_CLASS(dialtone_editor_parent_class)->key_press_event(widget, event);
    g_autoptr(GList) pages = gtk_container_get_children(GTK_CONTAINER(self->stack));
    GList *at = g_list_find(pages, gtk_stack_get_visible_child(self->stack));
    GList *to = event->keyval == GDK_KEY_Page_Down ? at->next : at->prev;
    if (to != NULL) {
        gtk_stack_set_visible_child(self->stack, to->data);
        focus_first(self);
    }
    return GDK_EVENT_STOP;
}

/* A dialog has answered before this is called; that answer may want to keep it. */
static gboolean dialtone_editor_delete_event(GtkWidget *widget, GdkEventAny *event)
{
    return GDK_EVENT_STOP;
}

static void dialtone_editor_dispose(GObject *object)
{
    DialtoneEditor *self = DIALTONE_EDITOR(object);
    g_clear_object(&self->trial);
    g_clear_pointer(&self->fields, g_ptr_array_unref);
    g_clear_object(&self->catalog);
    G_OBJECT_CLASS(dialtone_editor_parent_class)->dispose(object);
}

static void dialtone_editor_finalize(GObject *object)
{
    DialtoneEditor *self = DIALTONE_EDITOR(object);
    g_clear_pointer(&self->draft, dialtone_draft_free);
    g_clear_pointer(&self->kept, dialtone_kept_secrets_free);
    g_clear_pointer(&self->file, dialtone_profile_file_free);
    G_OBJECT_CLASS(dialtone_editor_parent_class)->finalize(object);
}

static void dialtone_editor_class_init(DialtoneEditorClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_editor_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_editor_finalize;
    widget_class->key_press_event = dialtone_editor_key_press_event;
    widget_class->delete_event = dialtone_editor_delete_event;
    GTK_DIALOG_CLASS(class)->response = dialtone_editor_response;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/editor.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, stack);
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, sidebar);
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, bar);
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, message);
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, help);
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, save);
    gtk_widget_class_bind_template_child(widget_class, DialtoneEditor, test);
}

static void dialtone_editor_init(DialtoneEditor *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_dialog_set_default_response(GTK_DIALOG(self), GTK_RESPONSE_OK);
    self->fields = g_ptr_array_new();
    self->kept = dialtone_kept_secrets_new();
}

GtkWindow *dialtone_editor_find_unsaved(void)
{
    g_autoptr(GList) all = gtk_window_list_toplevels();
    for (GList *at = all; at != NULL; at = at->next)
        if (DIALTONE_IS_EDITOR(at->data) && is_unsaved(at->data))
            return at->data;
    return NULL;
}

void dialtone_editor_keep(DialtoneEditor *self, const DialtoneKeptSecrets *kept)
{
    dialtone_kept_secrets_copy(self->kept, kept);
}

void dialtone_editor_give_up_then(GtkWindow *editor, DialtoneEditorThen then, gpointer data)
{
    DialtoneEditor *self = DIALTONE_EDITOR(editor);
    gtk_window_present(editor);
    self->then = then;
    self->then_data = data;
    give_up(self);
}

GtkWidget *dialtone_editor_new(GtkWindow *parent, DialtoneCatalog *catalog,
                               DialtoneProfileFile *file_take)
{
    DialtoneEditor *self =
        g_object_new(DIALTONE_TYPE_EDITOR, "use-header-bar", TRUE, "transient-for", parent, NULL);
    const DialtoneProfile *base = dialtone_profile_file_base(file_take);
    self->catalog = g_object_ref(catalog);
    self->file = file_take;
    self->draft = dialtone_draft_new(file_take->text, dialtone_profile_file_name(file_take), base);
    const DialtoneProfile *profile = dialtone_draft_profile(self->draft);
    g_autofree char *title = file_take->path == NULL ? g_strdup(_("New Profile"))
                             : profile != NULL       ? g_strdup(profile->name)
                                                     : g_path_get_basename(file_take->path);
    gtk_window_set_title(GTK_WINDOW(self), title);
    for (gsize i = 0; i < dialtone_editor_pages_n; i++)
        add_page(self, &dialtone_editor_pages[i]);
    /* Only now: it marks the page that is shown when it gets the stack, not a first one that comes.
     */
    gtk_stack_sidebar_set_stack(GTK_STACK_SIDEBAR(self->sidebar), self->stack);
    name_rows(self->sidebar, NULL);
    update(self);
    focus_first(self);
    return GTK_WIDGET(self);
}

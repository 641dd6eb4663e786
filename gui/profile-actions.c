/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's own files are theirs to rename, to copy and to throw away; of a profile of the system
 * only what they changed for themselves, and a copy of it, are. Each question is a dialog of its
 * own, which keeps the item that it is about.
 */
#include "gui/profile-actions.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/draft.h"
#include "client/profile/edit.h"
#include "client/profile/parse.h"
#include "client/profile/schema.h"
#include "gui/assistant.h"
#include "gui/editor.h"
#include "gui/profile-file.h"
#include "gui/profile-secrets.h"

struct DialtoneProfileActions {
    GtkWindow *window;
    DialtoneCatalog *catalog;
    DialtoneItem *item; /* NULL */
};

static void tell(DialtoneProfileActions *self, const char *what, const char *why)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(self->window, GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_WARNING, GTK_BUTTONS_CLOSE, "%s", what);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", why);
    g_signal_connect(dialog, "response", G_CALLBACK(gtk_widget_destroy), NULL);
    gtk_window_present(GTK_WINDOW(dialog));
}

static DialtoneProfileFile *open_file(DialtoneProfileActions *self, DialtoneItem *item)
{
    g_autoptr(GError) error = NULL;
    DialtoneProfileFile *file = dialtone_profile_file_open(item, &error);
    if (file == NULL)
        tell(self, _("This profile can’t be edited."), error->message);
    return file;
}

static void edit_file(DialtoneProfileActions *self, DialtoneProfileFile *file_take)
{
    gtk_window_present(GTK_WINDOW(dialtone_editor_new(self->window, self->catalog, file_take)));
}

/* ---- new, edit, duplicate ---- */

static void on_new(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneProfileActions *self = data;
    gtk_window_present(GTK_WINDOW(dialtone_assistant_new(self->window, self->catalog, NULL)));
}

static void on_edit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneProfileActions *self = data;
    DialtoneProfileFile *file = self->item != NULL ? open_file(self, self->item) : NULL;
    if (file != NULL)
        edit_file(self, file);
}

static void set(DialtoneDraft *draft, const char *group, const char *key, const char *value)
{
    dialtone_draft_set(draft, dialtone_profile_key(group, key), value);
}

/* What belongs to the one profile only is not copied: its UUID, and what is the administrator's. */
static char *copy_of(const DialtoneProfileFile *file, const char *name)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *of_system = file->found != NULL && file->found->profile != NULL
                                     ? dialtone_profile_to_text(file->found->profile, false)
                                     : NULL;
    g_autoptr(DialtoneDraft) draft =
        dialtone_draft_new(of_system != NULL ? of_system : file->text, "copy.dialtone", NULL);
    set(draft, "Profile", "Name", name);
    set(draft, "Profile", "UUID", uuid);
    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        g_autofree char *value = dialtone_draft_get(draft, row);
        if (strcmp(row->group, "Access") == 0 || strcmp(row->key, "Autoconnect") == 0 ||
            (strcmp(row->group, "Secrets") == 0 && strcmp(value, "system") == 0))
            dialtone_draft_set(draft, row, "");
    }
    return g_strdup(dialtone_draft_text(draft));
}

static void on_duplicate(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneProfileActions *self = data;
    g_autoptr(DialtoneProfileFile) file = self->item != NULL ? open_file(self, self->item) : NULL;
    if (file == NULL)
        return;
    g_autofree char *name =
        dialtone_catalog_free_name(self->catalog, dialtone_item_get_name(self->item));
    g_autofree char *text = copy_of(file, name);
    edit_file(self, dialtone_profile_file_new(text));
}

/* ---- questions ---- */

typedef struct Question {
    DialtoneProfileActions *actions;
    DialtoneItem *item;
    GtkWidget *field; /* what is answered in; NULL */
} Question;

static void question_free(gpointer data, GClosure *closure)
{
    Question *question = data;
    g_object_unref(question->item);
    g_free(question);
}

static GtkWidget *ask(DialtoneProfileActions *self, const char *what, const char *more,
                      const char *yes)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(self->window, GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s", what);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", more);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL);
    gtk_dialog_add_button(GTK_DIALOG(dialog), yes, GTK_RESPONSE_ACCEPT);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
    return dialog;
}

static void answer_to(DialtoneProfileActions *self, GtkWidget *dialog, GtkWidget *field,
                      void (*answered)(GtkDialog *, int, gpointer))
{
    Question *question = g_new0(Question, 1);
    *question = (Question){.actions = self, .item = g_object_ref(self->item), .field = field};
    if (field != NULL) {
        GtkWidget *area = gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(dialog));
        gtk_box_pack_start(GTK_BOX(area), field, FALSE, FALSE, 6);
        gtk_widget_show(field);
    }
    g_signal_connect_data(dialog, "response", G_CALLBACK(answered), question, question_free, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

static void mark_destructive(GtkWidget *dialog)
{
    GtkWidget *button = gtk_dialog_get_widget_for_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
    gtk_style_context_add_class(gtk_widget_get_style_context(button), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
}

/* What is asked is what the field is for. */
static void label_by_question(GtkWidget *dialog, GtkWidget *field)
{
    GtkWidget *area = gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(dialog));
    g_autoptr(GList) labels = gtk_container_get_children(GTK_CONTAINER(area));
    atk_object_add_relationship(gtk_widget_get_accessible(field), ATK_RELATION_LABELLED_BY,
                                gtk_widget_get_accessible(labels->data));
}

/* ---- rename ---- */

static gboolean may_be_called(DialtoneProfileActions *self, const DialtoneDraft *draft,
                              const char *name)
{
    const DialtoneIssue *issue =
        dialtone_draft_issue(draft, dialtone_profile_key("Profile", "Name"));
    g_autofree char *taken = g_strdup_printf(_("There is a profile “%s” already."), name);
    g_autofree char *free_name = dialtone_catalog_free_name(self->catalog, name);
    const char *why = issue != NULL && !issue->warning ? issue->message
                      : strcmp(free_name, name) != 0   ? taken
                                                       : NULL;
    if (why != NULL)
        tell(self, _("The profile can’t be called that."), why);
    return why == NULL;
}

/* What the keyring finds by the profile's name is found by the new one, unless it is another's. */
static void keep_secrets(DialtoneProfileActions *self, const DialtoneProfileFile *file,
                         const DialtoneProfile *profile)
{
    if (profile != NULL && profile->uuid == NULL && file->secrets != NULL &&
        !dialtone_catalog_shares_secrets(self->catalog, file->secrets, file->path))
        dialtone_profile_secrets_move(file->secrets, profile->name, profile->name);
}

static void write_name(DialtoneProfileActions *self, DialtoneItem *item, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneProfileFile) file = open_file(self, item);
    if (file == NULL)
        return;
    g_autoptr(DialtoneDraft) draft =
        dialtone_draft_new(file->text, dialtone_profile_file_name(file), NULL);
    set(draft, "Profile", "Name", name);
    if (!may_be_called(self, draft, name))
        return;
    if (!dialtone_profile_file_save(file, name, dialtone_draft_text(draft), TRUE, &error)) {
        tell(self, _("The profile was not renamed."), error->message);
        return;
    }
    keep_secrets(self, file, dialtone_draft_profile(draft));
    dialtone_item_renamed(item);
    dialtone_catalog_reload(self->catalog);
}

static void on_renamed(GtkDialog *dialog, int response, gpointer data)
{
    Question *question = data;
    g_autofree char *name = g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(question->field))));
    DialtoneProfileActions *self = question->actions;
    g_autoptr(DialtoneItem) item = g_object_ref(question->item);
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_ACCEPT && *name != '\0' &&
        strcmp(name, dialtone_item_get_name(item)) != 0)
        write_name(self, item, name);
}

static void on_rename(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneProfileActions *self = data;
    if (self->item == NULL)
        return;
    const char *name = dialtone_item_get_name(self->item);
    g_autofree char *what = g_strdup_printf(_("Rename “%s”"), name);
    GtkWidget *entry = gtk_entry_new();
    GtkWidget *dialog = ask(self, what, _("Its secrets stay where they are."), _("_Rename"));
    gtk_entry_set_text(GTK_ENTRY(entry), name);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    atk_object_set_name(gtk_widget_get_accessible(entry), _("New name"));
    label_by_question(dialog, entry);
    answer_to(self, dialog, entry, on_renamed);
}

/* ---- delete, forget ---- */

static char *secrets_of(DialtoneItem *item)
{
    const char *uuid = dialtone_item_get_uuid(item);
    return g_strdup(uuid != NULL ? uuid : dialtone_item_get_name(item));
}

static void on_deleted(GtkDialog *dialog, int response, gpointer data)
{
    Question *question = data;
    DialtoneProfileActions *self = question->actions;
    g_autoptr(DialtoneItem) item = g_object_ref(question->item);
    gboolean forget = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(question->field));
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response != GTK_RESPONSE_ACCEPT)
        return;
    g_autofree char *secrets = secrets_of(item);
    gboolean others =
        dialtone_catalog_shares_secrets(self->catalog, secrets, dialtone_item_get_path(item));
    if (g_unlink(dialtone_item_get_path(item)) < 0 && errno != ENOENT) {
        tell(self, _("The profile was not deleted."), g_strerror(errno));
        return;
    }
    if (forget && !others)
        dialtone_profile_secrets_forget(secrets);
    dialtone_item_remove(item);
    dialtone_catalog_reload(self->catalog);
}

static void on_delete(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneProfileActions *self = data;
    if (self->item == NULL)
        return;
    g_autofree char *what = g_strdup_printf(_("Delete “%s”?"), dialtone_item_get_name(self->item));
    gboolean wanted = dialtone_item_is_wanted(self->item);
    GtkWidget *dialog = ask(self, what,
                            wanted ? _("It is disconnected, and its file is gone for good.")
                                   : _("Its file is gone for good."),
                            _("_Delete"));
    GtkWidget *check =
        gtk_check_button_new_with_mnemonic(_("Also _forget its secrets in the keyring"));
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), TRUE);
    mark_destructive(dialog);
    answer_to(self, dialog, check, on_deleted);
}

static void on_forgotten(GtkDialog *dialog, int response, gpointer data)
{
    Question *question = data;
    g_autofree char *secrets = secrets_of(question->item);
    if (response == GTK_RESPONSE_ACCEPT)
        dialtone_profile_secrets_forget(secrets);
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_forget(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    DialtoneProfileActions *self = data;
    if (self->item == NULL)
        return;
    g_autofree char *what =
        g_strdup_printf(_("Forget the secrets of “%s”?"), dialtone_item_get_name(self->item));
    GtkWidget *dialog = ask(self, what,
                            _("What the keyring has for it is removed: preshared key, password, "
                              "certificate. You are asked for them when they are needed."),
                            _("_Forget"));
    mark_destructive(dialog);
    answer_to(self, dialog, NULL, on_forgotten);
}

/* ---- the actions ---- */

static const GActionEntry ACTIONS[] = {
    {.name = "new-profile", .activate = on_new},
    {.name = "edit-profile", .activate = on_edit},
    {.name = "duplicate-profile", .activate = on_duplicate},
    {.name = "rename-profile", .activate = on_rename},
    {.name = "delete-profile", .activate = on_delete},
    {.name = "forget-secrets", .activate = on_forget},
};

void dialtone_profile_actions_set_item(DialtoneProfileActions *actions, DialtoneItem *item)
{
    static const struct {
        const char *name;
        gboolean own; /* needs a file of the user's own */
    } needs[] = {
        {"edit-profile", FALSE},  {"duplicate-profile", FALSE}, {"rename-profile", TRUE},
        {"delete-profile", TRUE}, {"forget-secrets", FALSE},
    };
    g_set_object(&actions->item, item);
    gboolean own = item != NULL && dialtone_item_get_path(item) != NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(needs); i++) {
        GAction *action = g_action_map_lookup_action(G_ACTION_MAP(actions->window), needs[i].name);
        g_simple_action_set_enabled(G_SIMPLE_ACTION(action),
                                    item != NULL && (own || !needs[i].own));
    }
}

DialtoneProfileActions *dialtone_profile_actions_new(GtkWindow *window, DialtoneCatalog *catalog)
{
    DialtoneProfileActions *actions = g_new0(DialtoneProfileActions, 1);
    actions->window = window;
    actions->catalog = g_object_ref(catalog);
    g_action_map_add_action_entries(G_ACTION_MAP(window), ACTIONS, G_N_ELEMENTS(ACTIONS), actions);
    dialtone_profile_actions_set_item(actions, NULL);
    return actions;
}

void dialtone_profile_actions_free(DialtoneProfileActions *actions)
{
    if (actions == NULL)
        return;
    g_clear_object(&actions->item);
    g_clear_object(&actions->catalog);
    g_free(actions);
}

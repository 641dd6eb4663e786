/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules of smart cards are a vendor's, and some of them wait for a reader: the program
 * dialtone-certificate loads them, and is ended when nobody wants to know any more.
 */
#include "gui/token-chooser.h"

#include <json-glib/json-glib.h>

#include "client/common/i18n.h"
#include "gui/program.h"
#include "platform/secret-memory.h"

enum { RESPONSE_AGAIN = 1, LOOK_MS = 20000, WIDTH = 700, HEIGHT = 320 };

struct _DialtoneTokenChooser {
    GtkDialog parent_instance;
    GtkWidget *scrolled;
    GtkListBox *list;
    GtkLabel *message;
    GCancellable *cancellable;
};

G_DEFINE_TYPE(DialtoneTokenChooser, dialtone_token_chooser, GTK_TYPE_DIALOG)

/* In place of the list; NULL: the list is shown. */
static void tell(DialtoneTokenChooser *self, const char *text)
{
    gtk_label_set_text(self->message, text);
    gtk_widget_set_visible(GTK_WIDGET(self->message), text != NULL);
    gtk_widget_set_visible(self->scrolled, text == NULL);
}

/* ---- what there is ---- */

static GtkWidget *line_of(const char *text, const char *class)
{
    GtkWidget *label = gtk_label_new(text);
    g_object_set(label, "xalign", 0.0, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR, NULL);
    if (class != NULL)
        gtk_style_context_add_class(gtk_widget_get_style_context(label), class);
    return label;
}

static void add(DialtoneTokenChooser *self, JsonObject *object)
{
    const char *uri = json_object_get_string_member_with_default(object, "uri", NULL);
    const char *token = json_object_get_string_member_with_default(object, "token", "");
    const char *subject = json_object_get_string_member_with_default(object, "subject", "");
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    g_autofree char *spoken = g_strdup_printf("%s, %s", subject, token);
    gtk_container_add(GTK_CONTAINER(box), line_of(subject, NULL));
    gtk_container_add(GTK_CONTAINER(box), line_of(token, "dim-label"));
    gtk_container_add(GTK_CONTAINER(row), box);
    atk_object_set_name(gtk_widget_get_accessible(row), spoken);
    g_object_set_data_full(G_OBJECT(row), "uri", g_strdup(uri), g_free);
    gtk_container_add(GTK_CONTAINER(self->list), row);
    gtk_widget_show_all(row);
}

static void show_all(DialtoneTokenChooser *self, JsonArray *all)
{
    for (guint i = 0; i < json_array_get_length(all); i++)
        add(self, json_array_get_object_element(all, i));
    GtkListBoxRow *first = gtk_list_box_get_row_at_index(self->list, 0);
    tell(self, first != NULL ? NULL
                             : _("No certificate was found on a smart card or token. Insert it, "
                                 "and look again."));
    if (first == NULL)
        return;
    gtk_list_box_select_row(self->list, first);
    gtk_widget_grab_focus(GTK_WIDGET(first));
}

static void on_looked(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneTokenChooser) self = data;
    g_autoptr(JsonParser) parser = json_parser_new();
    char *out = NULL;
    int code = dialtone_program_run_finish(result, &out);
    gboolean good = code == 0 && json_parser_load_from_data(parser, out, -1, NULL) &&
                    JSON_NODE_HOLDS_ARRAY(json_parser_get_root(parser));
    platform_secret_free(out);
    if (g_cancellable_is_cancelled(self->cancellable))
        return;
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), RESPONSE_AGAIN, TRUE);
    if (good)
        show_all(self, json_node_get_array(json_parser_get_root(parser)));
    else
        tell(self, _("It could not be found out."));
}

static void remove_row(GtkWidget *row, gpointer data)
{
    gtk_widget_destroy(row);
}

static void look(DialtoneTokenChooser *self)
{
    const char *words[] = {"dialtone-certificate", "tokens", NULL};
    gtk_container_foreach(GTK_CONTAINER(self->list), remove_row, NULL);
    tell(self, _("Please wait…"));
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), RESPONSE_AGAIN, FALSE);
    const DialtoneProgram program = {
        .words = words, .milliseconds = LOOK_MS, .cancellable = self->cancellable};
    dialtone_program_run(&program, on_looked, g_object_ref(self));
}

/* ---- choosing ---- */

const char *dialtone_token_chooser_get_uri(DialtoneTokenChooser *self)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);
    return row != NULL ? g_object_get_data(G_OBJECT(row), "uri") : NULL;
}

static void on_selected(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    gtk_dialog_set_response_sensitive(GTK_DIALOG(data), GTK_RESPONSE_OK, row != NULL);
}

static void on_activated(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    gtk_dialog_response(GTK_DIALOG(data), GTK_RESPONSE_OK);
}

static void dialtone_token_chooser_response(GtkDialog *dialog, int response)
{
    if (response == RESPONSE_AGAIN)
        look(DIALTONE_TOKEN_CHOOSER(dialog));
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

/* ---- the class ---- */

static void dialtone_token_chooser_dispose(GObject *object)
{
    DialtoneTokenChooser *self = DIALTONE_TOKEN_CHOOSER(object);
    g_cancellable_cancel(self->cancellable);
    G_OBJECT_CLASS(dialtone_token_chooser_parent_class)->dispose(object);
}

static void dialtone_token_chooser_finalize(GObject *object)
{
    g_object_unref(DIALTONE_TOKEN_CHOOSER(object)->cancellable);
    G_OBJECT_CLASS(dialtone_token_chooser_parent_class)->finalize(object);
}

static void dialtone_token_chooser_class_init(DialtoneTokenChooserClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_token_chooser_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_token_chooser_finalize;
    GTK_DIALOG_CLASS(class)->response = dialtone_token_chooser_response;
}

static void dialtone_token_chooser_init(DialtoneTokenChooser *self)
{
    self->cancellable = g_cancellable_new();
}

static void make(DialtoneTokenChooser *self)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL), *list = gtk_list_box_new();
    GtkWidget *area = gtk_dialog_get_content_area(GTK_DIALOG(self)), *message = line_of(NULL, NULL);
    self->scrolled = scrolled;
    self->list = GTK_LIST_BOX(list);
    self->message = GTK_LABEL(message);
    gtk_container_set_border_width(GTK_CONTAINER(area), 0);
    g_object_set(scrolled, "hscrollbar-policy", GTK_POLICY_NEVER, "expand", TRUE, NULL);
    g_object_set(message, "margin", 24, "max-width-chars", 48, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(list), "facts");
    atk_object_set_name(gtk_widget_get_accessible(list), _("Certificates"));
    gtk_container_add(GTK_CONTAINER(scrolled), list);
    gtk_container_add(GTK_CONTAINER(area), message);
    gtk_container_add(GTK_CONTAINER(area), scrolled);
    g_signal_connect(list, "row-selected", G_CALLBACK(on_selected), self);
    g_signal_connect(list, "row-activated", G_CALLBACK(on_activated), self);
    gtk_widget_show_all(area);
}

GtkWidget *dialtone_token_chooser_new(GtkWindow *parent)
{
    DialtoneTokenChooser *self = g_object_new(
        DIALTONE_TYPE_TOKEN_CHOOSER, "use-header-bar", TRUE, "title", _("Choose a Certificate"),
        "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE, "default-width", WIDTH,
        "default-height", HEIGHT, NULL);
    make(self);
    gtk_dialog_add_button(GTK_DIALOG(self), _("_Cancel"), GTK_RESPONSE_CANCEL);
    gtk_dialog_add_button(GTK_DIALOG(self), _("C_hoose"), GTK_RESPONSE_OK);
    gtk_dialog_add_button(GTK_DIALOG(self), _("Try _Again"), RESPONSE_AGAIN);
    gtk_dialog_set_default_response(GTK_DIALOG(self), GTK_RESPONSE_OK);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), GTK_RESPONSE_OK, FALSE);
    look(self);
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb runs as the user would run it, without a terminal, so it asks nothing and changes
 * nothing. Its lines are shown as they come, as text; nothing is written before a person has seen
 * it and named a file.
 */
#include "gui/output.h"

#include <string.h>

#include "client/common/i18n.h"
#include "gui/command.h"

enum { RESPONSE_SAVE = 1, RESPONSE_AGAIN, RESPONSE_COPY };
enum { BYTES_MAX = 1024 * 1024 };

/* U+2028 begins a line but no paragraph: what the verb goes on with below its columns hangs there
 * with the rest, whatever the width of a space beside the script, and from the same side. */
#define LINE_SEPARATOR "\xe2\x80\xa8"

struct _DialtoneOutput {
    GtkDialog parent_instance;
    char **words;
    char *file;
    char *says_nothing;
    gboolean is_finding;
    GSubprocess *process; /* NULL: none runs */
    GDataInputStream *lines;
    GCancellable *cancellable;
    gsize shown;
    guint columns;
    GtkLabel *hint;
    GtkTextView *text;
    GtkLabel *nothing;
    GtkWidget *spinner;
    GtkLabel *status;
};

G_DEFINE_TYPE(DialtoneOutput, dialtone_output, GTK_TYPE_DIALOG)

/* ---- what is shown ---- */

static void hang(DialtoneOutput *self)
{
    PangoContext *context = gtk_widget_get_pango_context(GTK_WIDGET(self->text));
    PangoFontMetrics *metrics = pango_context_get_metrics(context, NULL, NULL);
    int width = pango_font_metrics_get_approximate_digit_width(metrics);
    gtk_text_view_set_indent(self->text, -PANGO_PIXELS(width * (int)self->columns));
    pango_font_metrics_unref(metrics);
}

static void set_status(DialtoneOutput *self, const char *text, gboolean busy)
{
    gtk_label_set_text(self->status, text);
    gtk_widget_set_visible(self->spinner, busy);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), RESPONSE_SAVE, !busy && self->shown > 0);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), RESPONSE_COPY, self->shown > 0);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(self), RESPONSE_AGAIN, !busy);
}

static gboolean goes_on(const DialtoneOutput *self, const char *line)
{
    return self->columns > 0 && self->shown > 0 && strspn(line, " ") == self->columns;
}

/* False: no more is. */
static gboolean append(DialtoneOutput *self, const char *line, gsize n)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text);
    g_autofree char *valid = g_utf8_make_valid(line, (gssize)n);
    GtkTextIter end;
    if (self->shown + n > BYTES_MAX)
        return FALSE;
    gboolean below = goes_on(self, valid);
    gtk_text_buffer_get_end_iter(buffer, &end);
    if (self->shown > 0)
        gtk_text_buffer_insert(buffer, &end, below ? LINE_SEPARATOR : "\n", -1);
    gtk_text_buffer_insert(buffer, &end, below ? valid + self->columns : valid, -1);
    self->shown += n + 1;
    return TRUE;
}

/* As the verb wrote it. */
static char *dup_text(DialtoneOutput *self)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text);
    GtkTextIter start, end;
    gtk_text_buffer_get_bounds(buffer, &start, &end);
    g_autofree char *shown = gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
    g_autofree char *below = g_strdup_printf("\n%*s", (int)self->columns, "");
    g_auto(GStrv) lines = g_strsplit(shown, LINE_SEPARATOR, -1);
    g_autofree char *text = g_strjoinv(below, lines);
    return g_strconcat(text, "\n", NULL);
}

/* ---- the verb ---- */

static const char *outcome(const DialtoneOutput *self)
{
    gboolean done = g_subprocess_get_if_exited(self->process);
    int code = done ? g_subprocess_get_exit_status(self->process) : -1;
    if (code == 0)
        return self->is_finding ? _("Nothing is wrong.") : _("Done.");
    return self->is_finding && done ? _("Something is wrong; what to do stands above.")
                                    : _("It could not be found out.");
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneOutput) self = data;
    g_autoptr(GError) error = NULL;
    if (!g_subprocess_wait_finish(G_SUBPROCESS(source), result, &error))
        return; /* the window was closed */
    gboolean nothing = self->shown == 0 && g_subprocess_get_successful(self->process) &&
                       self->says_nothing != NULL;
    gtk_label_set_text(self->nothing, nothing ? self->says_nothing : "");
    gtk_widget_set_visible(GTK_WIDGET(self->nothing), nothing);
    set_status(self, nothing ? "" : outcome(self), FALSE);
    g_clear_object(&self->lines);
    g_clear_object(&self->process);
}

static void on_line(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneOutput) self = data;
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, &n, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (line != NULL && append(self, line, n)) {
        g_data_input_stream_read_line_async(self->lines, G_PRIORITY_DEFAULT, self->cancellable,
                                            on_line, g_object_ref(self));
        return;
    }
    if (line != NULL)
        g_subprocess_force_exit(self->process);
    g_subprocess_wait_async(self->process, self->cancellable, on_ended, g_object_ref(self));
}

static void run(DialtoneOutput *self)
{
    g_autoptr(GError) error = NULL;
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(self->text), "", 0);
    self->shown = 0;
    gtk_widget_hide(GTK_WIDGET(self->nothing));
    self->process = dialtone_command_run((const char *const *)self->words, &error);
    if (self->process == NULL) {
        set_status(self, error->message, FALSE);
        return;
    }
    set_status(self, _("Please wait…"), TRUE);
    self->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(self->process));
    g_data_input_stream_read_line_async(self->lines, G_PRIORITY_DEFAULT, self->cancellable, on_line,
                                        g_object_ref(self));
}

/* ---- what is done with it ---- */

/* For its owner's eyes: whoever gets it, gets it from them. */
static gboolean write_all(const char *path, const char *text)
{
    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

static void on_chosen(GtkNativeDialog *chooser, int response, gpointer data)
{
    DialtoneOutput *self = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser));
    if (response == GTK_RESPONSE_ACCEPT && path != NULL) {
        g_autofree char *text = dup_text(self);
        g_autofree char *said =
            g_strdup_printf(write_all(path, text) ? _("Saved as %s. Read it before you send it.")
                                                  : _("%s can’t be written."),
                            path);
        gtk_label_set_text(self->status, said);
    }
    g_object_unref(chooser);
}

static void save(DialtoneOutput *self)
{
    GtkFileChooserNative *chooser = gtk_file_chooser_native_new(
        _("Save"), GTK_WINDOW(self), GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    gtk_file_chooser_set_do_overwrite_confirmation(GTK_FILE_CHOOSER(chooser), TRUE);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(chooser), self->file);
    g_signal_connect_object(chooser, "response", G_CALLBACK(on_chosen), self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}

static void dialtone_output_response(GtkDialog *dialog, int response)
{
    DialtoneOutput *self = DIALTONE_OUTPUT(dialog);
    if (response == RESPONSE_SAVE) {
        save(self);
    } else if (response == RESPONSE_AGAIN && self->process == NULL) {
        run(self);
    } else if (response == RESPONSE_COPY) {
        g_autofree char *text = dup_text(self);
        gtk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self), GDK_SELECTION_CLIPBOARD),
                               text, -1);
    } else if (response < 0) {
        gtk_widget_destroy(GTK_WIDGET(self));
    }
}

/* ---- the class ---- */

static void dialtone_output_dispose(GObject *object)
{
    DialtoneOutput *self = DIALTONE_OUTPUT(object);
    g_cancellable_cancel(self->cancellable);
    if (self->process != NULL)
        g_subprocess_force_exit(self->process);
    g_clear_object(&self->process);
    g_clear_object(&self->lines);
    G_OBJECT_CLASS(dialtone_output_parent_class)->dispose(object);
}

static void dialtone_output_finalize(GObject *object)
{
    DialtoneOutput *self = DIALTONE_OUTPUT(object);
    g_clear_object(&self->cancellable);
    g_strfreev(self->words);
    g_free(self->file);
    g_free(self->says_nothing);
    G_OBJECT_CLASS(dialtone_output_parent_class)->finalize(object);
}

static void dialtone_output_class_init(DialtoneOutputClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_output_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_output_finalize;
    GTK_DIALOG_CLASS(class)->response = dialtone_output_response;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/output.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneOutput, hint);
    gtk_widget_class_bind_template_child(widget_class, DialtoneOutput, text);
    gtk_widget_class_bind_template_child(widget_class, DialtoneOutput, nothing);
    gtk_widget_class_bind_template_child(widget_class, DialtoneOutput, spinner);
    gtk_widget_class_bind_template_child(widget_class, DialtoneOutput, status);
}

static void dialtone_output_init(DialtoneOutput *self)
{
    self->cancellable = g_cancellable_new();
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *dialtone_output_new(GtkWindow *parent, const DialtoneOutputSetup *setup)
{
    DialtoneOutput *self = g_object_new(DIALTONE_TYPE_OUTPUT, "use-header-bar", TRUE, "title",
                                        setup->title, "transient-for", parent, NULL);
    self->words = g_strdupv((char **)(uintptr_t)setup->words);
    self->file = g_strdup(setup->file);
    self->says_nothing = g_strdup(setup->nothing);
    self->is_finding = setup->is_finding;
    gtk_label_set_text(self->hint, setup->hint);
    gtk_dialog_add_button(GTK_DIALOG(self), _("_Copy"), RESPONSE_COPY);
    if (setup->file != NULL)
        gtk_dialog_add_button(GTK_DIALOG(self), _("_Save…"), RESPONSE_SAVE);
    gtk_dialog_add_button(GTK_DIALOG(self), _("_Refresh"), RESPONSE_AGAIN);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(self->text)), setup->title);
    self->columns = setup->columns;
    hang(self);
    run(self);
    return GTK_WIDGET(self);
}

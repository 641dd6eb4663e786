/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program dialtone-certificate looks, a moment after the last key that was pressed, and this
 * shows what it says. Names in a certificate are a stranger's: they are text, never markup.
 */
#include "gui/certificate-card.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "client/common/i18n.h"
#include "gui/facts.h"
#include "gui/program.h"
#include "gui/secret-entry.h"
#include "platform/secret-memory.h"

enum { WAIT_MS = 250, LOOK_MS = 20000, WORDS = 4 };

struct _DialtoneCertificateCard {
    GtkBox parent_instance;
    DialtoneKeptSecrets *kept;
    char *words[WORDS]; /* of the query, in its order; NULL: there was none yet */
    guint timer;
    GCancellable *cancellable; /* of the look that is under way */
    gboolean gave;             /* it was told a passphrase that was typed here */
    gboolean laid_out;         /* with what came of that */
    GtkListBox *list;
    GtkWidget *lock;
    DialtoneSecretEntry *passphrase;
    GtkWidget *open;
    GtkToggleButton *keep;
    GtkLabel *problem;
};

G_DEFINE_TYPE(DialtoneCertificateCard, dialtone_certificate_card, GTK_TYPE_BOX)

/* ---- what it shows ---- */

static const char *member(JsonObject *object, const char *name)
{
    return json_object_get_string_member_with_default(object, name, NULL);
}

static void add_fact(DialtoneCertificateCard *self, const char *title, const char *text)
{
    if (text != NULL)
        dialtone_facts_add(self->list, title, text);
}

static void show_facts(DialtoneCertificateCard *self, JsonObject *object)
{
    const char *begin = member(object, "not_before"), *end = member(object, "not_after");
    dialtone_facts_clear(self->list);
    add_fact(self, _("Issued to"), member(object, "subject"));
    add_fact(self, _("Issued by"), member(object, "issuer"));
    if (begin != NULL && end != NULL) {
        g_autofree char *text = g_strdup_printf("%s – %s", begin, end);
        dialtone_facts_add_marked(self->list, _("Holds"), text, member(object, "mark"));
    }
    add_fact(self, _("Key"), member(object, "key"));
    gtk_widget_set_visible(GTK_WIDGET(self->list), member(object, "subject") != NULL);
}

static void append(GString *lines, const char *text)
{
    g_string_append_printf(lines, "%s%s", lines->len > 0 ? "\n" : "", text);
}

static void show_problems(DialtoneCertificateCard *self, JsonObject *object, gboolean locked)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    JsonArray *warnings = json_object_has_member(object, "warnings")
                              ? json_object_get_array_member(object, "warnings")
                              : NULL;
    if (member(object, "problem") != NULL)
        append(lines, member(object, "problem"));
    if (locked && self->gave)
        append(lines, _("The passphrase does not open the private key."));
    for (guint i = 0; warnings != NULL && i < json_array_get_length(warnings); i++)
        append(lines, json_array_get_string_element(warnings, i));
    gtk_label_set_text(self->problem, lines->str);
    gtk_widget_set_visible(GTK_WIDGET(self->problem), lines->len > 0);
}

/* What has opened it, and a certificate that is shown proves that, is remembered, or wiped. */
static void settle_lock(DialtoneCertificateCard *self, gboolean locked)
{
    const char *typed = dialtone_secret_entry_get_text(self->passphrase);
    gtk_widget_set_visible(self->lock, locked);
    gtk_widget_set_sensitive(self->lock, TRUE);
    if (locked || !self->gave || !gtk_widget_get_visible(GTK_WIDGET(self->list)))
        return;
    dialtone_kept_secrets_set(self->kept, "passphrase",
                              gtk_toggle_button_get_active(self->keep) ? typed : NULL);
    self->gave = FALSE;
    gtk_entry_set_text(dialtone_secret_entry_get_entry(self->passphrase), "");
}

/* The page scrolls to what gets the focus, where that is now; what has just been shown or hidden is
 * laid out by the frame that begins behind the first of these calls. */
static gboolean on_frame(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    DialtoneCertificateCard *self = DIALTONE_CERTIFICATE_CARD(widget);
    if (!self->laid_out) {
        self->laid_out = TRUE;
        return G_SOURCE_CONTINUE;
    }
    GtkListBoxRow *first = gtk_list_box_get_row_at_index(self->list, 0);
    if (gtk_widget_get_visible(self->lock))
        gtk_widget_grab_focus(GTK_WIDGET(dialtone_secret_entry_get_entry(self->passphrase)));
    else if (first != NULL)
        gtk_widget_grab_focus(GTK_WIDGET(first));
    return G_SOURCE_REMOVE;
}

/* Whoever has given a passphrase sees what came of it. */
static void show_outcome(DialtoneCertificateCard *self)
{
    self->laid_out = FALSE;
    gtk_widget_add_tick_callback(GTK_WIDGET(self), on_frame, NULL, NULL);
}

static void show_object(DialtoneCertificateCard *self, JsonObject *object)
{
    gboolean locked = json_object_get_boolean_member_with_default(object, "locked", FALSE);
    gboolean was_given = self->gave;
    show_facts(self, object);
    show_problems(self, object, locked);
    settle_lock(self, locked);
    if (was_given)
        show_outcome(self);
    gtk_widget_set_visible(GTK_WIDGET(self), gtk_widget_get_visible(GTK_WIDGET(self->list)) ||
                                                 gtk_widget_get_visible(self->lock) ||
                                                 gtk_widget_get_visible(GTK_WIDGET(self->problem)));
}

/* ---- looking ---- */

static void on_looked(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneCertificateCard) self = data;
    g_autoptr(JsonParser) parser = json_parser_new();
    gboolean stale = g_cancellable_is_cancelled(g_task_get_cancellable(G_TASK(result)));
    char *out = NULL;
    int code = dialtone_program_run_finish(result, &out);
    if (!stale) {
        g_clear_object(&self->cancellable);
        gboolean good = code == 0 && json_parser_load_from_data(parser, out, -1, NULL) &&
                        JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser));
        g_autoptr(JsonObject) none = json_object_new();
        json_object_set_string_member(none, "problem", _("It could not be found out."));
        json_object_set_boolean_member(none, "locked", gtk_widget_get_visible(self->lock));
        self->gave = self->gave && good; /* whether it opens anything is not known */
        show_object(self, good ? json_node_get_object(json_parser_get_root(parser)) : none);
    }
    platform_secret_free(out);
}

static void give_up(DialtoneCertificateCard *self)
{
    g_clear_handle_id(&self->timer, g_source_remove);
    if (self->cancellable != NULL)
        g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
}

static void look(DialtoneCertificateCard *self)
{
    const char *words[] = {
        "dialtone-certificate", "show", self->words[0], self->words[1], self->words[2],
        self->words[3],         NULL};
    const char *typed = dialtone_secret_entry_get_text(self->passphrase);
    const char *kept = dialtone_kept_secrets_get(self->kept, "passphrase");
    give_up(self);
    self->cancellable = g_cancellable_new();
    const DialtoneProgram program = {.words = words,
                                     .given = self->gave     ? typed
                                              : kept != NULL ? kept
                                                             : "",
                                     .milliseconds = LOOK_MS,
                                     .cancellable = self->cancellable};
    dialtone_program_run(&program, on_looked, g_object_ref(self));
}

static gboolean on_time(gpointer data)
{
    DialtoneCertificateCard *self = data;
    self->timer = 0;
    look(self);
    return G_SOURCE_REMOVE;
}

static void on_open(GtkWidget *widget, gpointer data)
{
    DialtoneCertificateCard *self = data;
    if (*dialtone_secret_entry_get_text(self->passphrase) == '\0')
        return;
    self->gave = TRUE;
    gtk_widget_set_sensitive(self->lock, FALSE);
    look(self);
}

void dialtone_certificate_card_show(DialtoneCertificateCard *self,
                                    const DialtoneCertificateQuery *query)
{
    const char *words[WORDS] = {query->source, query->id, query->key, query->profile};
    gboolean same = TRUE, same_source = g_strcmp0(self->words[0], query->source) == 0;
    for (gsize i = 0; i < WORDS; i++) {
        same = same && g_strcmp0(self->words[i], words[i]) == 0;
        g_free(self->words[i]);
        self->words[i] = g_strdup(words[i]);
    }
    if (same)
        return;
    give_up(self);
    if (!same_source) {
        self->gave = FALSE;
        dialtone_kept_secrets_set(self->kept, "passphrase", NULL);
        gtk_entry_set_text(dialtone_secret_entry_get_entry(self->passphrase), "");
    }
    if (*query->source == '\0')
        gtk_widget_hide(GTK_WIDGET(self));
    else
        self->timer = g_timeout_add(WAIT_MS, on_time, self);
}

/* ---- the class ---- */

static void dialtone_certificate_card_dispose(GObject *object)
{
    give_up(DIALTONE_CERTIFICATE_CARD(object));
    G_OBJECT_CLASS(dialtone_certificate_card_parent_class)->dispose(object);
}

static void dialtone_certificate_card_finalize(GObject *object)
{
    DialtoneCertificateCard *self = DIALTONE_CERTIFICATE_CARD(object);
    for (gsize i = 0; i < WORDS; i++)
        g_free(self->words[i]);
    G_OBJECT_CLASS(dialtone_certificate_card_parent_class)->finalize(object);
}

static void dialtone_certificate_card_class_init(DialtoneCertificateCardClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dialtone_certificate_card_dispose;
    G_OBJECT_CLASS(class)->finalize = dialtone_certificate_card_finalize;
}

static void make_lock(DialtoneCertificateCard *self)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(_("Passp_hrase"));
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *keep = gtk_check_button_new_with_label(_("Remember in the keyring"));
    self->passphrase =
        DIALTONE_SECRET_ENTRY(dialtone_secret_entry_new(gtk_label_get_text(GTK_LABEL(label))));
    GtkEntry *entry = dialtone_secret_entry_get_entry(self->passphrase);
    self->lock = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    self->open = gtk_button_new_with_label(_("Open the Key"));
    self->keep = GTK_TOGGLE_BUTTON(keep);
    g_object_set(label, "xalign", 0.0, "mnemonic-widget", entry, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_toggle_button_set_active(self->keep, TRUE);
    g_object_set(entry, "activates-default", FALSE, NULL);
    g_signal_connect(entry, "activate", G_CALLBACK(on_open), self);
    g_signal_connect(self->open, "clicked", G_CALLBACK(on_open), self);
    gtk_box_pack_start(GTK_BOX(row), GTK_WIDGET(self->passphrase), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(row), self->open, FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(self->lock), label);
    gtk_container_add(GTK_CONTAINER(self->lock), row);
    gtk_container_add(GTK_CONTAINER(self->lock), keep);
    gtk_widget_show_all(self->lock);
    gtk_widget_hide(self->lock);
}

static void dialtone_certificate_card_init(DialtoneCertificateCard *self)
{
    GtkWidget *problem = gtk_label_new(NULL), *list = gtk_list_box_new();
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    make_lock(self);
    self->list = GTK_LIST_BOX(list);
    self->problem = GTK_LABEL(problem);
    gtk_list_box_set_selection_mode(self->list, GTK_SELECTION_NONE);
    gtk_style_context_add_class(gtk_widget_get_style_context(list), "facts");
    atk_object_set_name(gtk_widget_get_accessible(list), _("Certificate"));
    g_object_set(problem, "xalign", 0.0, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR,
                 "max-width-chars", 48, NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "weak");
    gtk_style_context_add_class(gtk_widget_get_style_context(problem), "small");
    gtk_box_pack_start(GTK_BOX(self), list, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(self), problem, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(self), self->lock, FALSE, FALSE, 0);
}

GtkWidget *dialtone_certificate_card_new(DialtoneKeptSecrets *kept)
{
    DialtoneCertificateCard *self = g_object_new(DIALTONE_TYPE_CERTIFICATE_CARD, NULL);
    self->kept = kept;
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page shows its item and nothing else: whatever it says is made from the item each time that
 * changes. The switch stands for what is wanted, its colour for what is.
 */
#include "gui/page.h"

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "gui/facts.h"
#include "gui/row.h"
#include "gui/state-look.h"
#include "gui/traffic.h"

struct _DialtonePage {
    GtkScrolledWindow parent_instance;
    DialtoneCatalog *catalog;
    DialtoneItem *item;
    const DialtoneReport *shown; /* only compared */
    gint64 shown_time;
    gboolean updating; /* the switch is moved by this program */
    GtkImage *icon;
    GtkLabel *name;
    GtkLabel *description;
    GtkLabel *state;
    GtkWidget *spinner;
    GtkSwitch *toggle;
    GtkWidget *trouble;
    GtkLabel *trouble_message;
    GtkLabel *trouble_advice;
    GtkExpander *for_administrator;
    GtkLabel *configuration;
    GtkWidget *edit;
    GtkWidget *diagnose;
    GtkButton *again;
    GtkLabel *notice;
    GtkWidget *banner_box;
    GtkLabel *banner;
    DialtoneTraffic *traffic;
    GtkWidget *facts;
    GtkListBox *where;
    GtkListBox *security;
};

G_DEFINE_TYPE(DialtonePage, dialtone_page, GTK_TYPE_SCROLLED_WINDOW)

static void set_text(GtkLabel *label, const char *text)
{
    gtk_label_set_text(label, text != NULL ? text : "");
    gtk_widget_set_visible(GTK_WIDGET(label), text != NULL && *text != '\0');
}

/* ---- its parts ---- */

static void update_head(DialtonePage *self)
{
    g_autofree char *sentence = dialtone_look_sentence(self->item);
    dialtone_row_set_look(self->icon, self->item);
    gtk_label_set_text(self->name, dialtone_item_get_name(self->item));
    set_text(self->description, dialtone_item_get_description(self->item));
    gtk_label_set_text(self->state, sentence);
    gtk_widget_set_visible(self->spinner, dialtone_look_of(self->item) == DIALTONE_LOOK_CONNECTING);
}

static void update_switch(DialtonePage *self)
{
    DialtoneState state = dialtone_item_get_state(self->item);
    g_autofree char *spoken = g_strdup_printf(_("Connect %s"), dialtone_item_get_name(self->item));
    /* In this order: to set the state moves the switch with it. */
    self->updating = TRUE;
    gtk_switch_set_state(self->toggle, state == DIALTONE_STATE_CONNECTED);
    gtk_switch_set_active(self->toggle, dialtone_item_is_wanted(self->item));
    self->updating = FALSE;
    gtk_widget_set_sensitive(GTK_WIDGET(self->toggle),
                             state != DIALTONE_STATE_DISCONNECTING &&
                                 !dialtone_item_is_others(self->item) &&
                                 dialtone_item_get_mistakes(self->item) == NULL);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(self->toggle)), spoken);
}

/* What the service advises, and which button does it. The caller frees it. */
static char *advice_of(const DialtoneReport *report)
{
    if (report->remedy != DIALTONE_REMEDY_DIAGNOSE)
        return g_strdup(report->advice);
    return dialtone_advice_add(
        report->advice, _("“Diagnose” finds out what the gateway accepts, or what is in the way."));
}

/* Lines for somebody else are folded away, lest the buttons be out of sight. */
static void show_advice(DialtonePage *self, const char *advice)
{
    g_autofree char *for_user = dialtone_advice_for_user(advice);
    const char *configuration = dialtone_advice_configuration(advice);
    set_text(self->trouble_advice, for_user);
    gtk_widget_set_visible(GTK_WIDGET(self->for_administrator), configuration != NULL);
    if (g_strcmp0(gtk_label_get_text(self->configuration), configuration) == 0)
        return;
    gtk_label_set_text(self->configuration, configuration != NULL ? configuration : "");
    gtk_expander_set_expanded(self->for_administrator, FALSE);
}

/* What the user is told went wrong: what they asked for last, else how the connection ended. */
static void update_trouble(DialtonePage *self)
{
    const GError *error = dialtone_item_get_error(self->item);
    const DialtoneReport *report = dialtone_item_get_report(self->item);
    const char *mistakes = dialtone_item_get_mistakes(self->item);
    const char *message = NULL, *advice = NULL;
    g_autofree char *with_button = NULL;
    if (error != NULL) {
        message = error->message;
        advice = dialtone_failure_advice(error);
    } else if (report != NULL && report->message != NULL) {
        message = report->message;
        advice = with_button = advice_of(report);
    } else if (mistakes != NULL) {
        message = _("This profile can’t be used as it is.");
        advice = mistakes;
    } else if (dialtone_item_is_others(self->item)) {
        message = _("Another user of this computer is connected with this profile.");
        advice = _("Taking over ends their connection, and needs an administrator’s password.");
    }
    gtk_label_set_text(self->trouble_message, message != NULL ? message : "");
    show_advice(self, advice);
    gtk_widget_set_visible(self->trouble, message != NULL);
}

/* What can be done about it. */
static void update_buttons(DialtonePage *self)
{
    gboolean others = dialtone_item_is_others(self->item);
    gboolean failed = dialtone_item_get_error(self->item) != NULL ||
                      dialtone_item_get_state(self->item) == DIALTONE_STATE_FAILED;
    gboolean usable = dialtone_item_get_mistakes(self->item) == NULL;
    gtk_widget_set_visible(self->edit, !others && !usable);
    gtk_widget_set_visible(self->diagnose, !others && usable);
    gtk_button_set_label(self->again, others ? _("_Take Over") : _("Try _Again"));
    gtk_widget_set_visible(GTK_WIDGET(self->again), others || (failed && usable));
}

/* Rows that are shown already stay, and with them where the keyboard is. */
static void update_facts(DialtonePage *self)
{
    const DialtoneReport *report = dialtone_item_get_report(self->item);
    gboolean connected = report != NULL && report->state == DIALTONE_STATE_CONNECTED;
    const char *banner = connected ? report->banner : NULL;
    gtk_widget_set_visible(self->facts, connected);
    gtk_label_set_text(self->banner, banner != NULL ? banner : "");
    gtk_widget_set_visible(self->banner_box, banner != NULL && *banner != '\0');
    if (!connected || (self->shown == report && self->shown_time == report->time_us))
        return;
    self->shown = report;
    self->shown_time = report->time_us;
    dialtone_facts_show_where(self->where, report, dialtone_item_get_since(self->item));
    dialtone_facts_show_security(self->security, report);
}

static void update(DialtonePage *self)
{
    update_head(self);
    update_switch(self);
    update_trouble(self);
    update_buttons(self);
    set_text(self->notice, dialtone_item_get_notice(self->item));
    update_facts(self);
}

/* ---- what happens ---- */

static void on_item(DialtoneItem *item, gpointer data)
{
    update(data);
}

static void set_wanted(DialtonePage *self, gboolean wanted)
{
    if (wanted)
        dialtone_catalog_connect_item(self->catalog, self->item, FALSE);
    else
        dialtone_catalog_disconnect_item(self->catalog, self->item);
}

/* The switch moves when the item does. */
static gboolean on_state_set(GtkSwitch *toggle, gboolean active, DialtonePage *self)
{
    if (self->item != NULL && !self->updating)
        set_wanted(self, active);
    return TRUE;
}

static void on_again(GtkButton *button, DialtonePage *self)
{
    dialtone_catalog_connect_item(self->catalog, self->item, dialtone_item_is_others(self->item));
}

static void on_copy(GtkButton *button, DialtonePage *self)
{
    gtk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self), GDK_SELECTION_CLIPBOARD),
                           gtk_label_get_text(self->configuration), -1);
}

void dialtone_page_toggle(DialtonePage *self)
{
    if (self->item != NULL && gtk_widget_get_sensitive(GTK_WIDGET(self->toggle)))
        set_wanted(self, !dialtone_item_is_wanted(self->item));
}

void dialtone_page_set_catalog(DialtonePage *self, DialtoneCatalog *catalog)
{
    g_set_object(&self->catalog, catalog);
}

DialtoneItem *dialtone_page_get_item(DialtonePage *self)
{
    return self->item;
}

void dialtone_page_set_item(DialtonePage *self, DialtoneItem *item)
{
    if (self->item == item)
        return;
    if (self->item != NULL)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_set_object(&self->item, item);
    self->shown = NULL;
    if (self->traffic != NULL)
        dialtone_traffic_set_item(self->traffic, item);
    if (item == NULL)
        return;
    g_signal_connect(item, "changed", G_CALLBACK(on_item), self);
    update(self);
}

/* ---- the class ---- */

static void dialtone_page_dispose(GObject *object)
{
    DialtonePage *self = DIALTONE_PAGE(object);
    dialtone_page_set_item(self, NULL);
    g_clear_object(&self->catalog);
    G_OBJECT_CLASS(dialtone_page_parent_class)->dispose(object);
}

static void dialtone_page_class_init(DialtonePageClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_page_dispose;
    g_type_ensure(DIALTONE_TYPE_TRAFFIC);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/page.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, icon);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, name);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, description);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, state);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, spinner);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, toggle);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, trouble);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, trouble_message);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, trouble_advice);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, for_administrator);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, configuration);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, edit);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, diagnose);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, again);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, notice);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, banner_box);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, banner);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, traffic);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, facts);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, where);
    gtk_widget_class_bind_template_child(widget_class, DialtonePage, security);
    gtk_widget_class_bind_template_callback(widget_class, on_state_set);
    gtk_widget_class_bind_template_callback(widget_class, on_again);
    gtk_widget_class_bind_template_callback(widget_class, on_copy);
}

static void dialtone_page_init(DialtonePage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

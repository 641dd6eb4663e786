/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row says in words what its icon says in a picture, and tells both to whoever can't see them.
 */
#include "gui/row.h"

#include "gui/state-look.h"

struct _DialtoneRow {
    GtkListBoxRow parent_instance;
    DialtoneItem *item;
    GtkImage *icon;
    GtkLabel *name;
    GtkLabel *state;
};

G_DEFINE_TYPE(DialtoneRow, dialtone_row, GTK_TYPE_LIST_BOX_ROW)

static void set_class(GtkWidget *widget, const char *name, gboolean set)
{
    GtkStyleContext *context = gtk_widget_get_style_context(widget);
    if (set)
        gtk_style_context_add_class(context, name);
    else
        gtk_style_context_remove_class(context, name);
}

void dialtone_row_set_look(GtkImage *image, DialtoneItem *item)
{
    DialtoneLook look = dialtone_look_of(item);
    g_object_set(image, "icon-name", dialtone_look_icon(look), NULL);
    set_class(GTK_WIDGET(image), "connected", look == DIALTONE_LOOK_CONNECTED);
    set_class(GTK_WIDGET(image), "attention", look == DIALTONE_LOOK_ATTENTION);
}

static void update(DialtoneRow *self)
{
    const char *name = dialtone_item_get_name(self->item);
    g_autofree char *sentence = dialtone_look_sentence(self->item);
    g_autofree char *both = g_strdup_printf("%s, %s", name, sentence);
    dialtone_row_set_look(self->icon, self->item);
    gtk_label_set_text(self->name, name);
    gtk_label_set_text(self->state, sentence);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(self)), both);
}

static void on_item(DialtoneItem *item, gpointer data)
{
    update(data);
}

DialtoneItem *dialtone_row_get_item(DialtoneRow *self)
{
    return self->item;
}

static void dialtone_row_dispose(GObject *object)
{
    DialtoneRow *self = DIALTONE_ROW(object);
    if (self->item != NULL)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_clear_object(&self->item);
    G_OBJECT_CLASS(dialtone_row_parent_class)->dispose(object);
}

static void dialtone_row_class_init(DialtoneRowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_row_dispose;
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/row.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneRow, icon);
    gtk_widget_class_bind_template_child(widget_class, DialtoneRow, name);
    gtk_widget_class_bind_template_child(widget_class, DialtoneRow, state);
}

static void dialtone_row_init(DialtoneRow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *dialtone_row_new(DialtoneItem *item)
{
    DialtoneRow *self = g_object_new(DIALTONE_TYPE_ROW, NULL);
    self->item = g_object_ref(item);
    g_signal_connect(item, "changed", G_CALLBACK(on_item), self);
    update(self);
    return GTK_WIDGET(self);
}

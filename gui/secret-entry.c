/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The button stands beside the entry and not within it, where no keyboard would reach it. */
#include "gui/secret-entry.h"

#include "client/common/i18n.h"
#include "gui/secret-buffer.h"

struct _DialtoneSecretEntry {
    GtkBox parent_instance;
    GtkEntry *entry;
    GtkWidget *show;
};

G_DEFINE_TYPE(DialtoneSecretEntry, dialtone_secret_entry, GTK_TYPE_BOX)

static void on_show(GtkToggleButton *button, gpointer data)
{
    DialtoneSecretEntry *self = data;
    gtk_entry_set_visibility(self->entry, gtk_toggle_button_get_active(button));
}

GtkEntry *dialtone_secret_entry_get_entry(DialtoneSecretEntry *self)
{
    return self->entry;
}

const char *dialtone_secret_entry_get_text(DialtoneSecretEntry *self)
{
    return gtk_entry_get_text(self->entry);
}

static void dialtone_secret_entry_class_init(DialtoneSecretEntryClass *class)
{
}

static void dialtone_secret_entry_init(DialtoneSecretEntry *self)
{
    g_autoptr(GtkEntryBuffer) buffer = dialtone_secret_buffer_new();
    GtkWidget *image = gtk_image_new_from_icon_name("view-reveal-symbolic", GTK_ICON_SIZE_BUTTON);
    self->entry = GTK_ENTRY(gtk_entry_new_with_buffer(buffer));
    self->show = gtk_toggle_button_new();
    gtk_container_add(GTK_CONTAINER(self->show), image);
    g_object_set(self->entry, "visibility", FALSE, "activates-default", TRUE, "hexpand", TRUE,
                 "width-chars", 16, "input-purpose", GTK_INPUT_PURPOSE_PASSWORD, NULL);
    gtk_widget_set_tooltip_text(self->show, _("Show what is typed"));
    g_signal_connect(self->show, "toggled", G_CALLBACK(on_show), self);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    gtk_box_pack_start(GTK_BOX(self), GTK_WIDGET(self->entry), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(self), self->show, FALSE, FALSE, 0);
    gtk_widget_show_all(GTK_WIDGET(self));
}

GtkWidget *dialtone_secret_entry_new(const char *name)
{
    DialtoneSecretEntry *self = g_object_new(DIALTONE_TYPE_SECRET_ENTRY, NULL);
    g_autofree char *show = g_strdup_printf(_("Show: %s"), name);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(self->entry)), name);
    atk_object_set_name(gtk_widget_get_accessible(self->show), show);
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch that an administrator has locked is greyed out, and says so beneath.
 */
#include "gui/preferences.h"

#define SCHEMA "org.dialtone.Dialtone"

GSettings *dialtone_settings_new(void)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default();
    g_autoptr(GSettingsSchema) schema =
        source != NULL ? g_settings_schema_source_lookup(source, SCHEMA, TRUE) : NULL;
    return schema != NULL ? g_settings_new_full(schema, NULL, NULL) : NULL;
}

static void bind(GtkBuilder *builder, GSettings *settings, const char *key)
{
    g_autofree char *locked = g_strdup_printf("%s-locked", key);
    g_settings_bind(settings, key, gtk_builder_get_object(builder, key), "active",
                    G_SETTINGS_BIND_DEFAULT);
    g_settings_bind_writable(settings, key, gtk_builder_get_object(builder, locked), "visible",
                             TRUE);
}

GtkWidget *dialtone_preferences_new(GtkWindow *parent, GSettings *settings)
{
    g_autoptr(GtkBuilder) builder =
        gtk_builder_new_from_resource("/org/dialtone/Dialtone/preferences.ui");
    GtkWidget *dialog = GTK_WIDGET(gtk_builder_get_object(builder, "preferences"));
    gtk_window_set_transient_for(GTK_WINDOW(dialog), parent);
    bind(builder, settings, "autostart");
    bind(builder, settings, "notifications");
    g_signal_connect(dialog, "response", G_CALLBACK(gtk_widget_destroy), NULL);
    return dialog;
}

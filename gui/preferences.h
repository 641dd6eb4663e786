/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's preferences, as GSettings has them. */
#pragma once

#include <gtk/gtk.h>

/* NULL: they are not installed, and GLib would end a program that asked for them. */
GSettings *dialtone_settings_new(void) G_GNUC_WARN_UNUSED_RESULT;

GtkWidget *dialtone_preferences_new(GtkWindow *parent, GSettings *settings);

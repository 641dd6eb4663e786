/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The window: the list of profiles, and the page of the one that is chosen. */
#pragma once

#include <gtk/gtk.h>

#include "gui/catalog.h"

#define DIALTONE_TYPE_WINDOW (dialtone_window_get_type())
G_DECLARE_FINAL_TYPE(DialtoneWindow, dialtone_window, DIALTONE, WINDOW, GtkApplicationWindow)

GtkWidget *dialtone_window_new(GtkApplication *application, DialtoneServiceClient *service,
                               DialtoneCatalog *catalog);
/* Chooses the item; one that is not in the list changes nothing. */
void dialtone_window_show_item(DialtoneWindow *self, DialtoneItem *item);
/* The one that is open; NULL. */
GtkWindow *dialtone_window_find(void);

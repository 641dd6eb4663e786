/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to a first profile: from a file, from a text, or by four questions. */
#pragma once

#include <gtk/gtk.h>

#include "gui/catalog.h"

#define DIALTONE_TYPE_ASSISTANT (dialtone_assistant_get_type())
G_DECLARE_FINAL_TYPE(DialtoneAssistant, dialtone_assistant, DIALTONE, ASSISTANT, GtkDialog)

/* The window is gone when it is done with. @file NULL: it begins with how to begin; else with what
 * is in the file. */
GtkWidget *dialtone_assistant_new(GtkWindow *parent, DialtoneCatalog *catalog, GFile *file);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One profile in the list. */
#pragma once

#include <gtk/gtk.h>

#include "gui/item.h"

#define DIALTONE_TYPE_ROW (dialtone_row_get_type())
G_DECLARE_FINAL_TYPE(DialtoneRow, dialtone_row, DIALTONE, ROW, GtkListBoxRow)

GtkWidget *dialtone_row_new(DialtoneItem *item);
DialtoneItem *dialtone_row_get_item(DialtoneRow *self);
/* The icon of what @item looks like, in its colour. */
void dialtone_row_set_look(GtkImage *image, DialtoneItem *item);

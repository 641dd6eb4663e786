/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One profile, large: its switch, and all there is to know of its connection. */
#pragma once

#include <gtk/gtk.h>

#include "gui/catalog.h"

#define DIALTONE_TYPE_PAGE (dialtone_page_get_type())
G_DECLARE_FINAL_TYPE(DialtonePage, dialtone_page, DIALTONE, PAGE, GtkScrolledWindow)

void dialtone_page_set_catalog(DialtonePage *self, DialtoneCatalog *catalog);
/* NULL: none. */
void dialtone_page_set_item(DialtonePage *self, DialtoneItem *item);
DialtoneItem *dialtone_page_get_item(DialtonePage *self);
/* As if the switch were used. */
void dialtone_page_toggle(DialtonePage *self);

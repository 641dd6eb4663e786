/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the user can connect: files of their own, and profiles of the system, which the service
 * knows. A GListStore of DialtoneItem that follows both. */
#pragma once

#include "gui/item.h"
#include "gui/service-client.h"

#define DIALTONE_TYPE_LIBRARY (dialtone_library_get_type())
G_DECLARE_FINAL_TYPE(DialtoneLibrary, dialtone_library, DIALTONE, LIBRARY, GObject)

/* Signal "changed": an item came, went or changed. */
DialtoneLibrary *dialtone_library_new(DialtoneServiceClient *service);
/* Sorted by name. Owned by @self. */
GListModel *dialtone_library_get_items(DialtoneLibrary *self);
/* The folder of the user's own profiles; NULL: they have no home. Owned by @self. */
const char *dialtone_library_get_folder(DialtoneLibrary *self);
/* Borrowed, as long as it is in the list; NULL. */
DialtoneItem *dialtone_library_find(DialtoneLibrary *self, const char *key);
DialtoneItem *dialtone_library_find_connection(DialtoneLibrary *self, const char *connection);

/* While the service starts, this waits for it. */
void dialtone_library_connect_item(DialtoneLibrary *self, DialtoneItem *item, gboolean take_over);
void dialtone_library_disconnect_item(DialtoneLibrary *self, DialtoneItem *item);

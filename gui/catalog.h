/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the user can connect: files of their own, and profiles of the system, which the service
 * knows. A GListStore of DialtoneItem that follows both. */
#pragma once

#include "gui/item.h"
#include "gui/service-client.h"

#define DIALTONE_TYPE_CATALOG (dialtone_catalog_get_type())
G_DECLARE_FINAL_TYPE(DialtoneCatalog, dialtone_catalog, DIALTONE, CATALOG, GObject)

/* Signal "changed": an item came, went or changed. */
DialtoneCatalog *dialtone_catalog_new(DialtoneServiceClient *service);
/* Sorted by name. Owned by @self. */
GListModel *dialtone_catalog_get_items(DialtoneCatalog *self);
/* The folder of the user's own profiles; NULL: they have no home. Owned by @self. */
const char *dialtone_catalog_get_folder(DialtoneCatalog *self);
/* Borrowed, as long as it is in the list; NULL. */
DialtoneItem *dialtone_catalog_find(DialtoneCatalog *self, const char *key);
DialtoneItem *dialtone_catalog_find_path(DialtoneCatalog *self, const char *path);
gboolean dialtone_catalog_has_uuid(DialtoneCatalog *self, const char *uuid);
/* The keyring finds by @secrets what is another profile's than that at @path as well. */
gboolean dialtone_catalog_shares_secrets(DialtoneCatalog *self, const char *secrets,
                                         const char *path);
/* The name, or the first like it that no profile has. The caller frees it. */
char *dialtone_catalog_free_name(DialtoneCatalog *self, const char *name);
DialtoneItem *dialtone_catalog_find_connection(DialtoneCatalog *self, const char *connection);
/* Reads all files now, for who has just written one. */
void dialtone_catalog_reload(DialtoneCatalog *self);

/* While the service starts, this waits for it. */
void dialtone_catalog_connect_item(DialtoneCatalog *self, DialtoneItem *item, gboolean take_over);
void dialtone_catalog_disconnect_item(DialtoneCatalog *self, DialtoneItem *item);

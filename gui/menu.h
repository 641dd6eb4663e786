/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The menu of the icon in the tray, as com.canonical.dbusmenu. */
#pragma once

#include "gui/catalog.h"

#define DIALTONE_TYPE_MENU (dialtone_menu_get_type())
G_DECLARE_FINAL_TYPE(DialtoneMenu, dialtone_menu, DIALTONE, MENU, GObject)

/* What is clicked is an action of @actions: "connect" and "disconnect" with the key of an item,
 * "open" and "quit". */
DialtoneMenu *dialtone_menu_new(DialtoneCatalog *catalog, GActionGroup *actions);
gboolean dialtone_menu_export(DialtoneMenu *self, GDBusConnection *bus, const char *path,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The icon in the tray: org.kde.StatusNotifierItem with a menu. */
#pragma once

#include "gui/catalog.h"

#define DIALTONE_TYPE_TRAY (dialtone_tray_get_type())
G_DECLARE_FINAL_TYPE(DialtoneTray, dialtone_tray, DIALTONE, TRAY, GObject)

/* Shown wherever somebody shows such icons, also when they come later. @bus is the session's. The
 * actions are those of menu.h. */
DialtoneTray *dialtone_tray_new(GDBusConnection *bus, DialtoneCatalog *catalog,
                                GActionGroup *actions);
/* Somebody shows it now. */
gboolean dialtone_tray_is_shown(DialtoneTray *self);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells what becomes of connections while nobody looks at the window. */
#pragma once

#include "gui/catalog.h"

#define DIALTONE_TYPE_NOTIFIER (dialtone_notifier_get_type())
G_DECLARE_FINAL_TYPE(DialtoneNotifier, dialtone_notifier, DIALTONE, NOTIFIER, GObject)

/* A notification that is clicked is the action "open" of @application; "connect", with the key of
 * an item, tries again. */
DialtoneNotifier *dialtone_notifier_new(DialtoneCatalog *catalog, GApplication *application);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What helps when something does not work: the log, a diagnosis, a report for whoever helps; and
 * the preferences. */
#pragma once

#include <gtk/gtk.h>

#include "gui/catalog.h"

/* The actions log, bug-report, diagnose (of the item with this key) and preferences; @settings
 * NULL: none are installed, and there are no preferences. Both outlive the actions' use. */
typedef struct DialtoneSupport {
    GtkApplication *application;
    DialtoneCatalog *catalog;
    GSettings *settings;
} DialtoneSupport;

void dialtone_support_add_actions(const DialtoneSupport *support);

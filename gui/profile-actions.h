/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done with a profile's file, as actions of the window: new-profile, edit-profile,
 * duplicate-profile, rename-profile, delete-profile, forget-secrets. */
#pragma once

#include <gtk/gtk.h>

#include "gui/catalog.h"

typedef struct DialtoneProfileActions DialtoneProfileActions;

/* @window is an action map, and outlives them. */
DialtoneProfileActions *dialtone_profile_actions_new(GtkWindow *window, DialtoneCatalog *catalog);
void dialtone_profile_actions_free(DialtoneProfileActions *actions);
/* What they are about; NULL: nothing. */
void dialtone_profile_actions_set_item(DialtoneProfileActions *actions, DialtoneItem *item);

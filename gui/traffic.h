/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a connection carries, live: rates, a graph, sums and drops. */
#pragma once

#include <gtk/gtk.h>

#include "gui/item.h"

#define DIALTONE_TYPE_TRAFFIC (dialtone_traffic_get_type())
G_DECLARE_FINAL_TYPE(DialtoneTraffic, dialtone_traffic, DIALTONE, TRAFFIC, GtkBox)

/* NULL: none. Shown, it asks the service once a second; hidden, never. */
void dialtone_traffic_set_item(DialtoneTraffic *self, DialtoneItem *item);

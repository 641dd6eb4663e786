/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report says of a connection, as rows of a list. */
#pragma once

#include <gtk/gtk.h>

#include "client/common/report.h"

/* Where it leads to; @since in microseconds since 1970, 0: not known. Both replace the rows. */
void dialtone_facts_show_where(GtkListBox *list, const DialtoneReport *report, gint64 since);
/* What protects it: the algorithms of both phases, the weak ones marked. */
void dialtone_facts_show_security(GtkListBox *list, const DialtoneReport *report);

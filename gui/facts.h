/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report says of a connection, as rows of a list. */
#pragma once

#include <gtk/gtk.h>

#include "client/common/report.h"

/* One more row, unless @text is empty. */
void dialtone_facts_add(GtkListBox *list, const char *title, const char *text);
/* The same with a warning's word beside it; NULL: none. */
void dialtone_facts_add_marked(GtkListBox *list, const char *title, const char *text,
                               const char *mark);
void dialtone_facts_clear(GtkListBox *list);

/* Where it leads to; @since in microseconds since 1970, 0: not known. Both replace the rows. */
void dialtone_facts_show_where(GtkListBox *list, const DialtoneReport *report, gint64 since);
/* What protects it: the algorithms of both phases, the weak ones marked. */
void dialtone_facts_show_security(GtkListBox *list, const DialtoneReport *report);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A minute of traffic, drawn: what came in as an area, what went out as a line. */
#pragma once

#include <gtk/gtk.h>

#define DIALTONE_TYPE_GRAPH (dialtone_graph_get_type())
G_DECLARE_FINAL_TYPE(DialtoneGraph, dialtone_graph, DIALTONE, GRAPH, GtkDrawingArea)

/* Bytes in a second. */
typedef struct DialtoneRate {
    double in, out;
} DialtoneRate;

/* The newest; what is older moves on. */
void dialtone_graph_add(DialtoneGraph *self, DialtoneRate rate);
void dialtone_graph_clear(DialtoneGraph *self);
/* "1.2 MB/s"; the caller frees it. */
char *dialtone_graph_rate_text(double rate);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every colour is the theme's. Who does not tell colours apart tells an area from a line, and who
 * does not see it has the description, which says the newest rates. The newest stands where a line
 * of text ends: at the left where people write from right to left.
 */
#include "gui/graph.h"

#include "client/common/i18n.h"

enum { SAMPLES = 61, HEIGHT = 96, GRID = 2, LEAST = 1000 };

struct _DialtoneGraph {
    GtkDrawingArea parent_instance;
    DialtoneRate samples[SAMPLES]; /* a ring, */
    guint newest;                  /* which ends here */
};

G_DEFINE_TYPE(DialtoneGraph, dialtone_graph, GTK_TYPE_DRAWING_AREA)

/* ---- what is drawn ---- */

/* @age in seconds: 0 is the newest. */
static DialtoneRate at_age(const DialtoneGraph *self, guint age)
{
    return self->samples[(self->newest + SAMPLES - age) % SAMPLES];
}

static double largest(const DialtoneGraph *self)
{
    double found = 0;
    for (guint i = 0; i < SAMPLES; i++)
        found = MAX(found, MAX(self->samples[i].in, self->samples[i].out));
    return found;
}

/* The next of 1, 2, 5, 10 ..., so that the scale moves in steps and reads well. */
static double scale_of(const DialtoneGraph *self)
{
    static const double STEPS[] = {2, 2.5, 2};
    double scale = LEAST;
    for (guint i = 0; scale < largest(self); i++)
        scale *= STEPS[i % G_N_ELEMENTS(STEPS)];
    return scale;
}

typedef struct Canvas {
    cairo_t *cairo;
    double width, height, scale;
    gboolean mirrored;
} Canvas;

static double x_of(const Canvas *canvas, guint age)
{
    double part = (double)age / (SAMPLES - 1);
    return canvas->width * (canvas->mirrored ? part : 1 - part);
}

static double y_of(const Canvas *canvas, double rate)
{
    return canvas->height - 1.5 - (canvas->height - 4) * MIN(rate / canvas->scale, 1);
}

static void trace(const DialtoneGraph *self, const Canvas *canvas, gboolean in)
{
    for (guint age = 0; age < SAMPLES; age++) {
        DialtoneRate rate = at_age(self, age);
        cairo_line_to(canvas->cairo, x_of(canvas, age), y_of(canvas, in ? rate.in : rate.out));
    }
}

static GdkRGBA colour_of(GtkWidget *widget, const char *name)
{
    GtkStyleContext *style = gtk_widget_get_style_context(widget);
    GdkRGBA colour;
    if (!gtk_style_context_lookup_color(style, name, &colour))
        gtk_style_context_get_color(style, gtk_style_context_get_state(style), &colour);
    return colour;
}

static void set_colour(cairo_t *cairo, GdkRGBA colour, double alpha)
{
    cairo_set_source_rgba(cairo, colour.red, colour.green, colour.blue, colour.alpha * alpha);
}

static void draw_grid(const Canvas *canvas, GdkRGBA colour)
{
    set_colour(canvas->cairo, colour, 0.15);
    cairo_set_line_width(canvas->cairo, 1);
    for (guint i = 0; i <= GRID; i++) {
        double y = (int)y_of(canvas, canvas->scale * i / GRID) + 0.5;
        cairo_move_to(canvas->cairo, 0, y);
        cairo_line_to(canvas->cairo, canvas->width, y);
    }
    cairo_stroke(canvas->cairo);
}

static void draw_in(const DialtoneGraph *self, const Canvas *canvas, GdkRGBA colour)
{
    trace(self, canvas, TRUE);
    cairo_line_to(canvas->cairo, x_of(canvas, SAMPLES - 1), canvas->height);
    cairo_line_to(canvas->cairo, x_of(canvas, 0), canvas->height);
    cairo_close_path(canvas->cairo);
    set_colour(canvas->cairo, colour, 0.25);
    cairo_fill(canvas->cairo);
    trace(self, canvas, TRUE);
    set_colour(canvas->cairo, colour, 1);
    cairo_set_line_width(canvas->cairo, 1.5);
    cairo_stroke(canvas->cairo);
}

static void draw_out(const DialtoneGraph *self, const Canvas *canvas, GdkRGBA colour)
{
    static const double DASHES[] = {4, 3};
    trace(self, canvas, FALSE);
    set_colour(canvas->cairo, colour, 0.9);
    cairo_set_line_width(canvas->cairo, 1.5);
    cairo_set_dash(canvas->cairo, DASHES, G_N_ELEMENTS(DASHES), 0);
    cairo_stroke(canvas->cairo);
    cairo_set_dash(canvas->cairo, NULL, 0, 0);
}

/* At the side of what is oldest, where it is in nobody's way for the longest. */
static void draw_scale(GtkWidget *widget, const Canvas *canvas, GdkRGBA colour)
{
    g_autofree char *text = dialtone_graph_rate_text(canvas->scale);
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, text);
    g_autoptr(PangoAttrList) small = pango_attr_list_new();
    int width;
    pango_attr_list_insert(small, pango_attr_scale_new(PANGO_SCALE_SMALL));
    pango_layout_set_attributes(layout, small);
    pango_layout_get_pixel_size(layout, &width, NULL);
    cairo_move_to(canvas->cairo, canvas->mirrored ? canvas->width - width - 2 : 2, 4);
    set_colour(canvas->cairo, colour, 0.75);
    pango_cairo_show_layout(canvas->cairo, layout);
}

static gboolean dialtone_graph_draw(GtkWidget *widget, cairo_t *cairo)
{
    const DialtoneGraph *self = DIALTONE_GRAPH(widget);
    const GdkRGBA text = colour_of(widget, "theme_fg_color");
    const Canvas canvas = {
        .cairo = cairo,
        .width = gtk_widget_get_allocated_width(widget),
        .height = gtk_widget_get_allocated_height(widget),
        .scale = scale_of(self),
        .mirrored = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL,
    };
    draw_grid(&canvas, text);
    draw_in(self, &canvas, colour_of(widget, "theme_selected_bg_color"));
    draw_out(self, &canvas, text);
    draw_scale(widget, &canvas, text);
    return FALSE;
}

/* ---- what is known ---- */

char *dialtone_graph_rate_text(double rate)
{
    g_autofree char *size = g_format_size((guint64)MAX(rate, 0));
    return g_strdup_printf(_("%s/s"), size);
}

static void describe(DialtoneGraph *self)
{
    DialtoneRate newest = at_age(self, 0);
    g_autofree char *in = dialtone_graph_rate_text(newest.in);
    g_autofree char *out = dialtone_graph_rate_text(newest.out);
    g_autofree char *text = g_strdup_printf(_("Receiving %s, sending %s"), in, out);
    atk_object_set_description(gtk_widget_get_accessible(GTK_WIDGET(self)), text);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void dialtone_graph_add(DialtoneGraph *self, DialtoneRate rate)
{
    self->newest = (self->newest + 1) % SAMPLES;
    self->samples[self->newest] = rate;
    describe(self);
}

void dialtone_graph_clear(DialtoneGraph *self)
{
    for (guint i = 0; i < SAMPLES; i++)
        self->samples[i] = (DialtoneRate){0};
    describe(self);
}

/* ---- the class ---- */

static void dialtone_graph_class_init(DialtoneGraphClass *class)
{
    GTK_WIDGET_CLASS(class)->draw = dialtone_graph_draw;
}

static void dialtone_graph_init(DialtoneGraph *self)
{
    AtkObject *accessible = gtk_widget_get_accessible(GTK_WIDGET(self));
    gtk_widget_set_size_request(GTK_WIDGET(self), -1, HEIGHT);
    atk_object_set_role(accessible, ATK_ROLE_IMAGE);
    atk_object_set_name(accessible, _("Traffic of the last minute"));
    describe(self);
}

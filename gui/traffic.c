/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service tells nobody that its counters have grown, so who looks at them asks: once a second,
 * and only while this is on the screen. A question is not asked before the one ahead of it has been
 * answered. What was counted while nobody looked is not drawn as if it had come in a second.
 */
#define G_LOG_DOMAIN "dialtone-gtk"

#include "gui/traffic.h"

#include <string.h>

#include "client/common/i18n.h"
#include "gui/graph.h"

typedef struct Counters {
    guint64 bytes_in, packets_in, bytes_out, packets_out;
} Counters;

struct _DialtoneTraffic {
    GtkBox parent_instance;
    DialtoneItem *item;
    GCancellable *asking; /* NULL: nothing is asked */
    guint timer;
    Counters last;
    gint64 last_time; /* of the monotonic clock; 0: nothing to compare with */
    DialtoneGraph *graph;
    GtkLabel *rate_in;
    GtkLabel *rate_out;
    GtkLabel *sum_in;
    GtkLabel *sum_out;
    GtkLabel *drops;
};

G_DEFINE_TYPE(DialtoneTraffic, dialtone_traffic, GTK_TYPE_BOX)

/* ---- words ---- */

static const char *drop_text(const char *name)
{
    static const struct {
        const char *name, *text;
    } TEXTS[] = {
        {"no-sa", N_("outside of what was agreed on")},
        {"too-big", N_("too large")},
        {"exhausted", N_("keys used up")},
        {"send", N_("refused by the network")},
        {"unknown-spi", N_("unknown SPI")},
        {"malformed", N_("malformed")},
        {"replayed", N_("replayed")},
        {"forged", N_("not authentic")},
        {"selector", N_("wrong addresses")},
        {"tun", N_("refused by the interface")},
        {"ike", N_("too many at once")},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++)
        if (strcmp(TEXTS[i].name, name) == 0)
            return _(TEXTS[i].text);
    return name;
}

/* Where no plural is needed for more than any integer holds, the largest stands for it. */
static unsigned long plural(guint64 n)
{
    return n > G_MAXULONG ? G_MAXULONG : (unsigned long)n;
}

static void show_sum(GtkLabel *label, guint64 bytes, guint64 packets)
{
    g_autofree char *size = g_format_size(bytes);
    g_autofree char *number = g_strdup_printf("%'" G_GUINT64_FORMAT, packets);
    g_autofree char *text = g_strdup_printf(
        dngettext(DIALTONE_TEXTDOMAIN, "%s in %s packet", "%s in %s packets", plural(packets)),
        size, number);
    gtk_label_set_text(label, text);
}

static void show_rate(GtkLabel *label, double rate)
{
    g_autofree char *text = dialtone_graph_rate_text(rate);
    gtk_label_set_text(label, text);
}

static void show_drops(DialtoneTraffic *self, GVariant *drops)
{
    g_autoptr(GString) causes = g_string_new(NULL);
    GVariantIter iter;
    const char *name;
    guint64 n, sum = 0;
    g_variant_iter_init(&iter, drops);
    while (g_variant_iter_next(&iter, "{&st}", &name, &n)) {
        g_string_append_printf(causes, "%s%s: %'" G_GUINT64_FORMAT, sum > 0 ? ", " : "",
                               drop_text(name), n);
        sum += n;
    }
    g_autofree char *number = g_strdup_printf("%'" G_GUINT64_FORMAT, sum);
    g_autofree char *text = g_strdup_printf(dngettext(DIALTONE_TEXTDOMAIN, "%s packet dropped (%s)",
                                                      "%s packets dropped (%s)", plural(sum)),
                                            number, causes->str);
    gtk_label_set_text(self->drops, text);
    gtk_widget_set_visible(GTK_WIDGET(self->drops), sum > 0);
}

/* ---- counters ---- */

static double rate_of(guint64 now, guint64 before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void take(DialtoneTraffic *self, const Counters *now)
{
    gint64 time = g_get_monotonic_time();
    double seconds = (double)(time - self->last_time) / G_USEC_PER_SEC;
    if (self->last_time != 0) {
        const DialtoneRate rate = {.in = rate_of(now->bytes_in, self->last.bytes_in, seconds),
                                   .out = rate_of(now->bytes_out, self->last.bytes_out, seconds)};
        dialtone_graph_add(self->graph, rate);
        show_rate(self->rate_in, rate.in);
        show_rate(self->rate_out, rate.out);
    }
    self->last = *now;
    self->last_time = time;
    show_sum(self->sum_in, now->bytes_in, now->packets_in);
    show_sum(self->sum_out, now->bytes_out, now->packets_out);
}

static void on_counters(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(DialtoneTraffic) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) drops = NULL;
    Counters now;
    gboolean answered = dialtone_bus_connection_call_get_counters_finish(
        DIALTONE_BUS_CONNECTION(source), &now.bytes_in, &now.packets_in, &now.bytes_out,
        &now.packets_out, &drops, result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    g_clear_object(&self->asking);
    if (!answered) {
        g_debug("no counters: %s", error->message);
        return;
    }
    take(self, &now);
    show_drops(self, drops);
}

static gboolean is_minimised(DialtoneTraffic *self)
{
    GdkWindow *window = gtk_widget_get_window(gtk_widget_get_toplevel(GTK_WIDGET(self)));
    return window != NULL && (gdk_window_get_state(window) & GDK_WINDOW_STATE_ICONIFIED) != 0;
}

static void ask(DialtoneTraffic *self)
{
    DialtoneBusConnection *connection = dialtone_item_get_connection(self->item);
    if (connection == NULL || self->asking != NULL || is_minimised(self))
        return;
    self->asking = g_cancellable_new();
    dialtone_bus_connection_call_get_counters(connection, self->asking, on_counters,
                                              g_object_ref(self));
}

static gboolean on_second(gpointer data)
{
    ask(data);
    return G_SOURCE_CONTINUE;
}

/* ---- shown or not ---- */

static void stop(DialtoneTraffic *self)
{
    g_clear_handle_id(&self->timer, g_source_remove);
    g_cancellable_cancel(self->asking);
    g_clear_object(&self->asking);
    self->last_time = 0;
}

static void begin(DialtoneTraffic *self)
{
    if (self->timer != 0 || self->item == NULL || !gtk_widget_get_mapped(GTK_WIDGET(self)))
        return;
    self->timer = g_timeout_add_seconds(1, on_second, self);
    ask(self);
}

void dialtone_traffic_set_item(DialtoneTraffic *self, DialtoneItem *item)
{
    if (self->item == item)
        return;
    stop(self);
    g_set_object(&self->item, item);
    dialtone_graph_clear(self->graph);
    show_rate(self->rate_in, 0);
    show_rate(self->rate_out, 0);
    begin(self);
}

static void dialtone_traffic_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(dialtone_traffic_parent_class)->map(widget);
    begin(DIALTONE_TRAFFIC(widget));
}

/* What it knew is of another minute when it is shown again. */
static void dialtone_traffic_unmap(GtkWidget *widget)
{
    DialtoneTraffic *self = DIALTONE_TRAFFIC(widget);
    stop(self);
    dialtone_graph_clear(self->graph);
    GTK_WIDGET_CLASS(dialtone_traffic_parent_class)->unmap(widget);
}

/* ---- the class ---- */

static void dialtone_traffic_dispose(GObject *object)
{
    DialtoneTraffic *self = DIALTONE_TRAFFIC(object);
    stop(self);
    g_clear_object(&self->item);
    G_OBJECT_CLASS(dialtone_traffic_parent_class)->dispose(object);
}

static void dialtone_traffic_class_init(DialtoneTrafficClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dialtone_traffic_dispose;
    widget_class->map = dialtone_traffic_map;
    widget_class->unmap = dialtone_traffic_unmap;
    g_type_ensure(DIALTONE_TYPE_GRAPH);
    gtk_widget_class_set_template_from_resource(widget_class, "/org/dialtone/Dialtone/traffic.ui");
    gtk_widget_class_bind_template_child(widget_class, DialtoneTraffic, graph);
    gtk_widget_class_bind_template_child(widget_class, DialtoneTraffic, rate_in);
    gtk_widget_class_bind_template_child(widget_class, DialtoneTraffic, rate_out);
    gtk_widget_class_bind_template_child(widget_class, DialtoneTraffic, sum_in);
    gtk_widget_class_bind_template_child(widget_class, DialtoneTraffic, sum_out);
    gtk_widget_class_bind_template_child(widget_class, DialtoneTraffic, drops);
}

static void dialtone_traffic_init(DialtoneTraffic *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    show_rate(self->rate_in, 0);
    show_rate(self->rate_out, 0);
}

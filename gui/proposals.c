/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows are made from the value whenever their number or order changes, and say the value again
 * when something is picked in them. In one attempt the client can offer one Diffie-Hellman group
 * only, for its public value stands in the first message (RFC 2409, 5.4), so proposals of the same
 * group share an attempt; which, each row says.
 */
#include "gui/proposals.h"

#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/profile.h"
#include "gui/proposal-row.h"

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

struct _DialtoneProposals {
    GtkBox parent_instance;
    gboolean phase1;
    GtkListBox *list;
    GtkWidget *tools;
    GtkWidget *add;
    GtkWidget *remove;
    GtkWidget *up;
    GtkWidget *down;
    GtkListBoxRow *dragged; /* NULL; only compared */
};

G_DEFINE_TYPE(DialtoneProposals, dialtone_proposals, GTK_TYPE_BOX)

static const GtkTargetEntry TARGETS[] = {
    {(char *)"application/x-dialtone-proposal", GTK_TARGET_SAME_APP, 0},
};

static guint count(DialtoneProposals *self)
{
    guint n = 0;
    while (gtk_list_box_get_row_at_index(self->list, (int)n) != NULL)
        n++;
    return n;
}

static DialtoneProposalRow *row_at(DialtoneProposals *self, guint i)
{
    return DIALTONE_PROPOSAL_ROW(gtk_list_box_get_row_at_index(self->list, (int)i));
}

static guint most(const DialtoneProposals *self)
{
    return self->phase1 ? DIALTONE_PHASE1_PROPOSALS_MAX : DIALTONE_PHASE2_PROPOSALS_MAX;
}

/* ---- what follows from the rows ---- */

/* The number of the attempt that row @i is part of: groups in the order they come in. */
static guint attempt_of(DialtoneProposals *self, guint i)
{
    guint attempt = 0;
    const char *group = dialtone_proposal_row_get_group(row_at(self, i));
    for (guint k = 0; k <= i; k++) {
        const char *other = dialtone_proposal_row_get_group(row_at(self, k));
        gboolean first = TRUE;
        for (guint j = 0; j < k && first; j++)
            first = g_strcmp0(dialtone_proposal_row_get_group(row_at(self, j)), other) != 0;
        attempt += first ? 1 : 0;
        if (g_strcmp0(other, group) == 0)
            break;
    }
    return attempt;
}

static void update(DialtoneProposals *self)
{
    GtkListBoxRow *selected = gtk_list_box_get_selected_row(self->list);
    guint n = count(self);
    guint at = selected != NULL ? (guint)gtk_list_box_row_get_index(selected) : G_MAXUINT;
    for (guint i = 0; i < n; i++)
        dialtone_proposal_row_set_place(row_at(self, i), i + 1, attempt_of(self, i));
    gtk_widget_set_sensitive(self->add, n < most(self));
    gtk_widget_set_sensitive(self->remove, at < n && n > 1);
    gtk_widget_set_sensitive(self->up, at < n && at > 0);
    gtk_widget_set_sensitive(self->down, at < n && at + 1 < n);
}

static void tell(DialtoneProposals *self)
{
    update(self);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

/* ---- rows ---- */

static void on_row(DialtoneProposalRow *row, gpointer data)
{
    tell(data);
}

/* Who works in a row means that row. */
static void on_focus(GtkContainer *row, GtkWidget *child, gpointer data)
{
    DialtoneProposals *self = data;
    if (child != NULL)
        gtk_list_box_select_row(self->list, GTK_LIST_BOX_ROW(row));
}

/* A picture of the row goes along, held where the pointer took it. */
static void show_dragged(GtkWidget *row, GtkWidget *handle, GdkDragContext *context)
{
    const int width = gtk_widget_get_allocated_width(row);
    const int height = gtk_widget_get_allocated_height(row);
    const int scale = gtk_widget_get_scale_factor(row);
    int x = 0, y = 0;
    cairo_surface_t *picture = gdk_window_create_similar_surface(
        gtk_widget_get_window(row), CAIRO_CONTENT_COLOR, width, height);
    cairo_t *cairo = cairo_create(picture);
    /* The list's, without its round corners. */
    gtk_render_background(gtk_widget_get_style_context(gtk_widget_get_parent(row)), cairo, -height,
                          -height, width + 2 * height, 3 * height);
    gtk_widget_draw(row, cairo);
    cairo_destroy(cairo);
    if (gtk_widget_translate_coordinates(handle, row, gtk_widget_get_allocated_width(handle) / 2,
                                         gtk_widget_get_allocated_height(handle) / 2, &x, &y))
        cairo_surface_set_device_offset(picture, -x * scale, -y * scale);
    gtk_drag_set_icon_surface(context, picture);
    cairo_surface_destroy(picture);
}

static void on_drag_begin(GtkWidget *handle, GdkDragContext *context, gpointer data)
{
    DialtoneProposals *self = data;
    GtkWidget *row = gtk_widget_get_ancestor(handle, GTK_TYPE_LIST_BOX_ROW);
    self->dragged = GTK_LIST_BOX_ROW(row);
    show_dragged(row, handle, context);
}

static void on_drag_end(GtkWidget *handle, GdkDragContext *context, gpointer data)
{
    DIALTONE_PROPOSALS(data)->dragged = NULL;
}

static void on_drag_data_get(GtkWidget *handle, GdkDragContext *context,
                             GtkSelectionData *selection, guint info, guint time)
{
    gtk_selection_data_set(selection, gtk_selection_data_get_target(selection), 8,
                           (const guchar *)"", 0);
}

static GtkWidget *insert(DialtoneProposals *self, const char *proposal, int at)
{
    GtkWidget *row = dialtone_proposal_row_new(self->phase1, proposal);
    GtkWidget *handle = dialtone_proposal_row_get_handle(DIALTONE_PROPOSAL_ROW(row));
    g_signal_connect(row, "changed", G_CALLBACK(on_row), self);
    g_signal_connect(row, "set-focus-child", G_CALLBACK(on_focus), self);
    gtk_drag_source_set(handle, GDK_BUTTON1_MASK, TARGETS, G_N_ELEMENTS(TARGETS), GDK_ACTION_MOVE);
    g_signal_connect(handle, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(handle, "drag-end", G_CALLBACK(on_drag_end), self);
    g_signal_connect(handle, "drag-data-get", G_CALLBACK(on_drag_data_get), NULL);
    gtk_list_box_insert(self->list, row, at);
    return row;
}

/* The row goes to another place; whoever worked in it goes on there. */
static void move(DialtoneProposals *self, GtkListBoxRow *row, int to)
{
    int from = gtk_list_box_row_get_index(row);
    if (to < 0 || to >= (int)count(self) || to == from)
        return;
    g_object_ref(row);
    gtk_container_remove(GTK_CONTAINER(self->list), GTK_WIDGET(row));
    gtk_list_box_insert(self->list, GTK_WIDGET(row), to);
    g_object_unref(row);
    gtk_list_box_select_row(self->list, row);
    gtk_widget_grab_focus(GTK_WIDGET(row));
    tell(self);
}

static void on_drag_data_received(GtkWidget *list, GdkDragContext *context, int x, int y,
                                  GtkSelectionData *selection, guint info, guint time,
                                  gpointer data)
{
    DialtoneProposals *self = data;
    GtkListBoxRow *at = gtk_list_box_get_row_at_y(self->list, y);
    int last = (int)count(self) - 1;
    if (self->dragged != NULL)
        move(self, self->dragged, at != NULL ? gtk_list_box_row_get_index(at) : last);
}

/* ---- the tools below ---- */

static void move_selected(DialtoneProposals *self, int by)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);
    if (row != NULL)
        move(self, row, gtk_list_box_row_get_index(row) + by);
}

static void on_up(GtkButton *button, gpointer data)
{
    move_selected(data, -1);
}

static void on_down(GtkButton *button, gpointer data)
{
    move_selected(data, 1);
}

static void on_add(GtkButton *button, gpointer data)
{
    DialtoneProposals *self = data;
    GtkWidget *row =
        insert(self, self->phase1 ? "aes256-sha256-modp2048" : "aes256gcm16-modp2048", -1);
    gtk_list_box_select_row(self->list, GTK_LIST_BOX_ROW(row));
    tell(self);
    gtk_widget_child_focus(row, GTK_DIR_TAB_FORWARD);
}

static void on_remove(GtkButton *button, gpointer data)
{
    DialtoneProposals *self = data;
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);
    if (row == NULL || count(self) < 2)
        return;
    int at = gtk_list_box_row_get_index(row);
    gtk_widget_destroy(GTK_WIDGET(row));
    row = gtk_list_box_get_row_at_index(self->list, MIN(at, (int)count(self) - 1));
    gtk_list_box_select_row(self->list, row);
    tell(self);
}

static gboolean on_key(GtkWidget *widget, GdkEventKey *event, gpointer data)
{
    gboolean alt = (event->state & gtk_accelerator_get_default_mod_mask()) == GDK_MOD1_MASK;
    if (!alt || (event->keyval != GDK_KEY_Up && event->keyval != GDK_KEY_Down))
        return GDK_EVENT_PROPAGATE;
    move_selected(data, event->keyval == GDK_KEY_Up ? -1 : 1);
    return GDK_EVENT_STOP;
}

static void on_selected(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    update(data);
}

/* ---- the value ---- */

char *dialtone_proposals_get_value(DialtoneProposals *self)
{
    GString *value = g_string_new(NULL);
    for (guint i = 0; i < count(self); i++) {
        g_autofree char *one = dialtone_proposal_row_get_value(row_at(self, i));
        g_string_append_printf(value, "%s%s", i > 0 ? ";" : "", one);
    }
    return g_string_free(value, FALSE);
}

void dialtone_proposals_set_value(DialtoneProposals *self, const char *value)
{
    g_autofree char *before = dialtone_proposals_get_value(self);
    g_auto(GStrv) items = g_strsplit(value, ";", -1);
    GtkListBoxRow *row;
    if (strcmp(before, value) == 0)
        return;
    while ((row = gtk_list_box_get_row_at_index(self->list, 0)) != NULL)
        gtk_widget_destroy(GTK_WIDGET(row));
    for (gsize i = 0; items[i] != NULL; i++)
        if (*g_strstrip(items[i]) != '\0')
            insert(self, items[i], -1);
    gtk_list_box_select_row(self->list, gtk_list_box_get_row_at_index(self->list, 0));
    update(self);
}

/* A list has no focus of its own: its rows have. */
void dialtone_proposals_focus(DialtoneProposals *self)
{
    GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);
    gtk_widget_grab_focus(row != NULL ? GTK_WIDGET(row) : self->add);
}

static gboolean on_mnemonic(GtkWidget *list, gboolean cycling, gpointer data)
{
    dialtone_proposals_focus(data);
    return TRUE;
}

GtkWidget *dialtone_proposals_get_focus(DialtoneProposals *self)
{
    return GTK_WIDGET(self->list);
}

void dialtone_proposals_set_name(DialtoneProposals *self, const char *name, const char *description)
{
    AtkObject *list = gtk_widget_get_accessible(GTK_WIDGET(self->list));
    atk_object_set_name(list, name);
    atk_object_set_description(list, description);
}

/* ---- the class ---- */

static GtkWidget *tool(DialtoneProposals *self, const char *icon, const char *name,
                       GCallback clicked)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);
    gtk_widget_set_tooltip_text(button, name);
    atk_object_set_name(gtk_widget_get_accessible(button), name);
    g_signal_connect(button, "clicked", clicked, self);
    gtk_widget_show(button);
    gtk_box_pack_start(GTK_BOX(self->tools), button, FALSE, FALSE, 0);
    return button;
}

static void dialtone_proposals_class_init(DialtoneProposalsClass *class)
{
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void dialtone_proposals_init(DialtoneProposals *self)
{
    GtkWidget *list = gtk_list_box_new();
    self->tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    self->list = GTK_LIST_BOX(list);
    gtk_list_box_set_selection_mode(self->list, GTK_SELECTION_BROWSE);
    gtk_style_context_add_class(gtk_widget_get_style_context(list), "proposals");
    g_signal_connect(list, "mnemonic-activate", G_CALLBACK(on_mnemonic), self);
    g_signal_connect(list, "row-selected", G_CALLBACK(on_selected), self);
    g_signal_connect(list, "key-press-event", G_CALLBACK(on_key), self);
    gtk_drag_dest_set(list, GTK_DEST_DEFAULT_ALL, TARGETS, G_N_ELEMENTS(TARGETS), GDK_ACTION_MOVE);
    g_signal_connect(list, "drag-data-received", G_CALLBACK(on_drag_data_received), self);
    gtk_box_pack_start(GTK_BOX(self), list, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(self), self->tools, FALSE, FALSE, 0);
    gtk_widget_show(list);
    gtk_widget_show(self->tools);
}

GtkWidget *dialtone_proposals_new(gboolean phase1)
{
    DialtoneProposals *self = g_object_new(DIALTONE_TYPE_PROPOSALS, "visible", TRUE, NULL);
    self->phase1 = phase1;
    self->add = tool(self, "list-add-symbolic",
                     phase1 ? _("Add a proposal of Phase 1") : _("Add a proposal of Phase 2"),
                     G_CALLBACK(on_add));
    self->remove =
        tool(self, "list-remove-symbolic",
             phase1 ? _("Remove the proposal of Phase 1") : _("Remove the proposal of Phase 2"),
             G_CALLBACK(on_remove));
    self->up = tool(self, "go-up-symbolic", _("Move up"), G_CALLBACK(on_up));
    self->down = tool(self, "go-down-symbolic", _("Move down"), G_CALLBACK(on_down));
    return GTK_WIDGET(self);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kill switches that were left behind, as a property on the bus: who has no Internet is told why.
 *
 * Their records are files among the slots, which everybody may read. A holder that is killed
 * changes none of them before somebody cleans up, so while there is any they are read again now and
 * then.
 */
#include "client/service/manager-private.h"
#include "platform/firewall.h"

enum { LOOK_AGAIN_S = 10 };

static GVariant *variant_of(const GArray *left)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sb)"));
    for (guint i = 0; i < left->len; i++) {
        const PlatformFirewallLeft *one = &g_array_index(left, PlatformFirewallLeft, i);
        g_autofree char *label = g_utf8_make_valid(one->label, -1);
        g_variant_builder_add(&builder, "(sb)", label, one->persistent);
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static gboolean on_time(gpointer data);

/* What is as it was is no news on the bus: the skeleton compares. */
static void look(gpointer data)
{
    ServiceManager *self = data;
    g_autoptr(GArray) left = platform_firewall_left(NULL);
    g_autoptr(GVariant) value = variant_of(left);
    dialtone_bus_manager_set_kill_switches(self->skeleton, value);
    if (self->slots_timer == 0 && platform_slot_numbers(NULL) != 0)
        self->slots_timer = g_timeout_add_seconds(LOOK_AGAIN_S, on_time, self);
}

static gboolean on_time(gpointer data)
{
    ServiceManager *self = data;
    self->slots_timer = 0;
    look(self);
    return G_SOURCE_REMOVE;
}

void service_kill_switches_begin(ServiceManager *self)
{
    static const char *const FOLDERS[] = {PLATFORM_SLOT_DIR, NULL};
    self->slots_watch = dialtone_folder_watch_new(FOLDERS, look, self);
    look(self);
}

void service_kill_switches_end(ServiceManager *self)
{
    g_clear_handle_id(&self->slots_timer, g_source_remove);
    dialtone_folder_watch_free(self->slots_watch);
}

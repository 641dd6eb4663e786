/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tunnel has carried, for others to read. The counters themselves cost nothing, but a
 * reader that has no bus sees only what was written for it. So the first packet after a silence
 * has them written, and then they are once a second for as long as they change: an idle tunnel
 * wakes nobody.
 */
#include "client/tunnel/tunnel-private.h"

#include <string.h>

#include "platform/slot.h"

static void write_down(const Tunnel *self, const DialtoneReport *report)
{
    g_autofree char *json = self->state_fd >= 0 ? dialtone_report_to_json(report) : NULL;

    if (json != NULL && platform_slot_write_state(self->state_fd, json) < 0)
        g_debug("the state could not be written for others to read");
}

void tunnel_traffic_tell(Tunnel *self, DialtoneReport *report)
{
    report->time_us = self->traffic.told_at = g_get_real_time();
    self->traffic.elapsed_ms = report->elapsed_ms;
    write_down(self, report);
}

void tunnel_traffic_tell_again(Tunnel *self)
{
    g_autoptr(DialtoneReport) report = tunnel_report_new(self);

    report->time_us = self->traffic.told_at;
    report->elapsed_ms = self->traffic.elapsed_ms;
    write_down(self, report);
}

static bool has_moved(const Tunnel *self)
{
    DatapathStats now;

    tunnel_stats(self, &now);
    return memcmp(&now, &self->traffic.written, sizeof(now)) != 0;
}

static void tell_counters(Tunnel *self)
{
    tunnel_stats(self, &self->traffic.written);
    tunnel_traffic_tell_again(self);
}

static gboolean on_second(gpointer data)
{
    Tunnel *self = data;

    if (!has_moved(self)) {
        /* What comes after this raises the event, and what came before it is seen below. */
        datapath_watch_traffic(self->datapath);
        if (!has_moved(self)) {
            self->traffic.timer = 0;
            return G_SOURCE_REMOVE;
        }
    }
    tell_counters(self);
    return G_SOURCE_CONTINUE;
}

void tunnel_traffic_moves(Tunnel *self)
{
    if (self->traffic.timer != 0)
        return;
    tell_counters(self);
    self->traffic.timer = g_timeout_add_seconds(1, on_second, self);
}

void tunnel_traffic_clear(Tunnel *self)
{
    g_clear_handle_id(&self->traffic.timer, g_source_remove);
}

void tunnel_traffic_add(DialtoneReport *report, const Tunnel *self)
{
    DatapathStats stats;

    if (self->datapath == NULL || !self->tun_attached)
        return;
    tunnel_stats(self, &stats);
    report->offloads = dialtone_offload_list(tunnel_offloads(self));
    report->traffic.bytes_in = stats.bytes_in;
    report->traffic.packets_in = stats.packets_in;
    report->traffic.bytes_out = stats.bytes_out;
    report->traffic.packets_out = stats.packets_out;
    for (int i = 0; i < DATAPATH_DROPS; i++)
        dialtone_report_add_drop(report, datapath_drop_name((DatapathDrop)i), stats.drops[i]);
}

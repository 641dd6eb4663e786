// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes and rules that another program removes come back within a second.
 *
 * A short pause gathers what is removed at one go, and bounds how often two programs that disagree
 * can answer each other.
 */
#include "platform/netlink-guard.h"

#include "platform/netlink.h"

#include <glib-unix.h>
#include <unistd.h>

enum { PAUSE_MS = 250 };

struct PlatformNetlinkGuard {
    int fd;
    uint32_t table;
    guint watch, timer;
    PlatformNetlinkGuardFunc func;
    void *user_data;
};

static gboolean on_pause_over(gpointer user_data)
{
    PlatformNetlinkGuard *guard = user_data;

    guard->timer = 0;
    guard->func(guard->user_data);
    return G_SOURCE_REMOVE;
}

static gboolean on_change(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformNetlinkGuard *guard = user_data;

    if (platform_netlink_watch_read(fd, guard->table) && !guard->timer)
        guard->timer = g_timeout_add(PAUSE_MS, on_pause_over, guard);
    return G_SOURCE_CONTINUE;
}

PlatformNetlinkGuard *platform_netlink_guard_new(uint32_t table, PlatformNetlinkGuardFunc func,
                                                 void *user_data)
{
    int fd;

    if (platform_netlink_watch_open(&fd) < 0)
        return NULL;
    PlatformNetlinkGuard *guard = g_new0(PlatformNetlinkGuard, 1);

    *guard = (PlatformNetlinkGuard){.fd = fd, .table = table, .func = func, .user_data = user_data};
    guard->watch = g_unix_fd_add(fd, G_IO_IN, on_change, guard);
    return guard;
}

void platform_netlink_guard_free(PlatformNetlinkGuard *guard)
{
    if (!guard)
        return;
    g_clear_handle_id(&guard->watch, g_source_remove);
    g_clear_handle_id(&guard->timer, g_source_remove);
    close(guard->fd);
    g_free(guard);
}

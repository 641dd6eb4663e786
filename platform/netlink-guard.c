// SPDX-License-Identifier: GPL-2.0-or-later
/* Routes and rules that another program removes come back within a second. */
#include "platform/netlink-guard.h"

#include <glib-unix.h>
#include <unistd.h>

struct PlatformNetlinkGuard {
    int fd;
    uint32_t table;
    uint32_t own; /* port of who may remove what is guarded */
    guint watch;
    PlatformRestorer *restorer;
};

static gboolean on_change(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformNetlinkGuard *guard = user_data;

    if (platform_netlink_watch_read(fd, guard->table, guard->own))
        platform_restorer_wake(guard->restorer);
    return G_SOURCE_CONTINUE;
}

PlatformNetlinkGuard *platform_netlink_guard_new(uint32_t table, const PlatformNetlink *own,
                                                 const PlatformRestorerSetup *setup)
{
    int fd;

    if (platform_netlink_watch_open(&fd) < 0)
        return NULL;
    PlatformNetlinkGuard *guard = g_new0(PlatformNetlinkGuard, 1);

    guard->fd = fd;
    guard->table = table;
    guard->own = platform_netlink_port(own);
    guard->restorer = platform_restorer_new(setup);
    guard->watch = g_unix_fd_add(fd, G_IO_IN, on_change, guard);
    return guard;
}

void platform_netlink_guard_free(PlatformNetlinkGuard *guard)
{
    if (!guard)
        return;
    g_clear_handle_id(&guard->watch, g_source_remove);
    platform_restorer_free(guard->restorer);
    close(guard->fd);
    g_free(guard);
}

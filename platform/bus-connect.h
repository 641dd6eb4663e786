/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection of one's own to the system bus, for one thing and not for hours. */
#pragma once

#include <gio/gio.h>

/* Waits at most so long, in a main context of its own. */
GDBusConnection *platform_bus_connect(guint wait_ms, GError **error);
void platform_bus_disconnect(GDBusConnection *bus);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What NetworkManager, where it is there, has found out about the way to the Internet. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* True where a web page has to be met before anything else gets through. Waits for NetworkManager
   for a second at most, and starts nobody. */
bool platform_connectivity_is_portal(void);

typedef struct PlatformPortalWatch PlatformPortalWatch;

/* There is such a page, or no more. */
typedef void (*PlatformPortalFunc)(bool is_portal, gpointer user_data);

/* The same for who can't wait, and as long as it is watched: asks at once, and then hears. Calls
   back in the thread's default main context, never at once, and first only where there is one. */
PlatformPortalWatch *platform_portal_watch_new(GDBusConnection *bus, PlatformPortalFunc func,
                                               gpointer user_data);
void platform_portal_watch_free(PlatformPortalWatch *watch);
bool platform_portal_watch_is_portal(const PlatformPortalWatch *watch);

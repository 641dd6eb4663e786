/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which networks this machine has joined, by the names that NetworkManager has for them. It is
 * asked when it says that something has changed, and never else. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct PlatformJoinedNetwork {
    char *id, *uuid; /* of the connection; never NULL */
    GBytes *ssid;    /* NULL: it is no Wi-Fi network, or a hidden one */
    bool primary;    /* what leaves the machine leaves by it */
} PlatformJoinedNetwork;

void platform_joined_network_free(PlatformJoinedNetwork *network);

typedef struct PlatformJoinedWatch PlatformJoinedWatch;

/* Something may have changed, or it is known for the first time. */
typedef void (*PlatformJoinedFunc)(gpointer user_data);

/* Calls back in the thread's default main context, never at once. */
PlatformJoinedWatch *platform_joined_watch_new(GDBusConnection *bus, PlatformJoinedFunc func,
                                               gpointer user_data);
void platform_joined_watch_free(PlatformJoinedWatch *watch);

/* Of PlatformJoinedNetwork, perhaps none; the watch's, until it calls back. NULL: nobody knows, for
 * NetworkManager is not there, does not answer, or has not answered yet. */
const GPtrArray *platform_joined_networks(const PlatformJoinedWatch *watch);

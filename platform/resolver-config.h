/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the resolver reads from files: servers, and names that need no server. */
#pragma once

#include "platform/resolver.h"

#include <glib.h>

typedef struct PlatformResolverServer {
    struct sockaddr_storage to;
    socklen_t length;
} PlatformResolverServer;

/* Array of PlatformResolverServer, in order; without those of `skip` (PlatformAddress). */
GArray *platform_resolver_read_servers(const PlatformResolverPaths *paths, const GArray *skip);
/* Appends the addresses that the hosts file has for the name. */
void platform_resolver_read_hosts(const PlatformResolverPaths *paths, const char *name,
                                  GArray *addresses);

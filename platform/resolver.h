/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of gateways to addresses, by a process without privileges, over sockets that it was given.
   The C library's resolver would open sockets without the mark and so ask through a tunnel that is
   dead. Asks the servers of the physical links: those of /run/systemd/resolve/resolv.conf where
   /etc/resolv.conf names the local stub, the saved original where Dialtone has replaced it, else
   /etc/resolv.conf. /etc/hosts comes first. */
#pragma once

#include "platform/address.h"

#include <gio/gio.h>

typedef struct PlatformResolver PlatformResolver;

typedef enum PlatformResolverError {
    PLATFORM_RESOLVER_ERROR_INVALID_NAME,
    PLATFORM_RESOLVER_ERROR_NOT_FOUND,  /* a server says that there is no such name */
    PLATFORM_RESOLVER_ERROR_NO_ADDRESS, /* the name exists and has no address */
    PLATFORM_RESOLVER_ERROR_TIMED_OUT,  /* no server answered */
    PLATFORM_RESOLVER_ERROR_FAILED,     /* servers answered that they can't tell */
    PLATFORM_RESOLVER_ERROR_NO_SERVERS, /* none is configured, or no socket of its family */
} PlatformResolverError;

#define PLATFORM_RESOLVER_ERROR (platform_resolver_error_quark())
GQuark platform_resolver_error_quark(void);

typedef struct PlatformResolverPaths {
    const char *hosts, *resolv_conf, *uplink; /* uplink: that of systemd-resolved */
    const char *saved_dir;                    /* /run/dialtone */
} PlatformResolverPaths;
extern const PlatformResolverPaths platform_resolver_paths;

/* Takes the sockets (each may be -1): non-blocking UDP, of IPv4 and of IPv6, read by nobody else.
   paths NULL: the usual ones. */
PlatformResolver *platform_resolver_new(int fd4_take, int fd6_take,
                                        const PlatformResolverPaths *paths);
void platform_resolver_free(PlatformResolver *resolver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformResolver, platform_resolver_free)
/* Servers not to be asked: the tunnel's own. */
void platform_resolver_skip_servers(PlatformResolver *resolver, const PlatformAddress *servers,
                                    size_t n);
/* Runs in the thread's default main context; ends within 10 s. A literal address is given back
   without asking anybody. Queries of one resolver may run at the same time; when the resolver is
   freed they end with G_IO_ERROR_CANCELLED. */
void platform_resolver_lookup(PlatformResolver *resolver, const char *name,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
/* Array of PlatformAddress, at least one, IPv6 after IPv4, without duplicates; NULL with error. */
GArray *platform_resolver_lookup_finish(GAsyncResult *result, GError **error);

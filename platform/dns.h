/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the system ask the tunnel's DNS servers, and puts back what was. One of three ways:
   systemd-resolved over D-Bus where it runs; the program resolvconf where it is installed; else the
   file /etc/resolv.conf itself. */
#pragma once

#include "platform/address.h"

#include <gio/gio.h>

enum {
    PLATFORM_DNS_SERVERS = 8,
    PLATFORM_DNS_DOMAINS = 64,
    PLATFORM_DNS_NAME = 253, /* longest host name, RFC 1035 section 2.3.4 in text */
};

typedef enum PlatformDnsWay {
    PLATFORM_DNS_NONE,
    PLATFORM_DNS_RESOLVED,
    PLATFORM_DNS_RESOLVCONF,
    PLATFORM_DNS_FILE,
} PlatformDnsWay;

typedef struct PlatformDnsDomain {
    char name[PLATFORM_DNS_NAME + 1]; /* without a final dot; "." is all names */
    bool routing_only;                /* names below it are asked there, but it is not searched */
} PlatformDnsDomain;

typedef struct PlatformDnsConfig {
    PlatformAddress servers[PLATFORM_DNS_SERVERS];
    size_t n_servers;
    PlatformDnsDomain domains[PLATFORM_DNS_DOMAINS];
    size_t n_domains;
} PlatformDnsConfig;

/* Where things stand; tests put them elsewhere. */
typedef struct PlatformDnsPaths {
    const char *resolv_conf; /* /etc/resolv.conf */
    const char *save_dir;    /* /run/dialtone: for what cannot stay beside the file */
    const char *resolvconf;  /* /sbin/resolvconf */
    const char *nsswitch;    /* /etc/nsswitch.conf */
} PlatformDnsPaths;
extern const PlatformDnsPaths platform_dns_paths;

/* Host names as RFC 1123 section 2.1 has them, and underscores within a label: letters, digits and
   hyphens, labels of 1 to 63, at most 253 in all, no final dot, not all digits and dots. */
bool platform_dns_name_is_valid(const char *name);
bool platform_dns_config_equal(const PlatformDnsConfig *a, const PlatformDnsConfig *b);

/* Which way this machine wants. */
PlatformDnsWay platform_dns_detect(const PlatformDnsPaths *paths);
const char *platform_dns_way_name(PlatformDnsWay way);

/* A second set replaces the first. Undo of what was never done succeeds. ifindex and interface are
   the tunnel's. */
gboolean platform_dns_resolved_set(int ifindex, const PlatformDnsConfig *config, GError **error);
gboolean platform_dns_resolved_undo(int ifindex, GError **error);
gboolean platform_dns_resolved_is_running(void);
/* Whether programs ask it: resolv.conf names its stub or is its file, or nsswitch.conf names it. */
gboolean platform_dns_resolved_is_asked(const PlatformDnsPaths *paths);

gboolean platform_dns_resolvconf_set(const PlatformDnsPaths *paths, const char *interface,
                                     const PlatformDnsConfig *config, GError **error);
gboolean platform_dns_resolvconf_undo(const PlatformDnsPaths *paths, const char *interface,
                                      GError **error);

/* The file. What stood there is kept as FILE.before-INTERFACE by an exchange of names, so inode,
   owner, mode, times or symbolic link come back as they were. Where the name is a mount point, a
   copy is kept there (or in save_dir) and the file is written in place, which leaves owner and mode
   alone. On undo the file is put back only while it still is what we wrote, told by a checksum in
   its first line: another program that wrote it meanwhile knows better, and its file stays.
   G_IO_ERROR_BUSY: another tunnel's text stands there. */
gboolean platform_dns_file_set(const PlatformDnsPaths *paths, const char *interface,
                               const PlatformDnsConfig *config, GError **error);
gboolean platform_dns_file_undo(const PlatformDnsPaths *paths, const char *interface,
                                GError **error);
/* The interface for which this text of a resolv.conf was written by us, unchanged; or NULL. */
char *platform_dns_file_owner(const char *text);
/* Where what stood in the file is kept, whether it is there or not: beside it, or where that was
   not possible. */
char *platform_dns_file_saved_path(const PlatformDnsPaths *paths, const char *interface,
                                   gboolean elsewhere);
/* Lines for the C library: "nameserver" and, if any domain is searched, "search". */
char *platform_dns_resolv_conf_text(const PlatformDnsConfig *config);

// SPDX-License-Identifier: GPL-2.0-or-later
/* Which servers belong to the physical links, and /etc/hosts.
 *
 * /etc/resolv.conf may be ours (then the saved one counts), or name systemd-resolved's stub on the
 * loopback (then its list of real servers counts, for the stub would ask through whatever link it
 * likes, the dead tunnel's among them). Files are read at each lookup: networks change.
 */
#include "platform/resolver-config.h"

#include "platform/dns.h"

#include <stdlib.h>
#include <string.h>

enum { SERVERS_MAX = 8, FILE_MAX = 1024 * 1024, DNS_PORT = 53 };

/* NULL for a file that is missing, or larger than any such file is. */
static char *read_file(const char *path)
{
    g_autofree char *text = NULL;
    gsize n;

    if (!g_file_get_contents(path, &text, &n, NULL) || n > FILE_MAX || strlen(text) != n)
        return NULL;
    return g_steal_pointer(&text);
}

/* The interface's number by sysfs, for if_nametoindex() wants a socket. */
static uint32_t scope_of(const char *link)
{
    g_autofree char *path = g_strdup_printf("/sys/class/net/%s/ifindex", link);
    g_autofree char *text = NULL;

    if (strchr(link, '/') || !g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    return (uint32_t)strtoul(text, NULL, 10);
}

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0" */
static gboolean parse_server(const char *text, PlatformAddress *addressp,
                             PlatformResolverServer *serverp)
{
    g_auto(GStrv) parts = g_strsplit(text, "%", 2);

    if (!parts[0] || !platform_address_parse(parts[0], addressp))
        return FALSE;
    serverp->length = platform_address_to_sockaddr(addressp, DNS_PORT, &serverp->to);
    if (!parts[1])
        return TRUE;
    if (addressp->family != AF_INET6)
        return FALSE;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&serverp->to;

    in6->sin6_scope_id = scope_of(parts[1]);
    return in6->sin6_scope_id != 0;
}

static gboolean is_listed(const GArray *addresses, const PlatformAddress *address)
{
    for (guint i = 0; addresses && i < addresses->len; i++) {
        if (platform_address_equal(&g_array_index(addresses, PlatformAddress, i), address))
            return TRUE;
    }
    return FALSE;
}

static GArray *parse_servers(const char *text, const GArray *skip)
{
    GArray *servers = g_array_new(FALSE, TRUE, sizeof(PlatformResolverServer));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line && servers->len < SERVERS_MAX; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", -1);
        PlatformResolverServer server = {0};
        PlatformAddress address;
        guint n = 1;

        if (!words[0] || strcmp(words[0], "nameserver"))
            continue;
        while (words[n] && !words[n][0])
            n++;
        if (words[n] && parse_server(words[n], &address, &server) && !is_listed(skip, &address))
            g_array_append_val(servers, server);
    }
    return servers;
}

static gboolean names_stub(const GArray *servers)
{
    static const PlatformAddress stubs[] = {
        {AF_INET, {127, 0, 0, 53}},
        {AF_INET, {127, 0, 0, 54}},
    };

    for (guint i = 0; i < servers->len; i++) {
        const PlatformResolverServer *server = &g_array_index(servers, PlatformResolverServer, i);
        PlatformAddress address;
        uint16_t port;

        if (platform_address_from_sockaddr(&server->to, &address, &port) &&
            (platform_address_equal(&address, &stubs[0]) ||
             platform_address_equal(&address, &stubs[1])))
            return TRUE;
    }
    return FALSE;
}

/* The file that stood there before ours, beside it or in the slots' directory. */
static char *read_saved(const PlatformResolverPaths *paths, const char *interface)
{
    const PlatformDnsPaths dns = {.resolv_conf = paths->resolv_conf, .save_dir = paths->saved_dir};
    g_autofree char *beside = platform_dns_file_saved_path(&dns, interface, FALSE);
    g_autofree char *elsewhere = platform_dns_file_saved_path(&dns, interface, TRUE);
    char *text = read_file(beside);

    return text ? text : read_file(elsewhere);
}

GArray *platform_resolver_read_servers(const PlatformResolverPaths *paths, const GArray *skip)
{
    g_autofree char *text = read_file(paths->resolv_conf);
    g_autofree char *owner = text ? platform_dns_file_owner(text) : NULL;

    if (owner) {
        g_free(text);
        text = read_saved(paths, owner);
    }
    GArray *servers = parse_servers(text ? text : "", skip);

    if (!names_stub(servers))
        return servers;
    g_autofree char *uplink = read_file(paths->uplink);

    if (!uplink)
        return servers;
    g_array_unref(servers);
    return parse_servers(uplink, skip);
}

void platform_resolver_read_hosts(const PlatformResolverPaths *paths, const char *name,
                                  GArray *addresses)
{
    g_autofree char *text = read_file(paths->hosts);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++) {
        PlatformAddress address;

        (*line)[strcspn(*line, "#")] = '\0';
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t\r", -1);

        if (!words[0] || !platform_address_parse(words[0], &address))
            continue;
        for (char **word = words + 1; *word; word++) {
            if (!g_ascii_strcasecmp(*word, name) && !is_listed(addresses, &address))
                g_array_append_val(addresses, address);
        }
    }
}

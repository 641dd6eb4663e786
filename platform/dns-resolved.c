// SPDX-License-Identifier: GPL-2.0-or-later
/* systemd-resolved: servers and domains of one link, over the system bus.
 *
 * The connection is private and opened for each change: the helper keeps none open for hours, and a
 * bus that dies does not take it along. Every wait is bounded, the connection's too. resolved
 * forgets a link's settings when the link goes, so undo of a link that is gone has succeeded.
 */
#include "platform/dns.h"

#include "platform/bus-connect.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 3000 };

#define BUS_NAME    "org.freedesktop.resolve1"
#define OBJECT_PATH "/org/freedesktop/resolve1"
#define MANAGER     "org.freedesktop.resolve1.Manager"

/* ---- calls ---- */

static gboolean call(GDBusConnection *bus, const char *method, GVariant *arguments, GError **error)
{
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_sync(bus, BUS_NAME, OBJECT_PATH, MANAGER, method, arguments, NULL,
                                    G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MS, NULL, error);

    if (!reply && error && *error)
        g_dbus_error_strip_remote_error(*error);
    return reply != NULL;
}

gboolean platform_dns_resolved_is_running(void)
{
    GDBusConnection *bus = platform_bus_connect(WAIT_MS, NULL);
    gboolean owned = FALSE;

    if (!bus)
        return FALSE;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "NameHasOwner", g_variant_new("(s)", BUS_NAME), G_VARIANT_TYPE("(b)"),
        G_DBUS_CALL_FLAGS_NONE, WAIT_MS, NULL, NULL);

    if (reply)
        g_variant_get(reply, "(b)", &owned);
    platform_bus_disconnect(bus);
    return owned;
}

static gboolean has_line(const char *path, const char *first, const char *word)
{
    g_autofree char *text = NULL;
    gboolean found = FALSE;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line && !found; line++) {
        g_auto(GStrv) words = g_strsplit_set(*line, " \t", -1);

        found = words[0] && !strcmp(words[0], first) &&
                g_strv_contains((const char *const *)words, word);
    }
    return found;
}

gboolean platform_dns_resolved_is_asked(const PlatformDnsPaths *paths)
{
    char *target = realpath(paths->resolv_conf, NULL);
    gboolean own = target && g_str_has_prefix(target, "/run/systemd/resolve/");

    free(target);
    return own || has_line(paths->resolv_conf, "nameserver", "127.0.0.53") ||
           has_line(paths->resolv_conf, "nameserver", "127.0.0.54") ||
           has_line(paths->nsswitch, "hosts:", "resolve");
}

static GVariant *servers_argument(int ifindex, const PlatformDnsConfig *config)
{
    GVariantBuilder servers;

    g_variant_builder_init(&servers, G_VARIANT_TYPE("a(iay)"));
    for (size_t i = 0; i < config->n_servers; i++) {
        const PlatformAddress *server = &config->servers[i];

        g_variant_builder_add(&servers, "(i@ay)", (gint32)server->family,
                              g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, server->bytes,
                                                        platform_address_size(server->family), 1));
    }
    return g_variant_new("(ia(iay))", ifindex, &servers);
}

static GVariant *domains_argument(int ifindex, const PlatformDnsConfig *config, gboolean *allp)
{
    GVariantBuilder domains;

    /* Without any domain the tunnel's servers would never be asked. */
    *allp = config->n_domains == 0;
    g_variant_builder_init(&domains, G_VARIANT_TYPE("a(sb)"));
    for (size_t i = 0; i < config->n_domains; i++) {
        const PlatformDnsDomain *domain = &config->domains[i];

        *allp = *allp || !g_strcmp0(domain->name, ".");
        g_variant_builder_add(&domains, "(sb)", domain->name, (gboolean)domain->routing_only);
    }
    return g_variant_new("(ia(sb))", ifindex, &domains);
}

gboolean platform_dns_resolved_set(int ifindex, const PlatformDnsConfig *config, GError **error)
{
    GDBusConnection *bus = platform_bus_connect(WAIT_MS, error);
    gboolean all;

    if (!bus)
        return FALSE;
    GVariant *domains = g_variant_ref_sink(domains_argument(ifindex, config, &all));
    /* Domains before servers: names outside the domains never go to the tunnel's servers. */
    gboolean ok = call(bus, "SetLinkDefaultRoute", g_variant_new("(ib)", ifindex, all), error) &&
                  call(bus, "SetLinkDomains", domains, error) &&
                  call(bus, "SetLinkDNS", servers_argument(ifindex, config), error);

    g_variant_unref(domains);
    /* Names of the tunnel must not leave by other links' multicast, and its servers, which are
       asked inside IPsec, need not speak TLS. */
    if (ok) {
        (void)call(bus, "SetLinkDNSOverTLS", g_variant_new("(is)", ifindex, "no"), NULL);
        (void)call(bus, "SetLinkLLMNR", g_variant_new("(is)", ifindex, "no"), NULL);
        (void)call(bus, "SetLinkMulticastDNS", g_variant_new("(is)", ifindex, "no"), NULL);
        (void)call(bus, "FlushCaches", NULL, NULL);
    }
    platform_bus_disconnect(bus);
    return ok;
}

gboolean platform_dns_resolved_undo(int ifindex, GError **error)
{
    GDBusConnection *bus = platform_bus_connect(WAIT_MS, NULL);
    g_autoptr(GError) failure = NULL;

    if (!bus)
        return TRUE;
    gboolean ok = call(bus, "RevertLink", g_variant_new("(i)", ifindex), &failure);

    (void)call(bus, "FlushCaches", NULL, NULL);
    platform_bus_disconnect(bus);
    /* resolved is gone, or the link is: so are its settings. */
    if (!ok && !g_error_matches(failure, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) &&
        !g_error_matches(failure, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) &&
        !strstr(failure->message, "not known")) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return TRUE;
}

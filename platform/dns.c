// SPDX-License-Identifier: GPL-2.0-or-later
/* What the three ways of setting DNS share: the grammar of names, and the choice between them.
 *
 * Names come from a gateway and end in files that root writes and in other services' configuration,
 * so nothing but a host name passes: no blank, no newline, no byte that any of the readers could
 * take for something else.
 */
#include "platform/dns.h"

#include <string.h>
#include <unistd.h>

enum { LABEL_MAX = 63 };

const PlatformDnsPaths platform_dns_paths = {
    .resolv_conf = "/etc/resolv.conf",
    .save_dir = "/run/dialtone",
    .resolvconf = "/sbin/resolvconf",
    .nsswitch = "/etc/nsswitch.conf",
};

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Length of a good label at the beginning of the text; 0 for none. */
static size_t label_length(const char *text)
{
    size_t n = 0;

    while (is_alnum(text[n]) || text[n] == '-' || text[n] == '_')
        n++;
    if (n == 0 || n > LABEL_MAX || text[0] == '-' || text[n - 1] == '-')
        return 0;
    return n;
}

bool platform_dns_name_is_valid(const char *name)
{
    const char *p = name;
    bool numeric = true;

    if (strlen(name) > PLATFORM_DNS_NAME)
        return false;
    for (;;) {
        size_t n = label_length(p);

        if (n == 0)
            return false;
        /* Only the last label decides: "1.2.3.4" would be an address, "4.example" is a name. */
        numeric = strspn(p, "0123456789") >= n;
        p += n;
        if (!*p)
            return !numeric;
        if (*p++ != '.')
            return false;
    }
}

bool platform_dns_config_equal(const PlatformDnsConfig *a, const PlatformDnsConfig *b)
{
    if (a->n_servers != b->n_servers || a->n_domains != b->n_domains)
        return false;
    for (size_t i = 0; i < a->n_servers; i++) {
        if (!platform_address_equal(&a->servers[i], &b->servers[i]))
            return false;
    }
    for (size_t i = 0; i < a->n_domains; i++) {
        if (strcmp(a->domains[i].name, b->domains[i].name) ||
            a->domains[i].routing_only != b->domains[i].routing_only)
            return false;
    }
    return true;
}

PlatformDnsWay platform_dns_detect(const PlatformDnsPaths *paths)
{
    if (platform_dns_resolved_is_running())
        return PLATFORM_DNS_RESOLVED;
    if (access(paths->resolvconf, X_OK) == 0)
        return PLATFORM_DNS_RESOLVCONF;
    return PLATFORM_DNS_FILE;
}

const char *platform_dns_way_name(PlatformDnsWay way)
{
    static const char *const names[] = {
        [PLATFORM_DNS_NONE] = "none",
        [PLATFORM_DNS_RESOLVED] = "resolved",
        [PLATFORM_DNS_RESOLVCONF] = "resolvconf",
        [PLATFORM_DNS_FILE] = "file",
    };

    return names[way];
}

/* The C library reads three servers and, in older versions, six domains of 256 bytes in all. */
enum { TEXT_SERVERS = 3, TEXT_DOMAINS = 6, TEXT_DOMAIN_BYTES = 250 };

char *platform_dns_resolv_conf_text(const PlatformDnsConfig *config)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) search = g_string_new(NULL);
    char address[PLATFORM_ADDRESS_TEXT];
    unsigned domains = 0;

    for (size_t i = 0; i < MIN(config->n_servers, TEXT_SERVERS); i++)
        g_string_append_printf(text, "nameserver %s\n",
                               platform_address_format(&config->servers[i], address));
    for (size_t i = 0; i < config->n_domains && domains < TEXT_DOMAINS; i++) {
        const PlatformDnsDomain *domain = &config->domains[i];

        if (domain->routing_only || search->len + strlen(domain->name) > TEXT_DOMAIN_BYTES)
            continue;
        g_string_append_printf(search, " %s", domain->name);
        domains++;
    }
    if (domains)
        g_string_append_printf(text, "search%s\n", search->str);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

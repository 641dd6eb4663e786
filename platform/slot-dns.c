// SPDX-License-Identifier: GPL-2.0-or-later
/* Chooses among the ways of setting DNS, falls back from one to the next, and keeps the journal.
 *
 * systemd-resolved may run and yet be asked by nobody, where /etc/resolv.conf is a plain file. Then
 * the file is replaced too, for names must not leave beside the tunnel.
 */
#include "platform/slot-dns.h"

#include <string.h>

static gboolean note(PlatformSlotDns *dns, PlatformSlotNote what, GError **error)
{
    int r = platform_slot_journal_note(dns->journal, what);

    if (r < 0)
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r), "cannot write the journal: %s",
                    g_strerror(-r));
    return r == 0;
}

static gboolean set_file(PlatformSlotDns *dns, GError **error)
{
    return note(dns, PLATFORM_SLOT_NOTE_FILE, error) &&
           platform_dns_file_set(dns->paths, dns->interface, &dns->config, error);
}

static gboolean set_resolved(PlatformSlotDns *dns, int ifindex, GError **error)
{
    if (!note(dns, PLATFORM_SLOT_NOTE_RESOLVED, error) ||
        !platform_dns_resolved_set(ifindex, &dns->config, error))
        return FALSE;
    return platform_dns_resolved_is_asked(dns->paths) || set_file(dns, error);
}

static gboolean set_resolvconf(PlatformSlotDns *dns, GError **error)
{
    return note(dns, PLATFORM_SLOT_NOTE_RESOLVCONF, error) &&
           platform_dns_resolvconf_set(dns->paths, dns->interface, &dns->config, error);
}

static gboolean set(PlatformSlotDns *dns, int ifindex, GError **error)
{
    /* Once replaced, the file stays the way: its text alone would tell nothing of the others. */
    if (dns->journal->noted[PLATFORM_SLOT_NOTE_FILE] &&
        !dns->journal->noted[PLATFORM_SLOT_NOTE_RESOLVED])
        return set_file(dns, error);
    switch (platform_dns_detect(dns->paths)) {
    case PLATFORM_DNS_RESOLVED:
        if (set_resolved(dns, ifindex, NULL))
            return TRUE;
        break;
    case PLATFORM_DNS_RESOLVCONF:
        if (set_resolvconf(dns, NULL))
            return TRUE;
        break;
    case PLATFORM_DNS_FILE:
    case PLATFORM_DNS_NONE:
        break;
    }
    return set_file(dns, error);
}

void platform_slot_dns_apply(PlatformSlotDns *dns, int ifindex, const PlatformDnsConfig *config,
                             GPtrArray *warnings)
{
    g_autoptr(GError) error = NULL;

    if (dns->is_set && platform_dns_config_equal(&dns->config, config))
        return;
    dns->config = *config;
    if (config->n_servers == 0) {
        if (!dns->is_set)
            return;
        if (!platform_slot_dns_undo(dns, ifindex, &error))
            g_ptr_array_add(warnings, g_strdup_printf("dns-not-applied: %s", error->message));
        return;
    }
    dns->is_set = set(dns, ifindex, &error);
    if (!dns->is_set)
        g_ptr_array_add(warnings, g_strdup_printf("dns-not-applied: %s", error->message));
}

gboolean platform_slot_dns_undo(PlatformSlotDns *dns, int ifindex, GError **error)
{
    const bool *noted = dns->journal->noted;
    gboolean ok = TRUE;

    if (noted[PLATFORM_SLOT_NOTE_FILE])
        ok = platform_dns_file_undo(dns->paths, dns->interface, error);
    if (noted[PLATFORM_SLOT_NOTE_RESOLVCONF])
        ok = platform_dns_resolvconf_undo(dns->paths, dns->interface, ok ? error : NULL) && ok;
    /* resolved forgets a link that is gone. */
    if (noted[PLATFORM_SLOT_NOTE_RESOLVED] && ifindex)
        ok = platform_dns_resolved_undo(ifindex, ok ? error : NULL) && ok;
    dns->is_set = FALSE;
    return ok;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of one slot.
 *
 * Linux takes a packet for any of its addresses by whichever link it comes, and answers ARP for any
 * of them on each. A neighbour could so find out the tunnel's address, and put packets into what
 * flows there (CVE-2019-14899). So what is meant for the tunnel's address and did not come out of
 * the tunnel is dropped before conntrack sees it, and ARP neither asks nor answers in its name.
 * What comes from it leaves by the tunnel or not at all, whatever becomes of routes and rules.
 *
 * Everything in the commands is made of numbers, addresses and the slot's own name.
 */
#include "platform/firewall.h"

#include "platform/firewall-record.h"
#include "platform/nft.h"
#include "platform/restorer.h"
#include "platform/words.h"

#include <glib-unix.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Loading the library and new chains take the kernel and us tens of milliseconds, and who connects
   waits for none of them. */
enum { PROTECT_MS = 50 };

struct PlatformFirewall {
    PlatformSlot *slot;
    const PlatformSlotInfo *info;
    const char *dir;
    FirewallRecord record;
    bool begun, kept;
    bool for_boot;  /* whose connection is yet to come */
    bool shared;    /* the label is the system's */
    bool took_over; /* a kill switch that had stood before */
    bool persists;  /* that one was to, so ours is */
    int watch_fd;   /* -1: nobody tells us of removals */
    guint watch;
    guint pending; /* what sets it when there is time; 0: nothing to set */
    PlatformRestorer *restorer;
    PlatformWarnFunc warn; /* NULL: nobody hears */
    void *warn_data;
    GArray *addresses;               /* PlatformPrefix; NULL: none yet */
    PlatformKillSwitch *kill_switch; /* NULL: none, or one that somebody before us has left */
};

/* ---- the tunnel's addresses ---- */

/* On another link than ours. */
static bool is_elsewhere(const struct ifaddrs *links, const char *ours,
                         const PlatformAddress *address)
{
    for (const struct ifaddrs *l = links; l; l = l->ifa_next) {
        struct sockaddr_storage storage = {0};
        PlatformAddress other;
        uint16_t port;

        if (!l->ifa_addr || !strcmp(l->ifa_name, ours) ||
            (l->ifa_addr->sa_family != AF_INET && l->ifa_addr->sa_family != AF_INET6))
            continue;
        memcpy(&storage, l->ifa_addr,
               l->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                 : sizeof(struct sockaddr_in6));
        if (platform_address_from_sockaddr(&storage, &other, &port) &&
            platform_address_equal(&other, address))
            return true;
    }
    return false;
}

/* Those that a link of the machine's has as well (Config=none may name such) are reached there. */
static GArray *own_addresses(const GArray *addresses, const char *interface)
{
    GArray *own = g_array_new(FALSE, FALSE, sizeof(PlatformAddress));
    struct ifaddrs *links = NULL;

    if (getifaddrs(&links) < 0)
        links = NULL;
    for (guint i = 0; addresses && i < addresses->len; i++) {
        const PlatformAddress *address = &g_array_index(addresses, PlatformPrefix, i).address;

        if (!is_elsewhere(links, interface, address))
            g_array_append_val(own, *address);
    }
    if (links)
        freeifaddrs(links);
    return own;
}

/* ---- the commands ---- */

static void add_address_rules(GString *text, const char *table, const GArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++) {
        const PlatformAddress *address = &g_array_index(addresses, PlatformAddress, i);
        const char *family = address->family == AF_INET ? "ip" : "ip6";
        char a[PLATFORM_ADDRESS_TEXT];

        platform_address_format(address, a);
        g_string_append_printf(
            text,
            "add rule inet %s arriving iifname != { \"lo\", \"%s\" } %s daddr %s drop\n"
            "add rule inet %s leaving oifname != { \"lo\", \"%s\" } %s saddr %s drop\n",
            table, table, family, a, table, table, family, a);
        if (address->family == AF_INET)
            g_string_append_printf(text,
                                   "add rule arp %s asked arp daddr ip %s drop\n"
                                   "add rule arp %s asking arp saddr ip %s drop\n",
                                   table, a, table, a);
    }
}

/* To add a table that is there is no failure, so that it can be deleted in any case. */
static void add_fresh_table(GString *text, const char *family, const char *table)
{
    for (int i = 0; i < 3; i++)
        g_string_append_printf(text, "%s table %s %s\n", i == 1 ? "delete" : "add", family, table);
}

static void add_chain(GString *text, const char *family, const char *table, const char *chain)
{
    g_string_append_printf(text, "add chain %s %s %s\n", family, table, chain);
}

char *platform_firewall_text(const PlatformSlotInfo *slot, const GArray *addresses,
                             const PlatformKillSwitch *kill_switch)
{
    const char *table = slot->interface;
    g_autoptr(GArray) own = own_addresses(addresses, slot->interface);
    GString *text = g_string_new(NULL);

    add_fresh_table(text, "inet", table);
    add_fresh_table(text, "arp", table);
    add_chain(text, "inet", table,
              "arriving { type filter hook prerouting priority raw; policy accept; }");
    add_chain(text, "inet", table,
              "leaving { type filter hook postrouting priority 200; policy accept; }");
    add_chain(text, "arp", table, "asked { type filter hook input priority 0; policy accept; }");
    add_chain(text, "arp", table, "asking { type filter hook output priority 0; policy accept; }");
    add_address_rules(text, table, own);
    if (kill_switch)
        platform_kill_switch_add_rules(kill_switch, table, slot->mark, text);
    return g_string_free(text, FALSE);
}

/* ---- what stands ---- */

static gboolean save(PlatformFirewall *self, FirewallStanding standing, GError **error)
{
    FirewallRecord record = {.standing = standing, .owner = self->info->uid};

    g_strlcpy(record.label, self->info->label, sizeof record.label);
    int r = firewall_record_save(platform_slot_dirfd(self->slot), self->info->number, &record);

    if (r == 0) {
        self->record = record;
        return TRUE;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "cannot write down what the firewall is to do: %s", g_strerror(-r));
    return FALSE;
}

static FirewallStanding wanted(const PlatformFirewall *self)
{
    if (self->kill_switch && self->for_boot)
        return FIREWALL_BOOT;
    if (self->kill_switch)
        return self->kill_switch->persistent ? FIREWALL_PERSISTENT : FIREWALL_KILL_SWITCH;
    return self->addresses ? FIREWALL_ADDRESSES : FIREWALL_NOTHING;
}

/* What comes of it is told before the call returns, and is no news to us; what somebody else has
 * removed in the meantime is. */
static gboolean run(PlatformFirewall *self, const char *text, GError **error)
{
    gboolean ok = platform_nft_run(text, error);
    bool removed =
        self->watch_fd >= 0 && platform_nft_watch_read_own(self->watch_fd, self->info->interface);

    if (removed && wanted(self) != FIREWALL_NOTHING)
        platform_restorer_wake(self->restorer);
    return ok;
}

static gboolean clear(PlatformFirewall *self, GError **error)
{
    const char *table = self->info->interface;

    if (self->record.standing == FIREWALL_NOTHING)
        return TRUE;
    g_autofree char *text = g_strdup_printf("add table inet %s\ndelete table inet %s\n"
                                            "add table arp %s\ndelete table arp %s\n",
                                            table, table, table, table);

    return run(self, text, error) && save(self, FIREWALL_NOTHING, error);
}

/* The record is never less than what stands. */
static gboolean set(PlatformFirewall *self, GError **error)
{
    const FirewallRecord before = self->record;
    FirewallStanding standing = wanted(self);
    g_clear_handle_id(&self->pending, g_source_remove);
    bool other = strcmp(before.label, self->info->label) != 0 || before.owner != self->info->uid;

    if (standing == FIREWALL_NOTHING)
        return clear(self, error);
    if ((standing > before.standing || other) && !save(self, MAX(standing, before.standing), error))
        return FALSE;
    g_autofree char *text = platform_firewall_text(self->info, self->addresses, self->kill_switch);

    if (run(self, text, error))
        return standing == self->record.standing || save(self, standing, error);
    (void)save(self, before.standing, NULL);
    return FALSE;
}

/* ---- watching ---- */

static void warn(const char *warning, void *user_data)
{
    const PlatformFirewall *self = user_data;

    if (self->warn)
        self->warn(warning, self->warn_data);
}

void platform_firewall_on_warning(PlatformFirewall *self, PlatformWarnFunc func, void *user_data)
{
    self->warn = func;
    self->warn_data = user_data;
}

static void on_time(void *user_data)
{
    PlatformFirewall *self = user_data;
    g_autoptr(GError) error = NULL;

    if (wanted(self) != FIREWALL_NOTHING && !set(self, &error))
        g_warning("%s: %s", self->info->interface, error->message);
}

static gboolean on_change(gint fd, GIOCondition condition, gpointer user_data)
{
    PlatformFirewall *self = user_data;

    if (platform_nft_watch_read(fd, self->info->interface))
        platform_restorer_wake(self->restorer);
    return G_SOURCE_CONTINUE;
}

static void watch(PlatformFirewall *self)
{
    const PlatformRestorerSetup setup = {N_("the tunnel's table of nftables"), on_time, warn, self};

    if (self->watch_fd >= 0 || platform_nft_watch_open(&self->watch_fd) < 0)
        return;
    self->restorer = platform_restorer_new(&setup);
    self->watch = g_unix_fd_add(self->watch_fd, G_IO_IN, on_change, self);
}

static void stop_watching(PlatformFirewall *self)
{
    g_clear_handle_id(&self->watch, g_source_remove);
    g_clear_pointer(&self->restorer, platform_restorer_free);
    if (self->watch_fd >= 0)
        close(self->watch_fd);
    self->watch_fd = -1;
}

/* ---- life ---- */

PlatformFirewall *platform_firewall_new(PlatformSlot *slot, const char *dir)
{
    PlatformFirewall *self = g_new0(PlatformFirewall, 1);

    self->slot = slot;
    self->info = platform_slot_info(slot);
    self->dir = dir;
    self->watch_fd = -1;
    self->record = firewall_record_load(platform_slot_dirfd(slot), self->info->number);
    return self;
}

static bool is_armed(const PlatformFirewall *self)
{
    return self->record.standing >= FIREWALL_KILL_SWITCH;
}

void platform_firewall_free(PlatformFirewall *self)
{
    if (!self)
        return;
    if (self->begun && is_armed(self))
        fprintf(stderr,
                "dialtone: the kill switch of \"%s\" stands; `sudo dialtone disconnect "
                "--release-kill-switch` releases it\n",
                self->record.label);
    stop_watching(self);
    g_clear_handle_id(&self->pending, g_source_remove);
    g_clear_pointer(&self->addresses, g_array_unref);
    platform_kill_switch_free(self->kill_switch);
    g_free(self);
}

gboolean platform_firewall_has_begun(const PlatformFirewall *self)
{
    return self->begun;
}

gboolean platform_firewall_is_for(const PlatformFirewall *self, uid_t owner)
{
    return !is_armed(self) ||
           (self->record.owner == owner && self->record.standing != FIREWALL_BOOT);
}

/* ---- changes ---- */

static gboolean stands_in_the_way(const PlatformFirewallLeft *left,
                                  const PlatformFirewallWord *word, GError **error)
{
    if (!left->persistent || platform_firewall_may_go(left, word))
        return FALSE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                N_("the kill switch of \"%s\" is to persist, and stands; "
                   "`dialtone disconnect --release-kill-switch` releases it"),
                left->label);
    return TRUE;
}

/* What the own connection lets go when it begins, or when its kill switch stands. */
static PlatformFirewallWord own_word(const PlatformFirewall *self, gboolean stands)
{
    return (PlatformFirewallWord){
        .owner = self->info->uid,
        .taken_over = stands ? self->info->label : NULL,
        .shared = self->shared,
    };
}

gboolean platform_firewall_begin(PlatformFirewall *self, const PlatformFirewallClaim *claim,
                                 GError **error)
{
    g_autoptr(GArray) left = platform_firewall_left(self->dir); /* that of the own slot as well */
    bool takes_over = is_armed(self), persists = false;

    self->shared = claim->shared;
    const PlatformFirewallWord word = own_word(self, claim->kill_switch);

    for (guint i = 0; i < left->len; i++) {
        const PlatformFirewallLeft *one = &g_array_index(left, PlatformFirewallLeft, i);

        if (stands_in_the_way(one, &word, error))
            return FALSE;
        persists = persists || one->persistent;
        takes_over = takes_over || platform_firewall_may_go(one, &word);
    }
    self->begun = true;
    self->took_over = takes_over;
    self->persists = persists;
    watch(self);
    /* Without a gap: where our own takes over, the others end when it stands. */
    if (claim->kill_switch)
        return TRUE;
    (void)platform_firewall_release_left(self->dir, &word); /* it has said what is wrong */
    return platform_firewall_disarm(self, error);
}

static GArray *copy(const GArray *prefixes)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(PlatformPrefix));

    g_array_append_vals(list, prefixes->data, prefixes->len);
    return list;
}

static void replace(GArray **placep, GArray *list_take)
{
    g_clear_pointer(placep, g_array_unref);
    *placep = list_take;
}

static bool is_same(const GArray *a, const GArray *b)
{
    return a && a->len == b->len && memcmp(a->data, b->data, a->len * sizeof(PlatformPrefix)) == 0;
}

static gboolean on_pending(gpointer user_data)
{
    PlatformFirewall *self = user_data;
    g_autoptr(GError) error = NULL;

    self->pending = 0;
    if (set(self, &error))
        return G_SOURCE_REMOVE;
    g_autofree char *warning = g_strdup_printf(
        N_("firewall-missing: neighbours on the local network may reach the tunnel's address: %s"),
        error->message);

    warn(warning, self);
    return G_SOURCE_REMOVE;
}

gboolean platform_firewall_protect(PlatformFirewall *self, const PlatformFirewallWants *wants,
                                   GPtrArray *warnings, GError **error)
{
    bool same = is_same(self->addresses, wants->addresses);

    replace(&self->addresses, copy(wants->addresses));
    if (self->kill_switch) {
        replace(&self->kill_switch->networks, copy(wants->networks));
        replace(&self->kill_switch->exclude, copy(wants->exclude));
        return set(self, error);
    }
    if (!platform_nft_is_there())
        g_ptr_array_add(warnings,
                        g_strdup(N_("firewall-missing: neighbours on the local network may "
                                    "reach the tunnel's address; libnftables is not "
                                    "installed")));
    else if (!self->pending && !(same && self->record.standing == FIREWALL_ADDRESSES))
        self->pending = g_timeout_add(PROTECT_MS, on_pending, self);
    return TRUE;
}

gboolean platform_firewall_arm(PlatformFirewall *self, PlatformKillSwitch *kill_switch_take,
                               GError **error)
{
    PlatformKillSwitch *former = self->kill_switch;
    gboolean first = !former;

    if (self->persists || self->record.standing == FIREWALL_PERSISTENT)
        kill_switch_take->persistent = TRUE;
    self->kill_switch = kill_switch_take;
    if (!set(self, error)) {
        self->kill_switch = former;
        platform_kill_switch_free(kill_switch_take);
        return FALSE;
    }
    platform_kill_switch_free(former);
    const PlatformFirewallWord word = own_word(self, TRUE);

    if (first)
        (void)platform_firewall_release_left(self->dir, &word); /* it has said what is wrong */
    return TRUE;
}

gboolean platform_firewall_arm_for_boot(PlatformFirewall *self,
                                        PlatformKillSwitch *kill_switch_take, GError **error)
{
    self->for_boot = true;
    platform_kill_switch_free(self->kill_switch);
    self->kill_switch = kill_switch_take;
    return set(self, error);
}

gboolean platform_firewall_disarm(PlatformFirewall *self, GError **error)
{
    g_clear_pointer(&self->kill_switch, platform_kill_switch_free);
    return !is_armed(self) || set(self, error);
}

gboolean platform_firewall_release(PlatformFirewall *self, gboolean asked, GError **error)
{
    bool stays =
        self->kept || self->record.standing == FIREWALL_PERSISTENT || (self->took_over && !asked);

    return stays || platform_firewall_disarm(self, error);
}

void platform_firewall_keep(PlatformFirewall *self)
{
    self->kept = true;
}

gboolean platform_firewall_undo(PlatformFirewall *self, GError **error)
{
    g_clear_handle_id(&self->pending, g_source_remove);
    g_clear_pointer(&self->addresses, g_array_unref);
    if (!self->kill_switch)
        return is_armed(self) || clear(self, error);
    return set(self, error);
}

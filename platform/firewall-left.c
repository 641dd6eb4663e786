// SPDX-License-Identifier: GPL-2.0-or-later
/* Kill switches that stand though nobody holds their slot: their tunnel was killed, was lost for
 * good, or they are to persist. Taking the slot for a moment tells that nobody does. */
#include "platform/firewall-record.h"
#include "platform/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef bool (*LeftFunc)(PlatformSlot *slot, const PlatformFirewallLeft *left, void *user_data);

/* True when the slot's files may go. */
static bool visit_locked(PlatformSlot *slot, LeftFunc func, void *user_data)
{
    PlatformFirewallLeft left = {.slot = platform_slot_info(slot)->number};
    const FirewallRecord record = firewall_record_load(platform_slot_dirfd(slot), left.slot);

    left.persistent = record.standing == FIREWALL_PERSISTENT;
    g_strlcpy(left.label, record.label, sizeof left.label);
    return record.standing >= FIREWALL_KILL_SWITCH && func(slot, &left, user_data);
}

static void visit(const char *dir, int dirfd, unsigned number, LeftFunc func, void *user_data)
{
    PlatformSlot *slot = NULL;

    if (firewall_record_load(dirfd, number).standing < FIREWALL_KILL_SWITCH ||
        platform_slot_lock(dir, number, &slot) < 0)
        return;
    if (visit_locked(slot, func, user_data))
        platform_slot_release(slot);
    else
        platform_slot_unlock(slot);
}

static void visit_all(const char *dir, LeftFunc func, void *user_data)
{
    const char *path = dir ? dir : PLATFORM_SLOT_DIR;
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0)
        return;
    for (uint64_t numbers = platform_slot_numbers(dir); numbers; numbers &= numbers - 1)
        visit(dir, dirfd, (unsigned)__builtin_ctzll(numbers), func, user_data);
    close(dirfd);
}

static bool append(PlatformSlot *slot, const PlatformFirewallLeft *left, void *user_data)
{
    g_array_append_vals(user_data, left, 1);
    return false;
}

GArray *platform_firewall_left(const char *dir)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(PlatformFirewallLeft));

    visit_all(dir, append, list);
    return list;
}

typedef struct Release {
    gboolean persistent_too;
    int released, failed;
} Release;

static bool release(PlatformSlot *slot, const PlatformFirewallLeft *left, void *user_data)
{
    Release *all = user_data;
    g_autoptr(GError) error = NULL;

    if (left->persistent && !all->persistent_too)
        return false;
    PlatformFirewall *firewall = platform_firewall_new(slot, NULL);
    gboolean ok = platform_firewall_disarm(firewall, &error);

    platform_firewall_free(firewall);
    all->released += ok;
    if (!ok) {
        g_warning("slot %u: %s", left->slot, error->message);
        all->failed = -EIO;
    }
    return ok;
}

int platform_firewall_release_left(const char *dir, gboolean persistent_too)
{
    Release all = {.persistent_too = persistent_too};

    visit_all(dir, release, &all);
    return all.failed ? all.failed : all.released;
}

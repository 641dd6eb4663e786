// SPDX-License-Identifier: GPL-2.0-or-later
/* Kill switches that stand though nobody holds their slot: their tunnel was killed, was lost for
 * good, or they are to persist. Anybody may look; who releases one takes its slot for that time. */
#include "platform/firewall-record.h"
#include "platform/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_dir(const char *dir)
{
    return open(dir ? dir : PLATFORM_SLOT_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_held(const GArray *slots, unsigned number)
{
    for (guint i = 0; i < slots->len; i++) {
        const PlatformSlotInfo *info = &g_array_index(slots, PlatformSlotInfo, i);

        if (info->number == number && info->netns == platform_slot_namespace())
            return true;
    }
    return false;
}

static void append(int dirfd, unsigned number, GArray *list)
{
    const FirewallRecord record = firewall_record_load(dirfd, number);
    PlatformFirewallLeft left = {
        .slot = number,
        .persistent = record.standing == FIREWALL_PERSISTENT,
    };

    g_strlcpy(left.label, record.label, sizeof left.label);
    if (record.standing >= FIREWALL_KILL_SWITCH)
        g_array_append_val(list, left);
}

GArray *platform_firewall_left(const char *dir)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(PlatformFirewallLeft));
    g_autoptr(GArray) slots = platform_slot_list(dir);
    int dirfd = open_dir(dir);

    for (uint64_t left = platform_slot_numbers(dir); dirfd >= 0 && left; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctzll(left);

        if (!is_held(slots, number))
            append(dirfd, number, list);
    }
    if (dirfd >= 0)
        close(dirfd);
    return list;
}

/* True when the slot's files may go. */
static bool release_locked(PlatformSlot *slot, int *resultp)
{
    PlatformFirewall *firewall = platform_firewall_new(slot, NULL);
    g_autoptr(GError) error = NULL;
    gboolean ok = platform_firewall_disarm(firewall, &error);

    platform_firewall_free(firewall);
    *resultp = ok ? 1 : -EIO;
    if (!ok)
        g_warning("slot %u: %s", platform_slot_info(slot)->number, error->message);
    return ok;
}

/* 1 when it was released, 0 when it may not be, or somebody took the slot meanwhile. */
static int release(const char *dir, unsigned number, gboolean persistent_too)
{
    PlatformSlot *slot = NULL;
    int result = 0;

    if (platform_slot_lock(dir, number, &slot) < 0)
        return 0;
    /* As it stands now that nobody else can change it. */
    const FirewallRecord record = firewall_record_load(platform_slot_dirfd(slot), number);
    bool may = persistent_too || record.standing != FIREWALL_PERSISTENT;

    if (may && release_locked(slot, &result))
        platform_slot_release(slot);
    else
        platform_slot_unlock(slot);
    return result;
}

int platform_firewall_release_left(const char *dir, gboolean persistent_too)
{
    g_autoptr(GArray) list = platform_firewall_left(dir);
    int released = 0, failed = 0;

    for (guint i = 0; i < list->len; i++) {
        int r = release(dir, g_array_index(list, PlatformFirewallLeft, i).slot, persistent_too);

        released += r > 0;
        failed = r < 0 ? r : failed;
    }
    return failed ? failed : released;
}

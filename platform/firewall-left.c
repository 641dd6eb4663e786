// SPDX-License-Identifier: GPL-2.0-or-later
/* Kill switches that stand though nobody holds their slot: their tunnel was killed, was lost for
 * good, or they are to persist. Anybody may look; who releases one takes its slot for that time. */
#include "platform/firewall-record.h"
#include "platform/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

/* False: no kill switch stands there. */
static bool look_at(int dirfd, unsigned number, PlatformFirewallLeft *left)
{
    const FirewallRecord record = firewall_record_load(dirfd, number);

    *left = (PlatformFirewallLeft){
        .slot = number,
        .persistent = record.standing == FIREWALL_PERSISTENT,
        .of_boot = record.standing == FIREWALL_BOOT,
        .owner = record.owner,
    };
    g_strlcpy(left->label, record.label, sizeof left->label);
    return record.standing >= FIREWALL_KILL_SWITCH;
}

GArray *platform_firewall_left(const char *dir)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(PlatformFirewallLeft));
    g_autoptr(GArray) slots = platform_slot_list(dir);
    int dirfd = open_dir(dir);

    for (uint64_t left = platform_slot_numbers(dir); dirfd >= 0 && left; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctzll(left);
        PlatformFirewallLeft one;

        if (!is_held(slots, number) && look_at(dirfd, number, &one))
            g_array_append_val(list, one);
    }
    if (dirfd >= 0)
        close(dirfd);
    return list;
}

gboolean platform_firewall_may_go(const PlatformFirewallLeft *left,
                                  const PlatformFirewallWord *word)
{
    if (word->label && strcmp(left->label, word->label) != 0)
        return FALSE;
    if (word->of_root)
        return TRUE;
    bool own = left->owner != FIREWALL_NOBODY && left->owner == word->owner;

    if (left->persistent || left->of_boot)
        return (own || word->shared) && word->taken_over && !strcmp(left->label, word->taken_over);
    return own;
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
static int release(const char *dir, unsigned number, const PlatformFirewallWord *word)
{
    PlatformSlot *slot = NULL;
    PlatformFirewallLeft now;
    int result = 0;

    if (platform_slot_lock(dir, number, &slot) < 0)
        return 0;
    /* As it stands now that nobody else can change it. */
    bool may =
        look_at(platform_slot_dirfd(slot), number, &now) && platform_firewall_may_go(&now, word);

    if (may && release_locked(slot, &result))
        platform_slot_release(slot);
    else
        platform_slot_unlock(slot);
    return result;
}

int platform_firewall_release_left(const char *dir, const PlatformFirewallWord *word)
{
    g_autoptr(GArray) list = platform_firewall_left(dir);
    int released = 0, failed = 0;

    for (guint i = 0; i < list->len; i++) {
        const PlatformFirewallLeft *left = &g_array_index(list, PlatformFirewallLeft, i);
        int r = platform_firewall_may_go(left, word) ? release(dir, left->slot, word) : 0;

        released += r > 0;
        failed = r < 0 ? r : failed;
    }
    return failed ? failed : released;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Kill switches that stand before there is a connection.
 *
 * They are those of tunnels that are no more, in slots that nobody holds, so whoever looks for one
 * that was left finds them. The slots are taken from the last one down: a tunnel takes the first
 * one that is free, and its tables are not to be these. Each is replaced in one transaction, and
 * what is not wanted any more goes last.
 */
#include "platform/firewall-record.h"
#include "platform/firewall.h"

#include <errno.h>
#include <string.h>

void platform_firewall_block_free(gpointer block)
{
    PlatformFirewallBlock *self = block;

    g_free(self->label);
    platform_kill_switch_free(self->kill_switch);
    g_free(self);
}

/* NULL: none. */
static const PlatformFirewallLeft *of_boot(const GArray *left, const char *label)
{
    for (guint i = 0; i < left->len; i++) {
        const PlatformFirewallLeft *one = &g_array_index(left, PlatformFirewallLeft, i);

        if (one->of_boot && !strcmp(one->label, label))
            return one;
    }
    return NULL;
}

static bool is_up(const char *dir, const char *label)
{
    g_autoptr(GArray) slots = platform_slot_list(dir);

    for (guint i = 0; i < slots->len; i++) {
        const PlatformSlotInfo *info = &g_array_index(slots, PlatformSlotInfo, i);

        if (info->netns == platform_slot_namespace() && !strcmp(info->label, label))
            return true;
    }
    return false;
}

/* The last one that is free and where nothing stands. */
static int lock_empty(const char *dir, PlatformSlot **slotp)
{
    for (unsigned number = PLATFORM_SLOT_COUNT; number-- > 0;) {
        int r = platform_slot_lock(dir, number, slotp);

        if (r < 0 && r != -EBUSY)
            return r;
        if (r == 0 &&
            firewall_record_load(platform_slot_dirfd(*slotp), number).standing == FIREWALL_NOTHING)
            return 0;
        if (r == 0)
            platform_slot_unlock(*slotp);
    }
    return -ENOSPC;
}

static gboolean set_locked(PlatformSlot *slot, const PlatformFirewallBlock *block, GError **error)
{
    PlatformSlotInfo *info = platform_slot_info(slot);
    g_autoptr(PlatformKillSwitch) kill_switch = platform_kill_switch_new();

    info->uid = 0;
    g_strlcpy(info->label, block->label, sizeof info->label);
    g_array_append_vals(kill_switch->networks, block->kill_switch->networks->data,
                        block->kill_switch->networks->len);
    g_array_append_vals(kill_switch->exclude, block->kill_switch->exclude->data,
                        block->kill_switch->exclude->len);
    PlatformFirewall *firewall = platform_firewall_new(slot, NULL);
    gboolean ok = platform_firewall_arm_for_boot(firewall, g_steal_pointer(&kill_switch), error);

    platform_firewall_free(firewall);
    return ok;
}

static gboolean set(const char *dir, const PlatformFirewallBlock *block, GError **error)
{
    g_autoptr(GArray) left = platform_firewall_left(dir);
    const PlatformFirewallLeft *former = of_boot(left, block->label);
    PlatformSlot *slot = NULL;

    if (is_up(dir, block->label))
        return TRUE;
    int r = former ? platform_slot_lock(dir, former->slot, &slot) : lock_empty(dir, &slot);

    if (r == -EBUSY)
        return TRUE; /* its connection has just come */
    if (r < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
                    "what is for \"%s\" is not blocked: no slot: %s", block->label, g_strerror(-r));
        return FALSE;
    }
    gboolean ok = set_locked(slot, block, error);

    if (!ok)
        g_prefix_error(error, "what is for \"%s\" is not blocked: ", block->label);
    platform_slot_release(slot);
    return ok;
}

static bool is_wanted(const GPtrArray *blocks, const char *label)
{
    for (guint i = 0; i < blocks->len; i++) {
        const PlatformFirewallBlock *block = blocks->pdata[i];

        if (!strcmp(block->label, label))
            return true;
    }
    return false;
}

static void release_others(const char *dir, const GPtrArray *blocks)
{
    g_autoptr(GArray) left = platform_firewall_left(dir);

    for (guint i = 0; i < left->len; i++) {
        const PlatformFirewallLeft *one = &g_array_index(left, PlatformFirewallLeft, i);
        const PlatformFirewallWord word = {.owner = FIREWALL_NOBODY,
                                           .taken_over = one->label,
                                           .shared = TRUE,
                                           .label = one->label};

        if (one->of_boot && !is_wanted(blocks, one->label))
            (void)platform_firewall_release_left(dir, &word); /* it has said what is wrong */
    }
}

gboolean platform_firewall_set_blocks(const char *dir, const GPtrArray *blocks, GError **error)
{
    gboolean ok = TRUE;

    for (guint i = 0; i < blocks->len; i++) {
        g_autoptr(GError) one = NULL;

        if (set(dir, blocks->pdata[i], &one))
            continue;
        if (ok)
            g_propagate_error(error, g_steal_pointer(&one));
        else
            g_warning("%s", one->message);
        ok = FALSE;
    }
    if (ok)
        release_others(dir, blocks);
    return ok;
}

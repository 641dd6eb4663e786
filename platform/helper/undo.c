// SPDX-License-Identifier: GPL-2.0-or-later
/* Puts back what helpers that were killed have left.
 *
 * A slot whose lock is free and that has a journal was left behind. One that somebody else puts
 * back just now is waited for: its tunnel shall not count as one that is up. After a loss of power
 * the journals are gone with /run, and so are rules and routes; only /etc/resolv.conf can still be
 * ours, and says itself for which interface it was written.
 */
#include "platform/helper/helper.h"
#include "platform/slot-journal.h"
#include "platform/helper/network.h"

#include <errno.h>
#include <stdio.h>

enum {
    OTHERS_US = 5 * G_USEC_PER_SEC, /* for another process that puts the same back */
    LOOK_US = G_USEC_PER_SEC / 100,
};

static gboolean has_file(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What one leaves that was killed before it changed anything. */
static gboolean has_slot_file(const char *dir, unsigned number)
{
    static const char *const suffixes[] = {"slot", "slot.new", "state"};
    gboolean found = FALSE;

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes) && !found; i++) {
        g_autofree char *name = g_strdup_printf("%u.%s", number, suffixes[i]);

        found = has_file(dir, name);
    }
    return found;
}

/* 0, -EBUSY while it is somebody's, -ENOENT when there is nothing to be put back (any more), or
   another negative errno. */
static int lock_left(const char *dir, unsigned number, gboolean *changedp, PlatformSlot **slotp)
{
    char journal[PLATFORM_SLOT_JOURNAL_NAME];

    platform_slot_journal_name(number, journal);
    *changedp = has_file(dir, journal);
    if (!*changedp && !has_slot_file(dir, number))
        return -ENOENT;
    return platform_slot_lock(dir, number, slotp);
}

/* 1 when something was undone, 0 for nothing to be done, or a negative errno. */
static int undo_slot(const char *dir, unsigned number)
{
    g_autoptr(GError) error = NULL;
    PlatformSlot *slot;
    gboolean changed;
    gint64 deadline = g_get_monotonic_time() + OTHERS_US;
    int r;

    while ((r = lock_left(dir, number, &changed, &slot)) == -EBUSY &&
           platform_slot_is_left(dir, number) && g_get_monotonic_time() < deadline)
        g_usleep(LOOK_US);
    if (r < 0)
        return r == -EBUSY || r == -ENOENT ? 0 : r;
    HelperNetwork *network = helper_network_new(slot, dir, &platform_dns_paths, &error);

    if (!network) {
        fprintf(stderr, "dialtone: what slot %u has left cannot be put back: %s\n", number,
                error->message);
        platform_slot_unlock(slot);
        return -EIO;
    }
    helper_network_free(network);
    platform_slot_release(slot);
    return changed;
}

static int undo_file(const char *dir)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    unsigned number;
    PlatformSlot *slot;

    if (!g_file_get_contents(platform_dns_paths.resolv_conf, &text, NULL, NULL))
        return 0;
    g_autofree char *owner = platform_dns_file_owner(text);

    if (!owner || sscanf(owner, "dialtone%u", &number) != 1)
        return 0;
    int r = platform_slot_lock(dir, number, &slot);

    if (r < 0)
        return r == -EBUSY || r == -EINVAL ? 0 : r;
    if (!platform_dns_file_undo(&platform_dns_paths, owner, &error)) {
        fprintf(stderr, "dialtone: %s\n", error->message);
        r = -EIO;
    }
    platform_slot_unlock(slot);
    return r < 0 ? r : 1;
}

int helper_undo_stale(const char *dir)
{
    int undone = 0, failed = 0;

    dir = dir ? dir : PLATFORM_SLOT_DIR;
    for (uint64_t numbers = platform_slot_numbers(dir); numbers; numbers &= numbers - 1) {
        int r = undo_slot(dir, (unsigned)__builtin_ctzll(numbers));

        undone += r > 0;
        failed = r < 0 ? r : failed;
    }
    int r = undo_file(dir);

    undone += r > 0;
    failed = r < 0 ? r : failed;
    return failed ? failed : undone;
}

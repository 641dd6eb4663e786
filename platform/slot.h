/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots: what the tunnels of one machine share out. Interface, table and mark all follow from the
   number, so two tunnels that hold different slots never collide.
   In /run/dialtone (root's, 0755): N.lock (0600) is locked with flock() while the slot is alive,
   so the kernel gives it back however its holder ended; N.slot (0644) says who holds it; N.state
   (0600, the calling user's) has the last state of the tunnel. */
#pragma once

#include "platform/address.h"

#include <glib.h>
#include <sys/types.h>

#define PLATFORM_SLOT_DIR       "/run/dialtone"
#define PLATFORM_SLOT_INTERFACE "dialtone" /* and the slot's number */

enum {
    PLATFORM_SLOT_COUNT = 64,
    PLATFORM_SLOT_LABEL = 128,
    PLATFORM_SLOT_STATE_MAX = 64 * 1024,
    PLATFORM_SLOT_TABLE_BASE = 53664,       /* + slot */
    PLATFORM_SLOT_PRIORITY_SPLIT = 30400,   /* + slot: rules of tunnels for some networks ... */
    PLATFORM_SLOT_PRIORITY_FULL = 30500,    /* ... come before the one for everything */
    PLATFORM_SLOT_PRIORITY_REPLIES = 30300, /* + slot: answers of the gateway, see rp_filter */
};
/* + slot. Rules compare with the mask, so that no tunnel's packets enter another tunnel. */
#define PLATFORM_SLOT_MARK_BASE 0x0d1a0000u
#define PLATFORM_SLOT_MARK_MASK 0xffffff00u

typedef struct PlatformSlotInfo {
    unsigned number;
    char interface[16];
    uint32_t table, mark;
    pid_t pid;          /* who takes SIGTERM and SIGHUP */
    uint64_t pid_start; /* its start time, of /proc/PID/stat */
    uid_t uid;          /* on whose behalf */
    uint64_t netns;     /* its network namespace: only tunnels of one can collide */
    char label[PLATFORM_SLOT_LABEL + 1];
    PlatformPrefix *routes; /* what the tunnel carries */
    size_t n_routes;
} PlatformSlotInfo;

typedef struct PlatformSlot PlatformSlot;

/* dir NULL: PLATFORM_SLOT_DIR (only tests give another). */

/* Makes the directory if need be, and takes the first free slot at or after `first`. Root only.
   -ENOSPC: none free. */
__attribute__((warn_unused_result)) int platform_slot_claim(const char *dir, unsigned first,
                                                            PlatformSlot **slotp);
/* This slot only: -EBUSY when it is alive. */
__attribute__((warn_unused_result)) int platform_slot_lock(const char *dir, unsigned number,
                                                           PlatformSlot **slotp);
/* Removes N.slot and N.state and gives the slot back. NULL is fine. */
void platform_slot_release(PlatformSlot *slot);
/* Gives the lock back and leaves the files. */
void platform_slot_unlock(PlatformSlot *slot);
/* Of the slot itself; label, uid and routes are filled in by the caller. */
PlatformSlotInfo *platform_slot_info(PlatformSlot *slot);
/* The directory, for files beside it. */
int platform_slot_dirfd(PlatformSlot *slot);
/* Writes N.slot anew. */
__attribute__((warn_unused_result)) int platform_slot_publish(PlatformSlot *slot);
/* Makes N.state, owned by uid and gid; where we lack CAP_CHOWN it is ours, and uid may read it. */
__attribute__((warn_unused_result)) int platform_slot_open_state(PlatformSlot *slot, uid_t uid,
                                                                 gid_t gid, int *fdp);

/* The network namespace that we are in; 0 if unknown. */
uint64_t platform_slot_namespace(void);
/* A bit for each slot of which there is a file, of whatever kind: one look instead of 64. */
uint64_t platform_slot_numbers(const char *dir);
/* For anybody. Array of PlatformSlotInfo of the slots that are alive, by number. */
GArray *platform_slot_list(const char *dir);
/* Whoever published it is dead, though somebody may hold its lock: to put back what is left. */
bool platform_slot_is_left(const char *dir, unsigned number);
/* By another slot of the same user in the same network. */
bool platform_slot_is_taken(PlatformSlot *slot, const char *dir, const char *label);
/* One write: safe under the tunnel's seccomp, and a reader never takes a half-written one. */
__attribute__((warn_unused_result)) int platform_slot_write_state(int fd, const char *json);
/* The last state of a slot, or NULL with errno. */
char *platform_slot_read_state(const char *dir, unsigned number);

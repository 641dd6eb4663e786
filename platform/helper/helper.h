/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The privileged helper of one tunnel: serves org.dialtone.Helper1 to one process without
 * privileges. */
#pragma once

#include "platform/helper/error.h"

#include <sys/types.h>

typedef struct HelperOptions {
    int peer_fd;  /* our end of the socket pair with the tunnel process; taken */
    pid_t tunnel; /* children of ours; 0: none, and the peer is the service */
    pid_t agent;
    uid_t owner; /* the calling user: may read the slot's state */
    gid_t owner_gid;
    const char *dir; /* NULL: PLATFORM_SLOT_DIR; only tests give another */
} HelperOptions;

/* The rest of the original process's life, after the other two were forked; no thread and no GIO
   call before it. Puts back what dead tunnels left, takes a slot, drops every capability but
   CAP_NET_ADMIN, serves until the tunnel process is gone, undoes everything and reaps the children.
   SIGINT and SIGTERM become StopRequested (once), SIGHUP becomes RenegotiateRequested; the children
   must ignore these three, for a terminal sends them to all. For a tunnel or a peer that does not
   end within 20 s of StopRequested, and an agent 10 s after the tunnel, nobody waits any longer.
   Returns the exit status: the agent's if it is not 0, else the tunnel's; 1 for one that was
   killed; 10 where the privilege is missing (said on stderr). */
int helper_run(const HelperOptions *options);

/* Puts back what helpers that were killed have left; dir NULL as above. Needs CAP_NET_ADMIN and
   root. Returns how many slots were put back, or a negative errno. */
int helper_undo_stale(const char *dir);

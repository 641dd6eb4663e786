/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serves org.dialtone.HelperManager1 on the system bus: a helper process for each tunnel. */
#pragma once

#include <sys/types.h>

/* Until nobody has used it for half a minute, or SIGTERM. Needs root; keeps the capabilities that a
   helper starts with. Only a process of the uid `service` may call. Returns the exit status. */
int helper_manager_run(uid_t service);

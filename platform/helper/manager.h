/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serves org.dialtone.HelperManager1 on the system bus: a helper process for each tunnel. */
#pragma once

#include <sys/types.h>

typedef struct HelperManagerOptions {
    uid_t service;   /* only its processes may call */
    unsigned idle_s; /* it ends after so long without a tunnel */
} HelperManagerOptions;

/* Until it was idle, or SIGTERM. Needs root; keeps the capabilities that a helper starts with.
   Returns the exit status. */
int helper_manager_run(const HelperManagerOptions *options);

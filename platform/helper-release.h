/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HelperManager1.ReleaseKillSwitch: kill switches that were left behind, let go by a process of its
   own. */
#pragma once

#include "platform/bus-name.h"

#include "dialtone-helper-manager1.h"

#include <sys/types.h>

typedef struct PlatformRelease {
    PlatformBusName *name; /* held meanwhile */
    uid_t service;         /* only its processes may call */
} PlatformRelease;

/* release has to live until the skeleton is not exported any more. */
void platform_release_serve(DialtoneHelperManager1 *skeleton, PlatformRelease *release);

/* What that process does, and its exit status: `dialtone-helper --release LABEL OWNER`. OWNER
   "root" is root's word, and a number that of this user. */
int platform_release_run(const char *label, const char *owner);

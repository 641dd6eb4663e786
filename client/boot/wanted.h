/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be blocked from the boot on, as the administrator has written it. */
#pragma once

#include <glib.h>

#include "client/profile/policy.h"
#include "platform/firewall.h"

/* What is known when the computer boots. */
typedef struct BootFiles {
    const DialtonePolicy *policy;
    const GPtrArray *profiles; /* as dialtone_system_profiles() gives them */
} BootFiles;

typedef struct BootWanted {
    GPtrArray *blocks; /* of PlatformFirewallBlock */
    GPtrArray *said;   /* of char *: what the administrator has to hear */
} BootWanted;

BootWanted *boot_wanted_new(const BootFiles *files) G_GNUC_WARN_UNUSED_RESULT;
void boot_wanted_free(BootWanted *wanted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BootWanted, boot_wanted_free)

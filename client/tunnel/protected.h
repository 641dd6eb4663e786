/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a tunnel's network before there is one, of its profile alone. */
#pragma once

#include "client/profile/profile.h"
#include "platform/killswitch.h"

/* What the tunnel is called in its slot: that has a grammar of its own, 1 to 128 bytes without
 * control characters. The caller frees it. */
char *tunnel_label(const DialtoneProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
/* Adds what the tunnel is to carry, and what it is not, to a kill switch without either; a profile
 * that does not say what the tunnel carries means everything. */
void tunnel_protect(const DialtoneProfile *profile, PlatformKillSwitch *kill_switch);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper1's methods for the kill switch, which has nothing but its firewall to do with the rest. */
#pragma once

#include "platform/firewall.h"

#include "dialtone-helper1.h"

/* Both have to live until the skeleton is not exported any more. */
void platform_kill_switch_serve(DialtoneHelper1 *skeleton, PlatformFirewall *firewall);

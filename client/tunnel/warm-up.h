/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libcrypto does at its first use takes milliseconds, which pass while others are awaited. */
#pragma once

#include "client/profile/profile.h"

/* Starts a thread that readies what every connection uses, and ends. */
void tunnel_warm_up(void);
/* Likewise, for the algorithms of Phase 1's first proposal. */
void tunnel_warm_up_proposal(const DialtoneProfile *profile);

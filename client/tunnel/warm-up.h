/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libcrypto does at its first use takes milliseconds, which pass while the helper is awaited.
 */
#pragma once

#include "client/profile/profile.h"

/* Starts a thread that uses each algorithm of Phase 1's first proposal once, and ends. */
void tunnel_warm_up(const DialtoneProfile *profile);

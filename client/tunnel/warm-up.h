/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libcrypto does at its first use takes milliseconds, and so does a key pair; both pass while
 * others are awaited. */
#pragma once

#include "client/profile/profile.h"
#include "ike/dh.h"

typedef struct TunnelWarmUp TunnelWarmUp;

/* Starts a thread that readies what every connection uses, and ends. */
void tunnel_warm_up(void);
/* Starts one for the algorithms of Phase 1's first proposal, which makes a key pair of its group.
 * NULL: it can't be started. */
TunnelWarmUp *tunnel_warm_up_proposal(const DialtoneProfile *profile);
/* Waits for the thread. The pair, to be used once; NULL: none was made, or no thread was given. */
IkeDh *tunnel_warm_up_finish(TunnelWarmUp *self_take);
/* Waits for the thread, and throws the pair away. */
void tunnel_warm_up_free(TunnelWarmUp *self);

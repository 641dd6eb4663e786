/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proposals in the words of gateways, for the advice a user passes on to an administrator. */
#pragma once

#include <glib.h>

#include "client/profile/profile.h"

typedef enum { TUNNEL_PHASE1, TUNNEL_PHASE2 } TunnelPhase;

/* Lines of Junos' configuration for those proposals of the profile that Junos has words for, and
 * for the policy that names them; NULL where it has words for none. The caller frees what these
 * return. */
char *tunnel_spelling_junos(const DialtoneProfile *profile,
                            TunnelPhase phase) G_GNUC_WARN_UNUSED_RESULT;
/* "proposals = aes256-sha256-modp2048" of all in @proposals, for swanctl.conf. */
char *tunnel_spelling_strongswan(const GArray *proposals,
                                 TunnelPhase phase) G_GNUC_WARN_UNUSED_RESULT;
/* What was offered, an attempt (or a Quick Mode) for each group, in order. */
char *tunnel_spelling_attempts(const GArray *proposals,
                               TunnelPhase phase) G_GNUC_WARN_UNUSED_RESULT;

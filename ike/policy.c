/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic of the choices in policy.h.
 */
#include "ike/policy.h"

static uint64_t margin(uint32_t seconds)
{
    uint64_t life = seconds * IKE_SECOND;
    uint64_t fifth = life / 5;

    if (fifth < 2 * IKE_SECOND)
        fifth = 2 * IKE_SECOND;
    if (fifth > 600 * IKE_SECOND)
        fifth = 600 * IKE_SECOND;
    return fifth < life / 2 ? fifth : life / 2;
}

uint64_t ike_policy_renewal(uint32_t seconds)
{
    return seconds * IKE_SECOND - margin(seconds);
}

uint64_t ike_policy_renewal_jitter(uint32_t seconds)
{
    return margin(seconds) / 4;
}

uint64_t ike_policy_retransmit(unsigned tries)
{
    uint64_t wait = IKE_RETRANSMIT_FIRST;

    for (unsigned i = 0; i < tries && wait < IKE_RETRANSMIT_MOST; i++)
        wait *= 2;
    return wait < IKE_RETRANSMIT_MOST ? wait : IKE_RETRANSMIT_MOST;
}

uint32_t ike_policy_shorter(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

uint32_t ike_policy_lifetime(uint32_t ours, uint32_t theirs)
{
    if (theirs != 0 && theirs < IKE_LIFETIME_LEAST)
        theirs = IKE_LIFETIME_LEAST;
    return ike_policy_shorter(ours, theirs);
}

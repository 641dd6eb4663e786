/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exponential backoff with jitter: 0.5 s, 1 s, 2 s up to 30 s, of which the second half is random,
 * so that a gateway that comes back is not met by all its clients at once. The end of RetryFor cuts
 * the last pause short, so that one attempt is made at the very end of it.
 */
#include "client/tunnel/backoff.h"

#define SECOND UINT64_C(1000000000)

void tunnel_backoff_begin(TunnelBackoff *backoff, uint64_t now)
{
    if (backoff->lost_at == 0) {
        backoff->lost_at = now;
        backoff->attempts = 0;
    }
}

void tunnel_backoff_end(TunnelBackoff *backoff)
{
    backoff->lost_at = 0;
    backoff->attempts = 0;
}

void tunnel_backoff_slept(TunnelBackoff *backoff, uint64_t slept)
{
    if (backoff->lost_at != 0)
        backoff->lost_at += MIN(slept, G_MAXUINT64 - backoff->lost_at);
}

uint64_t tunnel_backoff_deadline(const TunnelBackoff *backoff)
{
    if (backoff->lost_at == 0 || backoff->retry_for > (G_MAXUINT64 - backoff->lost_at) / SECOND)
        return G_MAXUINT64;
    return backoff->lost_at + backoff->retry_for * SECOND;
}

static uint64_t pause_of(unsigned attempt, uint32_t random)
{
    uint64_t pause = TUNNEL_BACKOFF_FIRST;
    for (unsigned i = 0; i < attempt && pause < TUNNEL_BACKOFF_MAX; i++)
        pause *= 2;
    pause = MIN(pause, TUNNEL_BACKOFF_MAX);
    uint64_t half = pause / 2;
    /* In microseconds, lest the product exceeds 64 bits. */
    return half + half / 1000 * random / UINT32_MAX * 1000;
}

bool tunnel_backoff_next(TunnelBackoff *backoff, uint64_t now, uint32_t random, uint64_t *whenp)
{
    uint64_t deadline = tunnel_backoff_deadline(backoff);
    if (now >= deadline)
        return false;
    uint64_t when = now + pause_of(backoff->attempts, random);
    if (backoff->attempts < G_MAXUINT)
        backoff->attempts++;
    *whenp = MIN(when, deadline);
    return true;
}

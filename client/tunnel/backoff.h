/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to try a lost tunnel again. Times are ns of platform_clock_now(). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct TunnelBackoff {
    uint64_t lost_at;   /* 0: not lost */
    uint64_t retry_for; /* seconds, or G_MAXUINT64: for ever */
    unsigned attempts;
} TunnelBackoff;

#define TUNNEL_BACKOFF_FIRST (UINT64_C(500) * 1000 * 1000)
#define TUNNEL_BACKOFF_MAX   (UINT64_C(30) * 1000 * 1000 * 1000)

/* The tunnel was lost, once an outage. */
void tunnel_backoff_begin(TunnelBackoff *backoff, uint64_t now);
/* It is back. */
void tunnel_backoff_end(TunnelBackoff *backoff);
/* Time that does not count: the machine was asleep for so long. */
void tunnel_backoff_slept(TunnelBackoff *backoff, uint64_t slept);
/* When to try next; `random` spreads it over the second half of the pause. False when the time for
 * it is over. */
bool tunnel_backoff_next(TunnelBackoff *backoff, uint64_t now, uint32_t random,
                         uint64_t *whenp) G_GNUC_WARN_UNUSED_RESULT;
/* When the outage has lasted for `retry_for`: G_MAXUINT64 for never. */
uint64_t tunnel_backoff_deadline(const TunnelBackoff *backoff) G_GNUC_WARN_UNUSED_RESULT;

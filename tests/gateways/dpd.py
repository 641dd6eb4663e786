# SPDX-License-Identifier: GPL-2.0-or-later
"""When a gateway asks whether its client lives (RFC 3706), in the styles of the field.

    'periodic'  every interval (Cisco's, Junos' always-send)
    'idle'      when nothing came from the client for an interval (FortiGate's on-idle)
    'demand'    when something was sent to the client since, and nothing came back (on-demand)
"""

from .exchange import SECOND


class DeadPeerDetection:
    def __init__(self, sa):
        self.sa, self.gateway = sa, sa.gateway
        self.style = sa.personality.dpd_style
        self.interval = sa.personality.dpd_interval * SECOND
        self.patience = sa.personality.dpd_retries
        self.asked_at = None
        self.open = 0
        self.answered = 0

    def _due(self):
        """When to ask next, or None."""
        sa, gateway = self.sa, self.gateway
        if not self.style or not sa.established:
            return None
        if self.open:
            return self.asked_at + self.interval // 2
        since = max(gateway.heard_at, sa.established_at)
        if self.style == 'demand':
            return since + self.interval if gateway.spoke_at > since else None
        if self.style == 'periodic':
            since = max(self.asked_at or 0, sa.established_at)
        return max(since, self.asked_at or 0) + self.interval

    def deadline(self):
        return self._due()

    def tick(self, now):
        due = self._due()
        if due is None or due > now:
            return
        if self.open and self._answer_came():
            self.open = 0
            return
        if self.open >= self.patience:
            self.gateway.event('dead-peer')
            self.gateway.drop_dead(self.sa)
            return
        self.open += 1
        self.asked_at = now
        self.sa.info.ask_alive()

    def _answer_came(self):
        """An answer, or anything else that is authentic, is a sign of life (RFC 3706, 5.5)."""
        return self.gateway.heard_at >= self.asked_at

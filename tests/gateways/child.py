# SPDX-License-Identifier: GPL-2.0-or-later
"""A pair of ESP SAs as the gateway holds it."""

from dataclasses import dataclass

from . import constants as c


@dataclass
class Child:
    inbound: object
    outbound: object
    local: object  # the client's side, as ipaddress network
    remote: object  # the protected network
    sa: object
    suite: object
    lifetimes: dict
    born: int
    dhcp: bool = False  # carries DHCP alone (RFC 3456)

    @property
    def owner(self):
        return self.sa.gateway.owner(self.sa)

    def lifetime(self):
        """Seconds that count: the shorter of both sides."""
        return min(self.lifetimes.get(c.LIFE_SECONDS, 28800), self.sa.personality.phase2_lifetime)

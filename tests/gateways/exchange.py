# SPDX-License-Identifier: GPL-2.0-or-later
"""The bookkeeping of one exchange, and how patient a gateway is."""

SECOND = 1_000_000_000
RETRANSMIT_AFTER = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0)


class Exchange:
    """One message ID: its IV chain, what was sent last, and when that is sent again."""

    def __init__(self, mid, kind, iv=b''):
        self.mid = mid
        self.kind = kind
        self.iv = iv
        self.state = None
        self.sent = None
        self.tries = 0
        self.resend_at = None
        self.data = {}

    def settle(self):
        """The peer has answered: nothing is sent again by itself."""
        self.resend_at = None

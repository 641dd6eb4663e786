# SPDX-License-Identifier: GPL-2.0-or-later
"""The strict side of the gateways: what an initiator did against the RFCs, and what was thrown
away.
"""

from collections import Counter


class Judge:
    """Violations fail a test; refusals and drops are what a gateway does by itself and only
    counted.
    """

    def __init__(self):
        self.violations = []
        self.drops = Counter()
        self.log = []
        self.now = 0

    def violation(self, rule, text):
        self.violations.append((self.now, rule, text))

    def expect(self, condition, rule, text):
        if not condition:
            self.violation(rule, text)
        return bool(condition)

    def drop(self, cause):
        self.drops[cause] += 1

    def note(self, text):
        self.log.append((self.now, text))

# SPDX-License-Identifier: GPL-2.0-or-later
"""A test gateway of tests/gateways on real UDP, in the lab's gateway node. It records what the client
does against the RFCs, and ends with 0 only if there was nothing."""

import os

from lab import ROOT, expect, wait_until


class Served:
    """A test gateway in the lab's gateway node."""

    def __init__(self, lab, personality, *more):
        self.lab, self.log = lab, f"serve-{personality}.log"
        self.words = ["/usr/bin/python3", os.path.join(ROOT, "tests/gateways/serve.py"), "--bind",
                      lab.sites[0].address, "--personality", personality, *more]
        self.process = None

    def __enter__(self):
        already = self.text().count("ready")
        self.process = self.lab.start("gateway", *self.words, log=self.log)
        wait_until(lambda: self.text().count("ready") > already, 5, "the gateway is ready")
        return self

    def __exit__(self, kind, *unused):
        code = self.lab.stop(self.process)
        if kind is None:
            expect(code == 0, f"breaches of the RFCs:\n{self.text()}")

    def text(self):
        return self.lab.read_log(self.log)

    def signal(self, number):
        self.process.send_signal(number)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours of sleep that only the clocks know of (clock-jump.c)."""

import os
import struct
import time

from client import binary
from lab import expect

HOUR = 3600


class Clock:
    """Hours of sleep, for the programs that are started with `env`."""

    def __init__(self, lab):
        self.path = os.path.join(lab.folder, "slept")
        self.hours = 0
        self.sleep(0)
        build = os.path.dirname(os.path.dirname(os.path.dirname(binary())))
        library = os.path.join(build, "tests/lib/libclock-jump.so")
        expect(os.path.exists(library), f"{library} is not built")
        self.env = {"LD_PRELOAD": library, "DIALTONE_TEST_SLEPT": self.path}

    def sleep(self, hours):
        self.hours += hours
        mode = "r+b" if os.path.exists(self.path) else "wb"
        with open(self.path, mode) as file:
            file.write(struct.pack("=q", int(self.hours * HOUR * 10**9)))
        return time.monotonic()

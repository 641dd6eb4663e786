#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 150 s
"""What a user of the machine may try on the service to get at what others have, or to be in their way."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from client import check_connected  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import CONNECTION, objects, service_case, system_profile  # noqa: E402


def states(bus):
    return {c["Name"]: c["State"] for c in objects(bus, CONNECTION).values()}


@service_case("secrets that were given for one profile are given to no other that waits for some")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.dialtone("connect", "--no-wait", "Corp")
    wait_until(lambda: states(bus) == {"Corp": "needs-secrets"}, 10, f"a secret is wanted: {states(bus)}")
    events = alice.connect(code=0)
    expect({event["profile"] for event in events} == {"Office"}, f"it speaks of others: {events}")
    check_connected(events[-1])
    expect(states(bus) == {"Corp": "needs-secrets", "Office": "connected"}, f"{states(bus)}")
    alice.dialtone("disconnect", "--all")


main()

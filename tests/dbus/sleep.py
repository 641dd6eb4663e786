#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""A laptop that sleeps under a tunnel of the service's: as logind (dbusmock's) tells the helper, and
as only the clocks know."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import SOCKET  # noqa: E402
from cases import FULL, main  # noqa: E402
from client import profile  # noqa: E402
from clock import Clock  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import Stream, expect_ping  # noqa: E402
from mockbus import Logind  # noqa: E402
from roams import SECRETS, USERS  # noqa: E402
from service_kit import remember, service_case  # noqa: E402
from user import ServiceClient  # noqa: E402

CAROL = Connection("alice@example.com", users=USERS, ike={"unique": "replace"})
HONEST = 2 if FULL else 5  # seconds; a busy machine's monitor is late


def logins(lab):
    return lab.gateway.text().count("XAuth authentication of 'carol' successful")


@service_case("logind: after a sleep the state is honest within two seconds, and the gateway called anew without a hand",
              connection=CAROL)
def _(lab, bus, alice, bob):
    with Logind(lab, f"unix:path={SOCKET}") as logind:
        client = ServiceClient(alice, profile(), SECRETS)
        client.connect()
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken")
        logind.say(True)
        wait_until(lambda: "Dialtone" not in logind.inhibitors(), 5, "the lock is given back")
        lab.gateway.kill()
        lab.gateway.up()
        known, awake = len(client.events), time.monotonic()
        logind.say(False)
        said = client.wait_state("reconnecting", 10, after=known)
        expect("asleep" in said["message"], f"{said}")
        print(f"# told {said['_at'] - awake:.1f} s after the resume")
        expect(said["_at"] - awake <= HONEST, "it was told late")
        client.wait_state("connected", 10, after=known)
        expect_ping(lab, lab.sites[0].host)
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken again")
        client.disconnect()
        wait_until(lambda: "Dialtone" not in logind.inhibitors(), 5, "the lock has gone with the tunnel")


@service_case("the clocks alone: eight hours under a tunnel of the service's are noticed, and it is made anew",
              connection=CAROL)
def _(lab, bus, alice, bob):
    clock = Clock(lab)
    remember(bus, **clock.env)
    client = ServiceClient(alice, profile(Phase1__Lifetime="2h", Phase2__Lifetime="1h"), SECRETS)
    address = client.connect()["address"]
    traffic = Stream(lab, lab.sites[0].host)
    traffic.wait_answer(time.monotonic(), 5)
    known = len(client.events)
    awake = clock.sleep(8)
    said = client.wait_state("reconnecting", 10, after=known)
    print(f"# told {said['_at'] - awake:.1f} s after the resume")
    expect(said["_at"] - awake <= HONEST, "it was told late")
    said = client.wait_state("connected", 10, after=known)
    expect(said["address"] == address, f"{said['address']} after {address}")
    expect(logins(lab) == 2, "Phase 1 did not run again")
    traffic.wait_answer(awake, 10)
    traffic.end()
    client.disconnect()


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 300 s, full: 600 s
"""A tunnel whose keys are renewed all the time carries on as if nothing had happened."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import Dialtone, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from measure import Ping, expect_ping, iperf  # noqa: E402

SECONDS = 60
# A transfer whose window is larger than the queues on its way fills them whenever this machine is
# busy elsewhere, and loses its neighbours' packets without any help from a rekey.
TRANSFER = ("-b", "20M", "-w", "48K")
USERS = {"carol": "carol's password"}
# A client renews some time before a lifetime ends: of 10 s after about 8, of 25 s after about 20.
SECRETS = secrets_text(User="carol", Password="carol's password")
# The gateway's own clock, kept out of the way: longer than what the client renews after.
PATIENT = {"rekey_time": "0", "reauth_time": "10m", "over_time": "1m"}


def lives_through(lab, connection, client, phase1_at_least, phase2_at_least):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, connection, logging=1) as gateway:
        address = client.connect()["address"]
        expect_ping(lab, site.host, count=2)
        ping = Ping(lab, site.host, SECONDS)
        up, down, _ = iperf(lab, site.host, SECONDS, more=TRANSFER)
        sent, received, lost = ping.result()
        log = gateway.text()
        phase1 = log.count("IKE_SA dialup[") and sum(
            "IKE_SA dialup[" in line and "established between" in line for line in log.splitlines())
        phase2 = sum("CHILD_SA dialup{" in line and "established with" in line
                     for line in log.splitlines())
        print(f"# {received} of {sent} pings, {up / 1e6:.1f} and {down / 1e6:.1f} Mbit/s, "
              f"{phase1} times Phase 1, {phase2} times Phase 2")
        expect(not lost, f"{len(lost)} of {sent} pings were lost: {lost[:30]}")
        expect(up > 10e6 and down > 10e6, f"TCP: {up / 1e6:.1f} up, {down / 1e6:.1f} down")
        expect(phase1 >= phase1_at_least, f"Phase 1 ran {phase1} times")
        expect(phase2 >= phase2_at_least, f"Phase 2 ran {phase2} times")
        for event in client.events:
            expect(event["state"] not in ("reconnecting", "failed"), f"it said {event}")
            now = event.get("address", address)
            expect(now == address, f"the address became {now}")
        expect_ping(lab, site.host)
        client.disconnect()


@case("the client renews Phase 2 every 8 s and Phase 1 every 20 s", seconds=150)
def _(lab):
    lives_through(lab, Connection("alice@example.com", ike=PATIENT),
                  Dialtone(lab, profile(Phase1__Lifetime="25s", Phase2__Lifetime="10s")), 3, 7)


@case("the gateway renews Phase 2 every 8 s, the client Phase 1 every 20 s, with XAUTH", seconds=150)
def _(lab):
    lives_through(lab, Connection("alice@example.com", users=USERS, ike=PATIENT,
                                  child={"rekey_time": "8s", "life_time": "20s", "rand_time": "0s"}),
                  Dialtone(lab, profile(Phase1__Lifetime="25s", Phase2__Lifetime="1h"), SECRETS), 3, 6)


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 300 s
"""What leaves beside a tunnel of the service's, in each state, watched on the physical link. What is
expected of the whole matrix stands in docs/security.md, and only there."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from beside import Link, compare, everything, in_order, release, silent, wait_protected  # noqa: E402
from cases import main  # noqa: E402
from client import secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import NAME, helpers, service_case  # noqa: E402
from user import ServiceClient  # noqa: E402

WHOLE = Connection("alice@example.com", local_ts="0.0.0.0/0")


def up(link, client):
    address = client.connect(15)["address"].split("/")[0]
    wait_protected(link.lab, address)
    expect_ping(link.lab, link.lab.sites[0].host)


def starter_killed(link, client):
    """The process that starts helpers; those that it has started are nobody's children now."""
    pid, = helpers()["manager"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in helpers()["manager"], 5, "it has gone")
    return link.row()


def helper_killed(link, client):
    """A tunnel's; the gateway is silent, so that the tunnel is sought while the link is watched."""
    silent(link.lab)
    known = len(client.events)
    pid, = helpers()["tunnel"]
    os.kill(pid, signal.SIGKILL)
    client.wait_state("reconnecting", 10, after=known)
    wait_until(lambda: helpers()["tunnel"] not in ([], [pid]), 10, "another helper has come")
    cells = link.row()
    link.lab.allow_at("gateway")
    client.wait_state("connected", 20, after=known)
    return cells


def service_killed(link, client, bus):
    """Nobody asks for the service here, which the bus would start again."""
    os.kill(bus.owner_pid(NAME), signal.SIGKILL)
    wait_until(lambda: not helpers()["tunnel"], 10, "its tunnel's helper has put all back")
    cells = link.row()
    client.watch()
    return cells


def refused(link, alice, groups):
    client = ServiceClient(alice, groups, secrets_text(psk="another key"))
    client.start().wait_state("failed", 15)
    return link.row()


def kills(link, client, bus, rows):
    rows["service: starter killed"] = starter_killed(link, client)
    rows["service: helper killed"] = helper_killed(link, client)
    rows["service: killed"] = service_killed(link, client, bus)


@service_case("with a kill switch nothing leaves beside a tunnel whose helper, or whose service, is killed",
              connection=WHOLE, same=False)
def _(lab, bus, alice, bob):
    link, rows = Link(lab), {}
    client = ServiceClient(alice, everything("yes"))
    up(link, client)
    rows["connected"] = link.row()
    kills(link, client, bus, rows)
    compare("KillSwitch=yes", "service", rows, whole=False)
    release(lab)


def matrix(title, kill_switch):
    @service_case(f"the leak matrix through the service: {title}", 110, connection=WHOLE, same=False,
                  full=True)
    def _(lab, bus, alice, bob):
        link, rows = Link(lab), {}
        groups = everything(kill_switch)
        client = ServiceClient(alice, groups)
        rows["idle"] = link.row()
        in_order(link, client, lab.gateway, rows)
        up(link, client)
        kills(link, client, bus, rows)
        up(link, client)
        client.disconnect()
        rows["disconnected"] = link.row()
        rows["refused at first"] = refused(link, alice, groups)
        compare(title, "service", rows)
        release(lab)


matrix("KillSwitch=no", "no")
matrix("KillSwitch=yes", "yes")
matrix("KillSwitch=persistent", "persistent")


main()

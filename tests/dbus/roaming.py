#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 300 s
"""A laptop that takes its tunnel along, which the service holds: tests/netns/roaming.py has more
kinds of networks, for a tunnel of the command line's own."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from beside import INTERNET, Link, silent  # noqa: E402
from cases import FULL, main  # noqa: E402
from client import profile, secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from links import home, hotel  # noqa: E402
from measure import expect_ping  # noqa: E402
from roams import GATEWAY, GATEWAY6, SECRETS, USERS, mobile, roam, stays_where_called  # noqa: E402
from served import Served  # noqa: E402
from service_kit import CONNECTION, objects, service_case  # noqa: E402
from terminal import Terminal  # noqa: E402
from user import ServiceClient  # noqa: E402

GATEWAY_MOVED = "203.0.113.77"
CAROL = Connection("alice@example.com", users=USERS)
TIMES = 25 if FULL else 5  # there and back


@service_case(f"{2 * TIMES} changes of the network break no TCP connection through a tunnel of the service's",
              500 if FULL else 120, connection=CAROL, same=False)
def _(lab, bus, alice, bob):
    links = [home(lab), hotel(lab)]
    client = ServiceClient(alice, profile(), SECRETS)
    client.connect()
    roam(lab, client, links, times=TIMES)
    expect(lab.gateway.text().count("XAuth authentication of 'carol' successful") == 1, "Phase 1 ran again")


def on_both_families(lab):
    """A gateway that has a name, and an address of each family."""
    lab.mobile = mobile(lab)
    lab.serve_names(f"vpn.example.com={GATEWAY}", f"vpn.example.com={GATEWAY6}")
    return Connection("alice@example.com", ike={"local_addrs": f"{GATEWAY},{GATEWAY6}", "unique": "replace"})


@service_case("IPv4, IPv6, IPv4: a tunnel of the service's goes by what there is, with the address it had", 120,
              connection=on_both_families, same=False, full=True)
def _(lab, bus, alice, bob):
    client = ServiceClient(alice, profile(address="vpn.example.com"))
    client.connect()
    roam(lab, client, [home(lab), lab.mobile], times=2)
    seen = {e["gateway"] for e in client.events if e["state"] == "connected"}
    expect(seen == {f"{GATEWAY}:4500", f"[{GATEWAY6}]:4500"}, f"the gateways were {seen}")


def with_a_name(lab):
    lab.names = lab.serve_names(f"vpn.office.example={GATEWAY}")
    return Connection("alice@example.com", local_ts="0.0.0.0/0",
                      ike={"local_addrs": f"{GATEWAY},{GATEWAY_MOVED}", "unique": "replace"})


def by_name():
    return profile(address="vpn.office.example", Phase2__Networks="0.0.0.0/0", Network__KillSwitch="yes")


@service_case("with a kill switch a gateway is called by its name again, and nothing else leaves meanwhile", 90,
              connection=with_a_name, same=False)
def _(lab, bus, alice, bob):
    link = Link(lab)
    client = ServiceClient(alice, by_name())
    client.connect()
    silent(lab)
    known = len(client.events)
    lab.gateway.terminate()
    client.wait_state("reconnecting", 15, after=known)
    expect(not link.send(f"{INTERNET},9", f"{INTERNET},53"), "it leaks while the gateway is sought")
    since = len(link.frames())
    lab.allow_at("gateway")
    client.wait_state("connected", 40, after=known)
    expect_ping(lab, lab.sites[0].host)
    left = {(f[2], f[4]) for f in link.frames(since) if f[0] in ("udp", "tcp")}
    may = {(GATEWAY, "500"), (GATEWAY, "4500"), ("10.99.1.1", "53")}
    expect(left <= may, f"these left: {left - may}")
    client.disconnect()
    expect(link.send(f"{INTERNET},9"), "nothing leaves after the end")


@service_case("with a kill switch a gateway whose name has another address now is found there", 90,
              connection=with_a_name, same=False, full=True)
def _(lab, bus, alice, bob):
    lab.ip("gateway", "addr", "add", f"{GATEWAY_MOVED}/32", "dev", "eth0")
    lab.ip("router", "route", "add", f"{GATEWAY_MOVED}/32", "via", GATEWAY)
    client = ServiceClient(alice, by_name())
    client.connect()
    lab.stop(lab.names)
    lab.serve_names(f"vpn.office.example={GATEWAY_MOVED}")
    lab.drop_at("gateway", f"ip daddr {GATEWAY}")
    known = len(client.events)
    lab.gateway.terminate()
    said = client.wait_state("connected", 60, after=known)
    expect(said["gateway"] == f"{GATEWAY_MOVED}:4500", f"{said}")
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()


def state(bus):
    return [c["State"] for c in objects(bus, CONNECTION).values()]


@service_case("a gateway that wants a code again: the state says so, and the agent that comes is told why", 90,
              connection=False, same=False, full=True)
def _(lab, bus, alice, bob):
    stays_where_called(lab)
    here, there = home(lab), hotel(lab)
    with Served(lab, "fortitoken"):
        client = ServiceClient(alice, profile(Phase2__Networks="10.10.0.0/24", UserAuth__XAuth="required"),
                               secrets_text(User="carol", Password="carol-password"))
        words = alice.words("connect", "--secrets", client.secrets, client.profile)
        window = Terminal(lab, "client", *words)
        window.wait_text("One-time code:")
        window.type("123456")
        expect(window.wait_exit(20) == 0, f"the exit code is not 0: {window.text()}")
        window.close()
        here.down()
        there.up()
        wait_until(lambda: state(bus) == ["needs-secrets"], 30, f"somebody is to be asked: {client.states()}")
        window = Terminal(lab, "client", *words)
        window.wait_text("The network has changed, so the gateway asks again.", seconds=20)
        window.wait_text("One-time code:")
        window.type("123456")
        expect(window.wait_exit(20) == 0, f"the exit code is not 0: {window.text()}")
        window.close()
        expect(state(bus) == ["connected"], f"{objects(bus, CONNECTION)}")
        expect_ping(lab, "10.10.0.9")
        client.disconnect()


main()

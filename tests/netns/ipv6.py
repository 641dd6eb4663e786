#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""IPv6 outside, inside, and beside a tunnel, with strongSwan."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import Dialtone, profile  # noqa: E402
from gateway import Connection, DualGateway, DualStack, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from links import GATEWAY6, NETWORK6, OFFICE6, ipv6_internet  # noqa: E402
from measure import expect_ping, ping  # noqa: E402

def outside(**more):
    return Connection("alice@example.com", ike={"local_addrs": GATEWAY6}, **more)


def connects(lab, connection, groups, gateway):
    with Gateway(lab, connection):
        client = Dialtone(lab, groups)
        said = client.connect(15)
        expect(said["gateway"] == gateway, f"the gateway is {said['gateway']}")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()
    return said


@case("a gateway by its IPv6 address, IPv4 inside")
def _(lab):
    ipv6_internet(lab)
    said = connects(lab, outside(), profile(address=GATEWAY6), f"[{GATEWAY6}]:4500")
    expect(said["nat"] == "forced", f"nat is {said['nat']}")


@case("a gateway by its IPv6 address and port")
def _(lab):
    ipv6_internet(lab)
    connects(lab, outside(), profile(address=f"[{GATEWAY6}]:500"), f"[{GATEWAY6}]:4500")


@case("a name with an IPv6 address alone")
def _(lab):
    ipv6_internet(lab)
    lab.serve_names(f"vpn.example.com={GATEWAY6}")
    connects(lab, outside(), profile(address="vpn.example.com"), f"[{GATEWAY6}]:4500")


@case("a name whose IPv4 address is silent and whose IPv6 address answers", seconds=60)
def _(lab):
    ipv6_internet(lab)
    lab.drop_at("gateway", "ip daddr 203.0.113.2")
    lab.serve_names("vpn.example.com=203.0.113.2", f"vpn.example.com={GATEWAY6}")
    with Gateway(lab, outside()):
        client = Dialtone(lab, profile(address="vpn.example.com"))
        said = client.connect(40)
        expect(said["gateway"] == f"[{GATEWAY6}]:4500", f"the gateway is {said['gateway']}")
        client.disconnect()


def dual(lab, groups):
    connection = DualStack("alice@example.com", children={"four": "10.10.0.0/24", "six": NETWORK6})
    with DualGateway(lab, connection):
        client = Dialtone(lab, groups)
        said = client.connect(15)
        expect(said["address6"].startswith("fd00:20::"), f"the IPv6 address is {said['address6']}")
        expect(said["address"], "there is no IPv4 address")
        expect("fd00:10::53" in said["dns"], f"the name servers are {said['dns']}")
        expect(NETWORK6 in said["routes"], f"the routes are {said['routes']}")
        expect_ping(lab, lab.sites[0].host)
        expect_ping(lab, OFFICE6)
        client.disconnect()


@case("IPv4 and IPv6 inside: an address, a name server and a network of each")
def _(lab):
    ipv6_internet(lab)
    before = lab.client_network()
    dual(lab, profile(Phase2__Networks=f"10.10.0.0/24;{NETWORK6}"))
    changes = lab.network_changes(before)
    expect(not changes, f"left behind: {changes}")


@case("an IPv6 network that the gateway gives no address for is an end, not a leak")
def _(lab):
    ipv6_internet(lab)
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile(Phase2__Networks=f"10.10.0.0/24;{NETWORK6}"))
        client.start()
        code = client.wait_exit(20)
        expect(code == 9, f"it ended with {code}: {client.stderr()[-300:]}")


@case("F7: a full tunnel without IPv6 leaves IPv6 no way beside it")
def _(lab):
    ipv6_internet(lab)
    expect(ping(lab, GATEWAY6)[1] == 3, "IPv6 doesn't work before, so the case proves nothing")
    with Gateway(lab, Connection("alice@example.com", local_ts="0.0.0.0/0")):
        client = Dialtone(lab, profile())
        client.connect(15)
        route = lab.run("client", "ip", "-6", "route", "get", GATEWAY6, check=False)
        expect("No route to host" in route or "unreachable" in route, f"IPv6 goes by {route}")
        client.disconnect()
    expect(ping(lab, GATEWAY6)[1] == 3, "IPv6 doesn't work afterwards")


main()

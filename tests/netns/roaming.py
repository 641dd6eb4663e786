#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 420 s, full: 900 s
"""A laptop that takes its tunnel along: another link, another address, another family, no network."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

import terminal  # noqa: E402
from cases import FULL, case, main  # noqa: E402
from client import Dialtone, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from links import home, hotel  # noqa: E402
from measure import Stream, expect_ping  # noqa: E402
from mockbus import NetworkManager  # noqa: E402
from roams import GATEWAY, GATEWAY6, SECRETS, USERS, WITHIN, mobile, move, roam, stays_where_called  # noqa: E402
from served import Served  # noqa: E402


@case("F10: another link and another NAT: the tunnel follows, and nobody is asked again", seconds=90)
def _(lab):
    lab.serve_office()
    links = [home(lab), hotel(lab)]
    with Gateway(lab, Connection("alice@example.com", users=USERS)) as gateway:
        client = Dialtone(lab, profile(), SECRETS)
        client.connect()
        roam(lab, client, links, times=2)
        expect(gateway.text().count("XAuth authentication of 'carol' successful") == 1, "Phase 1 ran again")
        expect("reconnecting" not in client.states(), f"{client.states()}")


@case("ten changes in a row break no TCP connection", seconds=500 if FULL else 180)
def _(lab):
    lab.serve_office()
    links = [home(lab), hotel(lab), hotel(lab, "train", 9)]
    with Gateway(lab, Connection("alice@example.com", users=USERS)):
        client = Dialtone(lab, profile(), SECRETS)
        client.connect()
        roam(lab, client, links, times=17 if FULL else 4)


@case("F10: IPv4, IPv6, IPv4: the tunnel goes by what there is, with the address it had", seconds=120)
def _(lab):
    lab.serve_office()
    lab.serve_names(f"vpn.example.com={GATEWAY}", f"vpn.example.com={GATEWAY6}")
    links = [home(lab), mobile(lab)]
    connection = Connection("alice@example.com", ike={"local_addrs": f"{GATEWAY},{GATEWAY6}", "unique": "replace"})
    with Gateway(lab, connection):
        client = Dialtone(lab, profile(address="vpn.example.com"))
        client.connect()
        roam(lab, client, links, times=2)
        seen = {e["gateway"] for e in client.events if e["state"] == "connected"}
        expect(seen == {f"{GATEWAY}:4500", f"[{GATEWAY6}]:4500"}, f"the gateways were {seen}")


@case("a gateway that does not follow is called anew, and TCP goes on", seconds=60)
def _(lab):
    lab.serve_office()
    stays_where_called(lab)
    here, there = home(lab), hotel(lab)
    with Gateway(lab, Connection("alice@example.com", users=USERS, ike={"unique": "replace"})) as gateway:
        client = Dialtone(lab, profile(), SECRETS)
        address = client.connect()["address"]
        traffic = Stream(lab, lab.sites[0].host)
        traffic.wait_answer(time.monotonic(), 5)
        known = len(client.events)
        # What TCP has sent in vain doubles its pauses: the tunnel is back earlier than TCP notices.
        moved = time.monotonic()
        move(traffic, here, there, within=4)
        said = client.wait_state("connected", 5, after=known)
        print(f"# connected again after {said['_at'] - moved:.2f} s")
        expect(said["_at"] - moved < WITHIN, "it took long")
        expect(said["address"] == address, f"{said['address']} after {address}")
        expect(gateway.text().count("XAuth authentication of 'carol' successful") == 2, "Phase 1 did not run again")
        traffic.end()
        client.disconnect()


@case("without a network nothing is tried, and the tunnel is back at once when there is one", seconds=90)
def _(lab):
    lab.serve_office()
    here = home(lab)
    with Gateway(lab, Connection("alice@example.com", users=USERS)) as gateway:
        client = Dialtone(lab, profile(), SECRETS)
        client.connect()
        traffic = Stream(lab, lab.sites[0].host)
        traffic.wait_answer(time.monotonic(), 5)
        known = len(client.events)
        here.down()
        said = client.wait_state("reconnecting", 2, after=known)
        expect(said["reason"] == "unreachable" and "no network" in said["message"], f"{said}")
        time.sleep(15)
        expect(len(client.events) == known + 1, f"it did not stay quiet: {client.events[known:]}")
        before = here.up()
        said = client.wait_state("connected", 3, after=known)
        print(f"# connected again after {said['_at'] - before:.2f} s")
        traffic.wait_answer(before, 30)
        traffic.end()
        expect(gateway.text().count("XAuth authentication of 'carol' successful") == 1, "Phase 1 ran again")
        client.disconnect()


@case("a cable that is pulled out and put in again is no more than a question", seconds=60)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile())
        client.connect()
        known = len(client.events)
        lab.ip("router", "link", "set", "lan0", "down")
        client.wait_state("reconnecting", 3, after=known)
        lab.ip("router", "link", "set", "lan0", "up")
        client.wait_state("connected", 5, after=known)
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("a link beside the one in use comes and goes, and nothing is asked", seconds=60)
def _(lab):
    lab.serve_office()
    other = hotel(lab)
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile(Network__MTU="1300"))  # else the path is asked for its MTU
        client.connect()
        known, log = len(client.events), len(gateway.text())
        for _ in range(20):
            lab.ip("client", "link", "set", other.device, "up")
            lab.ip("client", "addr", "add", other.address, "dev", other.device)
            lab.ip("client", "addr", "flush", "dev", other.device)
            lab.ip("client", "link", "set", other.device, "down")
        time.sleep(1)
        expect(len(client.events) == known, f"{client.events[known:]}")
        expect("DPD" not in gateway.text()[log:], "the gateway was asked")
        client.disconnect()


@case("a gateway that wants a code again: the user is asked, and told why", seconds=90)
def _(lab):
    stays_where_called(lab)
    here, there = home(lab), hotel(lab)
    with Served(lab, "fortitoken"):
        client = Dialtone(lab, profile(Phase2__Networks="10.10.0.0/24", UserAuth__XAuth="required"),
                          secrets_text(User="carol", Password="carol-password"))
        window = terminal.connect(lab, client, "--secrets", client.secrets)
        window.wait_text("One-time code:")
        window.type("123456")
        window.wait_text("(Ctrl-C ends the tunnel.)")
        here.down()
        there.up()
        window.wait_text("reconnecting: The network has changed.")
        window.wait_text("The network has changed, so the gateway asks again.", seconds=25)
        window.type("123456")
        window.wait_text("connected:", times=2)
        expect_ping(lab, "10.10.0.9")
        window.press("C-c")
        expect(window.wait_exit() == 0, "the exit code is not 0")


@case("a network that wants a browser first says so, at connect and under way", seconds=90)
def _(lab):
    lab.serve_office()
    with NetworkManager(lab) as manager, Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile())
        client.environment.update(manager.env)
        client.connect()
        lab.drop_at("gateway", "udp dport { 500, 4500 }")
        manager.set_connectivity(manager.PORTAL)
        known = len(client.events)
        lab.ip("client", "link", "set", "eth0", "down")
        home(lab).up()
        said = client.wait_event(lambda e: "web page" in e.get("advice", ""), 30, known, "the portal is told")
        expect(said["state"] == "reconnecting" and said["reason"] == "unreachable", f"{said}")
        expect(client.stderr().count("logged in on a web page") == 1, client.stderr()[-600:])
        manager.set_connectivity(manager.FULL)
        lab.allow_at("gateway")
        client.wait_state("connected", 40, after=known)
        client.disconnect()
        lab.drop_at("gateway", "udp dport { 500, 4500 }")
        manager.set_connectivity(manager.PORTAL)
        second = Dialtone(lab, profile(), name="second")
        second.environment.update(manager.env)
        said = second.start().wait_state("failed", 30)
        expect("web page" in said["advice"], f"{said}")
        expect(second.wait_exit() == 5, "the exit code is not 5")


@case("NatT=auto tells a network without a NAT from one with it", seconds=60, nat=False)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile(Quirks__NatT="auto"))
        client.start()
        client.wait_state("phase2", 10)
        expect("local host is behind NAT" not in gateway.text() and "remote host is behind NAT" not in gateway.text(),
               "a NAT was feigned")


main()

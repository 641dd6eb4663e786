#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 420 s, full: 900 s
"""Gateways that die and come back, networks that change under a tunnel, networks that are bad."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import FULL, case, main  # noqa: E402
from client import Dialtone, binary, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import echo_gap, expect_ping, expect_tcp, longest_gap, ping  # noqa: E402
import time  # noqa: E402

USERS = {"carol": "carol's password"}
SECRETS = secrets_text(User="carol", Password="carol's password")


def killed_and_started(lab, connection, secrets):
    site = lab.sites[0]
    lab.serve_office()
    gateway = Gateway(lab, connection).up()
    client = Dialtone(lab, profile(), secrets)
    client.connect()
    expect_ping(lab, site.host)
    gateway.kill()
    dead = time.monotonic()
    known = len(client.events)
    traffic = echo_gap(lab, site.host, 25, every=0.2)
    lost = client.wait_state("reconnecting", 30, after=known)
    print(f"# noticed after {lost['_at'] - dead:.1f} s")
    status = lab.run("client", binary(), "status", "--json")
    expect('"reconnecting"' in status, f"status says {status}")
    expect(ping(lab, site.host, 2, wait=1)[1] == 0, "ping is answered though the gateway is dead")
    known = len(client.events)
    gateway.up()
    back = time.monotonic()
    client.wait_state("connected", 40, after=known)
    print(f"# carries again {time.monotonic() - back:.1f} s after the gateway was back")
    expect_ping(lab, site.host)
    lab.stop(traffic)
    between = [e["state"] for e in client.events if dead < e["_at"] < back]
    expect("connected" not in between, f"it said connected while the gateway was dead: {between}")
    client.disconnect()


@case("a gateway that is killed and started again is noticed and found again", seconds=120)
def _(lab):
    killed_and_started(lab, Connection("alice@example.com"), None)


@case("a gateway with XAUTH that is killed and started again needs no hand either", seconds=120)
def _(lab):
    killed_and_started(lab, Connection("alice@example.com", users=USERS), SECRETS)


@case("a gateway that ends by DELETE is connected again", seconds=90)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile())
        client.connect()
        known = len(client.events)
        gateway.terminate()
        client.wait_state("reconnecting", 5, after=known)
        client.wait_state("connected", 20, after=known)
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("F10: a NAT that changes its ports under traffic is survived within 3 s", seconds=90)
def _(lab):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile())
        client.connect()
        expect_ping(lab, site.host)
        for ports in ("20000-30000", "40000-50000"):
            traffic = echo_gap(lab, site.host, 9)
            time.sleep(3)
            lab.masquerade(ports)
            rebound = time.monotonic()
            gap, answers = longest_gap(traffic, since=rebound)
            print(f"# silent for {gap:.2f} s after the NAT took ports {ports}, {answers} answers")
            expect(answers > 100 and gap <= 3, f"silent for {gap:.2f} s, {answers} answers")
            expect_ping(lab, site.host)
        expect("reconnecting" not in client.states(), f"states: {client.states()}")
        client.disconnect()


@case("a network with loss, duplicates and reordering delays but never breaks a tunnel", seconds=500 if FULL else 180)
def _(lab):
    site = lab.sites[0]
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", users=USERS)):
        for seed in range(1, 21 if FULL else 6):
            address = lab.relay("--delay", 15, "--loss", 10, "--duplicate", 10, "--reorder", 10,
                                "--seed", seed, "--verbose")
            relay = lab.processes[-1]
            client = Dialtone(lab, profile(address=address), SECRETS, name=f"bad-{seed}")
            event = client.start().wait_state("connected", 35)
            print(f"# seed {seed}: connected after {event['elapsed_ms']} ms")
            # Our last word of Quick Mode may be lost again and again, and the gateway is silent until then.
            wait_until(lambda: ping(lab, site.host, 1, wait=1)[1] == 1, 15, "traffic gets through")
            sent, received = ping(lab, site.host, 20, 0.05)
            expect(received >= sent // 3, f"{received} of {sent} pings came back")
            client.disconnect(10)
            lab.stop(relay)


@case("a tunnel that is renewed by hand keeps its address and loses no ping", seconds=90)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile())
        address = client.connect()["address"]
        before = gateway.text().count("established between")
        lab.run("client", binary(), "renegotiate", "Office")
        sent, received = ping(lab, lab.sites[0].host, 100, 0.02)
        expect(received == sent, f"{received} of {sent} pings came back")
        expect(gateway.text().count("established between") > before, "Phase 1 did not run again")
        status = json.loads(lab.run("client", binary(), "status", "--json"))
        expect(address in json.dumps(status), f"the address changed: {status}")
        client.disconnect()


@case("TCP gets through while five percent of all datagrams are lost", seconds=90)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        address = lab.relay("--delay", 2, "--loss", 5)
        client = Dialtone(lab, profile(address=address))
        client.start().wait_state("connected", 20)
        expect_tcp(lab, lab.sites[0].host, 5, least=0.2e6)
        client.disconnect(10)


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 300 s
"""What users write arrives as they wrote it: the sample profile, secrets of all kinds, networks."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import json  # noqa: E402

from cases import case, main  # noqa: E402
from client import Dialtone, binary, check_failed, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import ROOT, Site, expect, run, wait_until  # noqa: E402
from measure import expect_ping, expect_tcp  # noqa: E402

SECRETS = [
    "with spaces  inside", " with spaces around ", "\"double\" and 'single' quotes", "semi;colon",
    "hash # mark", "#first", "equals=sign=", "back\\slash\\n", "Grüße aus Köln ünd 東京 🗝", "tab\tinside",
    "[Secrets]", "%s%d$HOME`id`", "0", "x" * 128,
]
TWO_NETWORKS = [Site(more_lans=("10.11.0.0/24",))]


@case("the sample profile and secrets file of the contract are accepted as they stand", lab=False)
def _():
    sample = os.path.join(ROOT, "docs", "sample.dialtone")
    said = run([binary(), "check", sample], check=False)
    done = os.system(f"'{binary()}' check '{sample}' >/dev/null 2>&1")
    expect(os.waitstatus_to_exitcode(done) == 0, f"check ended with {os.waitstatus_to_exitcode(done)}: {said}")


@case("the sample secrets file connects", seconds=30)
def _(lab):
    with open(os.path.join(ROOT, "docs", "sample.secrets"), encoding="utf-8") as file:
        sample = file.read()
    connection = Connection("alice@example.com", psk="correct horse battery staple", users={"alice": "..."})
    with Gateway(lab, connection):
        client = Dialtone(lab, profile(), sample)
        client.connect()
        client.disconnect()


@case("passwords with spaces, quotes, ; # = \\ and UTF-8 arrive byte for byte", seconds=90)
def _(lab):
    users = {f"user-{n}": secret for n, secret in enumerate(SECRETS)}
    with Gateway(lab, Connection("alice@example.com", users=users)):
        for user, password in users.items():
            client = Dialtone(lab, profile(), secrets_text(User=user, Password=password), name=user)
            event = client.start().wait_event(lambda e: e["state"] in ("connected", "failed"), 5, 0, password)
            expect(event["state"] == "connected", f"password {password!r}: {event}")
            client.disconnect()


@case("preshared keys with spaces, quotes, ; # = \\ and UTF-8 arrive byte for byte", seconds=90)
def _(lab):
    connections = {f"c{n}": Connection(f"user{n}@example.com", psk=secret)
                   for n, secret in enumerate(SECRETS)}
    with Gateway(lab, connections):
        for number, secret in enumerate(SECRETS):
            client = Dialtone(lab, profile(identity=f"user{number}@example.com"), secrets_text(secret),
                              name=f"user-{number}")
            event = client.start().wait_event(lambda e: e["state"] in ("connected", "failed"), 5, 0, secret)
            expect(event["state"] == "connected", f"key {secret!r}: {event}")
            client.disconnect()


@case("0x is bytes, and text: keeps a key that looks like them")
def _(lab):
    with Gateway(lab, {"hex": Connection("hex@example.com", psk=bytes.fromhex("00ff10")),
                       "text": Connection("text@example.com", psk="0x00ff10"),
                       "again": Connection("again@example.com", psk="text:x")}):
        for who, written in (("hex", "0x00ff10"), ("text", "text:0x00ff10"), ("again", "text:text:x")):
            client = Dialtone(lab, profile(identity=f"{who}@example.com"), secrets_text(written), name=who)
            client.connect()
            client.disconnect()


@case("two networks without Unity become two SA pairs that both carry", sites=TWO_NETWORKS)
def _(lab):
    lab.serve_office()
    site = lab.sites[0]
    both = {"first": "10.10.0.0/24", "second": "10.11.0.0/24"}
    gateway = Gateway(lab, Connection("alice@example.com", children=both), unity=False)
    with gateway:
        client = Dialtone(lab, profile(Phase2__Networks="10.10.0.0/24;10.11.0.0/24"))
        event = client.connect()
        expect(sorted(event["routes"]) == ["10.10.0.0/24", "10.11.0.0/24"], f"routes: {event['routes']}")
        expect(len(event["phase2"]) == 2, f"phase2: {event['phase2']}")
        wait_until(lambda: len(gateway.child_sas()) == 2, 2, "the gateway has two SA pairs")
        for lan in (0, 1):
            expect_ping(lab, site.inner_address(2, lan))
            expect_tcp(lab, site.inner_address(2, lan), 3)
        used = gateway.swanctl("--list-sas")
        expect(used.count(" 0 bytes") == 0, f"an SA carried nothing:\n{used}")
        client.disconnect()


@case("one network named in a profile is asked for, and no other is routed", sites=TWO_NETWORKS)
def _(lab):
    lab.serve_office()
    both = {"first": "10.10.0.0/24", "second": "10.11.0.0/24"}
    with Gateway(lab, Connection("alice@example.com", children=both), unity=False):
        client = Dialtone(lab, profile(Phase2__Networks="10.10.0.0/24"))
        event = client.connect()
        expect(event["routes"] == ["10.10.0.0/24"], f"routes: {event['routes']}")
        expect_ping(lab, lab.sites[0].host)
        route = lab.ip("client", "route", "get", "10.11.0.2")
        expect("dialtone" not in route, f"10.11.0.2 goes {route}")
        client.disconnect()


@case("an address from the profile is used where the gateway gives none")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", pool=None, remote_ts="10.20.0.0/24")):
        client = Dialtone(lab, profile(Network__Config="none", Network__Address="10.20.0.7/32",
                                       Phase2__Networks="10.10.0.0/24"))
        event = client.start().wait_state("connected", 10)
        expect(event["address"] == "10.20.0.7/32", f"address: {event['address']}")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


# ---- the slot: other commands reach a standalone tunnel ----
@case("status lists a standalone tunnel, and disconnect ends it")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com")):
        before = lab.client_network()
        client = Dialtone(lab, profile())
        event = client.connect()
        said = lab.run("client", binary(), "status", "--json")
        expect(event["interface"] in said and "connected" in said, f"status said {said}")
        for line in said.strip().splitlines():
            json.loads(line)
        said = lab.run("client", binary(), "status")
        expect("Office" in said and "connected" in said, f"status said {said}")
        lab.run("client", binary(), "disconnect", "Office")
        expect(client.wait_exit(5) == 0, f"it ended with {client.process.returncode}")
        expect(lab.client_network() == before, "the network is not as it was")
        said = lab.run("client", binary(), "status", check=False)
        expect("connected" not in said.replace("not connected", "").replace("disconnected", ""), f"status said {said}")


@case("a profile with several mistakes is told of each, a line a mistake")
def _(lab):
    client = Dialtone(lab, profile(address="", identity="192.0.2.1", proposals="aes128-sha1"))
    client.start()
    expect(client.wait_exit(5) == 3, f"it ended with {client.events}")
    lines = [line for line in client.stderr().splitlines() if f"{client.profile}:" in line]
    expect(len(lines) == 3, f"it said:\n{client.stderr()}")
    for key in ("Address", "ID", "Proposals"):
        expect(sum(f"] {key}: " in line for line in lines) == 1, f"{key} in {lines}")


@case("what a profile is warned about is said when it is connected, too")
def _(lab):
    with Gateway(lab, Connection("alice@example.com")):
        client = Dialtone(lab, profile(proposals="aes128-sha1-modp1024"))
        client.connect()
        client.disconnect()
        expect(": warning: [Phase1] Proposals: " in client.stderr(), f"it said:\n{client.stderr()}")


@case("the same profile is not connected twice")
def _(lab):
    with Gateway(lab, Connection("alice@example.com")) as gateway:
        client = Dialtone(lab, profile())
        client.connect()
        asked = gateway.text().count("parsed AGGRESSIVE request")
        other = Dialtone(lab, profile(), name="other")
        other.start()
        code = other.wait_exit(5)
        expect(code == 10, f"it ended with {code}: {other.events}")
        check_failed(other.events[-1], "not-permitted")
        expect("connected already" in other.events[-1]["message"], f"it said {other.events[-1]}")
        again = gateway.text().count("parsed AGGRESSIVE request")
        expect(again == asked > 0, f"the gateway was asked {asked} times, then {again} times")
        expect(client.process.poll() is None, "the first one ended")
        client.disconnect()


main()

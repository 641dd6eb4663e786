#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 300 s, full: 300 s
"""A laptop that sleeps under its tunnel: as logind tells it, and as only the clocks know. logind is
dbusmock's, on a system bus of the lab's own."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import Dialtone, profile, secrets_text  # noqa: E402
from clock import Clock  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import Stream, expect_ping  # noqa: E402
from mockbus import Logind  # noqa: E402

USERS = {"carol": "carol's password"}
SECRETS = secrets_text(User="carol", Password="carol's password")


def client_of(lab, *worlds, **more):
    client = Dialtone(lab, profile(**more), SECRETS)
    for world in worlds:
        client.environment.update(world.env)
    return client


def logins(gateway):
    return gateway.text().count("XAuth authentication of 'carol' successful")


@case("logind: a sleep that the gateway does not notice keeps the tunnel")
def _(lab):
    lab.serve_office()
    with Logind(lab) as logind, Gateway(lab, Connection("alice@example.com", users=USERS)) as gateway:
        client = client_of(lab, logind)
        client.connect()
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken")
        logind.say(True)
        wait_until(lambda: "Dialtone" not in logind.inhibitors(), 2, "the lock is given back")
        log = len(gateway.text())
        time.sleep(3)
        expect("DPD" not in gateway.text()[log:], "something was sent while asleep")
        logind.say(False)
        wait_until(lambda: "DPD" in gateway.text()[log:], 2, "the gateway is asked")
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken again")
        expect_ping(lab, lab.sites[0].host)
        expect("reconnecting" not in client.states() and logins(gateway) == 1, f"{client.states()}")
        client.disconnect()


@case("logind: a gateway that has forgotten us meanwhile is called anew, without a hand")
def _(lab):
    lab.serve_office()
    gateway = Gateway(lab, Connection("alice@example.com", users=USERS)).up()
    with Logind(lab) as logind:
        client = client_of(lab, logind)
        client.connect()
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken")
        logind.say(True)
        gateway.kill()
        gateway.up()
        known = len(client.events)
        awake = time.monotonic()
        logind.say(False)
        said = client.wait_state("reconnecting", 2, after=known)
        expect("asleep" in said["message"], f"{said}")
        said = client.wait_state("connected", 5, after=known)
        print(f"# connected {said['_at'] - awake:.1f} s after the resume")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("a logind that dies while the machine sleeps leaves no tunnel asleep")
def _(lab):
    lab.serve_office()
    with Logind(lab) as logind, Gateway(lab, Connection("alice@example.com", users=USERS)) as gateway:
        client = client_of(lab, logind)
        client.connect()
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken")
        logind.say(True)
        time.sleep(1)
        log = len(gateway.text())
        logind.stop()
        wait_until(lambda: "DPD" in gateway.text()[log:], 3, "the gateway is asked")
        logind.start()
        wait_until(lambda: "Dialtone" in logind.inhibitors(), 5, "the lock is taken of the new one")
        client.disconnect()


@case("the clocks alone: eight hours are noticed at once, and what has run out is made anew")
def _(lab):
    lab.serve_office()
    clock = Clock(lab)
    with Gateway(lab, Connection("alice@example.com", users=USERS, ike={"unique": "replace"})) as gateway:
        client = client_of(lab, clock, Phase1__Lifetime="2h", Phase2__Lifetime="1h")
        address = client.connect()["address"]
        traffic = Stream(lab, lab.sites[0].host)
        traffic.wait_answer(time.monotonic(), 5)
        known = len(client.events)
        awake = clock.sleep(8)
        said = client.wait_state("reconnecting", 2, after=known)
        print(f"# {said['message']}")
        said = client.wait_state("connected", 5, after=known)
        print(f"# connected {said['_at'] - awake:.1f} s after the resume")
        expect(said["address"] == address, f"{said['address']} after {address}")
        expect(logins(gateway) == 2, "Phase 1 did not run again")
        traffic.wait_answer(awake, 5)
        traffic.end()
        client.disconnect()


@case("the clocks alone: a nap keeps the tunnel, and the gateway is asked at once")
def _(lab):
    lab.serve_office()
    clock = Clock(lab)
    with Gateway(lab, Connection("alice@example.com", users=USERS)) as gateway:
        client = client_of(lab, clock)
        client.connect()
        time.sleep(1)
        log, known = len(gateway.text()), len(client.events)
        clock.sleep(0.1)
        wait_until(lambda: "DPD" in gateway.text()[log:], 2, "the gateway is asked")
        expect_ping(lab, lab.sites[0].host)
        states = [e["state"] for e in client.events[known:]]
        expect("reconnecting" not in states, f"{states}")
        client.disconnect()


@case("the clocks alone: a gateway that is gone for good is not called connected for two seconds")
def _(lab):
    lab.serve_office()
    clock = Clock(lab)
    gateway = Gateway(lab, Connection("alice@example.com", users=USERS)).up()
    client = client_of(lab, clock)
    client.connect()
    gateway.kill()
    known = len(client.events)
    awake = clock.sleep(8)
    said = client.wait_state("reconnecting", 3, after=known)
    print(f"# told {said['_at'] - awake:.1f} s after the resume")
    expect(said["_at"] - awake <= 2, "it was told late")
    client.disconnect()


@case("hours of sleep don't count for RetryFor", seconds=60)
def _(lab):
    lab.serve_office()
    clock = Clock(lab)
    gateway = Gateway(lab, Connection("alice@example.com", users=USERS)).up()
    client = client_of(lab, clock, Network__RetryFor="10m")
    client.connect()
    gateway.kill()
    known = len(client.events)
    clock.sleep(0.01)
    client.wait_state("reconnecting", 5, after=known)
    gateway.up()
    clock.sleep(8)
    client.wait_state("connected", 40, after=known)
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 900 s
"""Whichever process is killed, and whenever: one reconnect at most, and nothing is left behind."""

import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import FULL, main  # noqa: E402
from gateway import Connection  # noqa: E402
from client import profile, profile_text, secrets_text  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import Stream, expect_ping  # noqa: E402
from service_kit import CONNECTION, NAME, helpers, objects, service_case  # noqa: E402
from user import ServiceClient  # noqa: E402

TIMES = 200 if FULL else 20


def victims(bus):
    now = helpers()
    return {"service": [bus.owner_pid(NAME)], **now}


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_one_of(bus, dice):
    who = dice.choice(["service", "tunnel", "manager"])
    killed = victims(bus)[who]
    for pid in killed:
        kill(pid)
    return who, killed


def connected_again(bus, before):
    now, = objects(bus, CONNECTION).values()
    return now["State"] == "connected" and now["Serial"] > before["Serial"]


@service_case("a tunnel whose helper is killed is connected again by itself, and TCP through it goes on")
def _(lab, bus, alice, bob):
    address = alice.connect()[-1]["address"]
    traffic = Stream(lab, lab.sites[0].host)
    traffic.wait_answer(time.monotonic(), 5)
    for _ in range(2):
        pid, = helpers()["tunnel"]
        before, = objects(bus, CONNECTION).values()
        begin = time.monotonic()
        kill(pid)
        wait_until(lambda b=before: connected_again(bus, b), 10, "it is connected again")
        print(f"# connected again after {time.monotonic() - begin:.2f} s")
        expect(alice.status()[0]["address"] == address, f"{alice.status()} after {address}")
        traffic.wait_answer(time.monotonic(), 30)
    traffic.end()
    expect(len(objects(bus, CONNECTION)) == 1, "there are two")
    alice.dialtone("disconnect")


@service_case("a tunnel whose helper is killed while the gateway is silent is sought until that answers", 120,
              connection=Connection("alice@example.com", ike={"unique": "replace"}), full=True)
def _(lab, bus, alice, bob):
    client = ServiceClient(alice, profile())
    address = client.connect()["address"]
    lab.drop_at("gateway", "udp dport { 500, 4500 }")
    known = len(client.events)
    kill(helpers()["tunnel"][0])
    client.wait_state("reconnecting", 10, after=known)
    # A first attempt is given up after 15 s of silence.
    time.sleep(20)
    lab.allow_at("gateway")
    said = client.wait_state("connected", 40, after=known)
    expect("failed" not in client.states(), f"{client.states()}")
    expect(said["address"] == address, f"{said['address']} after {address}")
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()


WIRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib", "wire.py")
ABROAD = "198.51.100.9"


def flood(lab):
    """Somebody who sends to the Internet all the time, and what of it is on the link."""
    lab.start("client", "/usr/bin/python3", WIRE, "watch", "eth0", log="wire.log")
    wait_until(lambda: "ready" in lab.read_log("wire.log"), 5, "the link is watched")
    return lab.start("client", "/usr/bin/python3", "-c", "import socket, time\n"
                     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nwhile True:\n"
                     f" try: s.sendto(b'x', ('{ABROAD}', 4242))\n except OSError: pass\n time.sleep(0.001)",
                     log="flood.log")


def leaked(lab):
    return lab.read_log("wire.log").count(f" {ABROAD} ")


@service_case("with a kill switch nothing leaves whoever is killed, and all does after disconnect",
              connection=Connection("alice@example.com", local_ts="0.0.0.0/0"))
def _(lab, bus, alice, bob):
    alice.connect(Phase2__Networks="0.0.0.0/0", Network__KillSwitch="yes")
    flooding = flood(lab)
    for who in ("tunnel", "manager"):
        pid, = helpers()[who]
        before, = objects(bus, CONNECTION).values()
        kill(pid)
        if who == "tunnel":
            wait_until(lambda b=before: connected_again(bus, b), 15, "it is connected again")
        time.sleep(0.5)
        expect(leaked(lab) == 0, f"{leaked(lab)} packets left when the {who} was killed")
    alice.dialtone("disconnect")
    wait_until(lambda: leaked(lab) > 0, 5, "the Internet is there again")
    lab.stop(flooding)


@service_case(f"{TIMES} kills of either process at random moments leave nothing behind", 800 if FULL else 120)
def _(lab, bus, alice, bob):
    dice = random.Random(5)
    path = alice.file("office.dialtone", profile_text(profile()))
    given = alice.file("secrets", secrets_text())
    before = lab.client_network()
    for number in range(TIMES):
        if dice.random() < 0.6:
            with subprocess.Popen(alice.command("connect", "--wait", "5", "--secrets", given, path),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                time.sleep(dice.uniform(0.0, 0.4))
                who, killed = kill_one_of(bus, dice)
                process.wait(20)
        else:
            alice.connect()
            who, killed = kill_one_of(bus, dice)
            time.sleep(dice.uniform(0.0, 0.2))
        wait_until(lambda k=killed: bus.owner_pid(NAME) not in k, 5, "the bus knows that it is gone", 0.01)
        # Whatever it came to, the user can go on, and has the network back when nobody wants a tunnel.
        expect(alice.connect()[-1]["state"] == "connected", f"{number}: after a kill of {who} it does not connect")
        alice.dialtone("disconnect", "--all")
        wait_until(lambda: not lab.network_changes(before), 5,
                   f"{number}, {who}: all is as before, but for {lab.network_changes(before)}")
    wait_until(lambda: not helpers()["tunnel"], 10, f"no helper is left: {helpers()}")


main()

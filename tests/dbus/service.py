#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""The service and its users: what they do at the command line, and what they may not do to others."""

import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import BusError, Caller, GLib, call, send_random  # noqa: E402
from cases import case, main  # noqa: E402
from client import binary, check_connected, check_failed, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import Failure, expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import (ALLOW, CONNECTION, MANAGER, NAME, PROFILE, TOP, log_out, objects, remember,  # noqa: E402
                         service_case, system_profile)


TABLE = 53664  # of the first tunnel's routes
# What it says from the wish to the tunnel; this gateway is asked for an address.
STATES = ["resolving", "phase1", "config", "phase2", "connected"]


@service_case("a user connects, looks, renegotiates and disconnects through the service")
def _(lab, bus, alice, bob):
    events = alice.connect()
    check_connected(events[-1])
    expect_ping(lab, lab.sites[0].host)
    expect(alice.status()[0]["address"] == events[-1]["address"], f"status: {alice.status()}")
    expect(alice.connect()[-1]["state"] == "connected", "a second connect is no error")
    expect(len(objects(bus, CONNECTION)) == len(objects(bus, PROFILE)) == 1, "there are two now")
    alice.dialtone("renegotiate")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")
    expect(not objects(bus, CONNECTION), "the connection is still there")


@service_case("counters grow with what the tunnel carries, and say what was dropped and why")
def _(lab, bus, alice, bob):
    def counters():
        return alice.call(bus, next(iter(objects(bus, CONNECTION))), CONNECTION, "GetCounters")

    alice.connect()
    before = counters()
    expect_ping(lab, lab.sites[0].host)
    lab.run("client", "ping", "-c", "3", "-i", "0.2", "-W", "5", "-s", "1000", lab.sites[0].host)
    bytes_in, packets_in, bytes_out, packets_out, _ = after = counters()
    expect(bytes_in - before[0] >= 3 * 1028 and bytes_out - before[2] >= 3 * 1028, f"bytes: {before} {after}")
    expect(packets_in - before[1] >= 3 and packets_out - before[3] >= 3, f"packets: {before} {after}")
    # A second later at most `status` has it, too; nothing else moves meanwhile.
    wait_until(lambda: alice.status()[0]["traffic"]["packets_in"] >= packets_in, 10, f"status has {after}")
    report = alice.status()[0]
    connection, = objects(bus, CONNECTION)
    offloads, = alice.call(bus, connection, CONNECTION, "GetOffloads")
    expect(report["offloads"] == offloads, f"{report['offloads']}, {offloads}")
    # Kernels before 6.2 have no uso, and not every processor encrypts several packets at once.
    expect([name for name in offloads if name not in ("uso", "multi-buffer")] == ["vnet-hdr", "gso", "gro"], f"{offloads}")
    expect(report["traffic"]["drops"]["replayed"] == 0, f"{report}")
    line = alice.dialtone("status").stdout
    expect(f"packets; offloads: {' '.join(offloads)}" in line, line)
    alice.dialtone("renegotiate")
    expect_ping(lab, lab.sites[0].host)
    renewed = counters()
    expect(all(old <= new for old, new in zip(after[:4], renewed[:4])), f"new keys: {after} {renewed}")
    esp = "socket.socket(type=socket.SOCK_DGRAM).sendto(bytes([1]) * 20, ('127.0.0.1', int(port)))"
    sockets = [line.split() for line in lab.run("client", "ss", "-Huna").splitlines()]
    ports = [words[3].rsplit(":", 1)[1] for words in sockets]
    lab.run("client", "/usr/bin/python3", "-c", f"import socket, sys\nfor port in sys.argv[1:]: {esp}", *ports)
    wait_until(lambda: counters()[4].get("unknown-spi"), 5, f"a stranger's ESP is counted, at {ports}")
    wait_until(lambda: alice.status()[0]["traffic"]["drops"]["unknown-spi"], 10, "status has that, too")
    alice.dialtone("disconnect")


@service_case("a user's failure has the contract's code and reason, and stays to be looked at")
def _(lab, bus, alice, bob):
    events = alice.connect(secrets=secrets_text("wrong"), code=7)
    check_failed(events[-1], "gateway-authentication")
    expect(alice.status()[0]["state"] == "failed", f"status: {alice.status()}")
    expect(alice.connect()[-1]["state"] == "connected", "wanted again, it does not connect")
    alice.dialtone("disconnect")


@service_case("E8: another user sees the state, and may do nothing", rule=ALLOW)
def _(lab, bus, alice, bob):
    alice.connect()
    connection, = objects(bus, CONNECTION)
    own, = objects(bus, PROFILE)
    for path, interface, method, signature, arguments in (
            (connection, CONNECTION, "Disconnect", "()", ()), (connection, CONNECTION, "Renegotiate", "()", ()),
            (connection, CONNECTION, "GetReport", "()", ()), (connection, CONNECTION, "GetReports", "(u)", (0,)),
            (connection, CONNECTION, "GetCounters", "()", ()),
            (connection, CONNECTION, "GetOffloads", "()", ()), (own, PROFILE, "GetText", "()", ()),
            (own, PROFILE, "Connect", "(a{sv})", ({},)), (own, PROFILE, "Remove", "()", ()),
            (own, PROFILE, "Connect", "(a{sv})", ({"take-over": GLib.Variant("b", True)},))):
        bob.refused(bus, path, interface, method, signature, *arguments)
    seen = bob.dialtone("status").stdout
    expect("Office" in seen and "10." not in seen and not bob.status(), f"bob sees {seen} {bob.status()}")
    bob.dialtone("disconnect", "Office", code=10)
    log = bob.call(bus, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 100)[0]
    expect(all(f"to uid {bob.uid}" in line[2] for line in log), f"bob reads alice's log: {log}")
    mine = alice.call(bus, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 100)[0]
    expect(any("connected" in line[2] for line in mine), f"alice's log: {mine}")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("who keeps removing a tunnel's routes or rules is warned of in the log and in the state")
def _(lab, bus, alice, bob):
    def contested():
        lab.run("client", "ip", "route", "flush", "table", str(TABLE), check=False)
        return "network-contested: another program keeps removing" in alice.dialtone("log").stdout

    alice.connect()
    expect("message" not in alice.status()[0], f"{alice.status()}")
    wait_until(contested, 30, "the log tells of it", 0.2)
    said, = alice.status()
    expect(said["state"] == "connected" and "network-contested" in said["message"] and
           "manages this computer's network" in said["advice"], f"{said}")
    expect("network-contested" not in bob.dialtone("log").stdout, "others are told, too")
    alice.dialtone("disconnect")


@service_case("a kill switch that was left is a property that everybody sees, until root releases it",
              connection=Connection("alice@example.com", local_ts="0.0.0.0/0"))
def _(lab, bus, alice, bob):
    def left():
        return bob.call(bus, f"{TOP}/manager", "org.freedesktop.DBus.Properties", "Get", "(ss)", MANAGER,
                        "KillSwitches")[0]

    alice.connect(Phase2__Networks="0.0.0.0/0", Network__KillSwitch="persistent")
    expect(left() == [], f"what is held is not left: {left()}")
    alice.dialtone("disconnect")
    wait_until(lambda: left() == [("Office", True)], 15, "the property has it")
    said, = bob.status()
    expect(said["state"] == "idle" and said["kill_switch"] == "persistent", f"{said}")
    expect("Office: Its kill switch was left behind" in bob.dialtone("status").stdout, "status says nothing")
    bob.dialtone("disconnect", "--release-kill-switch", code=10)
    alice.connect(Phase2__Networks="0.0.0.0/0", Network__KillSwitch="persistent")
    wait_until(lambda: left() == [], 15, "it is held again")
    expect("kill_switch" not in alice.status()[0], f"{alice.status()}")
    alice.dialtone("disconnect")
    wait_until(lambda: left() == [("Office", True)], 15, "it was left again")
    lab.run("client", binary(), "disconnect", "--release-kill-switch")
    wait_until(lambda: left() == [], 15, "it was released")
    expect("No tunnel is up" in bob.dialtone("status").stdout, "status knows of one")


@service_case("nobody fills the service: profiles and connections of a user are counted", 90)
def _(lab, bus, alice, bob):
    def fill():
        said = []
        for number in range(66):
            text = profile_text(profile(Profile__Name=f"P{number}", Gateway__Address="192.0.2.1"))
            try:
                path = call(NAME, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})", text, {})[0]
                call(NAME, path, PROFILE, "Connect", "(a{sv})", {})
            except BusError as error:
                said.append(error.message)
        for text in ("x" * (200 * 1024), "", "[Gateway]\n"):
            try:
                call(NAME, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})", text, {})
                said.append(f"{text[:9]} was taken")
            except BusError as error:
                expect(error.name.endswith("ProfileInvalid"), f"{error}")
        return said

    said = bus.as_user(bob.uid, fill, 60)
    expect(len([s for s in said if "16 connections" in s]) == 48, f"bob: {said[:2]}")
    expect(len([s for s in said if "64 profiles" in s]) == 2 and len(said) == 50, f"bob: {said[-2:]}")
    expect(alice.connect()[-1]["state"] == "connected", "alice finds no room")
    alice.dialtone("disconnect")
    bob.dialtone("disconnect", "--all")


@service_case("who is allowed by nobody connects nothing, and nothing is touched", rule=None)
def _(lab, bus, alice, bob):
    events = alice.connect(code=10)
    check_failed(events[-1], "not-permitted")
    expect("administrator's password" in events[-1]["message"], f"why not? {events[-1]}")
    expect(not objects(bus, CONNECTION), "a connection is there")


@service_case("without a secret the state says so, and connecting goes on when an agent comes")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.dialtone("connect", "--no-wait", "Corp")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["needs-secrets"], 10,
               f"a secret is wanted: {objects(bus, CONNECTION)}")
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "the agent did not help")
    alice.dialtone("disconnect")


@service_case("monitor, status --watch and log tell what becomes of a connection")
def _(lab, bus, alice, bob):
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write("203.0.113.2 gw.example.com\n")
    named = {"Gateway__Address": "gw.example.com"}  # a name is looked up by the tunnel
    alice.connect(**named)
    watching = [subprocess.Popen(user.command(*words), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
                for user, words in ((alice, ("monitor", "--json")), (alice, ("status", "--watch")),
                                    (bob, ("monitor", "--json")))]
    first = [process.stdout.readline() for process in watching]
    alice.dialtone("disconnect")
    for process in watching:
        ended = [process.stdout.readline() for _ in ("disconnecting", "idle")]
        expect("idle" in ended[1], f"then it ended: {ended}")
        process.send_signal(signal.SIGSTOP)
    told = [event["state"] for event in alice.connect(**named)]
    expect(told == STATES, f"connect itself told {told}")
    for process in watching:  # that all is over when they look makes no state less
        process.send_signal(signal.SIGCONT)
    told, lines, seen = [[process.stdout.readline() for _ in STATES] for process in watching]
    os.kill(bus.owner_pid(NAME), signal.SIGTERM)
    for process in watching:
        process.communicate(timeout=10)
        expect(process.returncode == 1, "it did not notice that the service has gone")
    check_connected(json.loads(first[0]))
    expect(first[1].startswith("Office: connected: dialtone0"), f"the first line: {first[1]}")
    expect([json.loads(line)["state"] for line in told] == STATES, f"states: {told}")
    expect([line.split(": ")[1] for line in lines] == STATES, f"lines: {lines}")
    theirs = [json.loads(line) for line in [first[2], *seen]]
    expect([event["state"] for event in theirs] == ["connected", *STATES], f"bob saw {theirs}")
    expect(not any(event.get("address") or event.get("gateway") for event in theirs), f"bob saw {theirs}")


@service_case("SIGINT at the command line ends what it wanted")
def _(lab, bus, alice, bob):
    lab.drop_at("gateway", "meta l4proto udp")
    path = alice.file("office.dialtone", profile_text(profile()))
    given = alice.file("secrets", secrets_text())
    with subprocess.Popen(alice.command("connect", "--secrets", given, path), stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["phase1"], 10, "it tries")
        process.send_signal(signal.SIGINT)
        expect(process.wait(10) == 0, f"it ended with {process.returncode}: {process.stderr.read()}")
    expect(not objects(bus, CONNECTION), "it is still wanted")


@service_case("E7: 10,000 random messages to each interface change nothing", 90)
def _(lab, bus, alice, bob):
    alice.connect()
    connection, = objects(bus, CONNECTION)
    own, = objects(bus, PROFILE)
    pid = bus.owner_pid(NAME)

    def flood():
        dice = random.Random(4)
        members = {MANAGER: ["AddProfile", "RegisterAgent", "UnregisterAgent", "GetLog"],
                   PROFILE: ["Connect", "GetText", "Remove"],
                   CONNECTION: ["GetReport", "GetReports", "GetCounters", "GetOffloads", "Disconnect", "Renegotiate"]}
        for path, interface in ((f"{TOP}/manager", MANAGER), (own, PROFILE), (connection, CONNECTION)):
            for number in range(10000):
                member = dice.choice([*members[interface], "A" * dice.randint(1, 200)])
                where = (NAME, dice.choice([path, path, "/", TOP]), interface, member)
                send_random(dice, where, waits=number % 50 == 0)

    bus.as_user(bob.uid, flood, seconds=80)
    expect(bus.owner_pid(NAME) == pid, "the service is another process now")
    expect(len(objects(bus, CONNECTION)) == 1 and alice.status()[0]["state"] == "connected", "alice was disturbed")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("the service is killed: the network is as it was, and the next connect works")
def _(lab, bus, alice, bob):
    before = lab.client_network()
    alice.connect()
    os.kill(bus.owner_pid(NAME), signal.SIGKILL)
    wait_until(lambda: not lab.network_changes(before), 10, "everything is put back")
    expect(alice.connect()[-1]["state"] == "connected", "it does not connect again")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("what was wanted before the service died or was restarted is wanted after it", 90)
def _(lab, bus, alice, bob):
    remember(bus)
    alice.connect()
    for number in (signal.SIGKILL, signal.SIGTERM):
        os.kill(bus.owner_pid(NAME), number)
        wait_until(lambda: not bus.owner_pid(NAME), 10, "the service has gone")
        # Its secrets went with it, so that somebody has to come.
        wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["needs-secrets"], 10,
                   f"it is wanted again: {objects(bus, CONNECTION)}")
        owner = [c["Owner"] for c in objects(bus, CONNECTION).values()]
        expect(owner == [alice.uid], f"owners: {owner}")
        expect(alice.connect()[-1]["state"] == "connected", "the agent did not help")
        expect(len(objects(bus, CONNECTION)) == 1, f"connections: {objects(bus, CONNECTION)}")
    alice.dialtone("disconnect")
    os.kill(bus.owner_pid(NAME), signal.SIGKILL)
    wait_until(lambda: not bus.owner_pid(NAME), 10, "the service has gone")
    expect(not objects(bus, CONNECTION), "what nobody wants any more is wanted again")
    expect(not os.listdir("/run/dialtoned"), f"kept: {os.listdir('/run/dialtoned')}")


@service_case("a connection ends when its user logs out, unless the profile says otherwise")
def _(lab, bus, alice, bob):
    def states():
        return [c["State"] for c in objects(bus, CONNECTION).values()]

    alice.connect()
    liars = Caller(bob.uid, lambda say: log_out(say, alice.uid))
    try:
        liars.hear()
        raise AssertionError("bob may be logind")
    except (BusError, Failure):
        pass
    service, = bus.ask_bus("GetNameOwner", "(s)", NAME)
    for named in (False, True):
        logind = Caller(0, lambda say, u=bob.uid: log_out(say, u)) if named else None
        if logind:
            logind.hear()
        liar = Caller(bob.uid, lambda say: log_out(say, alice.uid, service))
        liar.hear()
        expect(states() == ["connected"], f"bob is believed, logind is {'there' if named else 'away'}: {states()}")
        for caller in filter(None, (liar, logind)):
            caller.kill()
    expect(alice.status()[0]["state"] == "connected", "bob ended alice's connection")
    for uid, ends in ((bob.uid, False), (alice.uid, True)):
        logind = Caller(0, lambda say, u=uid: log_out(say, u))
        logind.hear()
        if ends:
            wait_until(lambda: not objects(bus, CONNECTION), 5, "it ends")
        else:
            expect(states() == ["connected"], f"it ends with bob's session: {states()}")
        logind.kill()
    alice.connect(Network__KeepAfterLogout="yes")
    logind = Caller(0, lambda say: log_out(say, alice.uid))
    logind.hear()
    expect(states() == ["connected"], f"it ends in spite of KeepAfterLogout: {states()}")
    logind.kill()
    alice.dialtone("disconnect")


def status_of(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(next(line for line in file if line.startswith(field + ":")).split()[1])


def switches(pid):
    """How often its threads have gone to sleep of their own."""
    return sum(status_of(f"{pid}/task/{task}", "voluntary_ctxt_switches") for task in os.listdir(f"/proc/{pid}/task"))


@service_case("at rest it wakes for nothing, and one idle tunnel takes 4 MB at most", 90)
def _(lab, bus, alice, bob):
    alice.connect()
    pid = bus.owner_pid(NAME)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        sanitized = "libasan" in file.read()
    anonymous = status_of(pid, "RssAnon")
    print(f"# connected: RssAnon {anonymous} kB, RSS {status_of(pid, 'VmRSS')} kB")
    expect(sanitized or anonymous <= 4096, f"RssAnon is {anonymous} kB")
    alice.dialtone("disconnect")
    time.sleep(1)
    before = switches(pid)
    time.sleep(5)
    woken = switches(pid) - before
    print(f"# disconnected: {woken} wakeups in 5 s")
    expect(woken == 0, f"it woke {woken} times in 5 s")


@case("without the service a clear word, and what to do instead", seconds=30, lab=False)
def _():
    done = subprocess.run([binary(), "connect", "--json", "/dev/null"], capture_output=True, text=True,
                          timeout=20, check=False)
    event = json.loads(done.stdout.splitlines()[-1])
    expect(done.returncode == 1 and event["reason"] == "internal", f"{done.returncode}: {event}")
    expect("--standalone" in event["advice"], f"advice: {event['advice']}")


main()

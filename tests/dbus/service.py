#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""dialtoned on a real system bus, with the real helper, polkit and gateway: who may do what, and that
the command line works through it."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import Bus, BusError, Caller, GLib, call, connection, send_random  # noqa: E402
from cases import case, main  # noqa: E402
from client import binary, check_connected, check_failed, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import CLIENT_ADDRESS, ROUTER_ADDRESS, Failure, expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402

NAME, TOP = "org.dialtone.Dialtone1", "/org/dialtone/Dialtone1"
MANAGER, PROFILE, CONNECTION = (f"{NAME}.{part}" for part in ("Manager", "Profile", "Connection"))
NOT_PERMITTED = f"{NAME}.Error.NotPermitted"
# Nobody sits at this machine, so polkit is told who may.
ALLOW = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.dialtone.connect-") == 0)
        return polkit.Result.YES;
});"""
TAKE_OVER = """polkit.addRule(function(action, subject) {
    if (action.id == "org.dialtone.take-over" && subject.user == "bob")
        return polkit.Result.YES;
});"""


class User:
    """A person at the command line, inside the client's network."""

    def __init__(self, lab, bus, name):
        self.lab, self.uid, self.name = lab, bus.people[name], name
        self.folder = os.path.join(lab.folder, f"home-{name}")
        os.makedirs(self.folder, exist_ok=True)
        os.chown(self.folder, self.uid, self.uid)
        os.chmod(self.folder, 0o700)
        os.chmod(lab.folder, 0o755)

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        os.chown(path, self.uid, self.uid)
        return path

    def command(self, *words):
        return ["ip", "netns", "exec", self.lab.ns("client"), "setpriv", f"--reuid={self.uid}",
                f"--regid={self.uid}", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                f"HOME={self.folder}", binary(), *words]

    def dialtone(self, *words, code=0):
        """Runs it to its end."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL)
        expect(done.returncode == code, f"dialtone {' '.join(words)} ended with {done.returncode}, not "
               f"{code}: {done.stdout[-500:]} {done.stderr[-900:]}")
        return done

    def connect(self, *words, what=None, code=0, secrets=None, **more):
        """The objects of JSON that it printed. what: a profile's name; else a file of the user's own."""
        path = what or self.file("office.dialtone", profile_text(profile(**more)))
        given = self.file("secrets", secrets or secrets_text())
        done = self.dialtone("connect", "--json", "--secrets", given, *words, path, code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self):
        lines = self.dialtone("status", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def call(self, bus, path, interface, method, signature="()", *arguments):
        return bus.as_user(self.uid, lambda: call(NAME, path, interface, method, signature, *arguments))

    def refused(self, bus, path, interface, method, signature="()", *arguments, name=NOT_PERMITTED):
        try:
            self.call(bus, path, interface, method, signature, *arguments)
        except BusError as error:
            expect(error.name == name, f"{interface}.{method}: {error}")
            return error.message
        raise AssertionError(f"{self.name} may call {interface}.{method}")


def service(lab, rule=ALLOW):
    lab.serve_office()
    Gateway(lab, Connection("alice@example.com")).up()
    bus = Bus(("ip", "netns", "exec", lab.ns("client")))
    bus.rule = rule
    return bus


def objects(bus, interface):
    """What of that interface is on the bus: {path: properties}."""
    every = bus.as_user(0, lambda: call(NAME, TOP, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"))[0]
    return {path: parts[interface] for path, parts in every.items() if interface in parts}


def system_profile(name, **more):
    os.makedirs("/etc/dialtone/profiles", exist_ok=True)
    groups = profile(Profile__Name=name, Identity__Auth="psk", **more)
    with open(f"/etc/dialtone/profiles/{name.lower()}.dialtone", "w", encoding="utf-8") as file:
        file.write(profile_text(groups))


def service_case(name, seconds=60, rule=ALLOW):
    """A case with a bus, alice, bob, and a network that has to be as before when it is over."""
    def register(function):
        def run(lab):
            with service(lab) as bus:
                try:
                    bus.polkit(rule)
                    before = lab.client_network()
                    function(lab, bus, User(lab, bus, "alice"), User(lab, bus, "bob"))
                    wait_until(lambda: not lab.network_changes(before), 5,
                               f"the network is as before, but for {lab.network_changes(before)}")
                finally:
                    shutil.rmtree("/etc/dialtone", ignore_errors=True)
                    with open(os.path.join(lab.folder, "dialtone-bus.log"), "w", encoding="utf-8") as file:
                        file.write(bus.log())
        case(name, seconds)(run)
        return function
    return register


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


@service_case("a user's failure has the contract's code and reason, and stays to be looked at")
def _(lab, bus, alice, bob):
    events = alice.connect(secrets=secrets_text("wrong"), code=7)
    check_failed(events[-1], "gateway-authentication")
    expect(alice.status()[0]["state"] == "failed", f"status: {alice.status()}")
    expect(alice.connect()[-1]["state"] == "connected", "wanted again, it does not connect")
    alice.dialtone("disconnect")


def move(lab, former, address):
    """The laptop has another address in the same network."""
    lab.ip("client", "addr", "del", f"{former}/24", "dev", "eth0")
    lab.ip("client", "addr", "add", f"{address}/24", "dev", "eth0")
    lab.ip("client", "route", "replace", "default", "via", ROUTER_ADDRESS)


@service_case("a tunnel of the service's follows to another address and back")
def _(lab, bus, alice, bob):
    inner = alice.connect()[-1]["address"]
    made = lab.read_log("gateway.log").count("established between")
    for former, address in ((CLIENT_ADDRESS, "10.99.1.77"), ("10.99.1.77", CLIENT_ADDRESS)):
        log = len(lab.read_log("gateway.log"))
        move(lab, former, address)
        wait_until(lambda: "DPD_ACK" in lab.read_log("gateway.log")[log:], 3, "the gateway is asked")
        expect_ping(lab, lab.sites[0].host)
    expect(alice.status()[0]["address"] == inner, f"status: {alice.status()}")
    expect(lab.read_log("gateway.log").count("established between") == made, "Phase 1 ran again")
    alice.dialtone("disconnect")


@service_case("E8: another user sees the state, and may do nothing", rule=ALLOW)
def _(lab, bus, alice, bob):
    alice.connect()
    connection, = objects(bus, CONNECTION)
    own, = objects(bus, PROFILE)
    for path, interface, method, signature, arguments in (
            (connection, CONNECTION, "Disconnect", "()", ()), (connection, CONNECTION, "Renegotiate", "()", ()),
            (connection, CONNECTION, "GetReport", "()", ()), (own, PROFILE, "GetText", "()", ()),
            (own, PROFILE, "Connect", "(a{sv})", ({},)), (own, PROFILE, "Remove", "()", ()),
            (own, PROFILE, "Connect", "(a{sv})", ({"take-over": GLib.Variant("b", True)},))):
        bob.refused(bus, path, interface, method, signature, *arguments)
    seen = bob.dialtone("status").stdout
    expect("Office" in seen and "10." not in seen and not bob.status(), f"bob sees {seen} {bob.status()}")
    bob.dialtone("disconnect", "Office", code=10)
    log = bob.call(bus, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 100)[0]
    expect(not log, f"bob reads alice's log: {log}")
    mine = alice.call(bus, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 100)[0]
    expect(any("connected" in line[2] for line in mine), f"alice's log: {mine}")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("who is allowed by nobody connects nothing, and nothing is touched", rule=None)
def _(lab, bus, alice, bob):
    events = alice.connect(code=10)
    check_failed(events[-1], "not-permitted")
    expect(not objects(bus, CONNECTION), "a connection is there")


@service_case("a system profile is for whom it names; another takes it over only as an administrator",
              rule=ALLOW + TAKE_OVER, seconds=90)
def _(lab, bus, alice, bob):
    system_profile("Corp", Access__Users="alice;bob")
    system_profile("Lab", Access__Users="carol")
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "alice is not connected")
    check_failed(alice.connect(what="Lab", code=10)[-1], "not-permitted")
    check_failed(bob.connect(what="Corp", code=10)[-1], "not-permitted")
    expect(bob.connect("--take-over", what="Corp")[-1]["state"] == "connected", "bob did not take over")
    expect(alice.connect(code=10, Profile__Name="Corp")[-1]["reason"] == "not-permitted", "the name was taken")
    wait_until(lambda: len(objects(bus, CONNECTION)) == 1, 5, "alice's connection has gone")
    owner = [p["Owner"] for p in objects(bus, CONNECTION).values()]
    expect(owner == [bob.uid], f"owners: {owner}")
    bob.dialtone("disconnect")


@service_case("a profile of the system comes, changes and goes with its file")
def _(lab, bus, alice, bob):
    expect(not objects(bus, PROFILE), "there are profiles already")
    system_profile("Corp")
    wait_until(lambda: [p["Name"] for p in objects(bus, PROFILE).values()] == ["Corp"], 5, "it came")
    os.unlink("/etc/dialtone/profiles/corp.dialtone")
    wait_until(lambda: not objects(bus, PROFILE), 5, "it went")


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
    alice.connect()
    watching = [subprocess.Popen(user.command(*words), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
                for user, words in ((alice, ("monitor", "--json")), (alice, ("status", "--watch")),
                                    (bob, ("monitor", "--json")))]
    first = [process.stdout.readline() for process in watching]
    alice.dialtone("disconnect")
    alice.connect()
    os.kill(bus.owner_pid(NAME), signal.SIGTERM)
    told, lines, seen = [process.communicate(timeout=10)[0].splitlines() for process in watching]
    expect([p.returncode for p in watching] == [1, 1, 1], "they did not notice that the service has gone")
    check_connected(json.loads(first[0]))
    expect(first[1].startswith("Office: connected: dialtone0"), f"the first line: {first[1]}")
    states = [json.loads(line)["state"] for line in told]
    expect(states[:2] == ["disconnecting", "idle"] and "connected" in states[2:], f"states: {states}")
    expect(any(line.startswith("Office: phase2") for line in lines), f"lines: {lines}")
    theirs = [json.loads(line) for line in [first[2], *seen]]
    expect("connected" in [event["state"] for event in theirs], f"bob saw {theirs}")
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


@service_case("10,000 random messages to each interface change nothing", 90)
def _(lab, bus, alice, bob):
    alice.connect()
    connection, = objects(bus, CONNECTION)
    own, = objects(bus, PROFILE)
    pid = bus.owner_pid(NAME)

    def flood():
        dice = random.Random(4)
        members = {MANAGER: ["AddProfile", "RegisterAgent", "UnregisterAgent", "GetLog"],
                   PROFILE: ["Connect", "GetText", "Remove"],
                   CONNECTION: ["GetReport", "Disconnect", "Renegotiate"]}
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
    os.makedirs("/run/dialtoned", exist_ok=True)
    os.chown("/run/dialtoned", bus.service, bus.service)
    bus.activate(NAME, "dialtone", f"/usr/bin/env RUNTIME_DIRECTORY=/run/dialtoned {bus.build}/client/service/dialtoned")
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
    def log_out(say, uid):
        connection().call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                               GLib.Variant("(su)", ("org.freedesktop.login1", 4)), None, 0, -1, None)
        connection().emit_signal(None, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "UserRemoved",
                                 GLib.Variant("(uo)", (uid, f"/org/freedesktop/login1/user/_{uid}")))
        connection().flush_sync(None)
        say("done")
        time.sleep(20)

    alice.connect()
    liars = Caller(bob.uid, lambda say: log_out(say, alice.uid))
    try:
        liars.hear()
        raise AssertionError("bob may be logind")
    except (BusError, Failure):
        pass
    expect(alice.status()[0]["state"] == "connected", "bob ended alice's connection")
    for uid, ends in ((bob.uid, False), (alice.uid, True)):
        logind = Caller(0, lambda say, u=uid: log_out(say, u))
        logind.hear()
        if ends:
            wait_until(lambda: not objects(bus, CONNECTION), 5, "it ends")
        else:
            time.sleep(0.3)
            expect(len(objects(bus, CONNECTION)) == 1, "it ended with bob's session")
        logind.kill()
    alice.connect(Network__KeepAfterLogout="yes")
    logind = Caller(0, lambda say: log_out(say, alice.uid))
    logind.hear()
    time.sleep(0.3)
    expect(alice.status()[0]["state"] == "connected", "it ended in spite of KeepAfterLogout")
    logind.kill()
    alice.dialtone("disconnect")


def secret(bus, uuid, text):
    """A file that the service may read and users may not."""
    os.makedirs("/etc/dialtone/secrets", exist_ok=True)
    os.chown("/etc/dialtone/secrets", 0, bus.service)
    os.chmod("/etc/dialtone/secrets", 0o750)
    path = f"/etc/dialtone/secrets/{uuid}"
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.chown(path + ".new", 0, bus.service)
    os.chmod(path + ".new", 0o640)
    os.rename(path + ".new", path)


UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
KEY = "correct horse battery staple"


@service_case("E14: a user of a provisioned profile connects, and finds its key nowhere", 90)
def _(lab, bus, alice, bob):
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Access__Users="alice")
    expect(alice.dialtone("connect", "Corp", code=4).stderr.count(UUID), "the missing file is not named")
    secret(bus, UUID, secrets_text(KEY))
    check_failed(bob.connect(what="Corp", code=10)[-1], "not-permitted")
    alice.dialtone("connect", "Corp")
    expect_ping(lab, lab.sites[0].host)
    pid = bus.owner_pid(NAME)
    own = next(path for path, p in objects(bus, PROFILE).items() if p["Name"] == "Corp")
    connection = next(iter(objects(bus, CONNECTION)))

    def look():
        found = {}
        for path in (f"/etc/dialtone/secrets/{UUID}", f"/proc/{pid}/mem", f"/proc/{pid}/environ", f"/proc/{pid}/maps"):
            try:
                with open(path, "rb") as file:
                    found[path] = file.read(100)
            except OSError as error:
                found[path] = error.errno
        traced = subprocess.run(["strace", "-p", str(pid)], capture_output=True, timeout=10, check=False).returncode \
            if shutil.which("strace") else 1
        texts = [call(NAME, own, PROFILE, "GetText")[0], call(NAME, connection, CONNECTION, "GetReport")[0],
                 str(call(NAME, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 1000)),
                 str(call(NAME, TOP, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"))]
        return found, traced, texts

    found, traced, texts = bus.as_user(alice.uid, look)
    expect(all(what in (errno.EACCES, errno.EPERM) for what in found.values()), f"alice reads {found}")
    expect(traced != 0, "alice traces the service")
    expect(not any(KEY in text for text in texts), "the key is on the bus")
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        core = next(line for line in file if line.startswith("Max core file size"))
    expect(core.split()[4:6] == ["0", "0"], f"a core dump is possible: {core}")
    alice.dialtone("disconnect")


@service_case("a user changes what is not locked in a profile of the system, and nothing else")
def _(lab, bus, alice, bob):
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Access__Lock="Phase2")
    secret(bus, UUID, secrets_text(KEY))
    folder = os.path.join(alice.folder, ".config/dialtone/overrides")
    bus.as_user(alice.uid, lambda: os.makedirs(folder))
    for group, key, value, holds in (("Network", "MTU", "1300", True), ("Phase2", "Lifetime", "30m", False),
                                     ("Gateway", "Address", "192.0.2.7", False)):
        alice.file(f".config/dialtone/overrides/{UUID}.dialtone", f"[{group}]\n{key}={value}\n")
        done = alice.dialtone("connect", "--json", "Corp")
        event = json.loads(done.stdout.splitlines()[-1])
        expect(event["state"] == "connected" and (event["mtu"] == 1300) == holds, f"{key}: {event}")
        expect(holds or f"[{group}] {key}" in done.stderr, f"{key} was refused in silence: {done.stderr}")
        alice.dialtone("disconnect")


@service_case("the administrator's policy is obeyed, with its reason", 60)
def _(lab, bus, alice, bob):
    os.makedirs("/etc/dialtone", exist_ok=True)
    with open("/etc/dialtone/policy.conf", "w", encoding="utf-8") as file:
        file.write("[Policy]\nForbid=modp1024\n")
    event = alice.connect(code=12)[-1]
    check_failed(event, "policy")
    expect("/etc/dialtone/policy.conf:2" in event["message"], f"which line? {event}")
    # It is read again when it changes.
    with open("/etc/dialtone/policy.conf", "w", encoding="utf-8") as file:
        file.write("[Policy]\nUserProfiles=no\n")
    wait_until(lambda: "UserProfiles" in alice.connect(code=12)[-1]["message"], 5, "the new policy holds")
    os.unlink("/etc/dialtone/policy.conf")
    wait_until(lambda: try_connect(alice), 5, "without a policy all is allowed")
    alice.dialtone("disconnect")


def try_connect(user):
    try:
        return user.connect()[-1]["state"] == "connected"
    except Failure:
        return False


@service_case("Autoconnect connects by itself, also when its secret comes later; only an administrator ends it")
def _(lab, bus, alice, bob):
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Network__Autoconnect="yes")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["failed"], 5, "no secret, no tunnel")
    secret(bus, UUID, secrets_text(KEY))
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["connected"], 10, "it connects")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect", "Corp", code=10)
    connection = next(iter(objects(bus, CONNECTION)))
    bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))
    expect(not objects(bus, CONNECTION), "it is still there")


@case("without the service a clear word, and what to do instead", seconds=30, lab=False)
def _():
    done = subprocess.run([binary(), "connect", "--json", "/dev/null"], capture_output=True, text=True,
                          timeout=20, check=False)
    event = json.loads(done.stdout.splitlines()[-1])
    expect(done.returncode == 1 and event["reason"] == "internal", f"{done.returncode}: {event}")
    expect("--standalone" in event["advice"], f"advice: {event['advice']}")


main()

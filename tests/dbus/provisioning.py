#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""What an administrator puts there for users: profiles, secrets, locks and a policy."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import BusError, Caller, call  # noqa: E402
from cases import main  # noqa: E402
from client import check_failed, secrets_text  # noqa: E402
from lab import Failure, expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import (ALLOW, CONNECTION, MANAGER, NAME, PROFILE, TAKE_OVER, TOP, log_out, objects,  # noqa: E402
                         remember, service_case, system_profile, system_secret)

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
KEY = "correct horse battery staple"


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


def write_policy(text):
    path = "/etc/dialtone/policy.conf"
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(f"[Policy]\n{text}")
    os.rename(path + ".new", path)


def said_by_processes(word):
    """Command lines and environments that hold it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    found += [pid] * (word.encode() in file.read())
            except OSError:
                continue
    return found


@service_case("E13: what a user gives stands on no command line, in no environment and on no bus")
def _(lab, bus, alice, bob):
    watcher = subprocess.Popen(["dbus-monitor", "--system", "--pcap"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    os.set_blocking(watcher.stdout.fileno(), False)
    watched = b""
    end = time.monotonic() + 1.5
    asked = threading.Thread(target=alice.connect)
    asked.start()
    while time.monotonic() < end or asked.is_alive():
        expect(not said_by_processes(KEY), "the key stands where others can read it")
        watched += watcher.stdout.read() or b""
    asked.join()
    alice.dialtone("disconnect")
    watcher.terminate()
    watched += watcher.communicate(timeout=10)[0] or b""
    expect(b"RegisterAgent" in watched, "nothing was watched")
    expect(KEY.encode() not in watched, "the key crossed the bus")


@service_case("E14: a user of a provisioned profile connects, and finds its key nowhere", 90)
def _(lab, bus, alice, bob):
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Access__Users="alice")
    expect(alice.dialtone("connect", "Corp", code=4).stderr.count(UUID), "the missing file is not named")
    system_secret(bus, UUID, secrets_text(KEY))
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
    expect(not said_by_processes(KEY), "the key is on a command line")
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        core = next(line for line in file if line.startswith("Max core file size"))
    expect(core.split()[4:6] == ["0", "0"], f"a core dump is possible: {core}")
    alice.dialtone("disconnect")


@service_case("a user changes what is not locked in a profile of the system, and nothing else")
def _(lab, bus, alice, bob):
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Access__Lock="Phase2")
    system_secret(bus, UUID, secrets_text(KEY))
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


def changed(alice, text):
    alice.file(f".config/dialtone/overrides/{UUID}.dialtone", text)


def restart(bus, state):
    """The service is killed and comes again, and with it what was wanted."""
    pid = bus.owner_pid(NAME)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: bus.owner_pid(NAME) != pid, 10, "the service has gone")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == [state], 15,
               f"it is {state}: {objects(bus, CONNECTION)}")


@service_case("what a user changed in a profile outlasts the service, as far as it is allowed by then", 90)
def _(lab, bus, alice, bob):
    remember(bus)
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system")
    system_secret(bus, UUID, secrets_text(KEY))
    bus.as_user(alice.uid, lambda: os.makedirs(os.path.join(alice.folder, ".config/dialtone/overrides")))
    changed(alice, "[Network]\nMTU=1300\n")
    alice.dialtone("connect", "Corp")
    restart(bus, "connected")
    expect(alice.status()[0]["mtu"] == 1300, f"what was changed is lost: {alice.status()}")
    kept, = os.listdir("/run/dialtoned")
    info = os.stat(f"/run/dialtoned/{kept}")
    expect((info.st_uid, info.st_mode & 0o7777) == (bus.service, 0o600), f"others read what is wanted: {info}")
    # Locked by now, while the service was not there: the administrator's again, and said once.
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Access__Lock="Network.MTU")
    restart(bus, "connected")
    expect(alice.status()[0]["mtu"] != 1300, f"a locked key is the user's: {alice.status()}")
    told = [line for _, _, line in
            alice.call(bus, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 1000)[0] if "[Network] MTU" in line]
    expect(len(told) == 1 and "locked by the administrator" in told[0], f"said of it: {told}")
    # It was kept as it was written, and holds again when it may.
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system")
    restart(bus, "connected")
    expect(alice.status()[0]["mtu"] == 1300, f"what was unlocked is not the user's: {alice.status()}")
    alice.dialtone("disconnect")


@service_case("the administrator's policy is obeyed, with its reason", 60)
def _(lab, bus, alice, bob):
    os.makedirs("/etc/dialtone", exist_ok=True)
    write_policy("Forbid=modp1024\n")
    event = alice.connect(code=12)[-1]
    check_failed(event, "policy")
    expect("/etc/dialtone/policy.conf:2" in event["message"], f"which line? {event}")
    # It is read again when it changes.
    write_policy("UserProfiles=no\n")
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
    system_secret(bus, UUID, secrets_text(KEY))
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["connected"], 10, "it connects")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect", "Corp", code=10)
    connection = next(iter(objects(bus, CONNECTION)))
    bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))
    expect(not objects(bus, CONNECTION), "it is still there")


MANAGE = """polkit.addRule(function(action, subject) {
    if (action.id == "org.dialtone.manage-system-profiles" && subject.user == "bob")
        return polkit.Result.YES;
});"""


def may_end(bus, user):
    """Ends what is connected, if the service lets them."""
    try:
        user.call(bus, next(iter(objects(bus, CONNECTION))), CONNECTION, "Disconnect")
        return True
    except BusError:
        return False


@service_case("what the policy keeps connected is ended by nobody who may not change that, and outlives its user",
              rule=ALLOW + TAKE_OVER + MANAGE)
def _(lab, bus, alice, bob):
    def is_there(state, uid):
        found = objects(bus, CONNECTION).values()
        return [(c["State"], c["Owner"]) for c in found] == [(state, uid)]

    system_profile("Corp", Profile__UUID=UUID)
    write_policy("AlwaysOn=Corp\n")
    wait_until(lambda: is_there("needs-secrets", 0), 5, "it is wanted")
    # It lacks a secret, so that whoever has it may connect it as theirs; and may not end it.
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "alice may not connect it")
    expect(is_there("connected", alice.uid), "it is not hers")
    connection = next(iter(objects(bus, CONNECTION)))
    alice.refused(bus, connection, CONNECTION, "Disconnect")
    alice.dialtone("disconnect", code=10)
    expect(is_there("connected", alice.uid), "it was ended")
    alice.dialtone("renegotiate")
    # Nor does her logout, after which the machine has it again, and waits as before.
    logind = Caller(0, lambda say: log_out(say, alice.uid))
    logind.hear()
    wait_until(lambda: is_there("needs-secrets", 0), 15, "the machine wants it again")
    logind.kill()
    alice.dialtone("disconnect", "Corp", code=10)
    connection = next(iter(objects(bus, CONNECTION)))
    bob.call(bus, connection, CONNECTION, "Disconnect")
    expect(not objects(bus, CONNECTION), "whom polkit allows may not")
    # Without that word of the policy it is its user's again.
    write_policy("UserProfiles=no\n")
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "alice may not connect it")
    wait_until(lambda: may_end(bus, alice), 10, "it is its user's again")


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""Whatever polkit says, or does not say: without a yes of its own nothing is done, and nobody waits for
another's answer."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import BusError, Caller, GLib, call, slots_are_free  # noqa: E402
from cases import main  # noqa: E402
from client import binary, check_failed, profile, profile_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import CONNECTION, MANAGER, NAME, PROFILE, TOP, objects, service_case, system_profile  # noqa: E402

POLKIT, AUTHORITY = "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority"
MOCK = "org.freedesktop.DBus.Mock"
OWN, SYSTEM, PERSISTENT, TAKE_OVER, RELEASE = (
    f"org.dialtone.{name}" for name in ("connect-own", "connect-system", "connect-persistent", "take-over",
                                        "release-kill-switch"))
WORDS = ("disconnect", "--release-kill-switch")
UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
BOUND = 10  # seconds for an answer that no person has to give


class Polkit:
    """The authority as python3-dbusmock plays it, started by the bus like the real one."""

    def __init__(self, bus):
        self.bus = bus
        self.there()

    def there(self, is_there=True):
        self.bus.activate(POLKIT, "polkitd", "/usr/bin/env PATH=/usr/bin:/bin /usr/bin/python3 -m dbusmock --system "
                          "--template polkitd" if is_there else "/bin/false")

    def say(self, method, signature, *arguments):
        return self.bus.as_user(0, lambda: call(POLKIT, AUTHORITY, MOCK, method, signature, *arguments))

    def allows(self, *actions):
        self.say("SetAllowed", "(as)", list(actions))

    def hangs(self, does=True):
        self.say("SimulateHang", "(b)", does)

    def is_asked(self):
        return bool(self.say("HaveHangingCalls", "()")[0])

    def dies(self):
        pid = self.bus.owner_pid(POLKIT)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.bus.owner_pid(POLKIT) != pid, 5, "polkit has gone")


def add(user, bus):
    text = profile_text(profile(Profile__Name=user.name))
    return user.call(bus, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})", text, {})[0]


class Waiting:
    """A user's own profile and a call of Connect, whose answer comes when it comes."""

    def __init__(self, bus, user):
        self.began = time.monotonic()
        self.caller = Caller(user.uid, self.connect)
        self.path = self.caller.hear()

    @staticmethod
    def connect(say):
        text = profile_text(profile(Profile__Name="Mine"))
        path = call(NAME, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})", text, {})[0]
        say(path)
        say(call(NAME, path, PROFILE, "Connect", "(a{sv})", {}, milliseconds=60000))

    def refused(self, seconds=30):
        try:
            self.caller.hear(seconds)
        except BusError as error:
            self.caller.kill()
            return error, time.monotonic() - self.began
        raise AssertionError("it was allowed")


def honest(error):
    expect(error.name == f"{NAME}.Error.NotPermitted", f"{error}")
    expect("polkit" in error.message and "no answer" in error.message, f"{error}")


@service_case("polkit says no, and yes, each for its own action", rule=None)
def _(lab, bus, alice, bob):
    polkit = Polkit(bus)
    polkit.allows()
    check_failed(alice.connect(code=10)[-1], "not-permitted")
    polkit.allows(TAKE_OVER, SYSTEM, OWN + ".x", "org.dialtone")
    check_failed(alice.connect(code=10)[-1], "not-permitted")
    expect(not objects(bus, CONNECTION), "a connection is there")
    polkit.allows(OWN)
    expect(alice.connect()[-1]["state"] == "connected", "what is allowed is refused")
    connection, = objects(bus, CONNECTION)
    bob.refused(bus, connection, CONNECTION, "Disconnect")
    polkit.allows(TAKE_OVER)
    bob.call(bus, connection, CONNECTION, "Disconnect")
    wait_until(lambda: not objects(bus, CONNECTION), 5, "whom polkit allows may")


@service_case("polkit hangs: who asks is refused in the end, and others are served meanwhile", rule=None)
def _(lab, bus, alice, bob):
    polkit = Polkit(bus)
    polkit.allows(OWN)
    expect(alice.connect()[-1]["state"] == "connected", "alice is not connected")
    polkit.hangs()
    waiting = Waiting(bus, bob)
    wait_until(polkit.is_asked, 5, "polkit is asked")
    # What needs no polkit is done at once, and so is what root wants.
    alice.dialtone("renegotiate")
    alice.dialtone("disconnect")
    bus.as_user(0, lambda: call(NAME, waiting.path, PROFILE, "GetText"))
    expect(time.monotonic() - waiting.began < BOUND, "others have waited for bob's answer")
    error, seconds = waiting.refused()
    honest(error)
    expect(seconds >= BOUND / 2, f"refused after {seconds:.1f} s, without waiting")
    # A yes that comes too late is none.
    polkit.say("ReleaseHangingCalls", "()")
    polkit.hangs(False)
    expect(add(bob, bus) and not objects(bus, CONNECTION), "a late answer connects")


@service_case("polkit dies while it is asked: that is no yes, and the next is asked anew", rule=None)
def _(lab, bus, alice, bob):
    polkit = Polkit(bus)
    polkit.allows(OWN)
    polkit.hangs()
    waiting = Waiting(bus, bob)
    wait_until(polkit.is_asked, 5, "polkit is asked")
    polkit.dies()
    honest(waiting.refused()[0])
    expect(not objects(bus, CONNECTION), "a connection is there")
    polkit.allows(OWN)
    expect(alice.connect()[-1]["state"] == "connected", "the next polkit is not asked")
    alice.dialtone("disconnect")


@service_case("polkit is not there: nobody but root may, and is told why", rule=None)
def _(lab, bus, alice, bob):
    polkit = Polkit(bus)
    if bus.owner_pid(POLKIT):
        polkit.dies()
    polkit.there(False)
    event = alice.connect(code=10)[-1]
    check_failed(event, "not-permitted")
    expect("polkit" in event["message"] and "no answer" in event["message"], f"why? {event}")
    expect(not objects(bus, CONNECTION), "a connection is there")
    polkit.there()
    polkit.allows(OWN)
    expect(alice.connect()[-1]["state"] == "connected", "polkit is there again, and is not asked")
    alice.dialtone("disconnect")


@service_case("a kill switch that stays is the administrator's to allow, whose profile ever says so", 90, rule=None,
              connection=Connection("alice@example.com", local_ts="0.0.0.0/0"))
def _(lab, bus, alice, bob):
    def refused(*words, **more):
        check_failed(alice.connect(*words, code=10, **more)[-1], "not-permitted")
        expect(not objects(bus, CONNECTION), "a connection is there")
        expect("dialtone" not in lab.run("client", "nft", "list", "ruleset"), "something is blocked")

    polkit = Polkit(bus)
    whole = {"Phase2__Networks": "0.0.0.0/0"}
    polkit.allows(OWN, SYSTEM)
    refused(Network__KillSwitch="persistent", **whole)
    # One that goes with the connection is the user's own.
    expect(alice.connect(Network__KillSwitch="yes", **whole)[-1]["state"] == "connected", "KillSwitch=yes is refused")
    alice.dialtone("disconnect")
    polkit.allows(PERSISTENT)
    refused(Network__KillSwitch="persistent", **whole)
    polkit.allows(OWN, SYSTEM)
    # Nor by what a user has changed in a profile of the system; nor is that in the way of the administrator.
    system_profile("Corp", Profile__UUID=UUID, **whole)
    wait_until(lambda: kill_switch_of(bus) == "no", 5, "the service knows the profile")
    folder = os.path.join(alice.folder, ".config/dialtone/overrides")
    bus.as_user(alice.uid, lambda: os.makedirs(folder))
    alice.file(f".config/dialtone/overrides/{UUID}.dialtone", "[Network]\nKillSwitch=persistent\n")
    refused(what="Corp")
    polkit.allows(SYSTEM, PERSISTENT)
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "what is allowed is refused")
    # It is wanted already, so nobody is asked again.
    polkit.allows(SYSTEM)
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "what is connected is refused")
    alice.dialtone("disconnect")
    lab.run("client", binary(), "disconnect", "--release-kill-switch")
    system_profile("Corp", Profile__UUID=UUID, Network__KillSwitch="persistent", **whole)
    wait_until(lambda: kill_switch_of(bus) == "persistent", 5, "the administrator has written it")
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "the administrator's own is refused")
    alice.dialtone("disconnect")
    lab.run("client", binary(), "disconnect", "--release-kill-switch")


def leave_shut(bus, user, kill_switch):
    """A kill switch of that user's whose connection is no more."""
    user.connect(Phase2__Networks="0.0.0.0/0", Network__KillSwitch=kill_switch)
    pid = bus.owner_pid(NAME)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: bus.owner_pid(NAME) != pid, 5, "the service has gone")
    wait_until(lambda: left(bus) == [("Office", kill_switch == "persistent")], 15, "it was left behind")
    wait_until(lambda: not objects(bus, CONNECTION), 5, "the connection is gone")


def left(bus):
    return objects(bus, MANAGER)[f"{TOP}/manager"]["KillSwitches"]


def mistaken(user, bus, name, error, options=None):
    try:
        user.call(bus, f"{TOP}/manager", MANAGER, "ReleaseKillSwitch", "(sa{sv})", name, options or {})
        raise AssertionError(f"{name} {options} was taken")
    except BusError as said:
        expect(said.name == f"{NAME}.Error.{error}", f"{name}: {said}")


@service_case("a kill switch that was left is released by whom it is, by whom polkit lets, and by nobody's connection",
              90, rule=None, connection=Connection("alice@example.com", local_ts="0.0.0.0/0"))
def _(lab, bus, alice, bob):
    polkit = Polkit(bus)
    polkit.allows(OWN, SYSTEM, PERSISTENT, TAKE_OVER)
    leave_shut(bus, alice, "yes")
    shut = left(bus)
    # Whose it is not: by the method, the command line, and connections of any kind and the same name.
    bob.refused(bus, f"{TOP}/manager", MANAGER, "ReleaseKillSwitch", "(sa{sv})", "Office", {})
    mistaken(bob, bus, "Offic", "ProfileInvalid")
    mistaken(bob, bus, "Office", "Usage", {"owner": GLib.Variant("u", alice.uid)})
    bob.dialtone(*WORDS, code=10)
    for kill_switch in ("no", "yes"):
        expect(bob.connect(Network__KillSwitch=kill_switch)[-1]["state"] == "connected", "bob is cut off")
        expect(left(bus) == shut, f"a connection of bob's with {kill_switch} releases it: {left(bus)}")
        bob.dialtone("disconnect")
        expect(left(bus) == shut, f"its end releases it: {left(bus)}")
    polkit.allows(RELEASE)
    bob.dialtone(*WORDS, "Office")
    wait_until(lambda: left(bus) == [], 15, "whom polkit allows may")
    expect("dialtone" not in lab.run("client", "nft", "list", "ruleset"), "a table is left")
    polkit.allows(OWN, PERSISTENT)
    leave_shut(bus, alice, "yes")
    alice.dialtone(*WORDS)
    wait_until(lambda: left(bus) == [], 15, "whose it is may")
    # What is to stay is nobody's.
    leave_shut(bus, alice, "persistent")
    alice.dialtone(*WORDS, code=10)
    expect(left(bus) == [("Office", True)], "its user may")
    said = bob.connect(code=1, Network__KillSwitch="yes")[-1]
    expect("Office" in said["message"] and "kill switch" in said["message"], f"{said}")
    expect(left(bus) == [("Office", True)], "a connection of bob's with the same name releases it")
    alice.connect(Phase2__Networks="0.0.0.0/0", Network__KillSwitch="yes")
    alice.dialtone("disconnect")
    wait_until(slots_are_free, 15, "its helper has ended")
    wait_until(lambda: left(bus) == [("Office", True)], 15, "its own profile with another KillSwitch releases it not")
    polkit.allows(RELEASE)
    alice.dialtone(*WORDS)
    wait_until(lambda: left(bus) == [], 15, "whom polkit allows may")


def kill_switch_of(bus):
    """What the service has read of the profile Corp."""
    try:
        path = next(path for path, p in objects(bus, PROFILE).items() if p["Name"] == "Corp")
        text = bus.as_user(0, lambda: call(NAME, path, PROFILE, "GetText"))[0]
    except (BusError, StopIteration):
        return ""  # one object is taking the place of another
    return next((line.split("=")[1] for line in text.splitlines() if line.startswith("KillSwitch=")), "no")


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 90 s, full: 90 s
"""Whatever polkit says, or does not say: without a yes of its own nothing is done, and nobody waits for
another's answer."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import BusError, Caller, call  # noqa: E402
from cases import main  # noqa: E402
from client import check_failed, profile, profile_text  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import CONNECTION, MANAGER, NAME, PROFILE, TOP, objects, service_case  # noqa: E402

POLKIT, AUTHORITY = "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority"
MOCK = "org.freedesktop.DBus.Mock"
OWN, TAKE_OVER = "org.dialtone.connect-own", "org.dialtone.take-over"
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
    polkit.allows(TAKE_OVER, "org.dialtone.connect-system", OWN + ".x", "org.dialtone")
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


main()

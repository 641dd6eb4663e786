#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 150 s
"""What a user of the machine may try on the service to get at what others have, or to be in their way."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import Caller, Gio, GLib, call, connection  # noqa: E402
from cases import main  # noqa: E402
from client import check_connected, secrets_text  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import CONNECTION, MANAGER, NAME, PROFILE, TOP, objects, service_case, system_profile  # noqa: E402

POLKIT = "org.freedesktop.PolicyKit1"

def send(path, interface, method, signature="()", *arguments):
    """A call that nobody waits for."""
    connection().call(NAME, path, interface, method, GLib.Variant(signature, arguments), None, Gio.DBusCallFlags.NONE,
                      -1, None, None)


def log(bus):
    """What root reads."""
    return [line[2] for line in
            bus.as_user(0, lambda: call(NAME, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 2000))[0]]


def states(bus):
    return {c["Name"]: c["State"] for c in objects(bus, CONNECTION).values()}


@service_case("secrets that were given for one profile are given to no other that waits for some")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.dialtone("connect", "--no-wait", "Corp")
    wait_until(lambda: states(bus) == {"Corp": "needs-secrets"}, 10, f"a secret is wanted: {states(bus)}")
    events = alice.connect(code=0)
    expect({event["profile"] for event in events} == {"Office"}, f"it speaks of others: {events}")
    check_connected(events[-1])
    expect(states(bus) == {"Corp": "needs-secrets", "Office": "connected"}, f"{states(bus)}")
    alice.dialtone("disconnect", "--all")


@service_case("who asked to take a connection over when nobody had it takes over none that came meanwhile")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    bob.dialtone("list")
    bus.ask_bus("StartServiceByName", "(su)", POLKIT, 0)
    wait_until(lambda: objects(bus, PROFILE), 5, "the profile is there")
    corp, = objects(bus, PROFILE)

    def take_over(say):
        send(corp, PROFILE, "Connect", "(a{sv})", {"take-over": GLib.Variant("b", True)})
        # Calls of one sender are looked at in their order, so polkit is asked by now.
        call(NAME, corp, PROFILE, "GetText")
        say("asked")
        signal.pause()

    # polkit takes its time to say that bob may connect; root needs no polkit.
    polkit = bus.owner_pid(POLKIT)
    os.kill(polkit, signal.SIGSTOP)
    caller = Caller(bob.uid, take_over)
    try:
        caller.hear()
        bus.as_user(0, lambda: call(NAME, corp, PROFILE, "Connect", "(a{sv})", {}))
        os.kill(polkit, signal.SIGCONT)
        wait_until(lambda: any("in use by another" in line or f"by uid {bob.uid}" in line for line in log(bus)), 10,
                   "bob's call is decided")
    finally:
        caller.kill()
    (path, theirs), = objects(bus, CONNECTION).items()
    expect(theirs["Owner"] == 0, f"it is {theirs['Owner']}'s now")
    bus.as_user(0, lambda: call(NAME, path, CONNECTION, "Disconnect"))


@service_case("a profile whose connection failed is not in use by whom it failed for")
def _(lab, bus, alice, bob):
    system_profile("Corp")
    alice.connect(what="Corp", secrets=secrets_text("wrong"), code=7)
    check_connected(bob.connect(what="Corp")[-1])
    expect(len(objects(bus, CONNECTION)) == 1, f"{objects(bus, CONNECTION)}")
    bob.dialtone("disconnect")


main()

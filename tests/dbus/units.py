#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""Service and helper under their units, started and ended by a real systemd."""

import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "netns", "helper"), os.path.join(HERE, "..", "lib")]
# pylint: disable=wrong-import-position
import rig as machine
import systemd
from bus import SERVICE, Caller, GLib, call, connect_peer
from cases import Skip, case, main
from client import binary
from lab import expect, wait_until

HELPER_UNIT, SERVICE_UNIT = "dialtone-helper.service", "dialtone.service"
MANAGER = ("org.dialtone.Helper1", "/org/dialtone/HelperManager1", "org.dialtone.HelperManager1")
HELPER = (None, "/org/dialtone/Helper1", "org.dialtone.Helper1")


OWNER, STRANGER = 61001, 61002


def write_state(fd, text):
    """As a tunnel does: its length and FNV-1a before it."""
    total = 2166136261
    for byte in text.encode():
        total = (total ^ byte) * 16777619 & 0xffffffff
    os.pwrite(fd, f"{len(text):08x} {total:08x}\n{text}".encode(), 0)


def serve(say):
    """As the service does: all that a tunnel has."""
    peer = connect_peer(call(*MANAGER, "Open", "(uua{sv})", OWNER, OWNER, {})[0])

    def ask(method, signature, *arguments):
        return call(*HELPER, method, signature, *arguments, through=peer)
    _, interface, _, _, state = ask("Claim", "(sa{sv})", "office", {})
    write_state(state, '{"schema": 1, "time": "2026-01-02T03:04:05.678Z", "state": "phase1", "profile": "office"}')
    raw = ask("OpenSocket", "(ua{sv})", 4, {"esp": GLib.Variant("b", True)})[0]
    tun = ask("OpenTun", "(ua{sv})", 1400, {})[0]
    ask("Apply", "(ua(ayu)a(ayu)a(ayu)aaya(sb)aaya{sv})", 1380, [([10, 1, 2, 3], 32)], [([0, 0, 0, 0], 0)], [],
        [[10, 1, 0, 53]], [("corp.example", False)], [[203, 0, 113, 1]], {})
    say((interface, raw, tun))
    time.sleep(300)


def unit_case(name, dropins=None):
    """A case with a systemd of its own."""
    def register(function):
        def execute():
            if not os.path.exists(systemd.SYSTEMD):
                raise Skip("systemd is not installed")
            try:
                booted = systemd.Systemd(dropins).__enter__()
            except systemd.NotHere as failure:
                raise Skip(f"systemd does not run here: {failure}") from failure
            try:
                function(booted)
            finally:
                booted.__exit__()
        case(name, 60, lab=False)(execute)
        return function
    return register


def status(booted, uid):
    """What `dialtone status` shows that user."""
    return booted.run("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", binary(), "status")


def until_same(before):
    def what():
        return machine.difference(before, machine.snapshot())
    wait_until(lambda: not what(), 10, "\n".join(["all is as before, but for", *what()]), 0.1)


@unit_case("under its unit the helper sets a tunnel up, and puts it back when the service dies")
def _(booted):
    before = machine.snapshot()
    caller = Caller(SERVICE, serve)
    expect(caller.hear()[0] == "dialtone0", "no tunnel")
    expect("dev dialtone0" in machine.sh("ip route get 8.8.8.8"), "the tunnel carries nothing")
    with open("/etc/resolv.conf", encoding="ascii") as file:
        expect("nameserver 10.1.0.53" in file.read(), "the names are asked elsewhere")
    expect(booted.show(HELPER_UNIT, "ActiveState") == "active", "it is not active")
    expect(booted.show(HELPER_UNIT, "StatusText") == "tunnels: 1", booted.show(HELPER_UNIT, "StatusText"))
    found = booted.status(HELPER_UNIT)
    expect(found["Seccomp"].strip() == "2" and found["NoNewPrivs"].strip() == "1", f"{found}")
    expect(int(found["CapBnd"], 16) == 1 << 12 | 1 << 13, found["CapBnd"])
    for uid, what in ((OWNER, "phase1"), (STRANGER, "up, by another user")):
        expect(f"office (dialtone0): {what}" in status(booted, uid), f"{uid} sees {status(booted, uid)}")
    caller.kill()
    until_same(before)


@unit_case("when all of the helper's processes are killed, its unit puts everything back")
def _(booted):
    before = machine.snapshot()
    caller = Caller(SERVICE, serve)
    caller.hear()
    booted.kill(HELPER_UNIT)
    until_same(before)
    expect(os.path.isdir("/run/dialtone"), "the folder of the journals went with the unit")
    # What failed once is started again by the next call.
    second = Caller(SERVICE, serve)
    expect(second.hear()[0] == "dialtone0", "no second tunnel")
    caller.kill()
    second.kill()
    until_same(before)


@unit_case("stopping the helper's unit asks its tunnels to stop, and all is as before",
           {HELPER_UNIT: "TimeoutStopSec=25"})
def _(booted):
    before = machine.snapshot()
    caller = Caller(SERVICE, serve)
    caller.hear()
    booted.run("systemctl", "stop", "--no-block", HELPER_UNIT)
    time.sleep(0.5)
    caller.kill()
    until_same(before)
    wait_until(lambda: booted.show(HELPER_UNIT, "ActiveState") == "inactive", 10, "the unit is stopped", 0.2)


def introspect():
    return call("org.dialtone.Dialtone1", "/org/dialtone/Dialtone1", "org.freedesktop.DBus.Introspectable",
                "Introspect")[0]


def ask_service():
    caller = Caller(0, lambda say: say(introspect()))
    try:
        return caller.hear()
    finally:
        caller.kill()


@unit_case("a call starts the service, which has no capability, and one that hangs is ended and started again",
           {SERVICE_UNIT: "WatchdogSec=2"})
def _(booted):
    expect("interface" in ask_service(), "nothing is there")
    found = booted.status(SERVICE_UNIT)
    for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        expect(int(found[name], 16) == 0, f"{name} is {found[name]}")
    expect(found["Seccomp"].strip() == "2" and found["NoNewPrivs"].strip() == "1", f"{found}")
    expect(found["Uid"].split() == [str(SERVICE)] * 4, found["Uid"])
    first = booted.show(SERVICE_UNIT, "MainPID")
    time.sleep(3)
    expect(booted.show(SERVICE_UNIT, "MainPID") == first, "it was ended though it lives")
    booted.kill(SERVICE_UNIT, signal.SIGSTOP, "main")
    wait_until(lambda: booted.show(SERVICE_UNIT, "MainPID") not in (first, "0"), 20, "it was started again", 0.2)
    expect("interface" in ask_service(), "nothing is there")


if __name__ == "__main__":
    if sys.argv[1:] != ["--conversations"]:
        expect(os.uname().nodename == "sandbox", "run this in tests/lib/sandbox")
        os.makedirs("/run/netns", exist_ok=True)
        machine.add_links()
        machine.write_resolv_conf()
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 150 s
"""Service and helper under their units, started and ended by a real systemd."""

import os
import shutil
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
from client import binary, secrets_text
from gateway import Connection, Gateway
from lab import expect, wait_until
from measure import expect_ping
from service_kit import system_profile, system_secret

HELPER_UNIT, SERVICE_UNIT = "dialtone-helper.service", "dialtone.service"
BOOT_UNIT = "dialtone-boot.service"
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
    limit = booted.show(SERVICE_UNIT, "LimitNOFILE")
    expect(int(limit) >= 50 * 16 * 13, f"{limit} descriptors for the connections of 50 users")
    expect(int(found["CapBnd"], 16) == 1 << 12 | 1 << 13, found["CapBnd"])
    for uid, what in ((OWNER, "phase1"), (STRANGER, "up, by another user")):
        expect(f"office (dialtone0): {what}" in status(booted, uid), f"{uid} sees {status(booted, uid)}")
    caller.kill()
    until_same(before)


@unit_case("the unit of the boot blocks before the network, and goes on blocking when it is stopped")
def _(booted):
    for kind in ("Before", "Wants"):
        expect("network-pre.target" in booted.show(BOOT_UNIT, kind).split(), f"{kind} is {booted.show(BOOT_UNIT, kind)}")
    expect("nftables.service" in booted.show(BOOT_UNIT, "After").split(), "others would remove its tables")
    system_profile("Corp", Network__KillSwitch="yes", Network__Autoconnect="yes")
    try:
        booted.run("systemctl", "start", BOOT_UNIT)
        expect(booted.show(BOOT_UNIT, "ActiveState") == "active", booted.show(BOOT_UNIT, "ActiveState"))
        expect("chain beside" in machine.sh("nft list ruleset"), "nothing is blocked")
        expect("Corp: Its kill switch" in status(booted, STRANGER), status(booted, STRANGER))
        booted.run("systemctl", "stop", BOOT_UNIT)
        expect("chain beside" in machine.sh("nft list ruleset"), "that it is stopped opens it")
        os.unlink("/etc/dialtone/profiles/corp.dialtone")
        booted.run("systemctl", "start", BOOT_UNIT)
        expect("dialtone" not in machine.sh("nft list ruleset"), "it stands though nothing says so")
    finally:
        shutil.rmtree("/etc/dialtone", ignore_errors=True)
        machine.sh(f"{binary()} disconnect --release-kill-switch")


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
    limit = booted.show(SERVICE_UNIT, "LimitNOFILE")
    expect(int(limit) >= 50 * 16 * 13, f"{limit} descriptors for the connections of 50 users")
    expect(found["Uid"].split() == [str(SERVICE)] * 4, found["Uid"])
    first = booted.show(SERVICE_UNIT, "MainPID")
    time.sleep(3)
    expect(booted.show(SERVICE_UNIT, "MainPID") == first, "it was ended though it lives")
    booted.kill(SERVICE_UNIT, signal.SIGSTOP, "main")
    wait_until(lambda: booted.show(SERVICE_UNIT, "MainPID") not in (first, "0"), 20, "it was started again", 0.2)
    expect("interface" in ask_service(), "nothing is there")


# ---- a machine that nobody sits at ----
UNIT, UUID = "dialtone@Corp.service", "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"


def boot(lab):
    """systemd on the laptop, with a profile whose secrets the machine has."""
    log = os.path.join(lab.folder, "dialtone-unit.log")
    dropins = {unit: f"StandardError=append:{log}" for unit in (UNIT, SERVICE_UNIT, HELPER_UNIT)}
    dropins[UNIT] += "\nRestartSec=1"
    try:
        booted = systemd.Systemd(dropins, ("ip", "netns", "exec", lab.ns("client"))).__enter__()
    except systemd.NotHere as failure:
        raise Skip(f"systemd does not run here: {failure}") from failure
    system_secret(booted, UUID, secrets_text())
    system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", Network__RetryFor="2s")
    return booted


@case("dialtone@.service connects a machine, comes back when the tunnel or the service is lost, and disconnects", 120)
def _(lab):
    lab.serve_office()
    gateway = Gateway(lab, Connection("alice@example.com")).up()
    before = lab.client_network()
    booted = boot(lab)

    def is_in(*states):
        return booted.show(UNIT, "ActiveState") in states

    try:
        booted.run("systemctl", "start", UNIT)
        expect(is_in("active"), booted.show(UNIT, "ActiveState"))
        expect_ping(lab, lab.sites[0].host)
        lab.drop_at("gateway", "udp dport { 500, 4500 }")
        gateway.terminate()
        wait_until(lambda: booted.show(UNIT, "NRestarts") != "0", 30, "the loss is noticed", 0.2)
        expect(not is_in("active"), "it is active without a tunnel")
        lab.allow_at("gateway")
        wait_until(lambda: is_in("active"), 60, "it is connected again", 0.2)
        expect_ping(lab, lab.sites[0].host)
        first = booted.show(UNIT, "MainPID")
        booted.kill(SERVICE_UNIT)
        wait_until(lambda: booted.show(UNIT, "MainPID") not in (first, "0") and is_in("active"), 60,
                   "it is connected again after the service's end", 0.2)
        expect_ping(lab, lab.sites[0].host)
        booted.run("systemctl", "stop", UNIT)
        expect(is_in("inactive"), f"stopped, it is {booted.show(UNIT, 'ActiveState')}")
        wait_until(lambda: not lab.network_changes(before), 5,
                   f"the network is as before, but for {lab.network_changes(before)}")
        # What only an administrator can mend is not tried again and again.
        system_secret(booted, UUID, secrets_text("another key"))
        booted.run("systemctl", "start", UNIT, check=False)
        wait_until(lambda: is_in("failed"), 20, "a wrong key ends it", 0.2)
        expect(booted.show(UNIT, "ExecMainStatus") == "7", booted.show(UNIT, "ExecMainStatus"))
        expect("tried again" not in lab.read_log("dialtone-unit.log"), "the service tries it again by itself")
    finally:
        booted.__exit__()
        shutil.rmtree("/etc/dialtone", ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["--conversations"]:
        expect(os.uname().nodename == "sandbox", "run this in tests/lib/sandbox")
        os.makedirs("/run/netns", exist_ok=True)
        machine.add_links()
        machine.write_resolv_conf()
    main()

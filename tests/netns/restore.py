#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 200 s
"""However a tunnel ends, routes, rules, links and DNS are as they were, to the byte."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import signal  # noqa: E402
import time  # noqa: E402

from cases import case, main  # noqa: E402
from client import Dialtone, children, lives, profile  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping, page  # noqa: E402

# Endings of lines, blanks, no newline at the end, bytes that are not UTF-8: all of it comes back.
ODD_RESOLV_CONF = b"# r\xe9solveur\r\n\n\tnameserver   10.99.1.1  \n;options\nsearch a.example b.example\nnameserver 9.9.9.9"


@contextlib.contextmanager
def own_resolv_conf(lab):
    """The client's node sees the sandbox's own /etc/resolv.conf, as without /etc/netns."""
    with open("/etc/resolv.conf", "rb") as file:
        before = file.read()
    os.unlink(lab.resolv_conf)
    lab.resolv_conf = "/etc/resolv.conf"
    try:
        yield
    finally:
        os.unlink("/etc/resolv.conf")
        with open("/etc/resolv.conf", "wb") as file:
            file.write(before)


def set_up(lab, resolv_conf=None):
    lab.serve_office()
    if resolv_conf is not None:
        with open(lab.resolv_conf, "wb") as file:
            file.write(resolv_conf)
    gateway = Gateway(lab, Connection("alice@example.com")).up()
    return gateway, Dialtone(lab, profile())


def connect(lab, client):
    """Connects and makes sure that there is something to put back."""
    before = lab.client_network()
    event = client.connect()
    expect_ping(lab, lab.sites[0].host)
    during = lab.client_network()
    for part in ("rules", "routes", "links", "resolv.conf"):
        expect(during[part] != before[part], f"{part} did not change while connected")
    expect(lab.sites[0].dns.encode() in lab.read_resolv_conf(), f"resolv.conf: {lab.read_resolv_conf()}")
    return before, event


def expect_restored(lab, before, seconds=3):
    end = time.monotonic() + seconds
    while True:
        changes = lab.network_changes(before)
        if not changes:
            return
        expect(time.monotonic() < end, f"not put back: {changes}")
        time.sleep(0.05)


def expect_delete(gateway):
    wait_until(lambda: "received DELETE for IKE_SA" in gateway.text(), 2, "the gateway sees DELETE")
    wait_until(lambda: not gateway.ike_sas(), 2, "the gateway holds no IKE_SA any more")


def ended_by(with_signal):
    @case(f"{with_signal.name} sends DELETE and puts everything back")
    def _(lab):
        gateway, client = set_up(lab)
        before, _ = connect(lab, client)
        bytes_before = before["resolv.conf"]
        family = client.family()
        client.disconnect(with_signal=with_signal)
        expect_delete(gateway)
        expect_restored(lab, before, 0.5)
        expect(lab.read_resolv_conf().decode() == bytes_before, "resolv.conf differs")
        left = [pid for pid in family if lives(pid)]
        expect(not left, f"processes {left} are still there")
        left = os.listdir("/run/dialtone") if os.path.isdir("/run/dialtone") else []
        left = [n for n in left if not os.path.isdir(f"/run/dialtone/{n}") and os.path.getsize(f"/run/dialtone/{n}")]
        expect(not left, f"/run/dialtone holds {left}")


for each in (signal.SIGTERM, signal.SIGINT):
    ended_by(each)


@case("a resolv.conf with odd bytes comes back byte for byte")
def _(lab):
    _, client = set_up(lab, ODD_RESOLV_CONF)
    connect(lab, client)
    client.disconnect()
    expect(lab.read_resolv_conf() == ODD_RESOLV_CONF, f"became {lab.read_resolv_conf()}")


@case("a resolv.conf that is no mount point comes back with its bytes, owner and mode")
def _(lab):
    _, client = set_up(lab)
    with own_resolv_conf(lab):
        with open("/etc/resolv.conf", "wb") as file:
            file.write(ODD_RESOLV_CONF)
        os.chmod("/etc/resolv.conf", 0o640)
        os.chown("/etc/resolv.conf", 0, 7)
        before = os.stat("/etc/resolv.conf")
        connect(lab, client)
        client.disconnect()
        expect(lab.read_resolv_conf() == ODD_RESOLV_CONF, f"became {lab.read_resolv_conf()}")
        now = os.stat("/etc/resolv.conf")
        expect((now.st_mode, now.st_uid, now.st_gid) == (before.st_mode, before.st_uid, before.st_gid),
               f"mode {now.st_mode:o}, owner {now.st_uid}:{now.st_gid}")


@case("a resolv.conf that is a symbolic link is one again, to the same place")
def _(lab):
    _, client = set_up(lab)
    with own_resolv_conf(lab):
        target = os.path.join(lab.folder, "real-resolv.conf")
        with open(target, "wb") as file:
            file.write(ODD_RESOLV_CONF)
        os.unlink("/etc/resolv.conf")
        os.symlink(target, "/etc/resolv.conf")
        connect(lab, client)
        client.disconnect()
        expect(os.path.islink("/etc/resolv.conf"), "it is a file now")
        expect(os.readlink("/etc/resolv.conf") == target, f"it is {os.readlink('/etc/resolv.conf')}")
        expect(lab.read_resolv_conf() == ODD_RESOLV_CONF, f"became {lab.read_resolv_conf()}")


@case("names of the office resolve through the tunnel's name server, and a page is fetched by name")
def _(lab):
    _, client = set_up(lab)
    connect(lab, client)
    said = page(lab, "http://intranet.office.example/")
    expect("Welcome to the office" in said, f"curl said {said}")
    client.disconnect()
    said = page(lab, "http://intranet.office.example/", seconds=3)
    expect("Welcome to the office" not in said, "the office is reached without a tunnel")


def killed(who, pick):
    @case(f"SIGKILL of the {who} is made good by the others")
    def _(lab):
        _, client = set_up(lab)
        before, _ = connect(lab, client)
        family = client.family()
        os.kill(pick(client), signal.SIGKILL)
        wait_until(lambda: client.process.poll() is not None, 5, "dialtone ends")
        expect_restored(lab, before)
        expect(client.process.returncode != 0, "it ended with 0")
        wait_until(lambda: not [p for p in family if lives(p)], 3, "all processes end")


killed("tunnel", lambda client: client.tunnel_pid())
killed("agent", lambda client: client.agent_pid())


@case("SIGKILL of the helper ends the others, and the next start puts everything back")
def _(lab):
    _, client = set_up(lab)
    before, _ = connect(lab, client)
    others = children(client.process.pid)
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait(5)
    wait_until(lambda: not [p for p in others if lives(p)], 5, "the others end")
    expect("dialtone" not in lab.client_network()["links"], "the interface is still there")
    again = Dialtone(lab, profile(), name="again")
    again.connect()
    expect_ping(lab, lab.sites[0].host)
    again.disconnect()
    expect_restored(lab, before, 0.5)


@case("SIGKILL of all three at once is made good by the next start")
def _(lab):
    _, client = set_up(lab)
    before, _ = connect(lab, client)
    for pid in client.family():
        os.kill(pid, signal.SIGKILL)
    client.process.wait(5)
    again = Dialtone(lab, profile(), name="again")
    again.connect()
    again.disconnect()
    expect_restored(lab, before, 0.5)


@case("signals in a hurry change nothing: two SIGTERM and a SIGINT end with 0 and everything back")
def _(lab):
    gateway, client = set_up(lab)
    before, _ = connect(lab, client)
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        if client.process.poll() is None:
            client.process.send_signal(number)
        time.sleep(0.01)
    expect(client.wait_exit(5) == 0, f"it ended with {client.process.returncode}")
    expect_delete(gateway)
    expect_restored(lab, before, 0.5)


@case("lost rules of a tunnel come back within two seconds")
def _(lab):
    _, client = set_up(lab)
    before, _ = connect(lab, client)
    rules = [r for r in lab.ip("client", "rule").splitlines() if "fwmark" in r]
    expect(rules, "no rule with a mark while connected")
    for rule in rules:
        lab.ip("client", "rule", "del", "pref", rule.split(":")[0])
    wait_until(lambda: sum("fwmark" in r for r in lab.ip("client", "rule").splitlines()) == len(rules),
               2, "the rules are back")
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()
    expect_restored(lab, before, 0.5)


main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""What leaves beside a tunnel, in each state, watched on the physical link. What is expected of the
whole matrix stands in docs/security.md, and only there."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from beside import (GATEWAY, INTERNET, INTERNET6, NEIGHBOUR, PUSHED, PUSHED_HOST, PYTHON, ROUTER6,  # noqa: E402
                    Link, compare, everything, in_order, release, wait_protected)
from cases import case, main  # noqa: E402
from client import Dialtone, lives, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import CLIENT_ADDRESS, ROUTER_ADDRESS, expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402

MARK = 0x0D1A0000


# ---- the matrix ----

def ended(lab, link, groups, end, name):
    """What leaves after a connection has ended in some way."""
    client = Dialtone(lab, groups, name=name)
    client.connect(15)
    expect_ping(lab, lab.sites[0].host)
    parts = client.tunnel_pid(), client.agent_pid()
    end(client)
    client.process.wait(10)
    wait_until(lambda: not any(map(lives, parts)), 10, "all parts have ended")
    return link.row()


def refused(lab, link, groups):
    client = Dialtone(lab, groups, secrets_text(psk="another key"), name="refused")
    client.start().wait_state("failed", 15)
    client.wait_exit()
    return link.row()


def matrix(title, kill_switch):
    @case(f"the leak matrix: {title}", seconds=110)
    def _(lab):
        lab.serve_office()
        link, rows = Link(lab), {}
        groups = everything(kill_switch)
        with Gateway(lab, Connection("alice@example.com", local_ts="0.0.0.0/0")) as gateway:
            rows["idle"] = link.row()
            in_order(link, Dialtone(lab, groups, name="first"), gateway, rows)
            for state, end in (("standalone: tunnel killed", lambda c: os.kill(c.tunnel_pid(), signal.SIGKILL)),
                               ("standalone: agent killed", lambda c: os.kill(c.agent_pid(), signal.SIGKILL)),
                               ("standalone: helper killed", lambda c: os.kill(c.process.pid, signal.SIGKILL)),
                               ("disconnected", lambda c: c.process.send_signal(signal.SIGTERM))):
                rows[state] = ended(lab, link, groups, end, state.split(": ")[-1].replace(" ", "-"))
            rows["refused at first"] = refused(lab, link, groups)
        compare(title, "standalone", rows)
        release(lab)


matrix("KillSwitch=no", "no")
matrix("KillSwitch=yes", "yes")
matrix("KillSwitch=persistent", "persistent")


# ---- the rows of docs/security.md ----

def up(lab, groups, name="office", **more):
    lab.serve_office()
    link = Link(lab)
    Gateway(lab, Connection("alice@example.com", **{"local_ts": "0.0.0.0/0", **more})).up()
    client = Dialtone(lab, groups, name=name)
    link.inner = client.connect(15)["address"].split("/")[0]
    wait_protected(lab, link.inner)
    return link, client


@case("F1: a route of one host that option 121 pushes takes nothing out of a tunnel without kill switch")
def _(lab):
    link, client = up(lab, everything("no"))
    for target in (lab.sites[0].host, PUSHED_HOST):
        lab.ip("client", "route", "replace", f"{target}/32", "via", ROUTER_ADDRESS, "dev", "eth0")
        expect(not link.send(f"{target},7"), f"{target} is reached beside the tunnel")
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()


@case("F3: whoever guesses the tunnel's address on the link gets no answer, and breaks nothing")
def _(lab):
    link, client = up(lab, everything("no"))
    lab.start("client", PYTHON, "-c", "import socket, time; s = socket.create_server(('0.0.0.0', 8080)); "
              "time.sleep(60)", log="server.log")
    for port in ("8080", "9"):
        said = link.neighbour("syn", "lan0", link.mac, ROUTER_ADDRESS, link.inner, port)
        expect(said == "silence", f"port {port}: {said}")
    expect_ping(lab, link.inner, node=lab.sites[0].office)
    client.disconnect()


@case("F4: ARP tells nobody the tunnel's address, asked or asking")
def _(lab):
    link, client = up(lab, everything("no"))
    expect(link.neighbour("arp", "lan0", link.inner) == "silence", "it is answered")
    expect(link.neighbour("arp", "lan0", CLIENT_ADDRESS) == "answered", "nobody is answered any more")
    since = len(link.frames())
    lab.run("client", "ping", "-n", "-c", "1", "-W", "1", "-I", link.inner, "-m", str(MARK), "10.99.1.66",
            check=False)
    asked = [f for f in link.frames(since) if f[0] == "arp" and f[1] == link.inner]
    expect(not asked, f"it asks in the tunnel's name: {asked}")
    client.disconnect()


@case("F5: past a kill switch come the tunnel's marked packets alone, to the gateway's ports")
def _(lab):
    link, client = up(lab, everything("yes"))
    mark = hex(MARK)
    may = [f"{GATEWAY},4500,{mark}", f"{GATEWAY},500,{mark}", f"{ROUTER_ADDRESS},53,{mark}"]
    may_not = [f"{GATEWAY},4501,{mark}", f"{INTERNET},4500,{mark}", f"{INTERNET},54,{mark}",
               f"{GATEWAY},4502", f"{GATEWAY},4503,eth0", f"{GATEWAY},4504,{hex(MARK + 0x100)}"]
    left = link.send(*may, *may_not)
    expect(left == may, f"these left: {left}")
    client.disconnect()


@case("F7: names and IPv6 leave a full tunnel by no other way")
def _(lab):
    link, client = up(lab, everything("no"))
    since = len(link.frames())
    lab.run("client", "getent", "ahosts", "intranet.office.example", check=False)
    lab.run("client", "getent", "ahosts", "somewhere.example", check=False, seconds=40)
    asked = [f for f in link.frames(since) if f[4] == "53"]
    expect(not asked, f"asked beside the tunnel: {asked}")
    expect(not link.send(f"{INTERNET6},7", f"{ROUTER6},7"), "IPv6 leaves")
    client.disconnect()


# ---- what a kill switch lets through ----

@case("past a kill switch come DHCP, neighbour discovery and excluded networks")
def _(lab):
    link, client = up(lab, everything("yes", Network__Exclude=PUSHED))
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait(5)
    may = ["255.255.255.255,67,68", "ff02::1:2%eth0,547,546", f"{PUSHED_HOST},9"]
    lab.ip("client", "route", "add", "255.255.255.255", "dev", "eth0")
    left = link.send(*may, f"{INTERNET},67", f"{INTERNET6},547,546", f"{NEIGHBOUR},68")
    expect(left == may, f"these left: {left}")
    since = len(link.frames())
    lab.run("client", "ping", "-n", "-c", "1", "-W", "1", "2001:db8:1::66", check=False)
    solicited = [f for f in link.frames(since) if f[0] == "icmp6"]
    expect(not solicited, f"it asks for a neighbour it may not reach: {solicited}")
    lab.run("router", "ping", "-n", "-c", "1", "-W", "1", "2001:db8:1::2", check=False)
    answers = {f[2] for f in link.frames(since) if f[0] == "icmp6"}
    expect(answers, "nobody is told of our link's address")
    release(lab)


@case("a split tunnel's kill switch blocks its networks, and nothing else")
def _(lab):
    groups = profile(Phase2__Networks=f"{lab.sites[0].lan};{PUSHED}", Network__KillSwitch="yes")
    link, client = up(lab, groups)
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait(5)
    free = [f"{INTERNET},9", f"{INTERNET6},9", f"{NEIGHBOUR},9"]
    left = link.send(f"{lab.sites[0].host},9", f"{PUSHED_HOST},9", *free)
    expect(left == free, f"these left: {left}")
    release(lab)


@case("with a kill switch the gateway's name is found, at first and again")
def _(lab):
    lab.serve_office()
    lab.serve_names(f"vpn.office.example={GATEWAY}")
    Link(lab)
    with Gateway(lab, Connection("alice@example.com", local_ts="0.0.0.0/0")) as gateway:
        client = Dialtone(lab, everything("yes", address="vpn.office.example"))
        client.connect(15)
        known = len(client.events)
        gateway.terminate()
        client.wait_state("connected", 20, after=known)
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()
    expect("dialtone" not in lab.run("client", "nft", "list", "ruleset"), "a table is left")


@case("a kill switch for everything leaves another tunnel at work, and cuts none off")
def _(lab):
    network = f"{lab.sites[0].lan}"
    other = profile(identity="bob@example.com", Phase2__Networks=network)
    other["Profile"]["Name"] = "Other"
    lab.serve_office()
    link = Link(lab)
    both = {"alice": Connection("alice@example.com", local_ts="0.0.0.0/0"),
            "bob": Connection("bob@example.com", psk="bob's key", pool="10.20.2.0/24")}
    with Gateway(lab, both):
        first = Dialtone(lab, other, secrets_text(psk="bob's key"), name="other")
        first.connect(15)
        expect_ping(lab, lab.sites[0].host)
        second = Dialtone(lab, everything("yes"), name="office")
        second.connect(15)
        expect_ping(lab, lab.sites[0].host)
        expect(not link.send(f"{INTERNET},9", f"{NEIGHBOUR},9,eth0"), "it leaks")
        first.disconnect()
        third = Dialtone(lab, other, secrets_text(psk="bob's key"), name="other-again")
        third.connect(15)
        expect_ping(lab, lab.sites[0].host)
        third.disconnect()
        second.disconnect()


# ---- from one kill switch to the next ----

@case("a connection takes a kill switch over without a gap, and ends it")
def _(lab):
    link, client = up(lab, everything("yes"))
    for pid in client.family():
        os.kill(pid, signal.SIGKILL)
    client.process.wait(5)
    since = len(link.frames())
    flood = lab.start("client", PYTHON, "-c", "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                      f"while True:\n try: s.sendto(b'x', ('{INTERNET}', 4242))\n except OSError: pass", log="flood.log")
    again = Dialtone(lab, everything("yes"), name="again")
    again.connect(15)
    lab.stop(flood)
    left = [f for f in link.frames(since) if f[2] == INTERNET]
    expect(not left, f"{len(left)} packets left meanwhile")
    again.disconnect()
    expect(link.send(f"{INTERNET},9"), "nothing leaves after the end")


@case("an attempt that fails does not open what a lost tunnel has left shut")
def _(lab):
    link, client = up(lab, everything("yes"))
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait(5)
    again = Dialtone(lab, everything("yes"), secrets_text(psk="another key"), name="again")
    again.start().wait_state("failed", 15)
    again.wait_exit()
    expect(not link.send(f"{INTERNET},9"), "it is open")
    release(lab)


@case("a kill switch that was left ends with the next connection that has none")
def _(lab):
    link, client = up(lab, everything("yes"))
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait(5)
    expect(not link.send(f"{INTERNET},9"), "there was none")
    again = Dialtone(lab, profile(), name="again")
    again.connect(15)
    expect(link.send(f"{INTERNET},9,eth0"), "it stands on")
    again.disconnect()


@case("a kill switch that persists gives way to its own profile alone, and to the word of root")
def _(lab):
    link, client = up(lab, everything("persistent"))
    client.disconnect()
    other = profile()
    other["Profile"]["Name"] = "Other"
    stranger = Dialtone(lab, other, name="other")
    said = stranger.start().wait_state("failed", 10)
    expect("Office" in said["message"] and "kill switch" in said["message"], f"{said}")
    again = Dialtone(lab, everything("persistent"), name="again")
    again.connect(15)
    expect_ping(lab, lab.sites[0].host)
    again.disconnect()
    expect(not link.send(f"{INTERNET},9"), "it is gone")
    release(lab)
    expect(link.send(f"{INTERNET},9"), "it stands on")


main()

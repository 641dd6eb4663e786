#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 90 s, full: 90 s
"""`dialtone renegotiate` of a tunnel without the service: a changed profile is in use afterwards, one
that can't be used leaves the tunnel as it was, and nothing leaves beside the tunnel meanwhile."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

import terminal  # noqa: E402
from beside import INTERNET, PYTHON, Link, everything  # noqa: E402
from cases import case, main  # noqa: E402
from client import Dialtone, binary, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from measure import expect_ping  # noqa: E402

STRONGER = "aes256-sha256-modp2048"
BOTH = {"proposals": f"aes128-sha1-modp1024,{STRONGER}", "esp": "aes128-sha1,aes256-sha256"}
USERS = {"carol": "carol's password", "dave": "dave's password"}


def write(client, groups):
    with open(client.profile, "w", encoding="utf-8") as file:
        file.write(groups if isinstance(groups, str) else profile_text(groups))


def renegotiate(lab, client):
    """Returns how many events there were before."""
    known = len(client.events)
    lab.run("client", binary(), "renegotiate", "Office")
    return known


def refused(lab, client, groups, *words):
    """The tunnel goes on, and its state has the words. Returns what it says."""
    write(client, groups)
    known = renegotiate(lab, client)
    said = client.wait_event(lambda e: e.get("message"), 10, known, "a refusal")
    expect(said["state"] == "connected" and all(w in said["message"] for w in words), f"it says {said}")
    expect(said["message"] in client.stderr().replace("\n", " "), f"standard error: {client.stderr()}")
    expect("reconnecting" not in client.states()[known:], f"it went away: {client.states()}")
    expect_ping(lab, lab.sites[0].host)
    return said


@case("a changed proposal is in use afterwards, with the same address and nothing beside the tunnel", seconds=40)
def _(lab):
    lab.serve_office()
    link = Link(lab)
    with Gateway(lab, Connection("alice@example.com", local_ts="0.0.0.0/0", **BOTH)):
        client = Dialtone(lab, everything("yes"))
        before = client.connect(15)
        expect(before["phase1"]["encryption"] == "aes128", f"it began with {before['phase1']}")
        since = len(link.frames())
        flood = lab.start("client", PYTHON, "-c", "import socket, time\ns = socket.socket(socket.AF_INET, "
                          f"socket.SOCK_DGRAM)\nwhile True:\n time.sleep(0.0005)\n try: s.sendto(b'x', ('{INTERNET}', "
                          "4242))\n except OSError: pass", log="flood.log")
        write(client, everything("yes", proposals=STRONGER, phase2="aes256-sha256"))
        known = renegotiate(lab, client)
        after = client.wait_state("connected", 15, after=known)
        lab.stop(flood)
        expect(client.states()[known:] == ["reconnecting", "connected"], f"states: {client.states()}")
        expect(after["phase1"]["encryption"] == "aes256" and after["phase1"]["group"] == "modp2048" and
               after["phase2"][0]["encryption"] == "aes256", f"it has {after}")
        expect(after["address"] == before["address"] and "message" not in after, f"{before} became {after}")
        left = [f for f in link.frames(since) if f[2] == INTERNET]
        expect(not left, f"{len(left)} packets left meanwhile")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()
    expect("dialtone" not in lab.run("client", "nft", "list", "ruleset"), "a table is left")


@case("a profile with a mistake, of another name, and one that is gone leave the tunnel carrying")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", **BOTH)):
        client = Dialtone(lab, profile())
        client.connect(15)
        said = refused(lab, client, profile(proposals="aes128-sha1-modp1025"), "office.dialtone:", "Proposals")
        expect(said["reason"] == "profile-invalid", f"{said}")
        other = profile(proposals=STRONGER)
        other["Profile"]["Name"] = "Other"
        expect(refused(lab, client, other, "Name")["advice"], "there is no advice")
        refused(lab, client, profile(address="[2001:db8::1]"), "IPv6")
        os.rename(client.profile, client.profile + ".gone")
        known = renegotiate(lab, client)
        client.wait_event(lambda e: e.get("reason") == "profile-invalid", 10, known, "a refusal")
        expect_ping(lab, lab.sites[0].host)
        write(client, profile())
        known = renegotiate(lab, client)
        client.wait_event(lambda e: "message" not in e, 10, known, "an end of the refusal")
        write(client, profile(proposals=STRONGER))
        known = renegotiate(lab, client)
        after = client.wait_state("connected", 15, after=known)
        expect(after["phase1"]["encryption"] == "aes256" and "message" not in after, f"it has {after}")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()


@case("what the gateway refuses is given up, and the former profile is in use again", seconds=40)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", local_ts="0.0.0.0/0")):
        client = Dialtone(lab, everything("no"))
        before = client.connect(15)
        write(client, everything("yes", proposals=STRONGER))
        known = renegotiate(lab, client)
        after = client.wait_state("connected", 15, after=known)
        expect(after["phase1"] == before["phase1"] and after["address"] == before["address"], f"it has {after}")
        expect(after["reason"] == "no-proposal-chosen" and "changed profile" in after["message"], f"{after}")
        expect(after["message"] in client.stderr(), f"standard error: {client.stderr()}")
        expect_ping(lab, lab.sites[0].host)
        client.disconnect()
    expect("dialtone" not in lab.run("client", "nft", "list", "ruleset"), "a table is left")


@case("a kill switch that the changed profile has stands, and is gone with it")
def _(lab):
    lab.serve_office()
    link = Link(lab)
    with Gateway(lab, Connection("alice@example.com", local_ts="0.0.0.0/0")):
        client = Dialtone(lab, everything("no"))
        client.connect(15)
        for kill_switch in ("yes", "no", "yes"):
            write(client, everything(kill_switch))
            known = renegotiate(lab, client)
            client.wait_state("connected", 15, after=known)
            expect_ping(lab, lab.sites[0].host)
            left = link.send(f"{INTERNET},9,eth0")
            expect(bool(left) == (kill_switch == "no"), f"KillSwitch={kill_switch}, and {left} left")
        os.kill(client.process.pid, signal.SIGKILL)
        client.process.wait(5)
        expect(not link.send(f"{INTERNET},9"), "it does not stand")
        again = Dialtone(lab, everything("yes"), name="again")
        again.connect(15)
        again.disconnect()


@case("another user's password is read from the secrets file, and nobody's else is sent")
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", users=USERS)) as gateway:
        client = Dialtone(lab, profile(UserAuth__User="carol"), secrets_text(Password=USERS["carol"]))
        client.connect(15)
        write(client, profile(UserAuth__User="dave"))
        client._file("secrets", secrets_text(Password=USERS["dave"]), 0o600)
        known = renegotiate(lab, client)
        client.wait_state("connected", 15, after=known)
        expect(gateway.text().count("'dave' successful") == 1, gateway.text()[-3000:])
        expect("failed" not in "".join(line for line in gateway.text().splitlines() if "XAuth" in line), "a wrong one")
        client.disconnect()


@case("on a terminal: another user's password is asked for, and who gives none keeps the tunnel", seconds=40)
def _(lab):
    lab.serve_office()
    with Gateway(lab, Connection("alice@example.com", users=USERS)):
        client = Dialtone(lab, profile(UserAuth__User="carol", Secrets__PSK="ask", Secrets__Password="ask"))
        window = terminal.connect(lab, client)
        window.wait_text("Preshared key of Office:")
        window.type("correct horse battery staple")
        window.wait_text("Password of carol")
        window.type(USERS["carol"])
        window.wait_text("(Ctrl-C ends the tunnel.)")
        write(client, profile(UserAuth__User="dave", Secrets__PSK="ask", Secrets__Password="ask"))
        renegotiate(lab, client)
        window.wait_text("Password of dave")
        window.type("")
        window.wait_text("goes on with the former")
        window.wait_text("connected", times=2)
        expect_ping(lab, lab.sites[0].host, count=5)
        renegotiate(lab, client)
        window.wait_text("Password of dave", times=2)
        window.type(USERS["dave"])
        window.wait_text("connected", times=3)
        expect_ping(lab, lab.sites[0].host, count=5)
        window.press("C-c")
        expect(window.wait_exit() == 0, window.text())


main()

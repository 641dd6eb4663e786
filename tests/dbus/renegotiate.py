#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""`dialtone renegotiate` through the service: a profile that was changed since is in use afterwards;
what may not be connected, or can't be, leaves the connection as it is."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from beside import INTERNET, PYTHON, Link, everything  # noqa: E402
from bus import BusError  # noqa: E402
from cases import main  # noqa: E402
from client import profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import CONNECTION, MANAGER, PROFILE, TOP, helpers, objects, service_case  # noqa: E402
from service_kit import system_profile, system_secret  # noqa: E402

STRONGER = "aes256-sha256-modp2048"
BOTH = {"proposals": f"aes128-sha1-modp1024,{STRONGER}", "esp": "aes128-sha1,aes256-sha256"}
UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
ALICE = "alice@example.com"


def write(user, groups):
    user.file("office.dialtone", profile_text(groups))


def encryption(user):
    return user.status()[0]["phase1"]["encryption"]


def renew(user):
    return subprocess.run(user.command("renegotiate", "Corp"), capture_output=True, text=True, timeout=60,
                          check=False).stderr


def is_forbidden(bus, user):
    try:
        user.call(bus, f"{TOP}/manager", MANAGER, "AddProfile", "(sa{sv})",
                  profile_text(profile(proposals=STRONGER, Secrets__PSK="ask")), {})
    except BusError as error:
        return "policy.conf" in error.message
    return False


def stays(lab, user, address, *words):
    """Connected with what it had. Returns its state."""
    now, = user.status()
    expect(now["state"] == "connected" and now["address"] == address and now["phase1"]["encryption"] == "aes128",
           f"it is {now}")
    expect(all(word in now.get("message", "") for word in words), f"it says {now.get('message')}")
    expect_ping(lab, lab.sites[0].host)
    return now


@service_case("one's own profile that was changed is in use afterwards, and nothing leaves beside it",
              connection=Connection(ALICE, local_ts="0.0.0.0/0", **BOTH), same=False)
def _(lab, bus, alice, bob):
    link = Link(lab)
    write(alice, everything("yes"))
    path = os.path.join(alice.folder, "office.dialtone")
    alice.dialtone("connect", "--secrets", alice.file("secrets", secrets_text()), path)
    before, = alice.status()
    expect(encryption(alice) == "aes128", f"it began with {before['phase1']}")
    since = len(link.frames())
    flood = lab.start("client", PYTHON, "-c", "import socket, time\ns = socket.socket(socket.AF_INET, "
                      f"socket.SOCK_DGRAM)\nwhile True:\n time.sleep(0.0005)\n try: s.sendto(b'x', ('{INTERNET}', 4242))\n"
                      " except OSError: pass", log="flood.log")
    write(alice, everything("yes", proposals=STRONGER, phase2="aes256-sha256"))
    said = alice.dialtone("renegotiate", path).stderr
    lab.stop(flood)
    after, = alice.status()
    expect("reconnecting" in said and after["state"] == "connected", f"it said {said}, and is {after}")
    expect(after["phase1"]["encryption"] == after["phase2"][0]["encryption"] == "aes256", f"it has {after}")
    expect(after["address"] == before["address"] and "message" not in after, f"{before} became {after}")
    left = [f for f in link.frames(since) if f[2] == INTERNET]
    expect(not left, f"{len(left)} packets left meanwhile")
    expect_ping(lab, lab.sites[0].host)
    established = lab.gateway.text().count("established between")
    known = alice.dialtone("renegotiate", path).stderr
    expect("reconnecting" not in known, f"unchanged, it went away: {known}")
    wait_until(lambda: lab.gateway.text().count("established between") > established, 10, "keys are renewed")
    expect(alice.status()[0]["state"] == "connected", "it is not connected")
    alice.dialtone("disconnect")


@service_case("a mistake, and what the gateway refuses, leave one's own connection as it is",
              connection=Connection(ALICE))
def _(lab, bus, alice, bob):
    address = alice.connect()[-1]["address"]
    path = os.path.join(alice.folder, "office.dialtone")
    write(alice, profile(proposals="aes128-sha1-modp1025"))
    said = alice.dialtone("renegotiate", path, code=3).stderr
    expect("office.dialtone:" in said and "Proposals" in said and "modp1025" in said, f"it says {said}")
    stays(lab, alice, address)
    write(alice, profile(proposals=STRONGER))
    said = alice.dialtone("renegotiate", path, code=6).stderr
    expect("goes on with the former" in said, f"it says {said}")
    wait_until(lambda: alice.status()[0]["state"] == "connected", 10, "the former is in use again")
    stays(lab, alice, address, "changed profile")
    write(alice, profile())
    alice.dialtone("renegotiate", path)
    expect("message" not in stays(lab, alice, address), "it still tells of it")
    alice.dialtone("disconnect")


def try_stronger(lab, alice):
    """A change that a silent gateway leaves untaken: the profile's path, and who waits for it."""
    alice.connect()
    path = os.path.join(alice.folder, "office.dialtone")
    lab.drop_at("gateway", "meta l4proto udp")
    write(alice, profile(proposals=STRONGER))
    changing = lab.start("client", *alice.words("renegotiate", path), log="changing.log")
    wait_until(lambda: alice.status()[0]["state"] != "connected", 10, "it is tried")
    return path, changing


@service_case("a second change while the first is tried is refused, and the first one is in use afterwards",
              connection=Connection(ALICE, **BOTH))
def _(lab, bus, alice, bob):
    path, first = try_stronger(lab, alice)
    write(alice, profile(proposals="aes256-sha1-modp1536"))
    said = alice.dialtone("renegotiate", path, code=2).stderr
    expect("Try again" in said, f"it says {said}")
    lab.allow_at("gateway")
    expect(first.wait(40) == 0, f"the first one ended with {first.returncode}")
    now, = alice.status()
    expect(now["state"] == "connected" and now["phase1"]["encryption"] == "aes256", f"it is {now}")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("renegotiate", path, code=6)
    wait_until(lambda: alice.status()[0]["state"] == "connected", 10, "the first one is in use again")
    expect(encryption(alice) == "aes256", "it has another")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("a helper that dies while a change is tried leaves what was in use before, with its secrets",
              connection=Connection(ALICE, **BOTH))
def _(lab, bus, alice, bob):
    _, changing = try_stronger(lab, alice)
    for pid in helpers()["tunnel"]:
        os.kill(pid, signal.SIGKILL)
    expect(changing.wait(40) != 0, "the change is said to be in use")
    lab.allow_at("gateway")
    wait_until(lambda: alice.status()[0]["state"] == "connected", 30, "it is connected again")
    expect(encryption(alice) == "aes128", "it has what was tried")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("nobody but its owner, with what polkit says of connecting, changes a connection",
              connection=Connection(ALICE, **BOTH))
def _(lab, bus, alice, bob):
    address = alice.connect()[-1]["address"]
    connection, = objects(bus, CONNECTION)
    bob.refused(bus, connection, CONNECTION, "TakeProfile", "(a{sv})", {})
    bob.refused(bus, connection, CONNECTION, "Renegotiate")
    write(alice, profile(proposals=STRONGER))
    bus.polkit("")
    said = alice.dialtone("renegotiate", os.path.join(alice.folder, "office.dialtone"), code=10).stderr
    expect("password" in said or "not allowed" in said, f"it says {said}")
    stays(lab, alice, address)
    alice.dialtone("disconnect")


@service_case("a system profile: the changed file is taken, and not by who is named no more, nor against the "
              "policy, nor with a mistake", 90, connection=Connection(ALICE, **BOTH))
def _(lab, bus, alice, bob):
    def put(**more):
        """Written, and seen by the service, for which it is another object or none."""
        known = set(objects(bus, PROFILE))
        system_profile("Corp", Profile__UUID=UUID, Secrets__PSK="system", **{"Access__Users": "alice", **more})
        wait_until(lambda: set(objects(bus, PROFILE)) != known, 10, "the file was seen")

    def refused(code, word):
        said = alice.dialtone("renegotiate", "Corp", code=code).stderr
        expect(word in said, f"it says {said}")
        stays(lab, alice, address)

    system_secret(bus, UUID, secrets_text())
    put()
    alice.dialtone("connect", "Corp")
    address = alice.status()[0]["address"]
    put(Access__Users="bob", Phase1__Proposals=STRONGER)
    refused(10, "not for you")
    put(Phase1__Proposals="aes128-sha1-modp1025")
    refused(3, "corp.dialtone:")
    with open("/etc/dialtone/policy.conf", "w", encoding="utf-8") as file:
        file.write("[Policy]\nForbid=modp2048\n")
    wait_until(lambda: is_forbidden(bus, bob), 10, "the policy is read")
    put(Phase1__Proposals=STRONGER)
    refused(12, "policy.conf")
    os.unlink("/etc/dialtone/policy.conf")
    wait_until(lambda: not renew(alice) or encryption(alice) == "aes256", 10, "it is taken")
    after, = alice.status()
    expect(after["address"] == address and after["phase1"]["encryption"] == "aes256", f"it has {after}")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


main()

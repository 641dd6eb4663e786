# SPDX-License-Identifier: GPL-2.0-or-later
"""What ./try --service shows: a profile that an administrator provisioned, a user who connects with
it and does not know its key, another network, and a service that is killed."""

import os
import signal
import time

from bus import Bus
from client import profile_text
from gateway import Connection, Gateway, versions
from lab import Failure, wait_until
from links import home, hotel
from measure import Stream, page, ping
from service_kit import ALLOW, CONNECTION, NAME, objects, remember
from user import User

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
PROFILE = {
    "Profile": {"Name": "Office", "UUID": UUID},
    "Gateway": {"Address": "203.0.113.2"},
    "Identity": {"ID": "alice@example.com", "Auth": "psk"},
    "Phase1": {"Proposals": "aes256-sha256-modp2048"},
    "Phase2": {"Proposals": "aes256gcm16-modp2048"},
    "Secrets": {"PSK": "system"},
    "Access": {"Users": "alice", "Lock": "all"},
}


def say(text=""):
    print(text, flush=True)


def provision(bus):
    """What an administrator's tools would put on ten thousand laptops."""
    os.makedirs("/etc/dialtone/profiles", exist_ok=True)
    os.makedirs("/etc/dialtone/secrets", exist_ok=True)
    os.chown("/etc/dialtone/secrets", 0, bus.service)
    os.chmod("/etc/dialtone/secrets", 0o750)
    with open("/etc/dialtone/profiles/office.dialtone", "w", encoding="utf-8") as file:
        file.write(profile_text(PROFILE))
    path = f"/etc/dialtone/secrets/{UUID}"
    with open(path, "w", encoding="utf-8") as file:
        file.write("[Secrets]\nPSK=correct horse battery staple\n")
    os.chmod(path, 0o640)
    os.chown(path, 0, bus.service)


def show_command(user, *words, code=0):
    say(f"\n{user.name}$ dialtone {' '.join(words)}")
    done = user.dialtone(*words, code=code)
    for line in (done.stderr + done.stdout).strip().splitlines():
        say(f"  {line}")


def show_roaming(lab, here, there):
    traffic = Stream(lab, lab.sites[0].host)
    traffic.wait_answer(time.monotonic(), 5)
    for former, to, words in ((here, there, "in the hotel"), (there, here, "back again")):
        former.down()
        silent = traffic.wait_answer(to.up(), 10)
        say(f"  {words}, {to.address}: the TCP connection through the tunnel goes on after {silent:.2f} s")
    traffic.end()


def show_kill(bus):
    begin = time.monotonic()
    os.kill(bus.owner_pid(NAME), signal.SIGKILL)
    # On a machine with systemd it is started again at once; here whoever asks starts it.
    wait_until(lambda: not bus.owner_pid(NAME), 5, "the service is gone")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["connected"], 15,
               "it is connected again")
    say(f"  connected again after {time.monotonic() - begin:.1f} s: what was wanted is wanted, and the key is the "
        "machine's")


def show(lab, title):
    lab.serve_office()
    node = ("ip", "netns", "exec", lab.ns("client"))
    here, there = home(lab), hotel(lab)
    before = lab.client_network()
    with Gateway(lab, Connection("alice@example.com", proposals="aes256-sha256-modp2048",
                                 esp="aes256gcm16-modp2048")), Bus(node) as bus:
        say(f"  {versions()} is up, and so are a system bus and polkit")
        bus.polkit(ALLOW)
        remember(bus)
        provision(bus)
        alice, bob = User(lab, bus, "alice"), User(lab, bus, "bob")
        title("The administrator's profile, /etc/dialtone/profiles/office.dialtone")
        say("\n".join("  " + line for line in profile_text(PROFILE).strip().splitlines()))
        title("Bob is not named there, and alice does not know the key")
        show_command(bob, "connect", "Office", code=10)
        show_command(alice, "connect", "Office")
        show_command(alice, "status")
        sent, received = ping(lab, lab.sites[0].host, 5, 0.1)
        say(f"\n  ping {lab.sites[0].host}: {received} of {sent} answered")
        if "Welcome to the office" not in page(lab, "http://intranet.office.example/"):
            raise Failure("the page did not come")
        say("  http://intranet.office.example/ came, its name resolved by the office's name server")
        title("Alice goes to a hotel and comes back")
        show_roaming(lab, here, there)
        title("Somebody kills the service")
        show_kill(bus)
        title("The end of the day")
        show_command(alice, "disconnect")
        show_command(alice, "log", "--lines", "12")
        wait_until(lambda: not lab.network_changes(before), 5, f"all is as before: {lab.network_changes(before)}")
        say("\n  routes, rules and name servers are as they were")

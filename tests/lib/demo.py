#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What ./try shows: an office on this machine, a tunnel into it, and what goes through the tunnel.

With --stay it keeps all of that up until it gets SIGTERM, for ./try --keep; with --service it shows
what demo_service.py has. It runs in
tests/lib/sandbox, so that nothing outside sees or keeps any of it.
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from client import Dialtone, binary, check_connected, profile  # noqa: E402
from gateway import Connection, Gateway, versions  # noqa: E402
from lab import Failure, Lab, need_root  # noqa: E402
from measure import iperf, page, ping  # noqa: E402

SECRETS = "[Secrets]\nPSK=correct horse battery staple\nUser=alice\nPassword=alice's password\n"
EXPLAINED = {
    "resolving": "looking for the gateway's address",
    "phase1": "the gateway proves that it knows the preshared key, and so do we",
    "user-auth": "the gateway asks for a user and a password, and gets them",
    "config": "the gateway gives the tunnel an address and name servers",
    "phase2": "keys for the traffic itself",
    "connected": "the tunnel carries",
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    pass


def interrupt(*unused):
    """Once: the clean-up that follows is not to be interrupted in its turn."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted()


def say(text=""):
    print(text, flush=True)


def title(text):
    say(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def show_picture():
    say("""
  laptop ------------ router ------------ gateway ------------ office
  10.99.1.2           masquerades         203.0.113.2          10.10.0.0/24
                                          strongSwan           intranet.office.example""")


def show_connecting(client):
    """Prints each state as it comes, until connected or the end."""
    shown = 0
    while True:
        event = client.wait_event(lambda e: True, 20, shown, "the next state")
        shown += 1
        state = event["state"]
        if state == "failed":
            raise Failure(f"{event.get('message')} {event.get('advice')}")
        say(f"  {state:<12}{EXPLAINED.get(state, '')}")
        if state == "connected":
            check_connected(event)
            return event


def show_connected(event):
    phase1, phase2 = event["phase1"], event["phase2"][0]
    rows = (
        ("connected in", f"{event['elapsed_ms']:.0f} ms"),
        ("interface", event["interface"]),
        ("address", event["address"]),
        ("gateway", f"{event['gateway']} (NAT: {event['nat']})"),
        ("routes", ", ".join(event["routes"])),
        ("name servers", ", ".join(event["dns"])),
        ("domains", ", ".join(event["domains"])),
        ("phase 1", f"{phase1['encryption']}, {phase1['hash']}, {phase1['group']}"),
        ("phase 2", f"{phase2['encryption']}, {phase2['integrity'] or 'authenticated by itself'}"),
        ("banner", event["banner"]),
    )
    for name, value in rows:
        say(f"  {name:<14}{value}")


def show_traffic(lab, site):
    title("Through the tunnel")
    sent, received = ping(lab, site.host, 5, 0.1)
    say(f"  ping {site.host}: {received} of {sent} answered")
    text = page(lab, "http://intranet.office.example/")
    if "Welcome to the office" not in text:
        raise Failure(f"the page did not come: {text}")
    say("  http://intranet.office.example/, its name resolved by the office's name server:")
    for line in text.strip().splitlines():
        say(f"      {line}")
    up, _, _ = iperf(lab, site.host, 4, mode=None)
    _, down, _ = iperf(lab, site.host, 4, mode="-R")
    say(f"  TCP: {up / 1e6:.0f} Mbit/s up, {down / 1e6:.0f} Mbit/s down "
        "(the gateway's user space is the bottleneck)")
    if received != sent:
        raise Failure("a ping was lost")


def stay():
    say("up")
    while True:
        signal.pause()


def show(lab, keep):
    site = lab.sites[0]
    title("An office on this machine")
    show_picture()
    lab.serve_office()
    before = lab.client_network()
    with Gateway(lab, Connection("alice@example.com", users={"alice": "alice's password"},
                                 proposals="aes256-sha256-modp2048", esp="aes256gcm16-modp2048")) as gateway:
        say(f"\n  {versions()} is up")
        client = Dialtone(lab, profile(proposals="aes256-sha256-modp2048",
                                       phase2="aes256gcm16-modp2048", Identity__Auth="psk"))
        with open(client.secrets, "w", encoding="utf-8") as file:
            file.write(SECRETS)
        title("The profile, office.dialtone")
        with open(client.profile, encoding="utf-8") as file:
            say("\n".join("  " + line for line in file.read().strip().splitlines()))
        title("$ sudo dialtone connect --standalone --secrets secrets office.dialtone")
        client.start()
        event = show_connecting(client)
        title("The tunnel")
        show_connected(event)
        show_traffic(lab, site)
        if keep:
            stay()
        title("$ sudo dialtone disconnect Office")
        say(lab.run("client", binary(), "disconnect", "Office").strip() or "  done")
        code = client.wait_exit(5)
        if code:
            raise Failure(f"dialtone ended with {code}: {client.stderr()}")
        changes = lab.network_changes(before)
        if changes or gateway.ike_sas():
            raise Failure(f"this was left: {changes} {gateway.ike_sas()}")
        say("  the gateway was told, and routes, rules and name servers are as they were")


def show_service(lab):
    """Its modules need packages that the rest does without."""
    import demo_service  # pylint: disable=import-outside-toplevel
    title("An office on this machine")
    show_picture()
    demo_service.show(lab, title)


def show_gui(lab):
    import demo_gui  # pylint: disable=import-outside-toplevel
    title("An office on this machine")
    show_picture()
    demo_gui.show(lab, title)


def main():
    need_root()
    for number in SIGNALS:
        signal.signal(number, interrupt)
    begin = time.monotonic()
    lab = Lab(prefix="try")
    try:
        with lab:
            if "--service" in sys.argv[1:]:
                show_service(lab)
            elif "--gui" in sys.argv[1:]:
                show_gui(lab)
            else:
                show(lab, "--stay" in sys.argv[1:])
    except Interrupted:
        say("\ninterrupted; everything is cleaned up")
        return 130
    except Failure as failure:
        say(f"\nThis did not work: {failure}")
        return 1
    say(f"\nEverything is cleaned up. It took {time.monotonic() - begin:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 300 s, full: 300 s
"""The whole client against gateways that no package has, on real UDP: tests/gateways/serve.py.

Each of them records what the client does against the RFCs; it ends with 0 only if there was nothing.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import CALLER, Dialtone, binary, check_failed, profile, secrets_text  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import Ping, expect_ping, ping  # noqa: E402
from served import Served  # noqa: E402

INNER = "10.10.0.9"     # any inner address answers echo requests
SECRETS = secrets_text(User="carol", Password="carol-password")
USER = {"UserAuth__XAuth": "required"}
STRONG = {"proposals": "aes256-sha256-modp2048", "phase2": "aes256gcm16-modp2048"}


def dialtone(lab, **more):
    return Dialtone(lab, profile(**{"Phase2__Networks": "10.10.0.0/24", **USER, **more}), SECRETS)


def connect(client):
    client.start()
    return client.wait_state("connected", 10)


def comes_and_goes(lab, personality, *more, **settings):
    """Connects, carries pings, disconnects; returns what `connected` said."""
    before = lab.client_network()
    with Served(lab, personality, *more) as gateway:
        client = dialtone(lab, **settings)
        said = connect(client)
        expect_ping(lab, INNER, count=5)
        client.disconnect()
        wait_until(lambda: "deleted-isakmp" in gateway.text(), 3, "the gateway heard the DELETE")
    changes = lab.network_changes(before)
    expect(not changes, f"left behind: {changes}")
    return said


@case("SRX pushes the address after STATUS, with a private notify and a DELETE beside Quick Mode")
def _(lab):
    said = comes_and_goes(lab, "srx", **STRONG)
    expect(said["address"] == "10.20.1.10/32", f"address {said['address']}")
    expect(said["dns"] == ["10.10.0.53"], f"dns {said['dns']}")
    expect(said["phase1"]["group"] == "modp2048", f"phase1 {said['phase1']}")


@case("SRX tells of an older SA inside the answer of Quick Mode")
def _(lab):
    comes_and_goes(lab, "srx", "--set", "delete_with_qm2=inside")


@case("ScreenOS pushes the address before STATUS")
def _(lab):
    comes_and_goes(lab, "screenos")


@case("Cisco is asked for the address and gives a banner")
def _(lab):
    said = comes_and_goes(lab, "cisco", "--banner", "Authorised use only",
                          "--set", "selectors=exact", Network__Config="pull")
    expect(said["banner"] == "Authorised use only", f"banner {said['banner']!r}")
    expect("lan.example.com" in said["domains"], f"domains {said['domains']}")


@case("Cisco's load balancing: the other gateway is called, and only that one hears of the user")
def _(lab):
    other = "203.0.113.9"
    lab.ip("gateway", "addr", "add", other + "/32", "dev", "eth0")
    lab.ip("router", "route", "replace", other, "via", "203.0.113.2")
    with Served(lab, "cisco", "--load-balance", other) as both:
        with Served(lab, "cisco", "--bind", other, "--set", "selectors=exact"):
            client = dialtone(lab, Network__Config="pull")
            # Where the first gateway and the other one are remembered.
            state = os.path.join(lab.folder, "state")
            os.mkdir(state)
            os.chown(state, CALLER, CALLER)
            client.environment["XDG_STATE_HOME"] = state
            said = connect(client)
            expect(said["gateway"] == other + ":4500", f"connected to {said['gateway']}")
            expect(said["member"] == other, f"member {said['member']}")
            expect_ping(lab, INNER, count=5)
            client.disconnect()
            told = client.stderr()
            expect(told.count(f"another one is called, {other}: ") == 1, told)
            expect("Warning: the gateway" not in told and len(os.listdir(state + "/dialtone/gateways")) == 2, told)
    # One log of both, in order of time.
    seen = [line.split()[0] for line in both.text().splitlines()]
    steps = [s for s in seen if s in ("established", "deleted-isakmp", "xauth-accepted")]
    wanted = ["established", "deleted-isakmp", "established", "xauth-accepted", "deleted-isakmp"]
    expect(steps == wanted, f"{steps}")


@case("FortiGate's broken RESPONDER-LIFETIME does no harm")
def _(lab):
    said = comes_and_goes(lab, "fortigate", Phase2__Lifetime="1h")
    expect(said["phase2"][0]["lifetime"] == 3600, f"phase2 {said['phase2']}")


@case("a FRITZ!Box speaks draft 03 of NAT traversal and dictates an hour")
def _(lab):
    said = comes_and_goes(lab, "fritzbox", Phase1__Lifetime="8h")
    expect(said["phase1"]["lifetime"] == 3600, f"phase1 {said['phase1']}")


@case("racoon")
def _(lab):
    comes_and_goes(lab, "racoon")


@case("libreswan pads the attribute payload")
def _(lab):
    comes_and_goes(lab, "libreswan", **STRONG | {"phase2": "aes128-sha1"})


@case("SonicWall leases the address by DHCP through an SA of its own")
def _(lab):
    said = comes_and_goes(lab, "sonicwall", Network__Config="dhcp")
    expect("lan.example.com" in said["domains"], f"domains {said['domains']}")


@case("the lease of a DHCP server is the same one again, and is given back at the end")
def _(lab):
    with Served(lab, "sonicwall") as gateway:
        client = dialtone(lab, Network__Config="dhcp")
        address = connect(client)["address"]
        client.disconnect()
        wait_until(lambda: "dhcp release" in gateway.text(), 3, "the gateway heard the RELEASE")
        client = dialtone(lab, Network__Config="dhcp")
        expect(connect(client)["address"] == address, "another address")
        client.disconnect()


@case("a preshared key alone, and an address that the gateway gives unasked")
def _(lab):
    with Served(lab, "plain", "--set", "phase1_lifetime=28800"):
        client = Dialtone(lab, profile(Phase2__Networks="10.10.0.0/24"))
        connect(client)
        expect_ping(lab, INNER)
        client.disconnect()


@case("another password ends with 8, and nothing of it stays")
def _(lab):
    before = lab.client_network()
    with Served(lab, "srx", "--user", "carol:something else"):
        client = dialtone(lab)
        client.start()
        check_failed(client.wait_state("failed", 10), "user-authentication")
        expect(client.wait_exit() == 8, "the exit code is not 8")
    expect(not lab.network_changes(before), "the network changed")


@case("the wrong kind of ID is told as such, as an SRX refuses it")
def _(lab):
    with Served(lab, "srx", "--id", "fqdn:alice.example.com"):
        client = dialtone(lab)
        client.start()
        said = client.wait_state("failed", 10)
        check_failed(said, "gateway-authentication")
        expect("ID" in said["advice"], f"advice: {said['advice']}")
        expect(client.wait_exit() == 7, "the exit code is not 7")


@case("a banner of control characters, markup and format directives arrives as plain text")
def _(lab):
    evil = "%s%n\x1b[2J<b>\u202eevil</b>\rover"
    said = comes_and_goes(lab, "cisco", "--banner", evil, "--set", "selectors=exact",
                          Network__Config="pull")
    bad = [c for c in said["banner"] if ord(c) < 0x20 and c != "\n" or c in "\x7f\x1b\u202e"]
    expect(not bad, f"the banner kept {bad}: {said['banner']!r}")


@case("the gateway's questions whether we live are answered")
def _(lab):
    with Served(lab, "srx") as gateway:
        client = dialtone(lab)
        connect(client)
        for count in (1, 2, 3):
            gateway.signal(signal.SIGUSR1)
            wait_until(lambda c=count: gateway.text().count("dpd-answered") == c, 3, "an answer")
        client.disconnect()


@case("a deleted ESP SA is made anew")
def _(lab):
    with Served(lab, "srx") as gateway:
        client = dialtone(lab)
        connect(client)
        expect_ping(lab, INNER)
        gateway.signal(signal.SIGUSR2)
        wait_until(lambda: gateway.text().count("child {") >= 2, 15, "another SA")
        wait_until(lambda: ping(lab, INNER, 1, wait=1)[1] == 1, 10, "traffic again")
        client.disconnect()


@case("the gateway's lifetime of 15 s is heeded, and no ping is lost at the renewals", seconds=90)
def _(lab):
    with Served(lab, "srx", "--set", "phase2_lifetime=15") as gateway:
        client = dialtone(lab)
        connect(client)
        expect_ping(lab, INNER)
        sent, received, lost = Ping(lab, INNER, 45, interval=0.05).result()
        made = gateway.text().count("child {")
        print(f"# {received} of {sent} pings, {made} SAs")
        expect(not lost, f"{len(lost)} of {sent} pings were lost: {lost[:30]}")
        expect(4 <= made <= 9, f"{made} SAs in 45 s")
        client.disconnect()


@case("a gateway that forgot everything is connected to again", seconds=120)
def _(lab):
    gateway = Served(lab, "srx")
    with gateway:
        client = dialtone(lab, Phase2__Lifetime="1h")
        connect(client)
        expect_ping(lab, INNER)
        gateway.process.kill()
        gateway.process.wait()
        gateway.process = lab.start("gateway", *gateway.words, log=gateway.log)
        Ping(lab, INNER, 60, interval=0.5)
        wait_until(lambda: gateway.text().count("child {") >= 2, 60, "another tunnel")
        wait_until(lambda: ping(lab, INNER, 1, wait=1)[1] == 1, 20, "traffic again")
        client.disconnect()



# ---- ESP without UDP ----

PLAIN = {"Quirks__NatT": "off", "UserAuth__XAuth": "no"}


def watch_protocols(lab):
    """Counts, on the router, what is ESP without UDP and what is UDP to port 4500."""
    lab.nft("router", """
        table inet watch {
          counter plain { }
          counter encapsulated { }
          chain pass { type filter hook forward priority -5;
            meta l4proto esp counter name plain
            udp dport 4500 counter name encapsulated
            udp sport 4500 counter name encapsulated
          }
        }""")


def seen(lab, counter):
    words = lab.run("router", "nft", "list", "counter", "inet", "watch", counter).split()
    return int(words[words.index("packets") + 1])


@case("NatT=off: ESP is IP protocol 50 both ways, and nothing goes to port 4500", nat=False)
def _(lab):
    watch_protocols(lab)
    said = comes_and_goes(lab, "plain", **PLAIN)
    expect(said["nat"] == "none" and said["gateway"].endswith(":500"), f"it says {said}")
    expect(seen(lab, "plain") >= 10, f"{seen(lab, 'plain')} packets of protocol 50 for 5 pings")
    expect(seen(lab, "encapsulated") == 0, "something went to port 4500")


@case("NatT=off: DHCP for the address goes as IP protocol 50, too", nat=False)
def _(lab):
    comes_and_goes(lab, "sonicwall", "--set", "natt=", Quirks__NatT="off", Network__Config="dhcp")


@case("NatT=off: everything goes through the tunnel, with strict rp_filter", nat=False)
def _(lab):
    lab.run("client", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")
    comes_and_goes(lab, "plain", "--network", "0.0.0.0/0",
                   **{**PLAIN, "Phase2__Networks": "0.0.0.0/0"})


@case("NatT=off: the MTU has room for no UDP header, and the largest packet fits", nat=False)
def _(lab):
    with Served(lab, "plain"):
        client = dialtone(lab, **PLAIN)
        said = connect(client)
        size = said["mtu"] - 28
        out = lab.run("client", "ping", "-n", "-q", "-c", "3", "-i", "0.2", "-M", "do", "-s", size, INNER)
        expect(" 0% packet loss" in out, out)
        client.disconnect()


@case("NatT=off over IPv6", nat=False)
def _(lab):
    ipv6 = (("client", "2001:db8:1::2/64", "eth0"), ("router", "2001:db8:1::1/64", "lan0"),
            ("router", "2001:db8:2::1/64", "wan0"), ("gateway", "2001:db8:2::2/64", "eth0"))
    for node, address, link in ipv6:
        lab.ip(node, "-6", "addr", "add", address, "dev", link, "nodad")
    for node, via in (("client", "2001:db8:1::1"), ("gateway", "2001:db8:2::1")):
        lab.ip(node, "-6", "route", "add", "default", "via", via)
    lab.run("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    watch_protocols(lab)
    said = comes_and_goes(lab, "plain", "--bind", "2001:db8:2::2", address="2001:db8:2::2", **PLAIN)
    expect(said["gateway"] == "[2001:db8:2::2]:500" and said["nat"] == "none", f"it says {said}")
    expect(seen(lab, "plain") >= 10, f"{seen(lab, 'plain')} packets of protocol 50 for 5 pings")


@case("NatT=auto and a gateway without NAT traversal: ESP goes without UDP", nat=False)
def _(lab):
    watch_protocols(lab)
    said = comes_and_goes(lab, "plain", "--set", "natt=", **{**PLAIN, "Quirks__NatT": "auto"})
    expect(said["nat"] == "none", f"nat is {said['nat']}")
    expect(seen(lab, "plain") >= 10, f"{seen(lab, 'plain')} packets of protocol 50 for 5 pings")


@case("NatT=off without CAP_NET_RAW says which capability is missing", nat=False)
def _(lab):
    wrapper = os.path.join(lab.folder, "without-raw")
    with open(wrapper, "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\nexec setpriv --bounding-set=-net_raw {binary()} "$@"\n')
    os.chmod(wrapper, 0o755)
    known = os.environ.get("DIALTONE")
    os.environ["DIALTONE"] = wrapper
    try:
        with Served(lab, "plain"):
            client = dialtone(lab, **PLAIN)
            client.start()
            code = client.wait_exit(15)
            failed = client.events[-1]
            expect(code == 10 and failed["reason"] == "not-permitted", f"{code}: {failed}")
            expect("CAP_NET_RAW" in failed["advice"], f"{failed}")
    finally:
        os.environ.pop("DIALTONE")
        if known:
            os.environ["DIALTONE"] = known


main()

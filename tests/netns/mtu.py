#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 300 s
"""Paths that carry less than the link, with strongSwan: what is found, and that packets of the size that
the tunnel has get through both ways without fragments."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import FULL, Skip, case, main  # noqa: E402
from client import Dialtone, profile  # noqa: E402
from gateway import Connection, DualGateway, DualStack, Gateway  # noqa: E402
from lab import Failure, expect, wait_until  # noqa: E402
from links import GATEWAY6, NETWORK6, OFFICE6, ipv6_internet  # noqa: E402
from measure import iperf  # noqa: E402

TUN = "dialtone0"


# ---- the path ----
def narrow(lab, mtu, icmp=True, family=4):
    """The router's wire to the gateway carries datagrams of this size, and no fragments; without icmp
    nobody is told."""
    lab.ip("router", "link", "set", "wan0", "mtu", str(mtu))
    lab.ip("gateway", "link", "set", "eth0", "mtu", str(mtu))
    cut = "ip frag-off & 0x3fff != 0" if family == 4 else "exthdr frag exists"
    tells = "icmp type destination-unreachable" if family == 4 else "icmpv6 type packet-too-big"
    silent = f"chain out {{ type filter hook output priority 0; {tells} drop\n }}" if not icmp else ""
    # Before conntrack puts fragments together.
    lab.nft("router", f"""
        table inet narrow
        delete table inet narrow
        table inet narrow {{
          chain raw {{ type filter hook prerouting priority -500;
            {cut} drop
          }}
          {silent}
        }}""")


# ---- the tunnel ----
def tun_mtu(lab):
    found = re.search(r" mtu (\d+) ", lab.ip("client", "-o", "link", "show", TUN))
    return int(found.group(1))


def outer(lab, inner, headers):
    """The size of the datagram that carries an inner packet: aes128-sha1 in UDP."""
    return headers + 8 + 8 + 16 + (inner + 2 + 15) // 16 * 16 + 12


def wait_for_mtu(lab, path, headers=20, seconds=15):
    """Until the tunnel has found a path of this MTU; it may be a little less than that."""
    def found():
        size = outer(lab, tun_mtu(lab), headers)
        return path - 64 < size <= path
    try:
        wait_until(found, seconds, f"an MTU for a path of {path}")
    except Failure as failure:
        raise Failure(f"{failure}: it is {tun_mtu(lab)}") from None


def pings(lab, size, seconds=5, host=None, more=()):
    """Until there is an answer to a packet of this size that may not be cut."""
    ping = lab.inside("client", "ping", "-q", "-c", 1, "-w", seconds, "-i", 0.2, "-M", "do", "-s", size, *more,
                      host or lab.sites[0].host)
    return subprocess.run(ping, stdin=subprocess.DEVNULL, capture_output=True, timeout=30).returncode == 0


def expect_full_packets(lab):
    """Packets of the tunnel's whole MTU go there and come back; one byte more does not leave."""
    size = tun_mtu(lab) - 28
    expect(pings(lab, size), f"packets of {size + 28} bytes don't get through")
    expect(not pings(lab, size + 1, 1), f"packets of {size + 29} bytes leave")


class Tunnel:
    """A connected client of a gateway."""

    def __init__(self, lab, address=None, six=False, **more):
        ike = {"local_addrs": GATEWAY6} if address else {}
        if six:
            self.gateway = DualGateway(lab, DualStack("alice@example.com", children={
                "four": "10.10.0.0/24", "six": NETWORK6}))
        else:
            self.gateway = Gateway(lab, Connection("alice@example.com", ike=ike))
        groups = profile(**({"address": address} if address else {}), **more)
        self.client = Dialtone(lab, groups)

    def __enter__(self):
        self.gateway.__enter__()
        self.client.connect(15)
        return self

    def __exit__(self, kind, *unused):
        if kind is None:
            self.client.disconnect()
        self.gateway.__exit__(kind, *unused)


# ---- cases ----
@case("a path as wide as its link is used in full, and a link that narrows is followed at once")
def _(lab):
    with Tunnel(lab):
        wait_for_mtu(lab, 1500)
        full = tun_mtu(lab)
        lab.ip("client", "link", "set", "eth0", "mtu", "1300")
        wait_for_mtu(lab, 1300)
        expect_full_packets(lab)
        lab.ip("client", "link", "set", "eth0", "mtu", "1500")
        wait_until(lambda: tun_mtu(lab) == full, 15, "the former MTU")


@case("a link of 1400 bytes is known before the first packet")
def _(lab):
    lab.ip("client", "link", "set", "eth0", "mtu", "1400")
    narrow(lab, 1400)
    with Tunnel(lab) as tunnel:
        said = tunnel.client.wait_state("connected")
        expect(1400 - 64 < outer(lab, said["mtu"], 20) <= 1400, f"the MTU is {said['mtu']}")
        expect_full_packets(lab)


@case("a hop of 1400 bytes that says so, and then one of 1300")
def _(lab):
    narrow(lab, 1400)
    with Tunnel(lab):
        wait_for_mtu(lab, 1400)
        expect_full_packets(lab)
        lab.start("client", "ping", "-q", "-i", "0.2", "-M", "dont", "-s", tun_mtu(lab), lab.sites[0].host,
                  log="ping-large.log")
        narrow(lab, 1300)
        wait_for_mtu(lab, 1300)
        expect_full_packets(lab)


@case("a hop of 1400 bytes that says nothing")
def _(lab):
    narrow(lab, 1400, icmp=False)
    with Tunnel(lab):
        wait_for_mtu(lab, 1400)
        expect_full_packets(lab)


def hop_by_ipv6(lab, icmp):
    ipv6_internet(lab)
    narrow(lab, 1400, icmp, family=6)
    with Tunnel(lab, GATEWAY6):
        wait_for_mtu(lab, 1400, headers=40)
        expect_full_packets(lab)


@case("by IPv6, a hop of 1400 bytes that says so")
def _(lab):
    if not FULL:
        raise Skip("it takes its time; --full")
    hop_by_ipv6(lab, icmp=True)


@case("by IPv6, a hop of 1400 bytes that says nothing")
def _(lab):
    hop_by_ipv6(lab, icmp=False)


@case("a path that is too narrow for IPv6 inside carries it in fragments")
def _(lab):
    ipv6_internet(lab)
    lab.ip("client", "link", "set", "eth0", "mtu", "1300")
    lab.ip("router", "link", "set", "lan0", "mtu", "1300")
    with Tunnel(lab, six=True, Phase2__Networks=f"10.10.0.0/24;{NETWORK6}"):
        expect(tun_mtu(lab) >= 1280, f"the MTU is {tun_mtu(lab)}")
        expect(pings(lab, 1280 - 48, 5, OFFICE6), "IPv6 packets of 1280 bytes don't get through")


# ---- what is marked ----
def count(lab, node, chain):
    return [int(n) for n in re.findall(r"counter packets (\d+)", lab.run(node, "nft", "list", "chain", *chain))]


@case("the DSCP is seen on the wire, ECN is not, and what the wire marks is seen inside")
def _(lab):
    with Tunnel(lab):
        lab.nft("router", """
            table inet marks {
              chain forward { type filter hook forward priority 0;
                udp dport 4500 ip dscp ef ip ecn not-ect counter
                udp dport 4500 ip ecn != not-ect counter
                udp sport 4500 ip length > 100 ip ecn set ce
              }
            }""")
        lab.nft("client", """
            table inet marks {
              chain in { type filter hook input priority 0;
                iifname "dialtone0" ip dscp ef ip ecn ce counter
                iifname "dialtone0" ip ecn != ce counter
              }
            }""")
        tos = ["-Q", "0xba"]  # EF, ECT(0)
        expect(pings(lab, 500, 5, more=tos), "a marked packet has no answer")
        left, marked = count(lab, "router", ("inet", "marks", "forward"))
        expect(left >= 1 and marked == 0, f"with EF left {left}, with ECN {marked}")
        inside, others = count(lab, "client", ("inet", "marks", "in"))
        expect(inside >= 1 and others == 0, f"with CE came {inside}, without {others}")
        expect(not pings(lab, 500, 2, more=["-Q", "0xb8"]), "a mark for who does not know it was no drop")


@case("a train of packets leaves with the DSCP of what it carries")
def _(lab):
    lab.serve_office()
    with Tunnel(lab):
        lab.nft("router", """
            table inet marks {
              chain forward { type filter hook forward priority 0;
                udp dport 4500 meta length > 4000 ip dscp af41 ip ecn not-ect counter
                udp dport 4500 meta length > 1000 ip dscp != af41 counter
              }
            }""")
        up, _, _ = iperf(lab, lab.sites[0].host, 1, mode=None, more=("-S", "0x88"))
        trains, others = count(lab, "router", ("inet", "marks", "forward"))
        expect(up > 0 and trains >= 10 and others == 0, f"{trains} trains with AF41, {others} large packets without")


@case("an MTU of the user's own stays")
def _(lab):
    narrow(lab, 1400)
    with Tunnel(lab, Network__MTU="1200"):
        expect(tun_mtu(lab) == 1200, f"the MTU is {tun_mtu(lab)}")
        expect_full_packets(lab)


@case("a hop that narrows without a word while packets go is found within two minutes", seconds=200)
def _(lab):
    if not FULL:
        raise Skip("two minutes; --full")
    with Tunnel(lab):
        wait_for_mtu(lab, 1500)
        narrow(lab, 1400, icmp=False)
        lab.start("client", "ping", "-q", "-i", "0.5", lab.sites[0].host, log="ping-small.log")
        wait_for_mtu(lab, 1400, seconds=130)
        expect_full_packets(lab)


main()

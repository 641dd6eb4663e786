# SPDX-License-Identifier: GPL-2.0-or-later
"""A laptop that takes its tunnel along, whoever holds that: networks it comes to, and moves under TCP."""

import time

from client import secrets_text
from lab import expect
from links import Link
from measure import Stream

USERS = {"carol": "carol's password"}
SECRETS = secrets_text(User="carol", Password="carol's password")
GATEWAY, GATEWAY6 = "203.0.113.2", "2001:db8:2::2"
WITHIN = 3.0


def mobile(lab):
    """A network that has IPv6 only, and no NAT; the gateway has an IPv6 address, too."""
    lab._wire("client", "wwan0", None, "router", "wwan0", None)
    for node, address, device in (("router", "2001:db8:7::1/64", "wwan0"), ("router", "2001:db8:2::1/64", "wan0"),
                                  ("gateway", f"{GATEWAY6}/64", "eth0")):
        lab.ip(node, "-6", "addr", "add", address, "dev", device, "nodad")
    lab.ip("gateway", "-6", "route", "add", "default", "via", "2001:db8:2::1")
    for node in ("router", "gateway"):
        lab.run(node, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    lab.ip("client", "link", "set", "wwan0", "down")
    return Link(lab, "wwan0", "2001:db8:7::2/64", "2001:db8:7::1")


def move(traffic, former, to, within=WITHIN, pause=0.0):
    """From one network to another under a TCP connection; how long it was silent."""
    former.down()
    time.sleep(pause)
    there = to.up()
    silent = traffic.wait_answer(there, within + 5)
    print(f"# from {former.device} to {to.device}: TCP goes on after {silent:.2f} s")
    expect(silent <= within, f"TCP went on after {silent:.2f} s")


def roam(lab, client, links, times=1):
    address = client.events[-1]["address"]
    traffic = Stream(lab, lab.sites[0].host)
    traffic.wait_answer(time.monotonic(), 5)
    here = links[0]
    for number in range(times):
        for to in links[1:] + links[:1]:
            move(traffic, here, to)
            here = to
            time.sleep(0.5 if number else 1.5)
    print(f"# {traffic.end()} lines came back")
    expect(client.wait_state("connected", 5)["address"] == address, "the inner address changed")
    said = [e for e in client.events if e["state"] == "connected"]
    expect({e["address"] for e in said} == {address}, f"the inner address changed: {said}")
    client.disconnect()


def stays_where_called(lab):
    """A gateway that does not follow: UDP encapsulation only for who has begun on port 500 there."""
    lab.nft("gateway", """
        table ip strict {
          set called {
            type ipv4_addr
            size 64
            flags dynamic,timeout
            timeout 5m
          }
          chain in { type filter hook input priority -10;
            udp dport 500 add @called { ip saddr }
            udp dport 4500 ip saddr != @called drop
          }
        }""")

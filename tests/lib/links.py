# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks that the lab's laptop moves between."""

import time

from lab import ROUTER_ADDRESS

CLIENT6, GATEWAY6, OFFICE6, NETWORK6 = "2001:db8:1::2", "2001:db8:2::2", "fd00:10::2", "fd00:10::/64"


def ipv6_internet(lab):
    """IPv6 beside the lab's IPv4, without NAT; and in the office."""
    for node, address, link in (("client", f"{CLIENT6}/64", "eth0"), ("router", "2001:db8:1::1/64", "lan0"),
                                ("router", "2001:db8:2::1/64", "wan0"), ("gateway", f"{GATEWAY6}/64", "eth0"),
                                ("gateway", "fd00:10::1/64", "eth1"), ("office", f"{OFFICE6}/64", "eth0")):
        lab.ip(node, "-6", "addr", "add", address, "dev", link, "nodad")
    for node, via in (("client", "2001:db8:1::1"), ("gateway", "2001:db8:2::1"), ("office", "fd00:10::1")):
        lab.ip(node, "-6", "route", "add", "default", "via", via)
    for node in ("router", "gateway"):
        lab.run(node, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")


class Link:
    """A network of the laptop's: down() and up() as a cable or an access point would."""

    def __init__(self, lab, device, address, router):
        self.lab, self.device, self.address, self.router = lab, device, address, router
        self.words = ["-6"] if ":" in address else []

    def down(self):
        self.lab.ip("client", "addr", "flush", "dev", self.device, "scope", "global")
        self.lab.ip("client", "link", "set", self.device, "down")

    def up(self):
        more = ["nodad"] if self.words else []
        self.lab.ip("client", "link", "set", self.device, "up")
        self.lab.ip("client", "addr", "replace", self.address, "dev", self.device, *more)
        self.lab.ip("client", *self.words, "route", "replace", "default", "via", self.router)
        return time.monotonic()


def home(lab):
    return Link(lab, "eth0", "10.99.1.2/24", ROUTER_ADDRESS)


def hotel(lab, name="hotel", number=8):
    """Another router with a NAT and an address of its own."""
    device, inside, outside = f"{name[:8]}0", f"10.{80 + number}.0", f"198.51.100.{4 * number}"
    first, second = f"198.51.100.{4 * number + 1}", f"198.51.100.{4 * number + 2}"
    lab._add(name)
    lab._wire("client", device, None, name, "lan0", f"{inside}.1/24")
    lab._wire(name, "out0", f"{second}/30", "router", f"{name[:8]}0", f"{first}/30")
    lab.ip(name, "route", "add", "default", "via", first)
    lab.ip("gateway", "route", "replace", f"{outside}/30", "via", lab.router_outside)
    lab.run(name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    lab.nft(name, """
        table ip nat {
          chain out { type nat hook postrouting priority 100;
            oifname "out0" masquerade random
          }
        }""")
    lab.ip("client", "link", "set", device, "down")
    return Link(lab, device, f"{inside}.2/24", f"{inside}.1")

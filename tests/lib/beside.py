# SPDX-License-Identifier: GPL-2.0-or-later
"""What leaves beside a tunnel, watched on the physical link, and the tables of docs/security.md that
say what is expected of it: once, for tunnels of the command line's and of the service's."""

import os
import re
import subprocess

from client import binary, profile
from lab import HERE, ROOT, ROUTER_ADDRESS, expect, wait_until
from measure import expect_ping

WIRE = os.path.join(HERE, "wire.py")
PYTHON = "/usr/bin/python3"
ROUTER6, INTERNET6, INTERNET = "2001:db8:1::1", "2001:db8:ffff::9", "198.51.100.9"
PUSHED, PUSHED_HOST, NEIGHBOUR = "198.51.100.128/25", "198.51.100.200", "10.99.1.77"
GATEWAY = "203.0.113.2"
INNER = "10.20.1.1"
COLUMNS = ["IPv4", "IPv6", "DNS", "LAN", "option 121", "gateway", "bound", "ARP", "spoofed"]
WAYS = ("standalone", "service")


# ---- the link ----

def wait_protected(lab, inner):
    """Nobody who connects waits for it: the tunnel's address is protected a moment later."""
    wait_until(lambda: f"daddr ip {inner} drop" in lab.run("client", "nft", "list", "ruleset"), 1,
               "the tunnel's address is protected")


class Link:
    """The laptop's physical link, and somebody on it."""

    def __init__(self, lab, is_down=False):
        """is_down: it comes up now, and is watched before."""
        self.lab, self.port, self.inner, self.ends = lab, 20000, INNER, 0
        if is_down:
            self.watch()
            lab.ip("client", "link", "set", "eth0", "up")
            lab.ip("client", "route", "add", "default", "via", ROUTER_ADDRESS)
        lab.ip("client", "-6", "addr", "add", "2001:db8:1::2/64", "dev", "eth0", "nodad")
        lab.ip("router", "-6", "addr", "add", f"{ROUTER6}/64", "dev", "lan0", "nodad")
        lab.ip("client", "-6", "route", "add", "default", "via", ROUTER6)
        # As option 121 of DHCP has the laptop set it (RFC 3442).
        lab.ip("client", "route", "add", PUSHED, "via", ROUTER_ADDRESS)
        mac = lab.run("router", "cat", "/sys/class/net/lan0/address").strip()
        for who in (NEIGHBOUR, ROUTER_ADDRESS, ROUTER6):
            lab.ip("client", "neigh", "replace", who, "lladdr", mac, "dev", "eth0", "nud", "permanent")
        self.mac = lab.run("client", "cat", "/sys/class/net/eth0/address").strip()
        if not is_down:
            self.watch()

    def watch(self):
        self.lab.start("client", PYTHON, WIRE, "watch", "eth0", log="wire.log")
        wait_until(lambda: "ready" in self.lab.read_log("wire.log"), 5, "the link is watched")

    def read_frames(self):
        """Of whole lines: in a flood the last one is read while it is written."""
        whole = self.lab.read_log("wire.log").rpartition("\n")[0]
        return [line.split()[1:] for line in whole.splitlines()[1:]]

    def frames(self, since=0):
        """What has left, up to now: lists of protocol, source, destination and two ports."""
        self.ends += 1
        end = ["end", str(self.ends)]
        # Nothing leaves by a link that is down, not even this.
        if self.lab.run("client", PYTHON, WIRE, *end[:1], "eth0", end[1], check=False).strip() == "sent":
            wait_until(lambda: end in [f[:2] for f in self.read_frames()], 10, "the watcher has seen it")
        return self.read_frames()[since:]

    def send(self, *words):
        """Sends datagrams, "ADDRESS,PORT[,HOW]" each, and returns those that left."""
        since = len(self.frames())
        self.lab.run("client", PYTHON, WIRE, "send", *words)
        left = [(f[2], f[4]) for f in self.frames(since) if f[0] == "udp"]
        return [word for word in words if tuple(re.sub("%.*?,", ",", word).split(",")[:2]) in left]

    def neighbours(self, *questions):
        """What is answered to a neighbour's questions, asked at once."""
        asking = [self.lab.start("router", PYTHON, WIRE, *words, stdout=subprocess.PIPE, text=True)
                  for words in questions]
        return [process.communicate(timeout=20)[0].strip() for process in asking]

    def neighbour(self, *words):
        return self.neighbours(words)[0]

    def row(self):
        """What a row of the matrix says."""
        self.port += 10
        names = COLUMNS[:7]
        words = [f"{INTERNET},{self.port}", f"{INTERNET6},{self.port}", f"{ROUTER_ADDRESS},53",
                 f"{NEIGHBOUR},{self.port}", f"{PUSHED_HOST},{self.port}", f"{GATEWAY},4501",
                 f"{INTERNET},{self.port + 1},eth0"]
        left = self.send(*words)
        said = {name: "leaves" if word in left else "nothing" for name, word in zip(names, words)}
        arp, syn = self.neighbours(("arp", "lan0", self.inner),
                                   ("syn", "lan0", self.mac, ROUTER_ADDRESS, self.inner, "9"))
        said["ARP"] = "nothing" if arp == "silence" else arp
        said["spoofed"] = "nothing" if syn == "silence" else syn
        return [said[name] for name in COLUMNS]


# ---- the tables ----

def wanted(title, way):
    """The table below a title of docs/security.md, as far as it is about this way: {state: cells}."""
    with open(os.path.join(ROOT, "docs", "security.md"), encoding="utf-8") as file:
        text = file.read()
    block = re.search(rf"^### {re.escape(title)}\n.*?(^\|.*?)\n\n", text + "\n\n", re.M | re.S)
    expect(block, f"docs/security.md has no table {title}")
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in block.group(1).splitlines()]
    expect(rows[0][1:] == COLUMNS, f"its columns are {rows[0]}")
    others = tuple(f"{other}: " for other in WAYS if other != way)
    return {row[0]: row[1:] for row in rows[2:] if not row[0].startswith(others)}


def compare(title, way, rows, whole=True):
    """whole: each state of the table was looked at."""
    print("# | state | " + " | ".join(COLUMNS) + " |")
    for state, cells in rows.items():
        print(f"# | {state} | " + " | ".join(cells) + " |")
    table = wanted(title, way)
    expect(not whole or list(table) == list(rows), f"the states are {list(rows)}, and {list(table)} in the table")
    for state, cells in rows.items():
        expect(cells == table.get(state), f"{state}: {cells}, not {table.get(state)}")


# ---- the states that both ways have ----

def everything(kill_switch, **more):
    return profile(Phase2__Networks="0.0.0.0/0", Network__KillSwitch=kill_switch,
                   Network__RetryFor="4s", **more)


def release(lab):
    lab.run("client", binary(), "disconnect", "--release-kill-switch")
    expect("dialtone" not in lab.run("client", "nft", "list", "ruleset"), "a table is left")


def silent(lab):
    """The gateway hears nothing any more."""
    lab.drop_at("gateway", "udp dport { 500, 4500 }")


def in_order(link, client, gateway, rows):
    """One connection from its begin to its loss."""
    lab = link.lab
    silent(lab)
    client.start().wait_state("phase1", 5)
    rows["connecting"] = link.row()
    lab.allow_at("gateway")
    client.wait_state("connected", 15)
    expect_ping(lab, lab.sites[0].host)
    rows["connected"] = link.row()
    silent(lab)
    lab.run("client", binary(), "renegotiate", "Office")
    rows["rekeying"] = link.row()
    known = len(client.events)
    gateway.terminate()
    client.wait_state("reconnecting", 15, after=known)
    rows["reconnecting"] = link.row()
    client.wait_lost()
    rows["lost for good"] = link.row()
    lab.allow_at("gateway")

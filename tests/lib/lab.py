# SPDX-License-Identifier: GPL-2.0-or-later
"""A small internet in network namespaces: a laptop, the router it sits behind, gateways, offices.

    client 10.99.1.2 -- 10.99.1.1 router 203.0.113.1 -- 203.0.113.2 gateway 10.10.0.1 -- 10.10.0.2 office

Nodes are named network namespaces with a prefix of their own. All processes are children of this
one, ended by their Popen object in the reverse order of their start. The caller is expected to run
in tests/lib/sandbox, so that what an interrupted run leaves is gone with the sandbox.
"""

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))

CLIENT_ADDRESS = "10.99.1.2"
ROUTER_ADDRESS = "10.99.1.1"
ECHO_PORT = 7007
IPERF_PORT = 5201


class Failure(Exception):
    """What was expected did not happen; the message says both."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


def wait_until(predicate, seconds, what, step=0.02):
    """Polls until predicate is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= end:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(step)


def run(argv, check=True, seconds=30, **more):
    """Runs a command to its end and returns what it printed."""
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    done = subprocess.run([str(a) for a in argv], timeout=seconds,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if check and done.returncode:
        raise Failure(f"{' '.join(map(str, argv))} ended with {done.returncode}: {done.stdout.strip()}")
    return done.stdout


class Site:
    """A gateway and the office behind it."""

    def __init__(self, name="gateway", address="203.0.113.2", lan="10.10.0.0/24", more_lans=()):
        self.name, self.address = name, address
        self.lans = [ipaddress.ip_network(n) for n in (lan, *more_lans)]
        self.lan = str(self.lans[0])
        self.office = "office" if name == "gateway" else "office-" + name

    def inner_address(self, number, lan=0):
        return str(self.lans[lan][number])

    @property
    def host(self):
        return self.inner_address(2)

    @property
    def dns(self):
        return self.inner_address(53)


class Lab:
    """The namespaces, and what runs in them."""

    def __init__(self, sites=None, nat=True, prefix=None, router_outside="203.0.113.1"):
        self.sites = sites or [Site()]
        self.nat, self.router_outside = nat, router_outside
        self.prefix = prefix or f"dt{os.getpid()}"
        self.folder = tempfile.mkdtemp(prefix=self.prefix + "-", dir="/run")
        os.chmod(self.folder, 0o711)
        self.processes, self.namespaces, self.netns_etc = [], [], []
        self.resolv_conf = None
        self.gateway = None  # the one that a kit has started

    # ---- namespaces ----
    def ns(self, node):
        return f"{self.prefix}-{node}"

    def ip(self, node, *words, check=True):
        return run(["ip", "-n", self.ns(node), *words], check=check)

    def inside(self, node, *argv):
        """The command line that runs argv in a node."""
        return ["ip", "netns", "exec", self.ns(node), *map(str, argv)]

    def run(self, node, *argv, **more):
        return run(self.inside(node, *argv), **more)

    def _add(self, node):
        run(["ip", "netns", "add", self.ns(node)])
        self.namespaces.append(node)
        # Addresses that appear a second late would look like a change that a tunnel left.
        for which in ("all", "default"):
            self.run(node, "sysctl", "-qw", f"net.ipv6.conf.{which}.accept_dad=0", check=False)
        self.ip(node, "link", "set", "lo", "up")

    def _wire(self, one, one_if, one_address, two, two_if, two_address):
        """A veth pair between two nodes, each end with an address (None: none)."""
        run(["ip", "link", "add", one_if, "netns", self.ns(one), "type", "veth",
             "peer", "name", two_if, "netns", self.ns(two)])
        for node, name, address in ((one, one_if, one_address), (two, two_if, two_address)):
            if address:
                self.ip(node, "addr", "add", *address.split(), "dev", name)
            self.ip(node, "link", "set", name, "up")

    def up(self):
        self._add("client")
        self._add("router")
        self._wire("client", "eth0", f"{CLIENT_ADDRESS}/24", "router", "lan0", f"{ROUTER_ADDRESS}/24")
        self.ip("client", "route", "add", "default", "via", ROUTER_ADDRESS)
        for number, site in enumerate(self.sites):
            self._site_up(number, site)
        for node in ["router"] + [s.name for s in self.sites]:
            self.run(node, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        if self.nat:
            self.masquerade()
        self._resolv_conf_up()
        return self

    def _site_up(self, number, site):
        """A gateway on a wire of its own to the router, and its office."""
        self._add(site.name)
        self._add(site.office)
        self._wire("router", f"wan{number}", f"{self.router_outside} peer {site.address}/32",
                   site.name, "eth0", f"{site.address} peer {self.router_outside}/32")
        self._wire(site.name, "eth1", None, site.office, "eth0", None)
        for index, lan in enumerate(site.lans):
            size = lan.prefixlen
            self.ip(site.name, "addr", "add", f"{site.inner_address(1, index)}/{size}", "dev", "eth1")
            self.ip(site.office, "addr", "add", f"{site.inner_address(2, index)}/{size}", "dev", "eth0")
        self.ip(site.office, "addr", "add", f"{site.dns}/{site.lans[0].prefixlen}", "dev", "eth0")
        self.ip(site.office, "route", "add", "default", "via", site.inner_address(1))
        if not self.nat:
            self.ip(site.name, "route", "add", "10.99.1.0/24", "via", self.router_outside)

    def masquerade(self, ports=None):
        """The router gives each flow a random source port, and lets in only answers. Called again
        with a range of ports, it forgets every mapping and takes new ones: a NAT rebinding."""
        outside = 'oifname "wan*" ip saddr 10.99.1.0/24'
        to_ports = f"to :{ports}" if ports else ""
        self.nft("router", f"""
            flush ruleset
            table ip nat {{
              chain out {{ type nat hook postrouting priority 100;
                {outside} meta l4proto udp masquerade {to_ports} random
                {outside} masquerade
              }}
            }}
            table ip guard {{
              chain in {{ type filter hook forward priority 0;
                iifname "wan*" ct state new drop
                iifname "wan*" ct state invalid drop
              }}
            }}""")
        if ports:
            self.run("router", "conntrack", "-F")

    def nft(self, node, rules):
        path = os.path.join(self.folder, f"{node}.nft")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(line.strip() for line in rules.split("\n")) + "\n")
        self.run(node, "nft", "-f", path)

    def drop_at(self, node, match):
        """Drops what arrives at a node and matches; undone by allow_at."""
        self.nft(node, f"""
            table ip silence
            delete table ip silence
            table ip silence {{
              chain in {{ type filter hook input priority -10;
                {match} drop
              }}
            }}""")

    def allow_at(self, node):
        self.run(node, "nft", "delete", "table", "ip", "silence")

    def _resolv_conf_up(self):
        """A resolv.conf of the client's own; `ip netns exec` mounts it over /etc/resolv.conf."""
        folder = f"/etc/netns/{self.ns('client')}"
        os.makedirs(folder, exist_ok=True)
        self.netns_etc.append(folder)
        self.resolv_conf = os.path.join(folder, "resolv.conf")
        self.write_resolv_conf(f"# the laptop's own\nnameserver {ROUTER_ADDRESS}\nsearch home.example\n")

    def write_resolv_conf(self, text):
        with open(self.resolv_conf, "w", encoding="utf-8") as file:
            file.write(text)

    def read_resolv_conf(self):
        with open(self.resolv_conf, "rb") as file:
            return file.read()

    # ---- processes ----
    def start(self, node, *argv, log=None, env=None, **more):
        """Starts a process in a node; its output goes to a log file in the lab's folder."""
        if log:
            out = open(os.path.join(self.folder, log), "ab")
            more.setdefault("stdout", out)
            more.setdefault("stderr", subprocess.STDOUT)
        more.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.inside(node, *argv), env=env and {**os.environ, **env}, **more)
        if log:
            out.close()
        self.processes.append(process)
        return process

    def stop(self, process, seconds=3, with_signal=signal.SIGTERM):
        """Ends a process of ours: politely, then for certain."""
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is None:
            process.send_signal(with_signal)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def read_log(self, name):
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    # ---- what the nodes offer ----
    def serve_office(self, site=None):
        """Echo, web pages, names and an iperf3 server in the office."""
        site = site or self.sites[0]
        self.start(site.office, "/usr/bin/python3", os.path.join(HERE, "office.py"), "--dns", site.dns,
                   "--name", f"intranet.office.example={site.host}", log=f"{site.office}.log")
        self.start(site.office, "iperf3", "-s", "-p", IPERF_PORT, log=f"{site.office}-iperf.log")
        wait_until(lambda: "ready" in self.read_log(f"{site.office}.log"), 5, "the office serves")

    def serve_names(self, *names):
        """The name server of the laptop's own network, on the router: NAME=ADDRESS..."""
        pairs = [word for name in names for word in ("--name", name)]
        already = self.read_log("names.log").count("ready")
        server = self.start("router", "/usr/bin/python3", os.path.join(HERE, "office.py"), "--dns",
                            ROUTER_ADDRESS, "--names-only", *pairs, log="names.log")
        wait_until(lambda: self.read_log("names.log").count("ready") > already, 5, "the router answers names")
        return server

    def relay(self, *arguments, site=None):
        """A bad network: UDP ports 500 and 4500 of the router, passed on to the gateway."""
        site = site or self.sites[0]
        self.start("router", "/usr/bin/python3", os.path.join(HERE, "relay.py"), "--listen",
                   ROUTER_ADDRESS, "--to", site.address, *arguments, log="relay.log")
        wait_until(lambda: "ready" in self.read_log("relay.log"), 5, "the relay listens")
        return ROUTER_ADDRESS

    # ---- what the network of the client looks like, to be compared before and after ----
    def client_network(self):
        return {
            "rules": self.ip("client", "rule") + self.ip("client", "-6", "rule"),
            "routes": self.ip("client", "route", "show", "table", "all")
            + self.ip("client", "-6", "route", "show", "table", "all"),
            "links": self.ip("client", "-o", "link"),
            "nftables": self.run("client", "nft", "list", "ruleset"),
            "resolv.conf": self.read_resolv_conf().decode("utf-8", "replace"),
        }

    def network_changes(self, before):
        """What differs from an earlier client_network(), a line each; empty: nothing."""
        found, now = [], self.client_network()
        for part in before:
            old, new = before[part].splitlines(), now[part].splitlines()
            found += [f"{part} lost: {line}" for line in old if line not in new]
            found += [f"{part} gained: {line}" for line in new if line not in old]
            if old != new and not found:
                found.append(f"{part}: the order differs")
        return found

    # ---- the end ----
    def down(self):
        for process in reversed(list(self.processes)):
            self.stop(process)
        for node in reversed(self.namespaces):
            run(["ip", "netns", "del", self.ns(node)], check=False)
        self.namespaces = []
        for folder in self.netns_etc:
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.up()
        except BaseException:
            self.down()
            raise

    def __exit__(self, *unused):
        self.down()


def need_root():
    if os.geteuid() != 0:
        print("run this as root", file=sys.stderr)
        sys.exit(2)

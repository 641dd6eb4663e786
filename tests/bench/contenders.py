# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks set side by side: two ends of one kind over a wire, and clients of one gateway.

Each is a context: inside it, traffic from `near` to `target` goes through it. near_pids() and
far_pids() are the processes that do the work at either end.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
LIB = os.path.join(HERE, "..", "lib")
sys.path.insert(0, LIB)

from client import (CALLER, CharonCmd, Dialtone, Vpnc, binary, children, list_or_empty, peak_memory,  # noqa: E402
                    profile, secrets_text)
from gateway import Connection, Gateway  # noqa: E402
from probe import proportional  # noqa: E402
from lab import CLIENT_ADDRESS, IPERF_PORT, ROOT, Failure, Lab, Site, expect, run, wait_until  # noqa: E402

USER, PASSWORD, PSK = "carol", "carol-password", "group-secret"
FIRST, SECOND = "10.98.0.1", "10.98.0.2"
INNER_FIRST, INNER_SECOND = "10.97.0.1", "10.97.0.2"


def program(name):
    """One of tests/bench's own, beside the dialtone that is measured."""
    build = os.environ.get("DIALTONE_BUILD", os.path.join(ROOT, "build-check"))
    own = os.environ.get("DIALTONE")
    beside = [os.path.join(os.path.dirname(own), "..", "..")] if own else []
    for folder in [*beside, os.path.join(build, "gcc")]:
        path = os.path.join(folder, "tests", "bench", name)
        if os.path.exists(path):
            return os.path.realpath(path)
    raise Failure(f"{name} is not built")


def family(pid):
    return [pid, *children(pid)]


def cpu_seconds(pids):
    """What these processes have used, in user space and in the kernel on their behalf."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def woken(pid):
    """How often its threads have begun to run after a wait."""
    count = 0
    for task in list_or_empty(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as file:
                count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
        except (OSError, AttributeError):
            pass
    return count


def rests(pid):
    before = woken(pid)
    time.sleep(0.3)
    return woken(pid) == before


def wait_answer(contender, seconds=10):
    wait_until(lambda: " 1 received" in contender.lab.run(contender.near, "ping", "-n", "-c", 1, "-W", 1,
                                                          contender.target, check=False),
               seconds, f"{contender.name}: an answer through the tunnel")


class Wire(Lab):
    """Two machines and a wire."""

    def up(self):
        for node in ("first", "second"):
            self._add(node)
        self._wire("first", "eth0", f"{FIRST}/24", "second", "eth0", f"{SECOND}/24")
        self.start("second", "iperf3", "-s", "-p", IPERF_PORT, log="iperf.log")
        return self


class Contender:
    name, near, far, target = "", "first", "second", INNER_SECOND
    mtu = 1400  # of the tunnel, where it does not say its own
    client = False  # of a gateway, and measured each way
    group = ""

    def __init__(self, lab):
        self.lab, self.processes = lab, []

    def near_pids(self):
        return family(self.processes[0].pid) if self.processes else []

    def far_pids(self):
        return family(self.processes[1].pid) if self.processes else []

    def up(self):
        pass

    def down(self):
        for process in self.processes:
            self.lab.stop(process)
        self.processes = []

    def __enter__(self):
        try:
            self.up()
            wait_answer(self)
            return self
        except BaseException:
            self.down()
            raise

    def __exit__(self, *unused):
        self.down()


class Veth(Contender):
    name, target, mtu = "the wire alone", SECOND, 1500
    group = "bounds"


# ---- both ends ----
class Ends(Contender):
    """Two ends of the data path with fixed keys; the suite "none" is the bare relay."""

    group = "both ends"

    def __init__(self, lab, suite, mode="large"):
        super().__init__(lab)
        self.suite, self.mode = suite, mode
        self.name = "bare relay" if suite == "none" else f"dialtone {suite}"
        if suite == "none":
            self.group = "bounds"

    def up(self):
        for role, node, local, peer, inner in (("first", "first", FIRST, SECOND, INNER_FIRST),
                                               ("second", "second", SECOND, FIRST, INNER_SECOND)):
            end = self.lab.start(node, program("datapath-end"), "bench0", self.mode, self.suite, local, peer, role,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.processes.append(end)
            word = end.stdout.readline().strip()
            expect(word, f"datapath-end ended at its start ({self.name})")
            self.mtu = int(word)
            # What the helper gives a tunnel's interface.
            self.lab.ip(node, "link", "set", "bench0", "mtu", word, "txqueuelen", "2000")
            self.lab.ip(node, "addr", "add", f"{inner}/24", "dev", "bench0")
            self.lab.ip(node, "link", "set", "bench0", "up")

    def down(self):
        for process in self.processes:
            if process.poll() is None:
                process.stdin.close()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    pass
        super().down()


def idle_tunnels(lab, count, seconds):
    """So many tunnels in one process and nothing to do: kB, and CPU time and wakeups a second."""
    end = lab.start("first", program("datapath-end"), "idle", "large", "aes128gcm16", FIRST, SECOND, "first", count,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(count):
            expect(end.stdout.readline().strip(), "datapath-end ended at its start")
        wait_until(lambda: rests(end.pid), 5, "tunnels that rest")
        cpu, wakeups = cpu_seconds([end.pid]), woken(end.pid)
        time.sleep(seconds)
        return {"pss": proportional(end.pid), "peak": peak_memory(end.pid),
                "cpu": (cpu_seconds([end.pid]) - cpu) / seconds, "wakeups": (woken(end.pid) - wakeups) / seconds}
    finally:
        end.stdin.close()
        lab.stop(end)


class StrongSwan(Contender):
    """The daemon at both ends, both with their ESP in user space."""

    name, group, near, far = "strongSwan aes128-sha1", "both ends", "client", "gateway"

    def __init__(self, lab, gateway):
        super().__init__(lab)
        self.gateway, self.end, self.target = gateway, None, lab.sites[0].host

    def up(self):
        shutil.rmtree(os.path.join(self.lab.folder, "client.d"), ignore_errors=True)
        there = Connection("gw.example.com", gateway_id="peer@example.com", psk=PSK, pool=None, local_ts="dynamic",
                           remote_ts="10.10.0.0/24",
                           ike={"remote_addrs": self.lab.sites[0].address, "vips": "0.0.0.0"})
        self.end = Gateway(self.lab, {"bench": there}, site=Site("client", CLIENT_ADDRESS), logging=0).up()
        out = self.end.swanctl("--initiate", "--child", "bench", "--timeout", "10")
        expect("initiate completed" in out, f"strongSwan at both ends: {out.strip()[-300:]}")
        self.processes = [self.end.process, self.gateway.process]

    def down(self):
        if self.end:
            self.end.down()
        self.processes = []


class OpenVpn(Contender):
    name, group = "openvpn aes-128-gcm", "both ends"

    def up(self):
        path = shutil.which("openvpn") or "/usr/sbin/openvpn"
        if not os.path.exists(path):
            raise Failure("openvpn is not installed")
        prints = [self.certificate(node) for node in ("first", "second")]
        for number, node in enumerate(("first", "second")):
            inner = (INNER_FIRST, INNER_SECOND) if number == 0 else (INNER_SECOND, INNER_FIRST)
            # A file that can be read tells the fingerprint of the other one's certificate.
            words = ["--dev", "bench0", "--dev-type", "tun", "--ifconfig", *inner, "--proto", "udp", "--port", "1194",
                     "--cert", self.path(node, "crt"), "--key", self.path(node, "key"), "--dh", "none",
                     "--peer-fingerprint", prints[1 - number], "--data-ciphers", "AES-128-GCM", "--verb", "1",
                     "--tls-client" if number == 0 else "--tls-server", "--txqueuelen", "2000",
                     "--sndbuf", "4194304", "--rcvbuf", "4194304"]
            words += ["--remote", SECOND] if number == 0 else ["--local", SECOND]
            self.processes.append(self.lab.start(node, path, *words, log="openvpn.log"))

    def path(self, node, ending):
        return os.path.join(self.lab.folder, f"openvpn-{node}.{ending}")

    def certificate(self, node):
        """A key and a certificate that nobody signed; returns its fingerprint."""
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={node}", "-keyout", self.path(node, "key"), "-out", self.path(node, "crt")])
        return run(["openssl", "x509", "-in", self.path(node, "crt"), "-noout", "-fingerprint",
                    "-sha256"]).strip().split("=")[-1]


class WireguardGo(Contender):
    name, group = "wireguard-go", "both ends"

    def up(self):
        for tool in ("wireguard-go", "wg"):
            if not shutil.which(tool):
                raise Failure(f"{tool} is not installed")
        keys = [run(["wg", "genkey"]).strip() for _ in range(2)]
        public = [run(["wg", "pubkey"], input=key + "\n").strip() for key in keys]
        for number, (node, device, inner, peer) in enumerate((("first", "benchf", INNER_FIRST, SECOND),
                                                              ("second", "benchs", INNER_SECOND, FIRST))):
            self.processes.append(self.lab.start(node, "wireguard-go", "-f", device, log="wireguard.log",
                                                 env={"WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"}))
            wait_until(lambda device=device: os.path.exists(f"/run/wireguard/{device}.sock"), 5, "wireguard-go")
            path = os.path.join(self.lab.folder, f"{device}.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write(f"[Interface]\nPrivateKey = {keys[number]}\nListenPort = 51820\n[Peer]\n"
                           f"PublicKey = {public[1 - number]}\nEndpoint = {peer}:51820\nAllowedIPs = 10.97.0.0/24\n")
            self.lab.run(node, "wg", "setconf", device, path)
            self.lab.ip(node, "link", "set", device, "mtu", "1420", "txqueuelen", "2000")
            self.lab.ip(node, "addr", "add", f"{inner}/24", "dev", device)
            self.lab.ip(node, "link", "set", device, "up")


# ---- clients of one gateway ----
class DialtoneCommand:
    title = "dialtone"

    def __init__(self, lab, address):
        self.lab = lab
        # All three are told to ask for their address.
        client = Dialtone(lab, profile(address=address, UserAuth__XAuth="required",
                                       Network__Config="pull"),
                          secrets_text(PSK, User=USER, Password=PASSWORD), name=f"bench-{address}")
        self.argv = [binary(), "connect", "--standalone", "--json", "--secrets", client.secrets,
                     client.profile]

    def command(self):
        return self.lab.inside("client", *self.argv), None


class Run:
    """One client, connected by probe.py until close()."""

    def __init__(self, lab, client, seconds=20):
        argv, given = client.command()
        command = argv[4:]  # probe.py itself runs in the client's namespace
        probe = ["/usr/bin/python3", os.path.join(LIB, "probe.py"), lab.sites[0].host, str(seconds),
                 *(["--input", given] if given else []), "--"]
        self.lab, self.result = lab, {}
        # For every client the same, so that none needs another program to set it.
        caller = {"SUDO_UID": str(CALLER), "SUDO_GID": str(CALLER)}
        self.process = lab.start("client", *probe, *command, env=caller, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        self.result.update(json.loads(self.process.stdout.readline()))

    @property
    def ms(self):
        return self.result["ms"]

    def close(self):
        """Ends the client; returns what it took."""
        self.process.stdin.close()
        line = self.process.stdout.readline()
        self.result.update(json.loads(line) if line else {"peak": [0], "pss": 0})
        self.process.wait(20)
        self.lab.processes.remove(self.process)
        return self.result


def clients(lab, address):
    """Those that are installed."""
    found = []
    for make in (lambda: DialtoneCommand(lab, address),
                 lambda: Vpnc(lab, address, "grp", PSK, USER, PASSWORD),
                 lambda: CharonCmd(lab, address, "xa@example.com", PSK, USER, PASSWORD)):
        try:
            found.append(make())
        except Failure as failure:
            print(f"# left out: {failure}")
    return found


def gateway(lab):
    users = {USER: PASSWORD}
    return Gateway(lab, {
        "grp": Connection("keyid:grp", psk=PSK, users=users, pool="10.20.1.0/24"),
        "xa": Connection("xa@example.com", psk=PSK, users=users, pool="10.20.2.0/24"),
        "dialup": Connection("alice@example.com", psk=PSK, users=users, pool="10.20.3.0/24"),
        "peer": Connection("peer@example.com", psk=PSK, pool="10.20.4.0/24"),
    }, logging=0)


class Client(Contender):
    """One of clients(), at the gateway."""

    group, near, far, client = "clients", "client", "gateway", True

    def __init__(self, lab, gateway_of_all, what):
        super().__init__(lab)
        self.gateway, self.what, self.run = gateway_of_all, what, None
        self.name, self.target = what.title, lab.sites[0].host

    def up(self):
        self.run = Run(self.lab, self.what)
        expect(self.run.ms is not None, f"{self.name} did not connect")

    def near_pids(self):
        return family(self.run.result["pid"])

    def far_pids(self):
        return [self.gateway.process.pid]

    def down(self):
        if self.run:
            self.run.close()
        self.run = None

# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine to throw away, and the helper on it.

enter() moves this process into mount, PID, network and IPC namespaces of its own with a
copy of /etc and an empty /run, so that nothing of the real machine can be changed. Network:

    up0 198.51.100.2/24 -- 198.51.100.1 router 203.0.113.1     (up0 is ours, the router answers)

Rig drives helper-rig, which is the real helper with a peer that obeys.
"""

import os
import select
import signal
import subprocess
import sys
import time

ROUTER = "198.51.100.1"
GATEWAY = "203.0.113.1"
WAIT = 15


class Failure(Exception):
    """A case went wrong."""


class Skip(Exception):
    """A case can't run here; the message says why."""


def sh(command, check=True):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise Failure(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def enter():
    """Runs this program again inside; returns there only."""
    if os.environ.get("HELPER_TEST_INSIDE") == "yes":
        return
    if os.geteuid() != 0:
        print("1..0 # skip needs root")
        sys.exit(0)
    os.environ["HELPER_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child",
                          "--mount-proc", sys.executable, *sys.argv])


def prepare():
    """What every case finds: mounts once, links anew."""
    sh("mount --make-rprivate /; mount -t tmpfs -o mode=755 tmpfs /run; "
       "mkdir -p /run/.etc /run/netns /run/dbus /run/lock; cp -a /etc/. /run/.etc; "
       "mount --bind /run/.etc /etc; "
       "mount -t sysfs sysfs /sys; ip link set lo up; rm -f /etc/resolv.conf")
    add_links()


def add_links():
    sh("ip netns add router; ip link add up0 type veth peer name up1 netns router; "
       "ip link set up0 addrgenmode none; ip addr add 198.51.100.2/24 dev up0; ip link set up0 up; "
       f"ip -n router addr add {ROUTER}/24 dev up1; ip -n router link set up1 up; "
       f"ip -n router link set lo up; ip -n router addr add {GATEWAY}/32 dev lo; "
       f"ip route add default via {ROUTER}; "
       "ip -6 addr add 2001:db8:1::2/64 dev up0 nodad; ip -6 route add default via 2001:db8:1::1")


def write_resolv_conf(text="nameserver 192.0.2.53\noptions edns0\n", anew=True):
    """A plain file; anew: whatever stands there (a link, say) goes first."""
    if anew:
        sh("rm -f /etc/resolv.conf /etc/resolv.conf.before-*")
    with open("/etc/resolv.conf", "w", encoding="ascii") as file:
        file.write(text)
    os.chmod("/etc/resolv.conf", 0o644)
    os.utime("/etc/resolv.conf", ns=(1500000000123456789, 1400000000987654321))


def snapshot():
    """Everything that the helper may change, as text that can be compared."""
    status = os.lstat("/etc/resolv.conf")
    link = os.readlink("/etc/resolv.conf") if os.path.islink("/etc/resolv.conf") else "no link"
    with open("/etc/resolv.conf", encoding="ascii") as file:
        text = file.read()
    return "\n".join([
        sh("ip -4 rule"), sh("ip -6 rule"), sh("ip -4 route show table all"),
        sh("ip -6 route show table all"), sh("ip -o link"), sh("ip -o addr"), sh("nft list ruleset"),
        sh("sysctl -a 2>/dev/null | grep -E '^net.ipv[46].conf.(all|default|up0|lo)' || true"),
        sh("ls -A /run/dialtone 2>/dev/null | grep -v lock || true"), sh("ls -A /etc"),
        sh("ls -l --full-time /etc/resolv.conf.* 2>/dev/null || true"),
        f"resolv.conf {link} {status.st_mode:o} {status.st_uid} {status.st_mtime_ns}", text])


def difference(before, after):
    """Lines that only one of two snapshots has."""
    a, b = before.splitlines(), after.splitlines()
    return [f"- {line}" for line in a if line not in b] + [f"+ {line}" for line in b if line not in a]


class Rig:
    """One helper and its peer, which is silent until it is told to greet, or greets at once."""

    def __init__(self, program, prefix=(), agent=(), silent=False):
        environment = {**os.environ, "HELPER_RIG_SILENT": "yes"} if silent else None
        self.process = subprocess.Popen([*prefix, program, "/run/dialtone", *agent], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        self.buffer = b""
        ready = self.line()
        if not ready.startswith("silent " if silent else "ready "):
            raise Failure(f"the rig does not start: {ready}")
        self.helper = self.process.pid
        self.peer = int(ready.split()[1])

    def line(self):
        """The next line of the peer; empty at its end."""
        end = time.monotonic() + WAIT
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failure("the peer says nothing")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                return ""
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def send(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, command):
        self.send(command)
        return self.line()

    def do(self, command):
        """Asks for something that has to succeed; returns what follows "ok"."""
        answer = self.ask(command)
        if not answer.startswith("ok"):
            raise Failure(f"{command}: {answer}")
        return answer[3:]

    def refused(self, command, name):
        answer = self.ask(command)
        if not answer.startswith(f"error org.dialtone.Helper1.Error.{name} "):
            raise Failure(f"{command}: {answer or 'the peer is gone'}, not {name}")
        return answer

    def set_up(self, plan):
        self.do("claim office")
        self.do("socket 4")
        self.do("tun 1400")
        said = self.do(f"apply {plan}")
        # Its address is protected a moment later; what is compared from here on has that.
        end = time.monotonic() + (0 if "firewall-missing" in said else 1)
        while time.monotonic() < end and "chain arriving" not in sh("nft list table inet dialtone0", check=False):
            time.sleep(0.01)
        return said

    def wait(self, seconds=WAIT):
        """The helper's exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            raise Failure("the helper does not end") from late

    def errors(self):
        return self.process.stderr.read().decode()

    def kill(self):
        """Whatever is left of it, after a case."""
        for pid in (self.peer, self.helper):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return ") Z" not in file.read()
    except OSError:
        return False


def wait_gone(pid):
    end = time.monotonic() + WAIT
    while lives(pid):
        if time.monotonic() > end:
            raise Failure(f"process {pid} lives on")
        time.sleep(0.02)


def undo(program, prefix=""):
    return sh(f"{prefix}{program} --undo /run/dialtone").strip()

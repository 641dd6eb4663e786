# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that connect to the lab's gateway: Dialtone, and vpnc and charon-cmd to compare with.

Dialtone is run as `sudo dialtone connect --standalone --json` by an ordinary user would be: as root,
with SUDO_UID and SUDO_GID of that user, who owns the profile and the secrets file.
"""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import threading
import time

from gateway import POOL
from lab import ROOT, Failure, expect, wait_until

CALLER = 4242
STATES = ("idle", "resolving", "phase1", "user-auth", "config", "phase2", "connected",
          "reconnecting", "needs-secrets", "disconnecting", "failed")
ADVICE_REQUIRED = ("reason", "message", "advice")


def name_caller():
    """Whom sudo names has an account, and each bus daemon asks for it. /etc is the sandbox's own."""
    expect(os.uname().nodename == "sandbox", "this is no machine to throw away")
    try:
        pwd.getpwuid(CALLER)
    except KeyError:
        with open("/etc/passwd", "a", encoding="utf-8") as file:
            file.write(f"caller:x:{CALLER}:{CALLER}::/nonexistent:/bin/sh\n")


def binary():
    build = os.environ.get("DIALTONE_BUILD", os.path.join(ROOT, "build-check"))
    for path in (os.environ.get("DIALTONE"), f"{build}/gcc/client/cli/dialtone", f"{build}/gcc/client/dialtone"):
        if path and os.path.exists(path):
            return path
    raise Failure("dialtone is not built")


def profile_text(groups):
    """A profile out of {group: {key: value}}."""
    parts = []
    for group, keys in groups.items():
        parts.append(f"[{group}]")
        parts += [f"{key}={value}" for key, value in keys.items()]
        parts.append("")
    return "\n".join(parts)


def profile(address="203.0.113.2", identity="alice@example.com", proposals="aes128-sha1-modp1024",
            phase2="aes128-sha1", **more):
    """The groups of an ordinary profile; more: Group__Key=value for others."""
    groups = {"Profile": {"Name": "Office"}, "Gateway": {"Address": address},
              "Identity": {"ID": identity}, "Phase1": {"Proposals": proposals},
              "Phase2": {"Proposals": phase2}}
    for name, value in more.items():
        group, key = name.split("__")
        groups.setdefault(group, {})[key] = value
    return groups


def secrets_text(psk="correct horse battery staple", **more):
    return "[Secrets]\n" + "".join(f"{k}={v}\n" for k, v in {"PSK": psk, **more}.items())


class Events:
    """What a program says on its standard output, an object of JSON a line."""

    def __init__(self):
        self.process, self.reader = None, None
        self.events, self.arrived = [], threading.Condition()

    def follow(self, process):
        self.process = process
        self.reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self.reader.start()

    def _read(self, process):
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"state": "not-json", "line": line.decode("utf-8", "replace")}
            event["_at"] = time.monotonic()
            with self.arrived:
                self.events.append(event)
                self.arrived.notify_all()

    def stderr(self):
        raise NotImplementedError

    def states(self):
        with self.arrived:
            return [e.get("state") for e in self.events]

    def wait_state(self, state, seconds=10, after=0):
        """The first object with this state after the first `after` objects."""
        return self.wait_event(lambda e: e.get("state") == state, seconds, after, f"state {state}")

    def wait_event(self, predicate, seconds, after, what):
        end = time.monotonic() + seconds
        with self.arrived:
            while True:
                for event in self.events[after:]:
                    if predicate(event):
                        return event
                left = end - time.monotonic()
                ended = self.process.poll() is not None and not self.reader.is_alive()
                if left <= 0 or ended:
                    why = f"exit code {self.process.returncode}" if ended else f"not within {seconds} s"
                    raise Failure(f"{what}: {why}; states were {[e.get('state') for e in self.events]}; "
                                  f"it said: {self.stderr().strip()[-700:]}")
                self.arrived.wait(min(left, 0.2))


class Dialtone(Events):
    """One `dialtone connect --standalone --json`."""

    def __init__(self, lab, groups, secrets=None, name="office", node="client"):
        super().__init__()
        self.lab, self.name, self.node = lab, name, node
        self.folder = os.path.join(lab.folder, f"profile-{name}")
        os.makedirs(self.folder, exist_ok=True)
        os.chown(self.folder, CALLER, CALLER)
        text = groups if isinstance(groups, str) else profile_text(groups)
        self.profile = self._file(f"{name}.dialtone", text, 0o644)
        self.secrets = self._file("secrets", secrets or secrets_text(), 0o600)
        self.environment, self.wrapper = {}, []  # of the program, and what it is run by

    def _file(self, name, content, mode):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        os.chown(path, CALLER, CALLER)
        return path

    # ---- life ----
    def start(self, *more, secrets=True, env=None):
        """secrets False: without a secrets file. env: of the user's session."""
        # A search for leaks traces the process at its end, which the helper's own sandbox forbids: with a
        # build that has AddressSanitizer it would end with 1 and no word of a leak.
        asan = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0")))
        env = {"SUDO_UID": str(CALLER), "SUDO_GID": str(CALLER), "SUDO_USER": "caller", "ASAN_OPTIONS": asan,
               **self.environment, **(env or {})}
        given = ("--secrets", self.secrets) if secrets else ()
        self.follow(self.lab.start(
            self.node, *self.wrapper, binary(), "connect", "--standalone", *given, "--json", *more,
            self.profile, env=env, stdout=subprocess.PIPE,
            stderr=open(os.path.join(self.lab.folder, f"dialtone-{self.name}.err"), "ab")))
        return self

    def stderr(self):
        return self.lab.read_log(f"dialtone-{self.name}.err")

    def connect(self, seconds=10):
        """Starts it and returns what `connected` said, after a look at the contract."""
        self.start()
        event = self.wait_state("connected", seconds)
        check_connected(event)
        return event

    def wait_exit(self, seconds=10):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"dialtone did not end within {seconds} s; states: {self.states()}") from None
        self.reader.join(5)
        return code

    def wait_lost(self, seconds=20):
        expect(self.wait_exit(seconds) == 11, f"the tunnel was not lost: {self.states()}")

    def disconnect(self, seconds=5, with_signal=signal.SIGTERM):
        """Ends it as a user would; the exit code must be 0."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        code = self.wait_exit(seconds)
        expect(code == 0, f"dialtone ended with {code} after {with_signal.name}: {self.stderr()[-500:]}")

    # ---- its processes ----
    def family(self):
        """Process ids of the helper and of the agent and the tunnel it started."""
        return [self.process.pid, *children(self.process.pid)]

    def tunnel_pid(self):
        """The one that holds the TUN descriptor while connected."""
        found = [p for p in self.family() if any("/dev/net/tun" in d for d in descriptors(p))
                 and p != self.process.pid]
        expect(len(found) == 1, f"processes that hold the TUN: {found} of {self.family()}")
        return found[0]

    def agent_pid(self):
        rest = [p for p in self.family() if p not in (self.process.pid, self.tunnel_pid())]
        expect(len(rest) == 1, f"processes beside helper and tunnel: {rest}")
        return rest[0]

    def peak_memory(self):
        """kB of each process, and of all."""
        each = {p: peak_memory(p) for p in self.family()}
        return each, sum(each.values())


def check_connected(event):
    """`connected` has every field of the contract, of the right kind."""
    kinds = {"schema": int, "time": (str, int, float), "profile": str, "interface": str, "address": str,
             "dns": list, "domains": list, "routes": list, "gateway": str, "nat": str, "mtu": int,
             "banner": str, "fallback": bool, "phase1": dict, "phase2": list, "elapsed_ms": (int, float)}
    for key, kind in kinds.items():
        expect(key in event, f"connected has no {key}: {event}")
        expect(isinstance(event[key], kind), f"{key} is {event[key]!r}")
    for key in ("encryption", "hash", "group", "auth", "lifetime"):
        expect(key in event["phase1"], f"phase1 has no {key}: {event['phase1']}")
    expect(event["phase2"], "phase2 is empty")
    for sa in event["phase2"]:
        for key in ("encryption", "integrity", "pfs", "lifetime", "local", "remote"):
            expect(key in sa, f"phase2 has no {key}: {sa}")
    expect(event["schema"] == 1, f"schema is {event['schema']}")


def check_failed(event, reason):
    for key in ADVICE_REQUIRED:
        expect(event.get(key), f"failed has no {key}: {event}")
    expect(event["reason"] == reason, f"the reason is {event['reason']}, not {reason}: {event}")


# ---- what /proc says ----
def children(pid):
    found = []
    for task in list_or_empty(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                direct = [int(p) for p in file.read().split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *children(child)]
    return found


def lives(pid):
    """False for one that is gone or only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def list_or_empty(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def descriptors(pid):
    """What the open descriptors of a process point at."""
    found = []
    for fd in list_or_empty(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    return found


def peak_memory(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            return int(re.search(r"^VmHWM:\s+(\d+) kB", file.read(), re.M).group(1))
    except (OSError, AttributeError):
        return 0


# ---- others ----
VPNC_SCRIPT = """#!/bin/sh
# Only the interface and the route; the name servers of the machine stay.
[ "$reason" = connect ] || exit 0
ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1412}"
ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route add 10.10.0.0/24 dev "$TUNDEV"
"""

CHARON_PLUGINS = ("random nonce openssl pem pkcs1 pkcs8 x509 pubkey hmac kdf gmp sha1 sha2 md5 aes gcm ctr "
                  "drbg kernel-libipsec kernel-netlink socket-default updown xauth-generic unity")


class Vpnc:
    """vpnc knows its group by KEY_ID, always does XAUTH, and takes one group a configuration."""

    title = "vpnc"

    def __init__(self, lab, address, group, psk, user, password):
        self.lab = lab
        script = os.path.join(lab.folder, "vpnc-script")
        with open(script, "w", encoding="ascii") as file:
            file.write(VPNC_SCRIPT)
        os.chmod(script, 0o755)
        self.config = os.path.join(lab.folder, "vpnc.conf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(f"IPSec gateway {address}\nIPSec ID {group}\nIPSec secret {psk}\n"
                       f"Xauth username {user}\nXauth password {password}\nIKE Authmode psk\n"
                       "IKE DH Group dh2\nPerfect Forward Secrecy nopfs\nNAT Traversal Mode natt\n"
                       "Local Port 0\nInterface name vpnc0\nInterface mode tun\n"
                       f"DPD idle timeout (our side) 60\nScript {script}\nNo Detach\nDebug 0\n")

    def command(self):
        return self.lab.inside("client", "vpnc", self.config), None


class CharonCmd:
    """strongSwan's command line client; the preshared key and the password stand on its standard
    input."""

    title = "charon-cmd"

    def __init__(self, lab, address, identity, psk, user, password):
        self.lab, self.address, self.identity, self.user = lab, address, identity, user
        folder = lab.folder
        self.program = os.path.join(folder, "charon-cmd")
        shutil.copy(shutil.which("charon-cmd") or "/usr/sbin/charon-cmd", self.program)
        self.config = os.path.join(folder, "charon-cmd.conf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(f"""
charon-cmd {{
  load = {CHARON_PLUGINS}
  cisco_unity = yes
  send_vendor_id = yes
  plugins {{ kernel-libipsec {{ allow_peer_ts = yes
  }} }}
  filelog {{ f {{ path = {folder}/charon-cmd.log
    append = no
    flush_line = yes
    default = 1
  }} }}
}}
""")
        self.input = os.path.join(folder, "charon-cmd.in")
        with open(self.input, "w", encoding="ascii") as file:
            file.write(f"{psk}\n{password}\n")
        os.chmod(self.input, 0o600)

    def command(self, ike="aes128-sha1-modp1024", esp="aes128-sha1"):
        argv = ["env", f"STRONGSWAN_CONF={self.config}", self.program, "--host", self.address,
                "--identity", self.identity, "--xauth-username", self.user, "--profile",
                "ikev1-xauth-psk-am", "--remote-identity", "gw.example.com", "--ike-proposal", ike,
                "--esp-proposal", esp]
        return self.lab.inside("client", *argv), self.input


def in_pool(address, pool=POOL):
    return address.split(".")[:3] == pool.split(".")[:3]


def wait_interface(lab, name, seconds=10):
    wait_until(lambda: name in lab.ip("client", "-o", "link"), seconds, f"interface {name}")

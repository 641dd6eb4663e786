# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan as the gateway, configured for one test.

It runs without systemd and does ESP in user space (plugin kernel-libipsec), for the kernels that
run the tests need not have it. Its programs are run from copies: a security profile that belongs
to their path would keep them from the lab's folder.
"""

import os
import re
import shutil
import signal
import subprocess

from lab import Failure, run, wait_until

PLUGINS = ("random nonce openssl pem pkcs1 pkcs7 pkcs8 x509 pubkey revocation constraints hmac kdf gmp "
           "sha1 sha2 md5 rc2 aes aesni gcm ccm ctr drbg xcbc cmac curve25519 attr kernel-libipsec "
           "kernel-netlink socket-default vici updown xauth-generic")
POOL, POOL6 = "10.20.1.0/24", "fd00:20::100/120"
BANNER = "Welcome to the office"

PHASE1 = "aes128-sha1-modp1024"
PHASE2 = "aes128-sha1"


def render(tree, depth=0):
    """A strongSwan configuration out of nested dicts."""
    pad, lines = "  " * depth, []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{pad}{key} {{", *render(value, depth + 1), f"{pad}}}"]
        else:
            lines.append(f"{pad}{key} = {value}")
    return lines if depth else "\n".join(lines) + "\n"


def quoted(secret):
    """A secret as swanctl.conf takes any: in its hexadecimal form."""
    return "0x" + (secret if isinstance(secret, bytes) else secret.encode()).hex()


class Connection:
    """One dialup connection of the gateway, as an administrator would write it.

    auth: psk, certificate (both sides) or hybrid (the gateway alone); with the latter two `files`
    are {path in swanctl's folder: PEM} of keys and certificates, x509/gateway.pem the gateway's own
    (certificates.py makes them)."""

    def __init__(self, identity, psk="correct horse battery staple", **more):
        self.identity, self.psk = identity, psk
        self.proposals = more.pop("proposals", PHASE1)
        self.esp = more.pop("esp", PHASE2)
        self.users = more.pop("users", {})
        self.pull = more.pop("pull", True)
        self.pool = more.pop("pool", POOL)
        self.local_ts = more.pop("local_ts", "10.10.0.0/24")
        self.remote_ts = more.pop("remote_ts", "dynamic")
        self.gateway_id = more.pop("gateway_id", "gw.example.com")
        self.ike = more.pop("ike", {})
        self.child = more.pop("child", {})
        self.children = more.pop("children", None)
        self.auth = more.pop("auth", "psk")
        self.files = more.pop("files", {})
        if more:
            raise TypeError(f"unknown: {more}")

    def tree(self, name, address):
        connection = {
            "version": 1, "aggressive": "yes", "local_addrs": address, "proposals": self.proposals,
            "dpd_delay": "20s", "dpd_timeout": "60s", "fragmentation": "yes", "rekey_time": "4h",
            "unique": "no", "pull": "yes" if self.pull else "no", **self.ike,
            **self._ends(),
        }
        if self.pool:
            connection["pools"] = name
        connection["children"] = {
            child: {"local_ts": local_ts, "remote_ts": self.remote_ts, "esp_proposals": self.esp,
                    "rekey_time": "1h", "dpd_action": "clear", **self.child}
            for child, local_ts in (self.children or {name: self.local_ts}).items()}
        return connection

    def _ends(self):
        """How each side shows who it is."""
        xauth = {"auth": "xauth"}
        if self.auth == "psk":
            ends = {"local-1": {"auth": "psk", "id": self.gateway_id},
                    "remote-1": {"auth": "psk", "id": self.identity}}
            return {**ends, "remote-2": xauth} if self.users else ends
        ends = {"send_cert": "always",
                "local-1": {"auth": "pubkey", "certs": "gateway.pem", "id": self.gateway_id}}
        if self.auth == "hybrid":
            return {**ends, "remote-1": xauth}
        ends["remote-1"] = {"auth": "pubkey", "id": self.identity}
        return {**ends, "remote-2": xauth} if self.users else ends

    def secrets(self, name):
        found = {}
        if self.auth == "psk":
            found[f"ike-{name}"] = {"id-1": self.identity, "secret": quoted(self.psk)}
        for number, (user, password) in enumerate(self.users.items()):
            found[f"xauth-{name}-{number}"] = {"id": user, "secret": quoted(password)}
        return found


class Gateway:
    """A running strongSwan in one of the lab's gateway nodes, or, with kernel_esp, what script()
    starts in a machine whose kernel has ESP."""

    def __init__(self, lab, connections, site=None, unity=True, logging=2, charon=None, kernel_esp=False):
        self.lab, self.site, self.kernel_esp = lab, site or lab.sites[0], kernel_esp
        if isinstance(connections, Connection):
            connections = {"dialup": connections}
        self.connections, self.unity, self.logging = connections, unity, logging
        self.charon = charon or {}
        self.folder = os.path.join(lab.folder, self.site.name + ".d")
        self.log = f"{self.site.name}.log"
        # A shared folder takes no socket.
        self.socket = "/run/charon.vici" if kernel_esp else f"{self.folder}/vici"
        self.vici = f"unix://{self.socket}"
        self.process = None
        os.makedirs(self.folder)
        for part in ("x509", "x509ca", "x509aa", "x509ac", "x509crl", "x509ocsp", "private", "rsa", "ecdsa",
                     "pkcs8", "pkcs12", "bliss", "pubkey"):
            os.makedirs(os.path.join(self.folder, part))
        for program in ("charon-systemd", "swanctl"):
            shutil.copy(shutil.which(program) or f"/usr/sbin/{program}", self.folder)
        self._write("strongswan.conf", render(self._daemon()))
        self._write("swanctl.conf", render(self._configuration()))
        for connection in self.connections.values():
            for path, text in connection.files.items():
                self._write(path, text)

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _daemon(self):
        log = {"path": os.path.join(self.lab.folder, self.log), "append": "yes", "flush_line": "yes",
               "time_format": "%H:%M:%S", "ike_name": "yes", "default": 1 if self.logging else 0}
        if self.logging > 1:
            log.update(ike=2, cfg=2)
        plugins = PLUGINS.replace("kernel-libipsec ", "") if self.kernel_esp else PLUGINS
        return {
            "charon": {
                "load": plugins + (" unity" if self.unity else ""), "load_modular": "no", "threads": 16, "fragment_size": 1280,
                "i_dont_care_about_security_and_use_aggressive_mode_psk": "yes",
                "cisco_unity": "yes" if self.unity else "no", "send_vendor_id": "yes", "install_virtual_ip": "yes",
                "init_limit_half_open": 0, "block_threshold": 0,
                "cookie_threshold": 0,
                "plugins": {"vici": {"socket": self.vici},
                            "kernel-libipsec": {"allow_peer_ts": "yes"}},
                "filelog": {"f": log}, "syslog": {}, **self.charon,
            },
            "charon-systemd": {"journal": {"default": -1}},
        }

    def _configuration(self):
        pools, secrets = {}, {}
        for name, connection in self.connections.items():
            secrets.update(connection.secrets(name))
            if connection.pool:
                pools[name] = {"addrs": connection.pool, "28672": f'"{BANNER}"',
                               "28674": '"office.example"', "dns": self.site.dns}
        trees = {n: c.tree(n, self.site.address) for n, c in self.connections.items()}
        return {"connections": trees, "pools": pools, "secrets": secrets}

    # ---- life ----
    def environment(self):
        return {"STRONGSWAN_CONF": f"{self.folder}/strongswan.conf", "SWANCTL_DIR": self.folder}

    def up(self):
        """Starts the daemon; back when it takes connections."""
        self.process = self.lab.start(self.site.name, f"{self.folder}/charon-systemd",
                                      env=self.environment(), log=f"{self.site.name}.out")
        wait_until(lambda: os.path.exists(self.socket), 15, "strongSwan opens its socket")
        out = self.swanctl("--load-all")
        loaded = out.count("loaded connection")
        if loaded != len(self.connections):
            raise Failure(f"strongSwan loaded {loaded} of {len(self.connections)} connections:\n{out}")
        return self

    def script(self):
        """What starts it in a machine, and ends when it takes connections."""
        names = " ".join(f"{k}={v}" for k, v in self.environment().items())
        return (f"export {names}\n{self.folder}/charon-systemd > {self.lab.folder}/charon.out 2>&1 &\n"
                f"i=0; while [ ! -S {self.socket} ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done\n"
                f"{self.folder}/swanctl --load-all --uri {self.vici}\n")

    def swanctl(self, *words, check=False):
        return run([f"{self.folder}/swanctl", *words, "--uri", self.vici],
                   check=check, env={**os.environ, **self.environment()})

    def down(self, with_signal=signal.SIGTERM):
        self.lab.stop(self.process, with_signal=with_signal)
        try:
            os.unlink(self.socket)
        except FileNotFoundError:
            pass

    def kill(self):
        """As by a power failure: no DELETE reaches the client."""
        self.down(signal.SIGKILL)

    # ---- what it saw ----
    def text(self):
        return self.lab.read_log(self.log)

    def ike_sas(self):
        """The established IKE_SAs, each as the text that swanctl prints."""
        parts = re.split(r"\n(?=\S)", "\n" + self.swanctl("--list-sas"))
        return [p.strip() for p in parts if "ESTABLISHED" in p]

    def child_sas(self):
        return re.findall(r"^\s+\S+: #\d+, reqid \d+, INSTALLED.*$", self.swanctl("--list-sas"), re.M)

    def terminate(self, name="dialup"):
        return self.swanctl("--terminate", "--ike", name, "--timeout", "5")

    def rekey(self, child="dialup"):
        return self.swanctl("--rekey", "--child", child)

    def __enter__(self):
        return self.up()

    def __exit__(self, *unused):
        self.down()


class DualStack(Connection):
    """A pool of each family, and a network of each behind the gateway."""

    def tree(self, name, address):
        tree = super().tree(name, address)
        tree["pools"] = f"{name}, six"
        return tree


class DualGateway(Gateway):
    def _configuration(self):
        tree = super()._configuration()
        tree["pools"]["six"] = {"addrs": POOL6, "dns": "fd00:10::53"}
        return tree


def versions():
    """One line on what the tests ran against."""
    done = subprocess.run(["dpkg-query", "-W", "-f=strongSwan ${Version}", "strongswan-charon"],
                          capture_output=True, text=True)
    return done.stdout.strip() or "strongSwan"

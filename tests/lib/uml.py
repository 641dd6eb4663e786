# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with a kernel of its own: User Mode Linux in the lab's gateway node, where ESP is the
kernel's, as on a real gateway. Its root is this machine's, read only.

The program and libreswan come unpacked (tests/lib/unpack_gateways, DIALTONE_UNPACKED).
"""

import os
import subprocess

from cases import FULL, Skip
from lab import wait_until

MODULES = ("drbg xfrm_user esp4 af_key authenc cbc hmac sha256_generic sha512 des_generic gcm ctr "
           "ghash-generic seqiv echainiv md5 sha1_generic")
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/tmp
mount -t tmpfs tmpfs /dev
mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5; mknod -m 666 /dev/random c 1 8
mknod -m 666 /dev/urandom c 1 9; mknod -m 600 /dev/console c 5 1; mkdir -p /dev/shm
mkdir -p {folder}; mount -t hostfs -o {folder} none {folder}
mkdir -p /run/m/lib/modules; ln -s {unpacked}/usr/lib/uml/modules/$(uname -r) /run/m/lib/modules/
printf '#!/bin/sh\\nexec modprobe -d /run/m "$@"\\n' > /run/modprobe; chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe
for m in {modules}; do modprobe -d /run/m $m; done
ip link set lo up
ip addr add {address} peer {outside}/32 dev vec0; ip link set vec0 up
ip addr add {inner}/{size} dev vec1; ip link set vec1 up
ip route add default via {outside}
sysctl -qw net.ipv4.ip_forward=1
sh {folder}/gateway.sh
touch {folder}/uml.ready
while [ ! -e {folder}/uml.stop ]; do
    if [ -e {folder}/uml.command ]; then
        mv {folder}/uml.command {folder}/uml.taken
        sh {folder}/uml.taken > {folder}/uml.output 2>&1
        mv {folder}/uml.output {folder}/uml.answer
    fi
    sleep 0.2
done
poweroff -f
"""


def unpacked():
    folder = os.path.join(os.environ.get("DIALTONE_UNPACKED", ""), "libreswan")
    if not os.path.exists(f"{folder}/usr/bin/linux.uml"):
        raise Skip("User Mode Linux and libreswan are not unpacked (tests/lib/unpack_gateways)")
    return folder


class Uml:
    """Takes the place of the lab's first site; `script` starts the gateway in it."""

    def __init__(self, lab, script):
        # It starts on few processors yet, so what it says is for whoever asked for everything.
        if not FULL:
            raise Skip("User Mode Linux is tried with --full only")
        self.lab, self.site, self.folder = lab, lab.sites[0], lab.folder
        self.unpacked = unpacked()
        self._write("gateway.sh", script)
        self._write("uml.init", INIT.format(
            folder=self.folder, unpacked=self.unpacked, modules=MODULES, address=self.site.address,
            outside=lab.router_outside, inner=self.site.inner_address(1),
            size=self.site.lans[0].prefixlen))
        self.process = None

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def up(self):
        lab, site = self.lab, self.site
        lab.ip(site.name, "link", "del", "eth0")
        lab.ip(site.name, "link", "del", "eth1")
        self.process = lab.start(
            site.name, f"{self.unpacked}/usr/bin/linux.uml", "mem=256M", "rootfstype=hostfs",
            "rootflags=/", "ro", f"init={self.folder}/uml.init", "con=null", "con0=null,fd:1",
            "ssl=null", "quiet", "vec0:transport=tap,ifname=umlwan,depth=128,gro=1",
            "vec1:transport=tap,ifname=umllan,depth=128,gro=1", log="uml.log",
            env={"HOME": self.folder, "TMPDIR": "/run"})
        links = lambda: lab.ip(site.name, "-o", "link")  # noqa: E731
        wait_until(lambda: self._died() or "umlwan" in links() and "umllan" in links(), 20,
                   "the kernel has its links")
        self._plug("umlwan", "router", "wan0", f"{lab.router_outside} peer {site.address}/32")
        self._plug("umllan", site.office, "eth0", f"{site.host}/{site.lans[0].prefixlen}")
        lab.ip(site.office, "addr", "add", f"{site.dns}/{site.lans[0].prefixlen}", "dev", "eth0")
        lab.ip(site.office, "route", "add", "default", "via", site.inner_address(1))
        wait_until(lambda: os.path.exists(f"{self.folder}/uml.ready"), 40, "the gateway is up")
        return self

    def _died(self):
        """A 6.1 kernel of this kind knows no processor whose state is larger than AVX-512's."""
        if "set fp regs failed" in self.lab.read_log("uml.log"):
            raise Skip("User Mode Linux does not run on this processor (its state is too large)")
        return False

    def _plug(self, tap, node, name, address):
        """Moves one of the kernel's taps to the node at its other end."""
        self.lab.ip(self.site.name, "link", "set", tap, "netns", self.lab.ns(node))
        self.lab.ip(node, "link", "set", tap, "name", name)
        self.lab.ip(node, "addr", "add", *address.split(), "dev", name)
        self.lab.ip(node, "link", "set", name, "up")

    def shell(self, command):
        """What a command prints inside."""
        answer = os.path.join(self.folder, "uml.answer")
        if os.path.exists(answer):
            os.unlink(answer)
        self._write("uml.next", command + "\n")
        os.rename(os.path.join(self.folder, "uml.next"), os.path.join(self.folder, "uml.command"))
        wait_until(lambda: os.path.exists(answer), 15, f"an answer to {command}")
        with open(answer, encoding="utf-8", errors="replace") as file:
            return file.read()

    def down(self):
        self._write("uml.stop", "")
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        self.lab.stop(self.process)

    def __enter__(self):
        return self.up()

    def __exit__(self, *unused):
        self.down()

# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with a kernel of its own: Debian's, in an emulated machine that takes the place of the
lab's gateway, where ESP is the kernel's, as on a real gateway.

Its root is this machine's, read only, and the lab's folder is shared. It needs nothing of the
processor: QEMU emulates where there is no virtualization, ten times slower. The kernel, busybox and
libreswan come unpacked (tests/lib/unpack_gateways, DIALTONE_UNPACKED); none of them is installed.
"""

import glob
import os
import stat
import struct
import subprocess

from cases import Skip
from lab import Failure, wait_until

BOOT_SECONDS = 60
READY_SECONDS = 60
# What the initial file system needs to find the others: the bus, the network, the shared folders.
FIRST_MODULES = ("virtio_pci", "virtio_net", "9pnet_virtio", "9p", "virtio_rng")
MODULES = ("drbg xfrm_user esp4 esp6 af_key authenc cbc hmac sha256_generic sha512_generic "
           "des_generic gcm ctr ghash-generic seqiv echainiv md5 sha1_generic nf_tables")
# Runs from the initial file system; then everything is this machine's.
FIRST = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for m in {first}; do /bin/busybox insmod /modules/$m; done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose root /new
/bin/busybox mount -t tmpfs run /new/run
/bin/busybox mkdir -p /new{folder}
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 lab /new{folder}
/bin/busybox mount --move /proc /new/proc
/bin/busybox mount --move /sys /new/sys
/bin/busybox mount -t devtmpfs dev /new/dev
exec /bin/busybox switch_root /new /bin/sh {folder}/machine.init
"""
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec < /dev/null > {folder}/machine.out 2>&1
mount -t tmpfs tmpfs /var/tmp; mkdir -p /dev/shm /run/m/lib
mount -t tmpfs tmpfs /dev/shm
ln -s {unpacked}/lib/modules /run/m/lib/modules
printf '#!/bin/sh\\nexec modprobe -d /run/m "$@"\\n' > /run/modprobe; chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe
for m in {modules}; do modprobe -d /run/m $m; done
ip link set lo up
ip addr add {address} peer {outside}/32 dev eth0; ip link set eth0 up
ip addr add {inner}/{size} dev eth1; ip link set eth1 up
ip route add default via {outside}
sysctl -qw net.ipv4.ip_forward=1
sh {folder}/gateway.sh
touch {folder}/machine.ready
while [ ! -e {folder}/machine.stop ]; do
    if [ -e {folder}/machine.command ]; then
        mv {folder}/machine.command {folder}/machine.taken
        sh {folder}/machine.taken > {folder}/machine.output 2>&1
        mv {folder}/machine.output {folder}/machine.answer
    fi
    sleep 0.1
done
echo o > /proc/sysrq-trigger
sleep 5
"""


def unpacked():
    folder = os.path.join(os.environ.get("DIALTONE_UNPACKED", ""), "gateways")
    if not os.path.isdir(f"{folder}/boot"):
        raise Skip("the kernel and libreswan are not unpacked (tests/lib/unpack_gateways)")
    return folder


# ---- the initial file system ----

def archive(entries):
    """A cpio archive in the form that kernels take (newc): (name, mode, bytes)."""
    out = bytearray()
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")]):
        encoded = name.encode() + b"\0"
        fields = (number + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def modules_for(folder, names):
    """Paths of modules and of what they need, each after what it needs."""
    needs, paths = {}, {}
    with open(f"{folder}/modules.dep", encoding="utf-8") as file:
        for line in file:
            path, _, rest = line.partition(":")
            needs[path] = rest.split()
            paths[os.path.basename(path).partition(".ko")[0].replace("-", "_")] = path
    found = []

    def take(path):
        for other in needs[path]:
            take(other)
        if path not in found:
            found.append(path)

    for name in names:
        if name in paths:  # else it is part of the kernel
            take(paths[name])
    return found


def initial(files, version, folder):
    """One that shares this machine's root with the kernel, and the lab's folder."""
    modules = f"{files}/lib/modules/{version}"
    entries = [(name, stat.S_IFDIR | 0o755, b"")
               for name in ("bin", "dev", "proc", "sys", "new", "modules")]
    first = []
    for path in modules_for(modules, FIRST_MODULES):
        with open(f"{modules}/{path}", "rb") as file:
            entries.append((f"modules/{os.path.basename(path)}", stat.S_IFREG | 0o644, file.read()))
        first.append(os.path.basename(path))
    with open(f"{files}/bin/busybox", "rb") as file:
        entries.append(("bin/busybox", stat.S_IFREG | 0o755, file.read()))
    script = FIRST.format(first=" ".join(first), folder=folder)
    entries.append(("init", stat.S_IFREG | 0o755, script.encode()))
    return archive(entries)


class Machine:
    """Takes the place of the lab's first site; `script` starts the gateway in it."""

    def __init__(self, lab, script):
        self.lab, self.site, self.folder = lab, lab.sites[0], lab.folder
        self.unpacked = unpacked()
        self.kernel = glob.glob(f"{self.unpacked}/boot/vmlinuz-*")[0]
        version = os.path.basename(self.kernel).partition("-")[2]
        self._write("gateway.sh", script)
        self._write("machine.init", INIT.format(
            folder=self.folder, unpacked=self.unpacked, modules=MODULES, address=self.site.address,
            outside=lab.router_outside, inner=self.site.inner_address(1),
            size=self.site.lans[0].prefixlen))
        with open(os.path.join(self.folder, "machine.initrd"), "wb") as file:
            file.write(initial(self.unpacked, version, self.folder))
        self.process = None

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def _share(self, tag, path, more=""):
        return ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,"
                f"multidevs=remap{more}"]

    def _link(self, tap):
        return ["-netdev", f"tap,id={tap},ifname={tap},script=no,downscript=no",
                "-device", f"virtio-net-pci,netdev={tap},romfile="]

    def up(self):
        lab, site = self.lab, self.site
        lab.ip(site.name, "link", "del", "eth0")
        lab.ip(site.name, "link", "del", "eth1")
        self.process = lab.start(
            site.name, "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
            "-nographic", "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "384",
            "-serial", "stdio", "-device", "virtio-rng-pci",
            *self._link("vmwan"), *self._link("vmlan"),
            *self._share("root", "/", ",readonly=on"), *self._share("lab", self.folder),
            "-kernel", self.kernel, "-initrd", os.path.join(self.folder, "machine.initrd"),
            "-append", "console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off",
            log="machine.log")
        links = lambda: lab.ip(site.name, "-o", "link")  # noqa: E731
        wait_until(lambda: self._has_ended() or "vmwan" in links() and "vmlan" in links(), 20,
                   "the machine has its links")
        self._expect_running()
        self._plug("vmwan", "router", "wan0", f"{lab.router_outside} peer {site.address}/32")
        self._plug("vmlan", site.office, "eth0", f"{site.host}/{site.lans[0].prefixlen}")
        lab.ip(site.office, "addr", "add", f"{site.dns}/{site.lans[0].prefixlen}", "dev", "eth0")
        lab.ip(site.office, "route", "add", "default", "via", site.inner_address(1))
        self._wait_for_start()
        wait_until(lambda: os.path.exists(f"{self.folder}/machine.ready"), READY_SECONDS,
                   "the gateway is up", step=0.1)
        return self

    def _has_ended(self):
        return self.process.poll() is not None

    def _expect_running(self):
        if self._has_ended():
            raise Skip(f"the emulated machine ended: {self.lab.read_log('machine.log')[-300:]!r}")

    def _wait_for_start(self):
        """An emulation that does not start here says nothing of Dialtone."""
        started = os.path.join(self.folder, "machine.out")
        try:
            wait_until(lambda: self._has_ended() or os.path.exists(started), BOOT_SECONDS,
                       "the machine starts", step=0.1)
        except Failure:
            raise Skip(f"the emulated machine does not start within {BOOT_SECONDS} s") from None
        self._expect_running()

    def _plug(self, tap, node, name, address):
        """Moves one of the machine's taps to the node at its other end."""
        self.lab.ip(self.site.name, "link", "set", tap, "netns", self.lab.ns(node))
        self.lab.ip(node, "link", "set", tap, "name", name)
        self.lab.ip(node, "addr", "add", *address.split(), "dev", name)
        self.lab.ip(node, "link", "set", name, "up")

    def shell(self, command):
        """What a command prints inside."""
        answer = os.path.join(self.folder, "machine.answer")
        if os.path.exists(answer):
            os.unlink(answer)
        self._write("machine.next", command + "\n")
        os.rename(os.path.join(self.folder, "machine.next"),
                  os.path.join(self.folder, "machine.command"))
        wait_until(lambda: os.path.exists(answer), 30, f"an answer to {command}")
        with open(answer, encoding="utf-8", errors="replace") as file:
            return file.read()

    def down(self):
        self._write("machine.stop", "")
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        self.lab.stop(self.process)

    def __enter__(self):
        return self.up()

    def __exit__(self, *unused):
        self.down()

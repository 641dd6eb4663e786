# SPDX-License-Identifier: GPL-2.0-or-later
"""A real systemd with the project's units, in a sandbox.

    with Systemd() as machine:               # in tests/lib/sandbox, as root
        machine.run("systemctl", "status", "dialtone-helper")

It is process 1 of a PID namespace of its own, with a cgroup tree of its own, and starts nothing but
the bus and what the bus is asked for. The bus's socket is the machine's, so callers of bus.py speak
to it from outside. What `meson install` installs goes to a layer over the prefix of the build.
"""

import os
import shutil
import signal
import subprocess

from bus import SERVICE, SOCKET, add_layer, add_user
from client import binary
from lab import Failure, run, wait_until

SYSTEMD = "/lib/systemd/systemd"
# Neither the machine's own services nor what they wait for.
TARGET = "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n"
UNITS = {
    "sysinit.target": TARGET, "basic.target": TARGET, "only.target": TARGET,
    "dbus.socket": f"[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream={SOCKET}\n",
    "dbus.service": "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\n[Service]\n"
                    "ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile"
                    " --nosyslog --systemd-activation\n",
}
START = f"""umount -R /sys/fs/cgroup
mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
exec env container=sandbox {SYSTEMD} --system --unit=only.target --show-status=no"""


class NotHere(Failure):
    """systemd can't run on this machine."""


class Systemd:
    """Use it as a context."""

    def __init__(self, dropins=None, wrapper=()):
        """dropins: lines of [Service] by unit; wrapper: what it is run by, as in bus.Bus."""
        self.build = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(binary()))))
        self.service = SERVICE
        self.dropins, self.wrapper, self.outer, self.pid = dropins or {}, tuple(wrapper), None, 0

    def __enter__(self):
        add_user("dialtone", SERVICE)
        for folder in ("/usr/local", "/usr/share/dbus-1", "/usr/share/polkit-1", "/var"):
            add_layer(folder)
        run(["meson", "install", "-C", self.build, "--no-rebuild", "--quiet"], seconds=60)
        for folder in ("dbus-1", "polkit-1"):
            source = os.path.join("/usr/local/share", folder)
            shutil.copytree(source, os.path.join("/usr/share", folder), dirs_exist_ok=True)
        self.write_units()
        shutil.rmtree("/run/dbus", ignore_errors=True)
        os.makedirs("/run/dbus")
        self.outer = subprocess.Popen(
            [*self.wrapper, "unshare", "--pid", "--cgroup", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc",
             "/bin/bash", "-c", START], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            self.wait_for_it()
            self.run("systemctl", "start", "dbus.socket", "dbus.service")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # The first process inside is killed with it, and all others with that one.
        self.outer.kill()
        self.outer.wait()

    def wait_for_it(self):
        """It needs a cgroup tree of its own, for one, which a container may forbid."""
        try:
            wait_until(self.find, 5, "systemd runs")
            wait_until(lambda: "running" in self.run("systemctl", "is-system-running", check=False), 15,
                       "systemd is up", 0.2)
        except Failure as failure:
            raise NotHere(str(failure)) from failure

    def write_units(self):
        folder = "/etc/systemd/system"
        for name in os.listdir("/lib/systemd/system/sysinit.target.wants"):
            self.put(os.path.join(folder, name), None)
        for name, text in UNITS.items():
            self.put(os.path.join(folder, name), text)
        for name, lines in self.dropins.items():
            os.makedirs(f"{folder}/{name}.d", exist_ok=True)
            self.put(f"{folder}/{name}.d/test.conf", f"[Service]\n{lines}\n")

    @staticmethod
    def put(path, text):
        """None: nobody is to start it."""
        if os.path.lexists(path):
            os.unlink(path)
        if text is None:
            os.symlink("/dev/null", path)
            return
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def find(self):
        """The process that is number 1 inside, once it is systemd."""
        if self.outer.poll() is not None:
            raise NotHere("systemd ended")
        with open(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        if not children or os.readlink(f"/proc/{children[0]}/exe") != os.path.realpath(SYSTEMD):
            return False
        self.pid = int(children[0])
        return True

    def run(self, *argv, check=True):
        """Inside."""
        return run(["nsenter", "-t", self.pid, "-m", "-p", "-C", *argv], check=check, seconds=20)

    def show(self, unit, name):
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def status(self, unit):
        """/proc/PID/status of a unit's process."""
        text = self.run("cat", f"/proc/{self.show(unit, 'MainPID')}/status")
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def kill(self, unit, number=signal.SIGKILL, who="all"):
        self.run("systemctl", "kill", f"--signal={int(number)}", f"--kill-whom={who}", unit)

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 60 s
"""What `meson install` puts on a machine for the system bus, polkit and systemd, and what those make of it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
# pylint: disable=wrong-import-position
from bus import Bus, add_user
from cases import Skip, case, main
from client import binary
from lab import ROOT, expect, run

BUILD = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(binary())))) \
    if sys.argv[1:] != ["--conversations"] else None
FILES = {
    "libexec/dialtone/dialtone-boot": 0o755,
    "libexec/dialtone/dialtone-helper": 0o755,
    "libexec/dialtone/dialtoned": 0o755,
    "lib/systemd/system/dialtone.service": 0o644,
    "lib/systemd/system/dialtone-boot.service": 0o644,
    "lib/systemd/system/dialtone-helper.service": 0o644,
    "lib/systemd/system/dialtone@.service": 0o644,
    "lib/sysusers.d/dialtone.conf": 0o644,
    "lib/tmpfiles.d/dialtone.conf": 0o644,
    "share/dbus-1/system.d/org.dialtone.Dialtone1.conf": 0o644,
    "share/dbus-1/system-services/org.dialtone.Dialtone1.service": 0o644,
    "share/dbus-1/system-services/org.dialtone.Helper1.service": 0o644,
    "share/polkit-1/actions/org.dialtone.policy": 0o644,
}
EXPOSURE = {"dialtone.service": 1.1, "dialtone-helper.service": 2.0, "dialtone-boot.service": 1.5}
ACTIONS = {  # any, inactive, active
    "org.dialtone.connect-own": ("auth_admin", "auth_admin", "yes"),
    "org.dialtone.connect-system": ("auth_admin", "auth_admin", "yes"),
    "org.dialtone.connect-persistent": ("auth_admin", "auth_admin", "auth_admin_keep"),
    "org.dialtone.manage-system-profiles": ("auth_admin_keep",) * 3,
    "org.dialtone.take-over": ("auth_admin",) * 3,
    "org.dialtone.release-kill-switch": ("auth_admin",) * 3,
}
# What a service's main file has to include to tell a watchdog that it lives.
SPEAKERS = {"dialtone-helper": "platform/bus-name.c", "dialtoned": "client/service/main.c"}


class Installed:
    """A folder with all that is installed, as a context."""

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="installed-", dir="/run")
        run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.root], seconds=50)
        self.prefix = next(os.path.join(self.root, p) for p in ("usr/local", "usr")
                           if os.path.isdir(os.path.join(self.root, p, "libexec")))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def path(self, name):
        return os.path.join(self.prefix, name)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def units(self):
        folder = self.path("lib/systemd/system")
        return {name: self.text(f"lib/systemd/system/{name}") for name in sorted(os.listdir(folder))}


def needed(program):
    if shutil.which(program) is None:
        raise Skip(f"{program} is not here")
    return program


def is_built(name):
    return not name.endswith("/dialtoned") or os.path.exists(os.path.join(BUILD, "client/service/dialtoned"))


@case("each file is installed where it belongs, readable for all and writable for root alone", lab=False)
def _():
    with Installed() as here:
        for name, mode in FILES.items():
            if not is_built(name):
                continue
            expect(os.path.isfile(here.path(name)), f"{name} is not installed")
            found = os.stat(here.path(name)).st_mode & 0o7777
            expect(found == mode, f"{name} has mode {found:o}")
            expect(mode == 0o755 or not re.search(r"@[a-z]+@", here.text(name)), f"{name} is not filled in")


@case("every program that the bus or systemd is to start is installed", lab=False)
def _():
    with Installed() as here:
        texts = dict(here.units())
        for name in FILES:
            if "system-services" in name:
                texts[name] = here.text(name)
        seen = set()
        for name, text in texts.items():
            for program in re.findall(r"^Exec\w*=(\S+)", text, re.M):
                seen.add(os.path.basename(program))
                if is_built(program):
                    expect(os.access(here.root + program, os.X_OK), f"{name}: {program} is not installed")
            unit = re.search(r"^SystemdService=(\S+)", text, re.M)
            expect(not unit or unit.group(1) in texts, f"{name} names a unit that is not installed")
        expect({"dialtone", "dialtoned", "dialtone-helper"} <= seen, f"only {seen}")


@case("the bus's policy and polkit's actions are well-formed", lab=False)
def _():
    with Installed() as here:
        for name in FILES:
            if name.endswith((".policy", "Dialtone1.conf")):
                run([needed("xmllint"), "--noout", "--nonet", here.path(name)])


@case("the bus takes the policy without a word", lab=False)
def _():
    with Bus() as bus:
        bus.reload()
        said = [line for line in bus.log().splitlines()
                if "dialtone" in line.lower() or "error" in line.lower() and "fd limit" not in line]
        expect(not said, "\n".join(said))


@case("polkit knows each action, and asks whom it should", lab=False)
def _():
    needed("pkaction")
    with Bus():
        for action, wanted in ACTIONS.items():
            said = run(["pkaction", "--verbose", "--action-id", action])
            found = tuple(re.findall(r"implicit \w+: +(\w+)", said))
            expect(found == wanted, f"{action}: {said}")
            expect(re.search(r"message: +Authentication is required to", said), f"{action}: {said}")
        listed = run(["pkaction"]).split()
        expect({a for a in listed if "dialtone" in a} == set(ACTIONS), f"{listed}")


def with_programs_here(here, folder):
    """Copies of the units that start programs which are there."""
    for name, text in here.units().items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(re.sub(r"^(Exec\w*=)\S+", r"\1/bin/true", text, flags=re.M))


@case("systemd finds no fault in the units", lab=False)
def _():
    needed("systemd-analyze")
    with Installed() as here, tempfile.TemporaryDirectory(dir="/run") as folder:
        with_programs_here(here, folder)
        add_user("dialtone", 61180)
        for name in here.units():
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                                   os.path.join(folder, name)],
                                  capture_output=True, text=True, timeout=20, check=False)
            said = [line for line in (done.stdout + done.stderr).splitlines() if "dialtone" in line]
            expect(not said, f"{name}: " + "\n".join(said))


@case("the units expose no more than was agreed on", lab=False)
def _():
    needed("systemd-analyze")
    with Installed() as here:
        for name, most in EXPOSURE.items():
            said = run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                        here.path(f"lib/systemd/system/{name}")])
            level = float(re.search(r"exposure level for \S+: ([0-9.]+)", said).group(1))
            expect(level <= most, f"{name}: {level}, at most {most}")


@case("a unit with a watchdog starts a program that speaks to it, and what is written down outlasts the helper",
      lab=False)
def _():
    with Installed() as here:
        for name, text in here.units().items():
            program = os.path.basename(re.search(r"^ExecStart=(\S+)", text, re.M).group(1))
            if "WatchdogSec=" in text:
                with open(os.path.join(ROOT, SPEAKERS[program]), encoding="utf-8") as file:
                    expect('"platform/notify.h"' in file.read(), f"{name}: {program} does not speak")
        helper = here.units()["dialtone-helper.service"]
        for line in ("RuntimeDirectoryPreserve=yes", "RuntimeDirectory=dialtone"):
            expect(line in helper.splitlines(), f"no {line}")
        expect(re.search(r"^ExecStopPost=\S+/dialtone-helper --undo$", helper, re.M), "nothing is put back")


@case("sysusers and tmpfiles make the user and the folders, secrets closed to others", lab=False)
def _():
    needed("systemd-sysusers")
    needed("systemd-tmpfiles")
    with Installed() as here, tempfile.TemporaryDirectory(dir="/run") as root:
        os.makedirs(f"{root}/etc")
        run(["systemd-sysusers", f"--root={root}", here.path("lib/sysusers.d/dialtone.conf")])
        with open(f"{root}/etc/passwd", encoding="ascii") as file:
            user = file.read().strip().split(":")
        expect(user[0] == "dialtone" and 0 < int(user[2]) < 1000 and user[6].endswith("nologin"), f"{user}")
        run(["systemd-tmpfiles", f"--root={root}", "--create", here.path("lib/tmpfiles.d/dialtone.conf")])
        for name, mode, group in (("run/dialtone", 0o755, 0), ("etc/dialtone", 0o755, 0),
                                  ("etc/dialtone/profiles", 0o755, 0), ("etc/dialtone/secrets", 0o750, int(user[3]))):
            found = os.stat(f"{root}/{name}")
            expect((found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, 0, group),
                   f"{name}: {found.st_mode:o} {found.st_uid}:{found.st_gid}")


if __name__ == "__main__":
    main()

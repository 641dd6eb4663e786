# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd-resolved and resolvconf, the real ones: installed, or unpacked under a folder that
DIALTONE_UNPACKED names (see ./unpack), for their packages can't be installed together or change the
machine that they are installed on."""

import os
import signal
import subprocess
import time

from rig import Failure, Rig, Skip, sh

UNPACKED = os.environ.get("DIALTONE_UNPACKED", "")
RESOLVED = "/lib/systemd/systemd-resolved"
BUS = "/run/dbus/system_bus_socket"


def wait_for(condition, what):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what} does not come")
        time.sleep(0.05)


def unpacked(package):
    folder = os.path.join(UNPACKED, package)
    return folder if UNPACKED and os.path.isdir(folder) else None


def writable_usr():
    """/usr becomes copy-on-write, once."""
    if os.path.ismount("/usr"):
        return
    sh("mkdir -p /run/.usr/u /run/.usr/w; mount -t overlay overlay "
       "-o lowerdir=/usr,upperdir=/run/.usr/u,workdir=/run/.usr/w /usr")


def install(package):
    """Copies an unpacked package into its places."""
    folder = unpacked(package)
    if not folder:
        raise Skip(f"{package} is neither installed nor unpacked")
    writable_usr()
    for part, place in (("sbin", "/usr/sbin"), ("lib", "/usr/lib"), ("usr", "/usr"), ("etc", "/etc")):
        if os.path.isdir(f"{folder}/{part}"):
            sh(f"cp -a {folder}/{part}/. {place}/")


class Resolved:
    """A system bus and systemd-resolved on it, with 192.0.2.53 as the ordinary server."""

    def __enter__(self):
        if not os.path.exists(RESOLVED):
            install("systemd-resolved")
        if not os.path.exists("/usr/bin/dbus-daemon"):
            raise Skip("there is no dbus-daemon")
        # The stub of resolvconf that comes along is not what is tested here.
        sh("rm -f /usr/sbin/resolvconf; mkdir -p /etc/dbus-1/system.d /etc/systemd; "
           "cp /usr/share/dbus-1/system.d/org.freedesktop.resolve1.conf /etc/dbus-1/system.d/; "
           "getent passwd systemd-resolve >/dev/null || "
           "echo 'systemd-resolve:x:996:996::/:/usr/sbin/nologin' >> /etc/passwd; "
           "getent group systemd-resolve >/dev/null || echo 'systemd-resolve:x:996:' >> /etc/group; "
           "printf '[Resolve]\\nDNS=192.0.2.53\\nDNSSEC=no\\nLLMNR=no\\nMulticastDNS=no\\n' "
           "> /etc/systemd/resolved.conf; "
           "install -d -o systemd-resolve -g systemd-resolve -m755 /run/systemd/resolve")
        self.bus = subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile",
                                     "--nosyslog"], stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(BUS), "the system bus")
        self.resolved = subprocess.Popen([RESOLVED], stderr=subprocess.DEVNULL)
        wait_for(lambda: "true" in sh(
            "gdbus call --system -d org.freedesktop.DBus -o / "
            "-m org.freedesktop.DBus.NameHasOwner org.freedesktop.resolve1"), "systemd-resolved")
        wait_for(lambda: os.path.exists("/run/systemd/resolve/stub-resolv.conf"), "its stub file")
        return self

    def __exit__(self, *unused):
        for process in (self.resolved, self.bus):
            process.kill()
            process.wait()
        if os.path.exists(BUS):
            os.unlink(BUS)

    @staticmethod
    def settings(interface="dialtone0"):
        """(servers, domains) of a link, as resolved tells them, or None for no such link."""
        path = f"/sys/class/net/{interface}/ifindex"
        if not os.path.exists(path):
            return None
        with open(path, encoding="ascii") as file:
            index = int(file.read())
        link = sh("gdbus call --system -d org.freedesktop.resolve1 -o /org/freedesktop/resolve1 "
                  f"-m org.freedesktop.resolve1.Manager.GetLink {index}").split("'")[1]
        return tuple(
            sh(f"gdbus call --system -d org.freedesktop.resolve1 -o {link} "
               "-m org.freedesktop.DBus.Properties.Get org.freedesktop.resolve1.Link "
               f"{name}").strip() for name in ("DNS", "Domains", "DefaultRoute"))

    @staticmethod
    def everything():
        """The manager's servers and domains: what must be as before."""
        return [sh("gdbus call --system -d org.freedesktop.resolve1 -o /org/freedesktop/resolve1 "
                   "-m org.freedesktop.DBus.Properties.Get org.freedesktop.resolve1.Manager "
                   f"{name}").strip() for name in ("DNS", "Domains")]


def ask(rig, name):
    """Whether a question for this name leaves by the tunnel, to its server."""
    rig.do("packets 2")
    process = subprocess.Popen(
        ["gdbus", "call", "--system", "-d", "org.freedesktop.resolve1", "-o",
         "/org/freedesktop/resolve1", "-m", "org.freedesktop.resolve1.Manager.ResolveHostname",
         "0", name, "2", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.7)
    process.kill()
    process.wait()
    label = name.split(".")[0].encode().hex()
    return any("0a010035" in packet and label in packet for packet in rig.do("packets 2").split())


def stub_link():
    sh("ln -sfn ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")


def register(case, plans, helpers):
    """Adds the cases; plans and helpers come from run.py."""
    full, split = plans
    expect, rig_class, undo, wait_gone, snapshot, expect_same = helpers

    @case("systemd-resolved: split DNS goes to the tunnel, all else does not, and is as before")
    def _(rig, program):
        rig.kill()
        undo(program)
        with Resolved() as resolved:
            stub_link()
            before, everything = snapshot(), resolved.everything()
            rig = rig_class(program)
            try:
                rig.set_up(split)
                servers, domains, default = resolved.settings()
                expect("0x0a, 0x01, 0x00, 0x35" in servers, servers)
                expect("('corp.example', false)" in domains, domains)
                expect("false" in default, default)
                expect(os.path.islink("/etc/resolv.conf"), "resolv.conf was replaced")
                expect(ask(rig, "host.corp.example"), "the tunnel's server is not asked")
                expect(not ask(rig, "www.example.org"), "outside names go to the tunnel")
                rig.do("release")
                expect("0x0a" not in resolved.settings()[0], "Release leaves the servers")
                rig.do(f"apply {full}")
                servers, domains, default = resolved.settings()
                expect("('.', true)" in domains and "true" in default, domains + default)
                expect(ask(rig, "www.example.net"), "names of a full tunnel leave beside it")
                rig.send("exit 0")
                rig.wait()
            finally:
                rig.kill()
            expect_same(before, snapshot())
            expect(resolved.everything() == everything, str(resolved.everything()))

    @case("systemd-resolved: as before after the helper was killed")
    def _(rig, program):
        rig.kill()
        undo(program)
        with Resolved() as resolved:
            stub_link()
            before, everything = snapshot(), resolved.everything()
            rig = rig_class(program)
            rig.set_up(full)
            os.kill(rig.peer, signal.SIGSTOP)
            os.kill(rig.helper, signal.SIGKILL)
            rig.wait()
            expect("0x0a" in resolved.settings()[0], "nothing was set up")
            expect(undo(program) == "undone 1", "nothing was put back")
            rig.kill()
            wait_gone(rig.peer)
            expect_same(before, snapshot())
            expect(resolved.everything() == everything, str(resolved.everything()))

    @case("systemd-resolved that nobody asks: the file is replaced too, and put back")
    def _(rig, program):
        rig.kill()
        undo(program)
        with Resolved() as resolved:
            before = snapshot()
            rig = rig_class(program)
            try:
                warnings = rig.set_up(full)
                expect("0x0a, 0x01, 0x00, 0x35" in resolved.settings()[0], "resolved is not set")
                with open("/etc/resolv.conf", encoding="ascii") as file:
                    text = file.read()
                expect("nameserver 10.1.0.53" in text, f"names leave beside it: {text}{warnings}")
                rig.send("exit 0")
                rig.wait()
            finally:
                rig.kill()
            expect_same(before, snapshot())

    @case("a system bus that answers nobody holds nothing up for long")
    def _(rig):
        import socket
        deaf = socket.socket(socket.AF_UNIX)
        deaf.bind(BUS)
        deaf.listen(5)
        try:
            began = time.monotonic()
            rig.set_up(full)
            expect(time.monotonic() - began < 8, f"{time.monotonic() - began:.1f} s")
            with open("/etc/resolv.conf", encoding="ascii") as file:
                expect("nameserver 10.1.0.53" in file.read(), "no way was found")
        finally:
            deaf.close()
            os.unlink(BUS)

    for package in ("resolvconf", "openresolv"):
        register_resolvconf(case, full, package, helpers)


RECORDS = ("find /run/resolvconf -type f ! -name '*lock*' ! -name enable-updates -print 2>/dev/null | "
           "sort | xargs -r head -v -n 50")


def register_resolvconf(case, full, package, helpers):
    expect, rig_class, undo, wait_gone, snapshot, expect_same = helpers

    @case(f"{package}: the record is added and taken away, also after a kill")
    def _(rig, program):
        rig.kill()
        undo(program)
        install(package)
        try:
            sh("mkdir -p /run/resolvconf/interface; touch /run/resolvconf/enable-updates; "
               "ln -sfn /run/resolvconf/resolv.conf /etc/resolv.conf; "
               "touch /run/resolvconf/resolv.conf; "
               "test -d /etc/resolvconf/update.d || "
               "echo resolv_conf=/run/resolvconf/resolv.conf >> /etc/resolvconf.conf; "
               "printf 'nameserver 192.0.2.53\\n' | resolvconf -a up0.inet")
            before, records = snapshot(), sh(RECORDS)
            expect("192.0.2.53" in before, "the package itself does not work here")
            for killed in (False, True):
                rig = rig_class(program)
                try:
                    rig.set_up(full)
                    text = sh("cat /etc/resolv.conf")
                    expect("nameserver 10.1.0.53" in text and "corp.example" in text, text)
                    expect(os.path.islink("/etc/resolv.conf"), "resolv.conf was replaced")
                    if killed:
                        os.kill(rig.helper, signal.SIGKILL)
                        rig.wait()
                        wait_gone(rig.peer)
                        expect(undo(program) == "undone 1", "nothing was put back")
                    else:
                        rig.send("exit 0")
                        rig.wait()
                finally:
                    rig.kill()
                expect_same(before.replace("\n\n", "\n"), snapshot().replace("\n\n", "\n"))
                expect(sh(RECORDS) == records, sh(RECORDS))
        finally:
            sh("rm -rf /usr/sbin/resolvconf /run/resolvconf /etc/resolv.conf /etc/resolvconf "
               "/etc/resolvconf.conf")

    @case(f"{package} that does not write resolv.conf: the file is replaced instead")
    def _(rig, program):
        rig.kill()
        undo(program)
        install(package)
        try:
            sh("mkdir -p /run/resolvconf/interface; rm -f /run/resolvconf/enable-updates; "
               "echo resolvconf=NO >> /etc/resolvconf.conf")
            before, records = snapshot(), sh(RECORDS)
            rig = rig_class(program)
            try:
                rig.set_up(full)
                text = sh("cat /etc/resolv.conf")
                expect("nameserver 10.1.0.53" in text, "names leave beside the tunnel: " + text)
                rig.send("exit 0")
                rig.wait()
                errors = rig.errors()
                expect(not errors, errors)
            finally:
                rig.kill()
            expect_same(before, snapshot())
            expect("10.1.0.53" not in sh(RECORDS) and records is not None, sh(RECORDS))
        finally:
            sh("rm -rf /usr/sbin/resolvconf /run/resolvconf /etc/resolvconf /etc/resolvconf.conf")


def register_slow_resolvconf(case, full, helpers):
    expect = helpers[0]

    @case("a resolvconf that never ends is ended, with its children")
    def _(rig, program):
        rig.kill()
        writable_usr()
        with open("/usr/sbin/resolvconf", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nenv > /run/resolvconf-env\nls -l /proc/$$/fd > /run/resolvconf-fd\n"
                       "echo \"$@\" > /run/resolvconf-args\nsleep 4321 & sleep 4322\n")
        os.chmod("/usr/sbin/resolvconf", 0o755)
        # A helper may start programs only if it finds resolvconf when it begins.
        rig = Rig(program)
        try:
            rig.do("claim office")
            rig.do("tun 1400")
            rig.send(f"apply {full}")
            time.sleep(10.5)
            expect(rig.line().startswith("ok"), "Apply fails")
            with open("/run/resolvconf-env", encoding="ascii") as file:
                names = sorted(line.split("=")[0] for line in file)
            expect([n for n in names if n not in ("PWD", "_", "SHLVL", "OLDPWD")] ==
                   ["LC_ALL", "PATH"], str(names))
            with open("/run/resolvconf-fd", encoding="ascii") as file:
                fds = [line.split("-> ")[1].strip() for line in file if "-> " in line]
                bad = [fd for fd in fds if not fd.startswith(("pipe:", "/dev/null", "/usr/sbin/",
                                                              "/run/resolvconf-fd"))]
                expect(not bad, f"descriptors leak: {fds}")
            with open("/run/resolvconf-args", encoding="ascii") as file:
                expect(file.read().strip() == "-a tun.dialtone0 -m 0 -x", "other arguments")
            expect("432" not in sh("ps -eo args | grep '[s]leep' || true"), "its child lives on")
            with open("/etc/resolv.conf", encoding="ascii") as file:
                expect("nameserver 10.1.0.53" in file.read(), "no way was found")
        finally:
            # Undo asks it again: it must not be there any more.
            os.unlink("/usr/sbin/resolvconf")
            rig.kill()

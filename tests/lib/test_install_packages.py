#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/install-packages with an apt-get that installs nothing, on mounts of its own. Prints TAP."""

import os
import signal

from script_kit import Folder, case, expect, main, wait_until

FOREIGN = "#!/bin/sh\nexit 0\n"
SERVICES = "/etc/systemd/user/sockets.target.wants"
# What it leaves of policy-rc.d and of services is in the folder then.
MACHINE = f"""#!/bin/bash
mount -t tmpfs tmpfs /usr/sbin && mount -t tmpfs tmpfs /etc/systemd && mkdir -p {SERVICES} || exit 99
ln -s /former.socket {SERVICES}
[ ! -e policy-rc.d ] || cp policy-rc.d /usr/sbin
trap '' INT TERM HUP
(trap - INT TERM HUP; echo $BASHPID > pid; exec scripts/install-packages build)
code=$?
rm -f policy-rc.d
[ ! -e /usr/sbin/policy-rc.d ] || cp /usr/sbin/policy-rc.d .
ls {SERVICES} > services
exit $code
"""
# A download hangs for ever, dpkg for a second.
APT_GET = f"""#!/bin/bash
verb=$(grep -oE 'update|download-only|$' <<< "$*" | head -n 1)
[ "$(cat hangs)" != "${{verb:=install}}" ] || touch begun
if [ $verb = install ]; then
    sleep 1
    cp /usr/sbin/policy-rc.d seen
    ln -s /gcr-ssh-agent.socket /wanted.socket {SERVICES}
elif [ -e begun ]; then
    sleep 1000
fi
"""


class Machine(Folder):
    def __init__(self, hangs="", policy=None):
        super().__init__("scripts/install-packages")
        self.write("scripts/packages", "build thing\n")
        self.write("machine", MACHINE)
        self.write("bin/apt-get", APT_GET)
        self.write("bin/dpkg-query", "#!/bin/sh\nexit 1\n")
        self.write("hangs", hangs)
        if policy:
            self.write("policy-rc.d", policy)

    def begin(self):
        return self.start("unshare", "--mount", "./machine", cwd=self.folder,
                          env={"PATH": f"{self.path('bin')}:{os.environ['PATH']}", "MARK": self.folder})

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def interrupt(self, *numbers):
        """Exit code and lines of one that is interrupted where it hangs."""
        process = self.begin()
        wait_until(lambda: self.has("begun"), "apt-get has begun")
        for number in numbers:
            os.kill(int(self.text("pid")), number)
        found = self.end(process)
        self.wait_none_left()
        expect(not self.has("policy-rc.d"), "policy-rc.d stays")
        return found


@case
def nothing_is_started_now_or_at_the_next_boot_and_what_was_there_stays():
    with Machine() as machine:
        code, lines = machine.end(machine.begin())
        expect(code == 0, f"{code}: {lines}")
        expect("exit 101" in machine.text("seen"), "services may start")
        expect(not machine.has("policy-rc.d"), "policy-rc.d stays")
        expect(machine.text("services").split() == ["former.socket", "wanted.socket"], machine.text("services"))


@case
def a_download_is_given_up_at_once():
    for verb in ("update", "download-only"):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
            with Machine(verb) as machine:
                ended, lines = machine.interrupt(number)
                expect(ended == code and len(lines) == 1, f"{verb}, {number.name}: {ended} {lines}")
                expect(not machine.has("seen"), "it was installed nevertheless")


@case
def what_dpkg_has_begun_is_finished():
    hup, term = signal.SIGHUP, signal.SIGTERM
    # A terminal that closes lets some send one after the other.
    for numbers, code in (((signal.SIGINT,), 130), ((term,), 143), ((hup,), 143), ((hup, term, hup, term), 143)):
        with Machine("install") as machine:
            ended, lines = machine.interrupt(*numbers)
            expect(ended == code and "is finished first" in lines[-1], f"{numbers}: {ended} {lines}")
            expect(machine.has("seen"), "dpkg was ended")
            expect("gcr-ssh-agent.socket" not in machine.text("services"), "a service stays")


@case
def a_policy_of_the_administrator_stays_and_one_that_a_killed_run_left_goes():
    with Machine(policy=FOREIGN) as machine:
        machine.end(machine.begin())
        expect(machine.text("seen") == machine.text("policy-rc.d") == FOREIGN, "the administrator's is another")
    with Machine() as machine:
        machine.end(machine.begin())
        machine.write("policy-rc.d", machine.text("seen"))
        machine.end(machine.begin())
        expect(not machine.has("policy-rc.d"), "its own stays")


if __name__ == "__main__":
    main()

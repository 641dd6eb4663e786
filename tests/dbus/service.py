#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 150 s, full: 150 s
"""dialtoned on a real system bus, with the real helper and a real gateway: who may do what, and that
the command line works through it."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import Bus  # noqa: E402
from cases import case, main  # noqa: E402
from client import binary, check_connected, check_failed, profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from measure import expect_ping  # noqa: E402

ALLOW_ALICE = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.dialtone.connect-") == 0 && subject.user == "alice")
        return polkit.Result.YES;
});"""


class User:
    """A person at the command line, inside the client's network."""

    def __init__(self, lab, bus, name):
        self.lab, self.uid, self.name = lab, bus.people[name], name
        self.folder = os.path.join(lab.folder, f"home-{name}")
        os.makedirs(self.folder, exist_ok=True)
        os.chown(self.folder, self.uid, self.uid)
        os.chmod(self.folder, 0o700)

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        os.chown(path, self.uid, self.uid)
        return path

    def command(self, *words):
        return ["ip", "netns", "exec", self.lab.ns("client"), "setpriv", f"--reuid={self.uid}",
                f"--regid={self.uid}", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                f"HOME={self.folder}", binary(), *words]

    def dialtone(self, *words, code=0):
        """Runs it to its end; its objects of JSON, and what it said."""
        os.chmod(self.lab.folder, 0o755)
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=40, check=False)
        expect(done.returncode == code, f"dialtone {' '.join(words)} ended with {done.returncode}, not "
               f"{code}: {done.stdout[-500:]} {done.stderr[-900:]}")
        return done

    def connect(self, *words, code=0, groups=None, secrets=None):
        path = self.file("office.dialtone", profile_text(groups or profile()))
        given = self.file("secrets", secrets or secrets_text())
        done = self.dialtone("connect", "--json", "--secrets", given, *words, path, code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]


def service(lab):
    lab.serve_office()
    Gateway(lab, Connection("alice@example.com")).up()
    return Bus(("ip", "netns", "exec", lab.ns("client")))


@case("a user connects, looks, renegotiates and disconnects through the service", seconds=60)
def _(lab):
    with service(lab) as bus:
        bus.polkit(ALLOW_ALICE)
        alice = User(lab, bus, "alice")
        before = lab.client_network()
        events = alice.connect()
        check_connected(events[-1])
        expect_ping(lab, lab.sites[0].host)
        told = json.loads(alice.dialtone("status", "--json").stdout)
        expect(told["state"] == "connected" and told["address"] == events[-1]["address"], told)
        alice.dialtone("renegotiate")
        expect_ping(lab, lab.sites[0].host)
        alice.dialtone("disconnect")
        changes = lab.network_changes(before)
        expect(not changes, f"left behind: {changes}")


main()

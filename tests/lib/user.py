# SPDX-License-Identifier: GPL-2.0-or-later
"""People at the command line, who connect through the service."""

import json
import os
import subprocess

from client import Events, binary, check_connected, profile, profile_text, secrets_text
from lab import expect


class User:
    """A person at the command line, inside the client's network."""

    def __init__(self, lab, bus, name):
        self.lab, self.uid, self.name = lab, bus.people[name], name
        self.folder = os.path.join(lab.folder, f"home-{name}")
        self.env = {}  # more of it
        os.makedirs(self.folder, exist_ok=True)
        os.chown(self.folder, self.uid, self.uid)
        os.chmod(self.folder, 0o700)
        os.chmod(lab.folder, 0o755)

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        os.chown(path, self.uid, self.uid)
        return path

    def words(self, *words):
        """The command line of `dialtone ...` in the client's node."""
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", "env", "-i",
                "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", f"HOME={self.folder}",
                *(f"{key}={value}" for key, value in self.env.items()), binary(), *words]

    def command(self, *words):
        return self.lab.inside("client", *self.words(*words))

    def dialtone(self, *words, code=0):
        """Runs it to its end."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL)
        expect(done.returncode == code, f"dialtone {' '.join(words)} ended with {done.returncode}, not "
               f"{code}: {done.stdout[-500:]} {done.stderr[-900:]}")
        return done

    def connect(self, *words, what=None, code=0, secrets=None, **more):
        """The objects of JSON that it printed. what: a profile's name; else a file of the user's own."""
        path = what or self.file("office.dialtone", profile_text(profile(**more)))
        given = self.file("secrets", secrets or secrets_text())
        done = self.dialtone("connect", "--json", "--secrets", given, *words, path, code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self):
        lines = self.dialtone("status", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]


class ServiceClient(Events):
    """A user's connection through the service, followed by `dialtone monitor`: what client.Dialtone
    is without a service."""

    def __init__(self, user, groups, secrets=None):
        super().__init__()
        self.user, self.lab = user, user.lab
        self.profile = user.file("office.dialtone", groups if isinstance(groups, str) else profile_text(groups))
        self.secrets = user.file("secrets", secrets or secrets_text())
        self.watch()

    def watch(self):
        """Anew, when the service was killed."""
        self.follow(self.lab.start("client", *self.user.words("monitor", "--json"), stdout=subprocess.PIPE,
                                   stderr=open(os.path.join(self.lab.folder, "dialtone-monitor.err"), "ab")))

    def stderr(self):
        return self.lab.read_log("dialtone-monitor.err")

    def start(self):
        self.user.dialtone("connect", "--no-wait", "--secrets", self.secrets, self.profile)
        return self

    def connect(self, seconds=10):
        """What `connected` said, as the monitor has it."""
        known = len(self.events)
        self.user.dialtone("connect", "--wait", str(seconds), "--secrets", self.secrets, self.profile)
        event = self.wait_state("connected", 5, after=known)
        check_connected(event)
        return event

    def wait_lost(self, seconds=20):
        self.wait_event(lambda e: e.get("reason") == "tunnel-lost" and e["state"] == "failed", seconds, 0, "it is lost")

    def disconnect(self):
        self.user.dialtone("disconnect")

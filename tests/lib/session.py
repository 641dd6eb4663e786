# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop session of a user, as far as a keyring needs one: a session bus and gnome-keyring, both
real, in a folder to throw away."""

import os
import shutil
import signal
import subprocess

from client import CALLER, name_caller
from lab import wait_until

PASSWORD = "the user's login password"

# A bus that starts nobody but whom a test names: whoever asks for the keyring before it is there
# would start a second one, and two would write the same file.
BUS = """<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Session:
    """Use it as a context. `env` is what the session's programs have in their environment."""

    def __init__(self, lab, uid=CALLER, services=()):
        """services: files of /usr/share/dbus-1/services, whom the bus may start."""
        self.lab, self.uid, self.services = lab, uid, services
        self.folder = os.path.join(lab.folder, "session")
        self.env = {"XDG_RUNTIME_DIR": self.folder, "HOME": self.folder,
                    "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.folder}/bus"}

    def as_user(self, *argv):
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", "env", "-i",
                "PATH=/usr/bin:/bin", *(f"{k}={v}" for k, v in self.env.items()), *argv]

    def run(self, *argv, given=""):
        """Standard output of a program of the user's."""
        done = subprocess.run(self.as_user(*argv), input=given, capture_output=True, text=True,
                              timeout=20, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def __enter__(self):
        if self.uid == CALLER:
            name_caller()  # for the bus daemon
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o700)
        os.chown(self.folder, self.uid, self.uid)
        os.makedirs(f"{self.folder}/services", exist_ok=True)
        for name in self.services:
            shutil.copy(f"/usr/share/dbus-1/services/{name}.service", f"{self.folder}/services")
        started = f"<servicedir>{self.folder}/services</servicedir>" if self.services else ""
        with open(f"{self.folder}/bus.conf", "w", encoding="utf-8") as file:
            file.write(BUS.format(path=f"{self.folder}/bus", services=started))
        self.bus = self.lab.start("client", *self.as_user(
            "dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--nopidfile"),
            log="session-bus.log")
        wait_until(lambda: os.path.exists(f"{self.folder}/bus"), 5, "the session bus is there")
        self.keyring = self.lab.start("client", *self.as_user(
            "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"),
            log="keyring.log", stdin=subprocess.PIPE)
        self.keyring.stdin.write(PASSWORD.encode())
        self.keyring.stdin.close()
        wait_until(self.has_keyring, 5, "the keyring is there")
        return self

    def has_keyring(self):
        try:
            self.run("gdbus", "introspect", "--session", "-d", "org.freedesktop.secrets", "-o",
                     "/org/freedesktop/secrets/collection/login")
            return True
        except RuntimeError:
            return False

    def lock(self):
        self.run("gdbus", "call", "--session", "-d", "org.freedesktop.secrets", "-o",
                 "/org/freedesktop/secrets", "-m", "org.freedesktop.Secret.Service.Lock",
                 "[objectpath '/org/freedesktop/secrets/collection/login']")

    def stop_keyring(self):
        """It stays on the bus, and answers nobody."""
        self.keyring.send_signal(signal.SIGSTOP)

    def continue_keyring(self):
        self.keyring.send_signal(signal.SIGCONT)

    def __exit__(self, *_):
        self.continue_keyring()
        self.lab.stop(self.keyring)
        self.lab.stop(self.bus)
        shutil.rmtree(self.folder)

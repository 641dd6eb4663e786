# SPDX-License-Identifier: GPL-2.0-or-later
"""A window of tmux in which a person types: what stands in it, what is typed, and that it is closed."""

import itertools
import os
import shlex
import subprocess

from client import CALLER, binary
from lab import Failure, wait_until


class Terminal:
    """Runs a command line in a window of its own; the window stays when the command has ended."""

    numbers = itertools.count()  # a server that is told to end has its socket for a moment yet

    def __init__(self, lab, node, *argv, env=None):
        self.lab, self.node = lab, node
        number = next(self.numbers)
        self.socket = os.path.join(lab.folder, f"tmux-{number}.socket")
        self.code = os.path.join(lab.folder, f"tmux-{number}.code")
        words = ["env", *(f"{k}={v}" for k, v in (env or {}).items()), *map(str, argv)]
        script = f"trap : INT; {shlex.join(words)}; echo $? >{shlex.quote(self.code)}; exec cat"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "50",
                   f"sh -c {shlex.quote(script)}")

    def _tmux(self, *words):
        done = subprocess.run(self.lab.inside(self.node, "env", "-u", "TMUX", "TERM=xterm", "LC_ALL=C.UTF-8",
                                              "tmux", "-S", self.socket, *words),
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"tmux {words}: {done.stderr}")
        return done.stdout

    def text(self):
        """All that stands in the window, with what has scrolled out of it; wrapped lines in one."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-")

    def wait_text(self, text, seconds=10, times=1):
        try:
            wait_until(lambda: self.text().count(text) >= times, seconds, f"'{text}' on the terminal")
        except Failure as failure:
            raise Failure(f"{failure}; it shows:\n{self.text()}") from None

    def type(self, line):
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def press(self, key):
        self._tmux("send-keys", key)

    def wait_exit(self, seconds=10):
        wait_until(lambda: os.path.exists(self.code) and os.path.getsize(self.code), seconds,
                   "the end of the command")
        with open(self.code, encoding="ascii") as file:
            return int(file.read())

    def close(self):
        """As a user closes a window: what runs in it loses its terminal."""
        self._tmux("kill-server")


def connect(lab, client, *more, through=()):
    """`sudo dialtone connect --standalone` of a lab's client in a terminal, without a secrets file."""
    env = {"SUDO_UID": CALLER, "SUDO_GID": CALLER, "SUDO_USER": "caller"}
    return Terminal(lab, client.node, *through, binary(), "connect", "--standalone", *more,
                    client.profile, env=env)

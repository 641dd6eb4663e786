# SPDX-License-Identifier: GPL-2.0-or-later
"""What ./try --gui shows: the window in front of the office's gateway, on the display that there is;
where there is none, on one without a screen, of which a picture is saved.

A display is reached by a socket in /tmp alone: the sandbox has a network of its own, and a /run, where the
cookies of most desktops are. ./try has read them outside.
"""

import os
import subprocess

from bus import Bus
from desktop import Desktop, program
from gateway import Connection, Gateway, versions
from lab import expect, run
from service_kit import ALLOW, Person
from demo_service import provision, say

COOKIES = os.environ.pop("DIALTONE_COOKIES", "")  # for nobody else


class NoDisplay(Exception):
    """What is named can't be opened from here."""


class Shown(Desktop):
    """On the display of whoever runs this."""

    def start_x(self):
        path = self.env["XAUTHORITY"] = os.path.join(self.folder, "xauthority")
        # For every name that a machine may have: this one's is the sandbox's.
        run(["xauth", "-f", path, "nmerge", "-"], check=False,
            input="".join(f"ffff{line[4:]}\n" for line in COOKIES.splitlines()))
        if os.path.exists(path):
            os.chown(path, self.uid, self.uid)
        self.env["DISPLAY"] = os.environ["DISPLAY"]
        probe = self.lab.inside("client", *self.as_user("xdpyinfo"))
        if subprocess.run(probe, timeout=30, capture_output=True, check=False).returncode:
            raise NoDisplay()

    def watch(self):
        """Until its person has seen enough."""
        code = self.gui.wait()
        self.gui = None
        expect(code == 0, f"dialtone-gtk ended with {code}: {self.lab.read_log('dialtone-gtk.log').strip()[-500:]}")


def watch(lab, alice):
    with Shown(lab, alice) as desktop:
        say("  The window is on your display. Close it when you have seen enough, or press Ctrl-C.")
        desktop.watch()


def picture(lab, alice):
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Office, Not connected")
        desktop.act("toggle button", "Connect Office")
        desktop.wait("list item", "Office, Connected")
        desktop.resize(900, 1000)
        desktop.screenshot("dialtone-gtk.png")
        desktop.act("toggle button", "Connect Office")
        desktop.wait("list item", "Office, Not connected")
    say(f"  A picture of it is in {os.environ['DIALTONE_SCREENSHOTS']}/dialtone-gtk.png")


def watch_or_picture(lab, alice):
    display = os.environ.get("DISPLAY")
    try:
        if display:
            watch(lab, alice)
            return
        say("  There is no display.")
    except NoDisplay:
        say(f"  The display {display} can't be opened from the sandbox.")
    picture(lab, alice)


def show(lab, title):
    lab.serve_office()
    node = ("ip", "netns", "exec", lab.ns("client"))
    with Gateway(lab, Connection("alice@example.com", proposals="aes256-sha256-modp2048",
                                 esp="aes256gcm16-modp2048")), Bus(node) as bus:
        say(f"  {versions()} is up, and so are a system bus and polkit")
        bus.polkit(ALLOW)
        provision(bus)
        title(f"$ {os.path.basename(program())}")
        alice = Person(lab, bus, "alice")
        watch_or_picture(lab, alice)
        alice.dialtone("disconnect")

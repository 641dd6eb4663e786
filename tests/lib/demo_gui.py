# SPDX-License-Identifier: GPL-2.0-or-later
"""What ./try --gui shows: the window in front of the office's gateway, on the display that there is;
where there is none, on one without a screen, of which a picture is saved."""

import os

from bus import Bus
from desktop import Desktop, program
from gateway import Connection, Gateway, versions
from lab import run
from service_kit import ALLOW, Person
from demo_service import provision, say


class Shown(Desktop):
    """On the display of whoever runs this."""

    def start_x(self):
        cookies = run(["xauth", "nlist", os.environ["DISPLAY"]], check=False)
        path = self.env["XAUTHORITY"] = os.path.join(self.folder, "xauthority")
        # For every name that a machine may have: this one's is the sandbox's.
        run(["xauth", "-f", path, "nmerge", "-"], check=False,
            input="".join(f"ffff{line[4:]}\n" for line in cookies.splitlines()))
        if os.path.exists(path):
            os.chown(path, self.uid, self.uid)
        self.env["DISPLAY"] = os.environ["DISPLAY"]

    def watch(self):
        """Until its person has seen enough."""
        self.gui.wait()
        self.gui = None


def watch(lab, alice):
    with Shown(lab, alice) as desktop:
        say("  The window is on your display. Close it when you have seen enough.")
        desktop.watch()


def picture(lab, alice):
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Office, Not connected")
        desktop.act("toggle button", "Connect Office")
        desktop.wait("list item", "Office, Connected")
        desktop.screenshot("dialtone-gtk.png")
        desktop.act("toggle button", "Connect Office")
        desktop.wait("list item", "Office, Not connected")
    say(f"  There is no display; a picture is in {os.environ['DIALTONE_SCREENSHOTS']}/dialtone-gtk.png")


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
        (watch if os.environ.get("DISPLAY") else picture)(lab, alice)
        alice.dialtone("disconnect")

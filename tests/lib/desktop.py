# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop to throw away: an X server without a screen, a session bus, a keyring, and dialtone-gtk
on it, which is driven by what assistive technologies see of it.

    with Desktop(lab, bus, alice) as desktop:
        desktop.act("toggle button", "Connect Office")
        desktop.wait("label", "Connected")
"""

import json
import os
import select
import subprocess
import sys
import time

from client import binary
from lab import ROOT, Failure, expect, run, wait_until
from service_kit import system_profile
from session import Session

HERE = os.path.dirname(os.path.realpath(__file__))
SIZE = "1100x800x24"
UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"  # of the profile Corp
SOCKETS = "/tmp/.X11-unix"
SUPPRESSIONS = os.path.join(ROOT, "tests/gui/lsan.supp")


def program():
    build = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(binary()))))
    path = os.path.join(build, "gui/dialtone-gtk")
    expect(os.path.exists(path), "dialtone-gtk is not built")
    return path


def machine_knows_the_key(bus, **more):
    """The profile Corp, whose key is the machine's, so that nobody is asked."""
    os.makedirs("/etc/dialtone/secrets", exist_ok=True)
    os.chown("/etc/dialtone/secrets", 0, bus.service)
    os.chmod("/etc/dialtone/secrets", 0o750)
    path = f"/etc/dialtone/secrets/{UUID}"
    with open(path, "w", encoding="utf-8") as file:
        file.write("[Secrets]\nPSK=correct horse battery staple\n")
    os.chown(path, 0, bus.service)
    os.chmod(path, 0o640)
    system_profile("Corp", Profile__UUID=UUID, Profile__Description="The head office", Access__Users="alice",
                   Secrets__PSK="system", UserAuth__XAuth="no", **more)


class Desktop(Session):
    """Use it as a context. `profiles` is the folder of the user's own profiles."""

    def __init__(self, lab, user, **env):
        super().__init__(lab, user.uid, ("org.a11y.Bus",))
        self.user = user
        self.env.update({"HOME": user.folder, "GSETTINGS_BACKEND": "memory", "LC_ALL": "C.UTF-8",
                         "GDK_BACKEND": "x11", "XDG_DATA_DIRS": "/usr/share", "XDG_CONFIG_DIRS": "/etc/xdg",
                         "ASAN_OPTIONS": "detect_leaks=1:fast_unwind_on_malloc=0",
                         "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
                         "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0", **env})
        self.profiles = os.path.join(user.folder, ".config/dialtone/profiles")
        self.x = self.wm = self.driver = self.gui = None

    # ---- life ----
    def __enter__(self):
        super().__enter__()
        try:
            self.start_x()
            self.install_settings()
            self.driver = self.lab.start("client", *self.as_user(
                "/usr/bin/python3", os.path.join(HERE, "desktop_driver.py")), log=None,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log("driver.log"))
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def log(self, name):
        return open(os.path.join(self.lab.folder, name), "ab")

    def start_x(self):
        """As root, for only root may do without the lock, which would be the real machine's."""
        os.makedirs(SOCKETS, exist_ok=True)
        if not os.path.ismount(SOCKETS):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", SOCKETS], check=True)
        read, write = os.pipe()
        self.x = self.lab.start("client", "Xvfb", "-displayfd", write, "-nolock", "-nolisten", "tcp", "-noreset",
                                "-screen", "0", SIZE, log="x.log", pass_fds=(write,))
        os.close(write)
        with os.fdopen(read) as file:
            expect(select.select([file], [], [], 30)[0], "the X server starts")
            self.env["DISPLAY"] = f":{file.readline().strip()}"
        self.wm = self.lab.start("client", *self.as_user("openbox"), log="wm.log")
        wait_until(lambda: "window id" in self.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), 30,
                   "windows are managed")

    def install_settings(self):
        folder = self.env["GSETTINGS_SCHEMA_DIR"] = f"{self.folder}/schemas"
        run(["glib-compile-schemas", "--strict", f"--targetdir={self.make(folder)}", os.path.join(ROOT, "data")])

    @staticmethod
    def make(folder):
        os.makedirs(folder, exist_ok=True)
        return folder

    def start(self, *words):
        """The program."""
        self.gui = self.lab.start("client", *self.as_user(program(), *words), log="dialtone-gtk.log")

    def stop(self):
        """As a person would. Whatever leaked is its exit code's to tell."""
        if self.gui is None:
            return
        if self.gui.poll() is None:
            self.run("gdbus", "call", "--session", "-d", "org.dialtone.Dialtone", "-o", "/org/dialtone/Dialtone",
                     "-m", "org.gtk.Actions.Activate", "quit", "[]", "{}")
        self.ended()

    def ended(self):
        """It ends by itself."""
        gui, self.gui = self.gui, None
        wait_until(lambda: gui.poll() is not None, 30, "dialtone-gtk has ended")
        self.lab.stop(gui)
        expect(gui.returncode == 0, f"dialtone-gtk ended with {gui.returncode}")

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.stop()
        finally:
            for process in (self.gui, self.driver, self.wm, self.x):
                if process is not None:
                    self.lab.stop(process)
            super().__exit__(kind, *rest)

    # ---- what is seen and done ----
    def ask(self, seconds=30, **question):
        self.driver.stdin.write((json.dumps({"seconds": seconds, **question}) + "\n").encode())
        self.driver.stdin.flush()
        expect(select.select([self.driver.stdout], [], [], seconds + 10)[0], "the driver does not answer")
        answer = json.loads(self.driver.stdout.readline() or '{"error": "the driver has ended"}')
        if "error" in answer:
            raise Failure(f"{answer['error']}\n{answer.get('tree', '')}")
        return answer["value"]

    def wait(self, role, name, seconds=30, **states):
        """Until something of that role and name is shown, with those states: checked=True..."""
        return self.ask(seconds, do="wait", role=role, name=name, states=states)

    def has(self, role, name, **states):
        return self.ask(do="has", role=role, name=name, states=states)

    def act(self, role, name, seconds=30):
        return self.ask(seconds, do="act", role=role, name=name)

    def type(self, role, name, text):
        return self.ask(do="type", role=role, name=name, text=text)

    def key(self, name):
        """Pressed and released, wherever the keyboard is."""
        self.run("xdotool", "key", "--clearmodifiers", name)

    def gone(self, role, name, seconds=30):
        return self.ask(seconds, do="gone", role=role, name=name)

    def names(self, role):
        """All of that role that are shown."""
        return self.ask(do="names", role=role)

    # ---- a tray ----
    def tray_comes(self):
        return self.ask(do="tray-comes")

    def tray_goes(self):
        return self.ask(do="tray-goes")

    def tray_hides(self):
        """Who shows icons goes; who knows them stays."""
        return self.ask(do="tray-hides")

    def tray_icon(self, title, seconds=30):
        """The name of the icon, when its title is this one."""
        return self.ask(seconds, do="tray-icon", name=title)

    def tray_click(self, label, seconds=30):
        """At what stands in the icon's menu, when it does."""
        return self.ask(seconds, do="tray-click", name=label)

    # ---- notifications ----
    def told(self):
        """The titles of all notifications, from the first call on."""
        return self.ask(do="told-all", name=None)

    def wait_told(self, title, seconds=30, **action):
        """action="Try Again": presses that button."""
        return self.ask(seconds, do="told", name=title, **action)

    def profile(self, name, text):
        """A profile of the user's own."""
        os.makedirs(self.profiles, exist_ok=True)
        path = os.path.join(self.profiles, f"{name}.dialtone")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        for folder, folders, files in os.walk(os.path.join(self.user.folder, ".config")):
            for entry in (folder, *(os.path.join(folder, f) for f in folders + files)):
                os.chown(entry, self.uid, self.uid)

    def screenshot(self, path):
        """For people to look at; DIALTONE_SCREENSHOTS names the folder, else none is made."""
        folder = os.environ.get("DIALTONE_SCREENSHOTS")
        if folder:
            time.sleep(0.5)  # whatever moves has come to rest
            os.makedirs(folder, exist_ok=True)
            out = os.path.join(folder, path)
            with open(out, "wb") as file:
                subprocess.run(self.lab.inside("client", *self.as_user(
                    "import", "-window", "root", "png:-")), stdout=file, check=True)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop to throw away: an X server without a screen, a session bus, a keyring, and dialtone-gtk
on it, which is driven by what assistive technologies see of it.

    with Desktop(lab, bus, alice) as desktop:
        desktop.act("toggle button", "Connect Office")
        desktop.wait("label", "Connected")
"""

import itertools
import json
import os
import select
import subprocess
import sys
import time

from certificates import token_settings
from client import binary
from lab import ROOT, Failure, expect, run, wait_until
from service_kit import system_profile
from session import Session

HERE = os.path.dirname(os.path.realpath(__file__))
SIZE = "1280x1500x24"
UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"  # of the profile Corp
SOCKETS = "/tmp/.X11-unix"
VALGRIND_LIST = os.path.join(ROOT, "tests/gui/valgrind.supp")
SUPPRESSIONS = os.path.join(ROOT, "tests/gui/lsan.supp")


def program():
    build = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(binary()))))
    path = os.path.join(build, "gui/dialtone-gtk")
    expect(os.path.exists(path), "dialtone-gtk is not built")
    return path


def installed():
    """Files of the build, and where an installation has them."""
    build = os.path.dirname(os.path.dirname(program()))
    with open(os.path.join(build, "meson-info/intro-installed.json"), encoding="utf-8") as file:
        return json.load(file).items()


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

    def __init__(self, lab, user, services=(), screen=SIZE, **env):
        super().__init__(lab, user.uid, ("org.a11y.Bus", *services))
        self.user, self.screen = user, screen
        self.under = []  # what runs the program
        self.env.update({"HOME": user.folder, "GSETTINGS_BACKEND": "memory", "LC_ALL": "C.UTF-8",
                         "PATH": f"{os.path.dirname(os.path.realpath(binary()))}:/usr/bin:/bin",
                         "GDK_BACKEND": "x11", "SOFTHSM2_CONF": token_settings(user), "XDG_DATA_DIRS": "/usr/share", "XDG_CONFIG_DIRS": "/etc/xdg",
                         "ASAN_OPTIONS": "detect_leaks=1:fast_unwind_on_malloc=0",
                         "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
                         "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0", **env})
        self.profiles = os.path.join(user.folder, ".config/dialtone/profiles")
        self.make(os.path.join(user.folder, ".config"))  # every desktop has one
        self.own(".config")
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
        if not os.path.isdir(SOCKETS):
            os.makedirs(SOCKETS, exist_ok=True)
            os.chmod(SOCKETS, 0o1777)  # whoever's server comes next wants to have it so
        if not os.path.ismount(SOCKETS):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", SOCKETS], check=True)
        read, write = os.pipe()
        self.x = self.lab.start("client", "Xvfb", "-displayfd", write, "-nolock", "-nolisten", "tcp", "-noreset",
                                "-screen", "0", self.screen, log="x.log", pass_fds=(write,))
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

    def watch_memory(self):
        """From the next start on: a wrong access, or what nobody has any more at the end, is a wrong exit code."""
        lists = (VALGRIND_LIST, "/usr/share/glib-2.0/valgrind/glib.supp", "/usr/share/gtk-3.0/valgrind/gtk.supp")
        self.env.update({"G_SLICE": "always-malloc", "G_DEBUG": "gc-friendly"})
        self.under = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite", "--num-callers=40",
                      "--errors-for-leak-kinds=definite", "--error-exitcode=9", "--quiet",
                      *(f"--suppressions={name}" for name in lists if os.path.exists(name))]

    @staticmethod
    def make(folder):
        os.makedirs(folder, exist_ok=True)
        return folder

    def start(self, *words):
        """The program."""
        self.gui = self.lab.start("client", *self.as_user(*self.under, program(), *words), log="dialtone-gtk.log")

    def open(self, path):
        """A file, as a file manager does while the program runs."""
        self.run("gdbus", "call", "--session", "-d", "org.dialtone.Dialtone", "-o", "/org/dialtone/Dialtone",
                 "-m", "org.freedesktop.Application.Open", f"['file://{path}']", "{}")

    def stop(self):
        """As a person would. Whatever leaked is its exit code's to tell."""
        if self.gui is None:
            return
        if self.gui.poll() is None:
            self.activate("quit")
        self.ended()

    def ended(self):
        """It ends by itself."""
        gui, self.gui = self.gui, None
        wait_until(lambda: gui.poll() is not None, 120 if self.under else 30, "dialtone-gtk has ended")
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
        seconds *= 5 if self.under else 1
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

    def choose(self, role, name, seconds=30):
        """One of those that are beside it."""
        return self.ask(seconds, do="choose", role=role, name=name)

    def type(self, role, name, text):
        return self.ask(do="type", role=role, name=name, text=text)

    def key(self, name):
        """Pressed and released, wherever the keyboard is."""
        self.run("xdotool", "key", "--clearmodifiers", name)

    def place(self, role, name):
        """Where on the screen it is: left, top, width, height."""
        return self.ask(do="place", role=role, name=name)

    def mouse(self, *words):
        """What a hand does with it, as xdotool says it."""
        self.run("xdotool", *map(str, words))

    def pointer(self):
        """What it looks like: the name of its image."""
        return self.ask(do="pointer")

    def drag(self, x, y, to_x, to_y):
        """From one place to another, and let go of when the pointer says that what is there takes it. Like a hand,
        it is never quite still: who was not listening yet hears of the next move."""
        self.mouse("mousemove", x, y, "mousedown", 1)
        trembles = itertools.cycle((0, 1))
        wait_until(lambda: self.mouse("mousemove", to_x + next(trembles), to_y) or self.pointer() == "dnd-move", 30,
                   "it is taken there")
        self.mouse("mouseup", 1)

    def resize(self, width, height):
        """The program's window, when it is there."""
        def window():
            try:
                return self.run("xdotool", "search", "--onlyvisible", "--name", "^Dialtone$").split()[-1]
            except RuntimeError:
                return None
        self.run("xdotool", "windowsize", wait_until(window, 30, "there is a window"), str(width), str(height))

    def window_of(self, program, seconds=30):
        """Waits until another program has shown one, and that has the keyboard."""
        def has_keyboard():
            try:
                shown = self.run("xdotool", "search", "--onlyvisible", "--class", program).split()
                return self.run("xdotool", "getactivewindow").strip() in shown
            except RuntimeError:
                return False
        wait_until(has_keyboard, seconds, f"{program} has the keyboard")

    def front(self):
        """How wide and high the window that has the keyboard is, in dots of the screen."""
        said = self.run("xdotool", "getactivewindow", "getwindowgeometry", "--shell")
        size = dict(line.split("=") for line in said.split())
        return int(size["WIDTH"]), int(size["HEIGHT"])

    def gone(self, role, name, seconds=30):
        return self.ask(seconds, do="gone", role=role, name=name)

    def text(self, name):
        """What stands in the text of that name."""
        return self.ask(do="text", role="text", name=name)

    def activate(self, action):
        """One of the program's actions, as its menus do; win.NAME: of its first window."""
        path = "/org/dialtone/Dialtone"
        if action.startswith("win."):
            path, action = f"{path}/window/1", action[4:]
        self.run("gdbus", "call", "--session", "-d", "org.dialtone.Dialtone", "-o", path, "-m",
                 "org.gtk.Actions.Activate", action, "[]", "{}")

    def faults(self):
        """What in the window in front is in the way of a keyboard, or of whoever hears what is shown."""
        return self.ask(do="faults")

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
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        self.own(".config")
        os.rename(path + ".new", path)  # theirs when it is seen first

    def own(self, *folders):
        """What was written for the user is theirs."""
        for name in folders:
            for folder, _, files in os.walk(os.path.join(self.user.folder, name)):
                for entry in (folder, *(os.path.join(folder, file) for file in files)):
                    os.chown(entry, self.uid, self.uid)

    @staticmethod
    def settle(seconds=1):
        """For pictures alone: whatever moves has come to rest."""
        time.sleep(seconds)

    def seen(self, *form):
        """All that is on the screen, in a form of ImageMagick's."""
        return subprocess.run(self.lab.inside("client", *self.as_user("import", "-window", "root", *form)),
                              stdout=subprocess.PIPE, check=True).stdout

    def picture(self, out):
        """All that is on the screen, into this file, when it has come to rest or never does."""
        before = None
        for _ in range(8):
            self.settle(0.2)
            shown = self.seen("rgb:-")
            if shown == before:
                break
            before = shown
        with open(out, "wb") as file:
            file.write(self.seen("-trim", "+repage", "png:-"))

    def screenshot(self, path):
        """For people to look at; DIALTONE_SCREENSHOTS names the folder, else none is made."""
        folder = os.environ.get("DIALTONE_SCREENSHOTS")
        if folder:
            os.makedirs(folder, exist_ok=True)
            self.picture(os.path.join(folder, path))

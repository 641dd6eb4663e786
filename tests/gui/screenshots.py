#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 370 s, full: 4500 s
"""Every page and dialog in each theme, size, language and direction of writing. Whether they are beautiful
people have to see: where DIALTONE_SCREENSHOTS names a folder, the pictures are kept there. Whether a page
fits into the size, each look is another, whoever has no mouse or no eyes comes everywhere, and GTK has
nothing to complain of is seen here."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import FULL, main  # noqa: E402
from desktop import Desktop  # noqa: E402
from lab import expect, run  # noqa: E402
from scenes import Stage, walk  # noqa: E402
from service_kit import service_case  # noqa: E402
from words import PSEUDO, install_catalogs  # noqa: E402

LIGHT, DARK, CONTRAST = "Adwaita", "Adwaita:dark", "HighContrast"
LOOKS = {"light": (LIGHT, None), "dark": (DARK, None), "contrast": (CONTRAST, None), "german": (LIGHT, "de"),
         "japanese": (LIGHT, "ja"), "mirrored": (LIGHT, PSEUDO)}
# The window, how many dots of the screen one of its own is, and the screen: the second has room for little.
SIZES = {"small": (720, 560, 1, (1280, 1500)), "large": (860, 500, 2, (1920, 1080))}
# Each takes a second or two.
ALL = FULL or "DIALTONE_SCREENSHOTS" in os.environ
STILL = "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n"


class Album:
    """The pictures of one look; `of` keeps what each has shown, by its name."""

    def __init__(self, lab, desktop, look, size):
        self.desktop, self.name, self.of = desktop, f"{look}-{size}", {}
        self.width, self.height, self.scale, self.screen = SIZES[size]
        self.folder = os.environ.get("DIALTONE_SCREENSHOTS") or os.path.join(lab.folder, "pictures")
        os.makedirs(self.folder, exist_ok=True)

    def take(self, name):
        path = os.path.join(self.folder, f"{self.name}-{name}.png")
        self.desktop.picture(path)
        colours, width, height, shown = run(["identify", "-format", "%k %w %h %#", path]).split()
        expect(int(colours) > 32, f"{name} is all but empty: {colours} colours")
        expect(shown not in self.of.values(), f"{name} shows what another picture shows")
        self.of[name] = shown
        front = self.desktop.front()
        expect(front[0] <= self.screen[0] and front[1] <= self.screen[1],
               f"{name} does not fit into a screen of {self.screen}: it is {front}")
        if name.startswith("window-"):
            got = int(width) / self.scale, int(height) / self.scale
            expect(abs(got[0] - self.width) <= 30 and abs(got[1] - self.height) <= 30,
                   f"{name} does not fit into {self.width}x{self.height}: it is {got[0]}x{got[1]}")


def hold_still(alice):
    """What blinks and turns would make each picture another."""
    path = os.path.join(alice.folder, ".config/gtk-3.0/settings.ini")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(STILL)


seen = {}


def look_at_all(lab, bus, alice, look, size):
    theme, language = LOOKS[look]
    environment = {"GTK_THEME": theme, "GDK_SCALE": str(SIZES[size][2]), "LANGUAGE": language or "en",
                   "XDG_STATE_HOME": f"{alice.folder}/state"}
    install_catalogs()
    hold_still(alice)
    faults, (wide, high) = [], SIZES[size][3]
    with Desktop(lab, alice, screen=f"{wide}x{high}x24", **environment) as desktop:
        album = Album(lab, desktop, look, size)
        desktop.wait("frame", "Dialtone")  # which is not there before the driver answers the bus
        desktop.mouse("mousemove", wide - 1, high - 1)  # where it shows no tooltip
        desktop.resize(album.width * album.scale, album.height * album.scale)
        for name in walk(Stage(lab, bus, alice, desktop, language)):
            if ALL or name.startswith("window-"):
                album.take(name)
            if name != "about":  # which is GTK's
                faults += [f"{name}: {fault}" for fault in desktop.faults()]
    complaints = re.findall(r".*-(?:WARNING|CRITICAL) \*\*.*", lab.read_log("dialtone-gtk.log"))
    expect(not complaints, "GTK complains:\n" + "\n".join(complaints))
    expect(not faults, "not for everybody:\n" + "\n".join(faults))
    for other, shown in seen.items():
        same = [name for name in shown if shown[name] == album.of.get(name)]
        expect(not same, f"{album.name} and {other} do not differ in {same}")
    seen[album.name] = album.of


def add(look, size):
    @service_case(f"all pages and dialogs are drawn, and read out: {look}, {size}", seconds=750 if FULL else 350,
                  connection=False, full=(look, size) != ("light", "small"))
    def _(lab, bus, alice, bob):
        look_at_all(lab, bus, alice, look, size)


for each in LOOKS:
    for large in SIZES:
        add(each, large)
main()

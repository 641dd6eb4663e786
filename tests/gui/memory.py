#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 180 s, full: 2700 s
"""How much memory dialtone-gtk takes while nobody looks at it, whether that grows, and whether all of it
is used as it should be."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import FULL, main  # noqa: E402
from desktop import Desktop, machine_knows_the_key  # noqa: E402
from lab import expect  # noqa: E402
from scenes import Stage, walk  # noqa: E402
from service_kit import service_case  # noqa: E402

IDLE = 45 * 1024  # kB
CYCLES, GROWTH = (500, 1024) if FULL else (20, 512)


def kilobytes(desktop, field):
    """Pss: its share of what it has in memory. Anonymous: what is its own, whoever else comes and goes
    that shares a library with it."""
    with open(f"/proc/{desktop.gui.pid}/smaps_rollup", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{field}:"))


def is_sanitized(desktop):
    """Sanitizers keep what was freed, and their own maps: what they hold says nothing."""
    with open(f"/proc/{desktop.gui.pid}/maps", encoding="utf-8") as file:
        return any("libasan" in line or "libclang_rt" in line for line in file)


def cycle(desktop, number):
    for _ in range(number):
        desktop.tray_click("Connect Corp")
        desktop.tray_icon("Corp: Connected")
        desktop.tray_click("Disconnect Corp")
        desktop.tray_icon("Not connected")


@service_case("with its window closed it is small, and connecting again and again does not make it grow",
              seconds=1700 if FULL else 150)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.tray_comes()
        desktop.tray_icon("Not connected")
        desktop.wait("list item", "Corp, Not connected")
        desktop.act("push button", "Close")
        desktop.gone("list item", "Corp, Not connected")
        idle = kilobytes(desktop, "Pss")
        cycle(desktop, 5)
        before = kilobytes(desktop, "Anonymous")
        cycle(desktop, CYCLES)
        after = kilobytes(desktop, "Anonymous")
        print(f"# idle {idle} kB; its own before {CYCLES} cycles {before} kB, after {after} kB", flush=True)
        if not is_sanitized(desktop):
            expect(idle <= IDLE, f"{idle} kB with the window closed")
            expect(after - before <= GROWTH, f"from {before} to {after} kB in {CYCLES} cycles")


@service_case("valgrind finds no wrong access and nothing lost, on every page and in every dialog", seconds=900,
              connection=False, full=True)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice, XDG_STATE_HOME=f"{alice.folder}/state") as desktop:
        desktop.wait("label", "No profiles yet")
        desktop.stop()
        desktop.watch_memory()
        desktop.start()
        for _ in walk(Stage(lab, bus, alice, desktop)):
            pass
        desktop.tray_comes()
        desktop.tray_click("Open Dialtone")
        desktop.act("push button", "Close")
        desktop.gone("push button", "Close")
        desktop.tray_click("Open Dialtone")
        desktop.wait("push button", "Close")
        desktop.tray_click("Quit")
        desktop.ended()


main()

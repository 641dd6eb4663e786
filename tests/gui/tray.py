#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""The icon of dialtone-gtk in a tray, and what becomes of the program when its window is closed."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from desktop import Desktop, machine_knows_the_key, program  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from panel import Panel  # noqa: E402
from service_kit import CONNECTION, objects, service_case, text_of  # noqa: E402


@service_case("the icon's menu connects and disconnects, with the window closed, in each tray that comes", seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.tray_comes()
        expect(desktop.tray_icon("Not connected") == "dialtone-disconnected-symbolic", "the icon is another")
        desktop.act("push button", "Close")
        desktop.gone("list item", "Corp, Not connected")
        desktop.tray_click("Connect Corp")
        expect(desktop.tray_icon("Corp: Connected", 30) == "dialtone-connected-symbolic", "the icon is another")
        expect_ping(lab, lab.sites[0].host)
        desktop.tray_goes()
        desktop.tray_comes()
        desktop.tray_icon("Corp: Connected")
        desktop.tray_click("Open Dialtone")
        desktop.wait("list item", "Corp, Connected")
        desktop.tray_click("Disconnect Corp")
        desktop.wait("list item", "Corp, Not connected")
        desktop.tray_click("Quit")
        desktop.ended()


@service_case("the icon is seen in a real panel, and again when that was killed and has come back", seconds=120,
              full=True)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice, ("org.xfce.Xfconf",)) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        panel = Panel(desktop)
        panel.start()
        wait_until(panel.icons, 30, "the panel has the icon")
        desktop.act("push button", "Close")
        desktop.gone("list item", "Corp, Not connected")
        empty = wait_until(panel.pixels, 5, "the panel is seen")
        alice.dialtone("connect", "Corp")
        wait_until(lambda: panel.pixels() != empty, 30, "the icon shows that it is connected")
        desktop.screenshot("panel.png")
        expect_ping(lab, lab.sites[0].host)
        connected = panel.pixels()
        panel.kill()
        panel.start()
        wait_until(panel.icons, 30, "the panel has the icon again")
        wait_until(lambda: panel.pixels() == connected, 30, "the panel looks as it did")
        desktop.run(program())
        desktop.wait("list item", "Corp, Connected")
        panel.kill()
        desktop.act("push button", "Close")
        desktop.wait("push button", "Quit Dialtone")
        desktop.act("push button", "Quit Dialtone")
        desktop.ended()
        alice.dialtone("disconnect")


@service_case("without a tray, closing the window ends the program, and says so when something is connected",
              seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Connected", 30)
        desktop.act("push button", "Close")
        desktop.wait("push button", "Quit Dialtone")
        desktop.screenshot("quit.png")
        desktop.act("push button", "Quit Dialtone")
        desktop.ended()
        expect_ping(lab, lab.sites[0].host)
        desktop.start()
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Not connected")
        expect(not objects(bus, CONNECTION), "the connection is not gone")
        desktop.act("push button", "Close")
        desktop.ended()


@service_case("a window is not closed to a tray that nobody shows", seconds=60)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.tray_comes()
        desktop.tray_icon("Not connected")
        desktop.tray_hides()
        desktop.act("push button", "Close")
        desktop.ended()


@service_case("what becomes of a connection is told while the window is closed, unless that is switched off",
              seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        expect(not desktop.told(), "something was told already")
        desktop.tray_comes()
        desktop.tray_icon("Not connected")
        desktop.act("push button", "Close")
        desktop.gone("list item", "Corp, Not connected")
        desktop.tray_click("Connect Corp")
        desktop.wait_told("Corp is connected")
        desktop.tray_click("Disconnect Corp")
        desktop.tray_icon("Not connected")
        machine_knows_the_key(bus, proposals="aes256-sha512-ecp521")
        wait_until(lambda: "ecp521" in text_of(bus, alice), 10, "the service has read the profile")
        desktop.tray_click("Connect Corp")
        desktop.wait_told("Corp could not be connected")
        first = set(objects(bus, CONNECTION))
        desktop.wait_told("Corp could not be connected", action="Try Again")
        wait_until(lambda: set(objects(bus, CONNECTION)) - first, 30, "it is tried again")
        desktop.run("gdbus", "call", "--session", "-d", "org.dialtone.Dialtone", "-o", "/org/dialtone/Dialtone", "-m",
                    "org.gtk.Actions.SetState", "notifications", "<false>", "{}")
        before = desktop.told()
        machine_knows_the_key(bus)
        wait_until(lambda: "modp1024" in text_of(bus, alice), 10, "the service has read the profile")
        desktop.tray_click("Connect Corp")
        desktop.tray_icon("Corp: Connected")
        expect(desktop.told() == before, f"{desktop.told()}")
        desktop.tray_click("Disconnect Corp")
        desktop.tray_icon("Not connected")


main()

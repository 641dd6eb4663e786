#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""What dialtone-gtk shows when something does not work, its preferences, and how it starts with the
session."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from desktop import Desktop, machine_knows_the_key, program  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import service_case  # noqa: E402

SETTINGS = "/etc/glib-2.0/settings"  # where an administrator gives and locks values of the key file backend


def entry(alice):
    return os.path.join(alice.folder, ".config/autostart/org.dialtone.Dialtone.desktop")


def leave(desktop, role, name):
    desktop.key("Escape")
    desktop.gone(role, name)


@service_case("a failed connection is diagnosed, and log and bug report are shown before anything is saved",
              seconds=180)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus, proposals="aes256-sha512-ecp521")
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        desktop.activate("log")
        desktop.wait("label", "Nothing has been logged yet.")
        desktop.gone("label", "Done.")
        leave(desktop, "dialog", "Log")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Could not connect", 30)
        advice = next(text for text in desktop.names("label") if "[Phase1] Proposals" in text)
        expect("“Diagnose” finds out what" in advice, f"no button is named: {advice}")
        expect("`" not in advice, f"a command is named where there is a button: {advice}")
        desktop.screenshot("failure.png")
        desktop.act("push button", "Diagnose")
        desktop.wait("label", "Something is wrong; what to do stands above.", 60)
        said = desktop.text("Diagnosis of Corp")
        expect("failed" in said and "\nok " in "\n" + said, f"the diagnosis: {said}")
        desktop.screenshot("diagnosis.png")
        leave(desktop, "dialog", "Diagnosis of Corp")
        desktop.activate("log")
        desktop.wait("label", "Done.")
        expect("Corp: failed" in desktop.text("Log"), f"the log: {desktop.text('Log')}")
        desktop.screenshot("log.png")
        leave(desktop, "dialog", "Log")
        desktop.activate("bug-report")
        desktop.wait("label", "Done.")
        said = desktop.text("Bug Report")
        expect("Dialtone bug report" in said and "gw.example.com" not in said, f"the report: {said}")
        desktop.screenshot("bug-report.png")
        leave(desktop, "dialog", "Bug Report")
        saved = [name for _, _, names in os.walk(alice.folder) for name in names if "report" in name]
        expect(not saved, f"it was saved without a question: {saved}")


@service_case("starting with the session is switched on and off, and locked with a word by the administrator",
              seconds=120)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice, GSETTINGS_BACKEND="keyfile") as desktop:
        desktop.wait("label", "No profiles yet")
        desktop.activate("preferences")
        desktop.wait("toggle button", "Start with the session", checked=False)
        desktop.screenshot("preferences.png")
        desktop.act("toggle button", "Start with the session")
        wait_until(lambda: os.path.exists(entry(alice)), 10, "the session starts it")
        desktop.run("desktop-file-validate", entry(alice))
        desktop.act("toggle button", "Start with the session")
        wait_until(lambda: not os.path.exists(entry(alice)), 10, "the session does not start it")
        desktop.act("toggle button", "Start with the session")
        wait_until(lambda: os.path.exists(entry(alice)), 10, "the session starts it again")
        leave(desktop, "dialog", "Preferences")
        desktop.stop()
        with open(entry(alice), "a", encoding="utf-8") as file:
            file.write("X-GNOME-Autostart-enabled=false\n")  # as another program switches it off
        desktop.start()
        desktop.wait("label", "No profiles yet")
        desktop.activate("preferences")
        desktop.wait("toggle button", "Start with the session", checked=False)
        desktop.stop()
        os.makedirs(SETTINGS, exist_ok=True)
        with open(f"{SETTINGS}/locks", "w", encoding="utf-8") as file:
            file.write("/org/dialtone/Dialtone/autostart\n")
        with open(f"{SETTINGS}/defaults", "w", encoding="utf-8") as file:
            file.write("[org/dialtone/Dialtone]\nautostart=true\n")
        desktop.start()
        desktop.wait("label", "No profiles yet")
        with open(entry(alice), encoding="utf-8") as file:
            expect("enabled=false" not in file.read(), "what is locked is not made so")
        desktop.activate("preferences")
        desktop.wait("toggle button", "Start with the session", checked=True, sensitive=False)
        desktop.wait("label", "Your administrator has set this.")
        desktop.wait("toggle button", "Show notifications", sensitive=True)
        desktop.screenshot("preferences-locked.png")


@service_case("hidden, it starts into the tray, and started again it shows its window", seconds=60)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.wait("label", "No profiles yet")
        desktop.stop()
        desktop.tray_comes()
        desktop.start("--hidden")
        desktop.tray_icon("Not connected")
        desktop.run(program(), "--hidden")
        expect(not desktop.has("label", "No profiles yet"), "there is a window")
        desktop.run(program())
        desktop.wait("label", "No profiles yet")
        desktop.tray_click("Preferences")
        desktop.wait("toggle button", "Show notifications", checked=True)


main()

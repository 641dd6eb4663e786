#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""The window of dialtone-gtk, as assistive technologies see it, in front of a real service, helper
and gateway."""

import os
import re
import signal
import sys

LIB = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib")
sys.path.insert(0, LIB)
from cases import main  # noqa: E402
from client import profile, profile_text  # noqa: E402
from desktop import Desktop, machine_knows_the_key  # noqa: E402
from gateway import BANNER  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import ALLOW, CONNECTION, NAME, objects, service_case, system_profile  # noqa: E402


@service_case("the switch connects and disconnects, and the page says who, where and how", seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        desktop.screenshot("idle.png")
        desktop.resize(900, 1300)
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Connected", 30)
        desktop.wait("toggle button", "Connect Corp", checked=True)
        expect_ping(lab, lab.sites[0].host)
        facts = desktop.names("list item")
        for fact in ("Gateway: 203.0.113.2:4500", "Networks: 10.10.0.0/24",
                     "Phase 1: aes128 · sha1 · modp1024, weak: modp1024", "Phase 2: aes128 · sha1"):
            expect(fact in facts, f"{fact} is not among {facts}")
        expect(BANNER in desktop.names("label"), f"no banner in {desktop.names('label')}")
        lab.run("client", "ping", "-c", "3", "-i", "0.2", "-s", "1000", lab.sites[0].host)
        desktop.wait("image", "Traffic of the last minute")
        wait_until(lambda: any(re.fullmatch(r"[1-9]\d*(\.\d+)?.kB in \d+ packets", text) for text in desktop.names("label")),
                   10, "what was carried is counted")
        desktop.screenshot("connected.png")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Not connected")
        wait_until(lambda: not objects(bus, CONNECTION), 5, "the connection is gone")
        desktop.gone("image", "Traffic of the last minute")


@service_case("a profile is connected by keyboard alone", seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        for _ in range(6):
            desktop.key("Tab")
            if desktop.has("toggle button", "Connect Corp", focused=True):
                break
        desktop.wait("toggle button", "Connect Corp", focused=True)
        desktop.key("space")
        desktop.wait("list item", "Corp, Connected", 30)
        desktop.key("space")
        desktop.wait("list item", "Corp, Not connected")


@service_case("a failure is told with its advice, and tried again with a button", seconds=120)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice, GTK_THEME="Adwaita:dark") as desktop:
        desktop.wait("label", "No profiles yet")
        desktop.screenshot("empty-dark.png")
        machine_knows_the_key(bus, proposals="aes256-sha512-ecp521")
        desktop.wait("list item", "Corp, Not connected")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Could not connect", 30)
        expect(any("aes256-sha512-ecp521" in text for text in desktop.names("label")),
               f"what was offered is not named: {desktop.names('label')}")
        desktop.screenshot("failed-dark.png")
        first = set(objects(bus, CONNECTION))
        desktop.act("push button", "Try Again")
        wait_until(lambda: set(objects(bus, CONNECTION)) - first, 30, "it is tried again")
        desktop.wait("list item", "Corp, Could not connect", 30)


@service_case("what the gateway's administrator needs is folded away, and copied by a button", seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus, proposals="aes256-sha512-ecp521")
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Could not connect", 30)
        desktop.wait("toggle button", "For the Gateway’s Administrator", checked=False)
        desktop.act("toggle button", "For the Gateway’s Administrator")
        desktop.wait("toggle button", "For the Gateway’s Administrator", checked=True)
        desktop.act("push button", "Copy")
        desktop.activate("win.new-profile")
        desktop.act("push button", "From a text")
        desktop.wait("text", "Text of the profile", focused=True)
        desktop.key("ctrl+v")
        wait_until(lambda: desktop.text("Text of the profile").startswith("Junos:\nset security ike proposal "), 10,
                   "the lines of Junos are pasted")
        desktop.key("Escape")


@service_case("a gateway that is lost is told, and connected again when it is back", seconds=120)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Connected", 30)
        lab.gateway.down()
        desktop.wait("list item", "Corp, Connection lost, trying again…", 60)
        desktop.wait("toggle button", "Connect Corp", checked=True)
        lab.gateway.up()
        desktop.wait("list item", "Corp, Connected", 60)
        expect_ping(lab, lab.sites[0].host)
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Not connected")


@service_case("a profile with mistakes says which, and can't be switched on", seconds=120)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.profile("wrong", profile_text(profile(proposals="aes512-sha1-modp1024", Profile__Name="Wrong")))
        desktop.wait("list item", "Wrong, Has mistakes")
        desktop.wait("toggle button", "Connect Wrong", sensitive=False)
        expect(any("Proposals" in text and "aes512" in text for text in desktop.names("label")),
               f"no word of the mistake: {desktop.names('label')}")
        desktop.screenshot("mistakes.png")
        desktop.act("push button", "Edit…")
        desktop.wait("push button", "Save and Test")
        desktop.key("Escape")
        desktop.gone("push button", "Save and Test")


@service_case("a service that goes is started again, and one that is not there is told", seconds=120)
def _(lab, bus, alice, bob):
    system_profile("Corp", Access__Users="alice")
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        first = bus.owner_pid(NAME)
        expect(first, "the service is not there")
        os.kill(first, signal.SIGKILL)
        second = wait_until(lambda: bus.owner_pid(NAME) not in (0, first) and bus.owner_pid(NAME), 30,
                            "the service is there again")
        desktop.wait("list item", "Corp, Not connected")
        activation = f"/usr/share/dbus-1/system-services/{NAME}.service"
        os.rename(activation, activation + ".away")
        try:
            bus.reload()
            os.kill(second, signal.SIGTERM)
            desktop.wait("label", "The service is not there.")
            desktop.screenshot("missing.png")
        finally:
            os.rename(activation + ".away", activation)
        bus.reload()
        desktop.act("push button", "Try Again")
        desktop.wait("list item", "Corp, Not connected")


@service_case("a service that ends as soon as it is started is started again", seconds=120, full=True)
def _(lab, bus, alice, bob):
    system_profile("Corp", Access__Users="alice")
    starts = os.path.join(lab.folder, "starts")
    os.makedirs(starts, mode=0o700)
    os.chown(starts, bus.service, bus.service)
    bus.activate(NAME, "dialtone", f"/usr/bin/python3 {os.path.join(LIB, 'short_lived.py')} {NAME} {starts}")
    with Desktop(lab, alice) as desktop:
        wait_until(lambda: len(os.listdir(starts)) > 1, 30, "it is started again")
        bus.install_programs()
        desktop.wait("list item", "Corp, Not connected")


@service_case("what could not be done is past when it is done elsewhere", seconds=120, rule=None)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus)
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Corp, Not connected")
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Could not be done")
        bus.polkit(ALLOW)
        alice.dialtone("connect", "Corp")
        desktop.wait("list item", "Corp, Connected", 30)
        desktop.act("toggle button", "Connect Corp")
        desktop.wait("list item", "Corp, Not connected")


main()

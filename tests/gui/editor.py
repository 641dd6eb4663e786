#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 400 s, full: 400 s
"""The profile editor of dialtone-gtk: what it refuses, what it leaves alone, and what it writes."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from desktop import Desktop, UUID, machine_knows_the_key  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import service_case  # noqa: E402

KEY, PASSWORD = "correct horse battery staple", "carol's password"
ALICE = Connection("alice@example.com", users={"carol": PASSWORD})
HAND = """# by hand
[Profile]
Name=Office
# who we are
UUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b22

[Gateway]
Address = 203.0.113.2
# the end
[Identity]
ID=alice@example.com
Auth=psk
[Phase1]
Proposals=aes128-sha1-modp1024
[Phase2]
Proposals=aes128-sha1
"""


def read(desktop, name="office"):
    with open(os.path.join(desktop.profiles, f"{name}.dialtone"), encoding="utf-8") as file:
        return file.read()


def edit(desktop, action="edit-profile", name="Office"):
    desktop.wait("list item", f"{name}, Not connected")
    desktop.act("toggle button", "Profile")
    desktop.act("push button", {"edit-profile": "Edit…", "rename-profile": "Rename…", "duplicate-profile": "Duplicate…",
                              "forget-secrets": "Forget Secrets…", "delete-profile": "Delete…"}[action])


def turn(desktop, pages, first="Name"):
    """To a later page, by keyboard, from the first field of the first."""
    desktop.wait("text", first, focused=True)
    for _ in range(pages):
        desktop.key("ctrl+Page_Down")


def kept(desktop, name, kind):
    """What the keyring has."""
    try:
        return desktop.run("secret-tool", "lookup", "profile", name, "kind", kind)
    except RuntimeError:
        return None


def keep(desktop, name, kind, secret):
    desktop.run("secret-tool", "store", "--label=test", "xdg:schema", "org.dialtone.Dialtone", "profile", name,
                "kind", kind, given=secret)


@service_case("what is wrong is said where it is typed, and can't be saved", seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.profile("office", HAND)
        edit(desktop)
        desktop.wait("push button", "Save", sensitive=True)
        desktop.wait("list item", "General", selected=True)
        desktop.screenshot("editor.png")
        for address, said in (("300.1.2.3", "300.1.2.3"), ("vpn.example.com:99999", "99999"), ("", "ddress")):
            desktop.type("text", "Address", address)
            desktop.wait("push button", "Save", sensitive=False)
            wait_until(lambda: any(said in text for text in desktop.names("label")), 10, f"{said} is said")
        desktop.screenshot("editor-wrong.png")
        desktop.type("text", "Your identity", "192.0.2.1")
        desktop.type("text", "Address", "203.0.113.2")
        desktop.wait("push button", "Save", sensitive=False)
        desktop.type("text", "Your identity", "alice@example.com")
        desktop.wait("push button", "Save", sensitive=True)
        desktop.type("text", "Name", "a/b\\c")
        desktop.act("push button", "Cancel")
        desktop.wait("push button", "Discard")
        desktop.act("push button", "Keep Editing")
        desktop.act("push button", "Cancel")
        desktop.act("push button", "Discard")
        desktop.gone("push button", "Save")
        expect(read(desktop) == HAND, f"it was written: {read(desktop)}")


@service_case("one line changes, and what stands around it stays", seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.profile("office", HAND)
        edit(desktop)
        desktop.type("text", "Your identity", "bob@example.com")
        desktop.act("push button", "Save")
        wait_until(lambda: read(desktop) == HAND.replace("alice@", "bob@"), 10, "only that line is another")
        edit(desktop)
        desktop.type("text", "Description", "x")
        with open(os.path.join(desktop.profiles, "office.dialtone"), "a", encoding="utf-8") as file:
            file.write("# written meanwhile\n")
        desktop.activate("quit")
        desktop.act("push button", "Keep Editing")
        desktop.act("push button", "Save")
        desktop.wait("push button", "Replace It")
        desktop.screenshot("editor-changed.png")
        desktop.act("push button", "Keep Editing")
        desktop.act("push button", "Cancel")
        desktop.act("push button", "Discard")
        desktop.gone("push button", "Save")
        expect("# written meanwhile" in read(desktop), "what another wrote is lost")
        edit(desktop)
        desktop.type("text", "Description", "Typed here")
        with open(os.path.join(desktop.profiles, "office.dialtone"), "a", encoding="utf-8") as file:
            file.write("# once more\n")
        desktop.act("push button", "Save")
        desktop.wait("push button", "Replace It")
        desktop.activate("quit")
        desktop.wait("push button", "Discard")
        desktop.act("push button", "Replace It")
        desktop.ended()
        expect("Description=Typed here" in read(desktop) and "# once more" not in read(desktop), read(desktop))


@service_case("proposals are ordered by keyboard, weak ones are marked, and who shares an attempt is said", seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice, GTK_THEME="Adwaita:dark") as desktop:
        desktop.profile("office", HAND.replace("aes128-sha1-modp1024", "aes256-sha256-modp2048; aes128-sha1-modp1024"))
        edit(desktop)
        turn(desktop, 2)
        desktop.wait("list item", "2: aes128-sha1-modp1024, weak, attempt 2")
        desktop.screenshot("proposals-dark.png")
        desktop.wait("list item", "1: aes256-sha256-modp2048, attempt 1", focused=True)
        desktop.key("alt+Down")
        desktop.wait("list item", "1: aes128-sha1-modp1024, weak, attempt 1")
        desktop.act("push button", "Add a proposal of Phase 1")
        desktop.wait("list item", "3: aes256-sha256-modp2048, attempt 2")
        desktop.wait("label", "'aes256-sha256-modp2048' stands twice; remove one.")
        desktop.act("push button", "Remove the proposal of Phase 1")
        desktop.act("push button", "Save")
        wait_until(lambda: "Proposals=aes128-sha1-modp1024;aes256-sha256-modp2048\n" in read(desktop), 10, "it is saved")


def draw(desktop, name, onto, becomes):
    """A proposal, by its handle, to another's place."""
    left, top, _, height = desktop.place("list item", name)
    goal = desktop.place("list item", onto)
    desktop.drag(left + 14, top + height // 2, left + 24, goal[1] + goal[3] // 2)
    desktop.wait("list item", becomes, focused=True)
    wait_until(lambda: desktop.place("list item", becomes) == goal, 10, "it stands there")


@service_case("proposals are ordered by drawing one to another's place, and saved so", seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        first, second, third = "aes256-sha256-modp2048", "aes128-sha256-modp2048", "aes128-sha1-modp2048"
        desktop.profile("office", HAND.replace("aes128-sha1-modp1024", ";".join((first, second, third))))
        edit(desktop)
        turn(desktop, 2)
        desktop.wait("list item", f"1: {first}, attempt 1", focused=True)
        draw(desktop, f"1: {first}, attempt 1", f"3: {third}, attempt 1", f"3: {first}, attempt 1")
        draw(desktop, f"2: {third}, attempt 1", f"1: {second}, attempt 1", f"1: {third}, attempt 1")
        desktop.act("push button", "Save")
        wait_until(lambda: f"Proposals={third};{second};{first}\n" in read(desktop), 10, "the order is saved")


@service_case("the wheel turns the page, and picks nothing of what is under it", seconds=180, full=True)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.profile("office", HAND)
        edit(desktop)
        turn(desktop, 0)
        desktop.mouse("getactivewindow", "windowsize", 900, 460)
        wait_until(lambda: desktop.place("dialog", "Office")[3] < 500, 10, "the window is low")
        left, top, width, height = desktop.place("combo box", "Authentication")
        desktop.mouse("mousemove", left + width // 2, top + height // 2)
        for _ in range(3):
            desktop.mouse("click", 5)
        wait_until(lambda: desktop.place("combo box", "Authentication")[1] < top, 10, "the page is turned")
        desktop.key("Escape")  # which asks when something was changed
        desktop.gone("push button", "Save and Test")
        expect(read(desktop) == HAND, "something was picked")


@service_case("who tries a profile that blocks until it is released by hand is told, and may leave it", seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        text = HAND + "Networks=10.10.0.0/24\n[Network]\nKillSwitch=persistent\n"
        desktop.profile("office", text)
        edit(desktop)
        desktop.type("text", "Description", "Blocks")
        desktop.act("push button", "Save and Test")
        desktop.wait("label", "What is for the tunnel stays blocked after the test.")
        desktop.screenshot("editor-blocks.png")
        desktop.act("push button", "Keep Editing")
        desktop.gone("label", "What is for the tunnel stays blocked after the test.")
        expect(read(desktop) == text, "it was saved")
        desktop.act("push button", "Save")
        desktop.gone("push button", "Save and Test")
        expect("KillSwitch=persistent" in read(desktop) and "Description=Blocks" in read(desktop), read(desktop))


@service_case("a profile is tried, copied, renamed with its secrets, and thrown away with them", seconds=180,
              connection=ALICE)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        text = HAND.replace("UUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b22\n", "")
        desktop.profile("office", f"{text}Networks=10.10.0.0/24\n[UserAuth]\nUser=carol\n")
        keep(desktop, "Office", "psk", KEY)
        keep(desktop, "Office", "password", PASSWORD)
        edit(desktop)
        desktop.act("push button", "Save and Test")
        desktop.wait("label", "The connection works. It is ended again.", 60)
        desktop.screenshot("editor-tested.png")
        desktop.act("push button", "Cancel")
        edit(desktop, "rename-profile")
        desktop.type("text", "New name", "Head office")
        desktop.screenshot("rename.png")
        desktop.act("push button", "Rename")
        desktop.wait("list item", "Head office, Not connected")
        desktop.gone("list item", "Office, Not connected")
        wait_until(lambda: kept(desktop, "Head office", "password") == PASSWORD and
                   kept(desktop, "Office", "password") is None, 20, "its secrets went with it")
        edit(desktop, "duplicate-profile", "Head office")
        desktop.act("push button", "Save")
        desktop.wait("list item", "Head office (copy), Not connected")
        copy = read(desktop, "Head office (copy)")
        expect("# who we are" in copy and "UUID=" in copy, f"the copy is another: {copy}")
        keep(desktop, copy.split("UUID=")[1][:36], "password", PASSWORD)
        edit(desktop, "forget-secrets", "Head office")
        desktop.act("push button", "Cancel")
        expect(kept(desktop, "Head office", "password") == PASSWORD, "it was not asked")
        edit(desktop, "forget-secrets", "Head office")
        desktop.act("push button", "Forget")
        wait_until(lambda: kept(desktop, "Head office", "password") is None, 20, "the password is forgotten")
        expect(kept(desktop, copy.split("UUID=")[1][:36], "password") == PASSWORD, "another's is forgotten too")
        keep(desktop, "Head office", "password", PASSWORD)
        edit(desktop, "delete-profile", "Head office")
        desktop.screenshot("delete.png")
        desktop.act("push button", "Delete")
        desktop.gone("list item", "Head office, Not connected")
        expect(not os.path.exists(os.path.join(desktop.profiles, "office.dialtone")), "its file is there")
        wait_until(lambda: kept(desktop, "Head office", "psk") is None and
                   kept(desktop, "Head office", "password") is None, 20, "its secrets are gone")


@service_case("what two profiles share outlives one of them, Enter deletes nothing, and no name is given twice",
              seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        shared = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b22"
        desktop.profile("home", HAND.replace("Name=Office", "Name=Home"))
        keep(desktop, shared, "password", PASSWORD)
        desktop.wait("list item", "Home, Not connected")
        desktop.profile("office", HAND)
        desktop.wait("list item", "Office, Not connected")
        edit(desktop, "rename-profile", "Home")
        desktop.type("text", "New name", "Office")
        desktop.act("push button", "Rename")
        desktop.wait("label", "There is a profile “Office” already.")
        desktop.key("Escape")
        desktop.gone("label", "There is a profile “Office” already.")
        edit(desktop, "delete-profile", "Home")
        desktop.wait("push button", "Delete")
        desktop.key("Return")
        desktop.gone("push button", "Delete")
        expect("Name=Home" in read(desktop, "home"), "Enter is enough to delete it")
        edit(desktop, "delete-profile", "Home")
        desktop.act("push button", "Delete")
        desktop.gone("list item", "Home, Not connected")
        edit(desktop, name="Office")
        desktop.type("text", "Description", "x")
        desktop.activate("quit")
        desktop.act("push button", "Discard")
        desktop.ended()
        expect(kept(desktop, shared, "password") == PASSWORD, "the other's password is gone")


@service_case("of a profile of the system only what is not locked is the user's, and for them alone", seconds=180)
def _(lab, bus, alice, bob):
    machine_knows_the_key(bus, Access__Lock="Network.MTU")
    with Desktop(lab, alice) as desktop:
        edit(desktop, name="Corp")
        desktop.wait("text", "Address", sensitive=False)
        desktop.wait("text", "Name", sensitive=False)
        desktop.screenshot("editor-system.png")
        turn(desktop, 3, "User name")
        desktop.wait("combo box", "Largest packet (MTU)", sensitive=False)
        desktop.type("text", "Excluded networks", "192.168.1.0/24")
        desktop.act("push button", "Save")
        path = os.path.join(alice.folder, f".config/dialtone/overrides/{UUID}.dialtone")
        wait_until(lambda: os.path.exists(path), 10, "what was changed is written")
        with open(path, encoding="utf-8") as file:
            expect(file.read().split() == ["[Network]", "Exclude=192.168.1.0/24"], "it is another")
        edit(desktop, name="Corp")
        turn(desktop, 3, "User name")
        desktop.type("text", "Excluded networks", "")
        desktop.act("push button", "Save")
        wait_until(lambda: not os.path.exists(path), 10, "there is nothing left of it")


main()

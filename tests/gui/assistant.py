#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 400 s, full: 400 s
"""The way to a first profile: what is refused, and what is added, from a file, a text and four questions."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from desktop import Desktop  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from service_kit import service_case  # noqa: E402

TEXT = """# from the help desk
[Profile]
Name=Office <b>bold
[Gateway]
Address=203.0.113.2
[Identity]
ID=alice@example.com
Auth=psk
"""
KEY, PASSWORD = "correct horse battery staple", "carol's password"
WITHOUT = Connection("alice@example.com", proposals="aes256-sha256-modp2048", esp="aes256-sha256-modp2048",
                     local_ts="0.0.0.0/0",
                     users={"carol": PASSWORD})


def profiles(desktop):
    try:
        return sorted(os.listdir(desktop.profiles))
    except FileNotFoundError:
        return []


def read(desktop, name):
    with open(os.path.join(desktop.profiles, name), encoding="utf-8") as file:
        return file.read()


@service_case("what is no profile is refused with the reason, and text from elsewhere is never markup", seconds=180)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        desktop.wait("label", "No profiles yet")
        desktop.screenshot("empty.png")
        desktop.act("push button", "New Profile")
        desktop.wait("push button", "From a text")
        desktop.screenshot("assistant.png")
        desktop.act("push button", "From a text")
        desktop.wait("push button", "Next", sensitive=False)
        for text, said in (("hello", "has no `=`"), (TEXT.replace("Address=203.0.113.2", "Address=300.0.0.1"), "300.0.0.1"),
                           (TEXT + "[Phase1]\nPassword=geheim\n", "a secret never stands")):
            desktop.type("text", "Text of the profile", text)
            desktop.act("push button", "Next")
            desktop.wait("label", "This is no profile that can be used")
            expect(any(said in label for label in desktop.names("label")), f"{said}: {desktop.names('label')}")
            expect(not any("geheim" in label for label in desktop.names("label")), "it shows a password")
            desktop.wait("push button", "Add", sensitive=False)
            desktop.screenshot("assistant-wrong.png")
            desktop.act("push button", "Back")
        desktop.type("text", "Text of the profile", TEXT)
        desktop.act("push button", "Next")
        desktop.wait("label", "Add this profile?")
        desktop.wait("list item", "Name: Office <b>bold")
        desktop.screenshot("assistant-review.png")
        expect(not profiles(desktop), "it was added before it was looked at")
        desktop.act("push button", "Add")
        desktop.wait("list item", "Office <b>bold, Not connected")
        desktop.wait("toggle button", "Connect Office <b>bold")
        expect(profiles(desktop) == ["Office <b>bold.dialtone"], profiles(desktop))
        expect("# from the help desk" in read(desktop, profiles(desktop)[0]), "its comment is lost")


@service_case("a file that is opened is looked at first, and added twice it is two", seconds=180)
def _(lab, bus, alice, bob):
    path = os.path.join(lab.folder, "given.dialtone")
    with open(path, "w", encoding="utf-8") as file:
        file.write(TEXT.replace(" <b>bold", "\nUUID=6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b33") +
                   "[Rules]\nConnect=always\n[Network]\nKillSwitch=yes\n")
    os.chmod(path, 0o644)
    os.chmod(lab.folder, 0o755)
    with Desktop(lab, alice) as desktop:
        desktop.wait("label", "No profiles yet")
        for number in (1, 2):
            desktop.open(path)
            desktop.wait("label", "Add this profile?")
            desktop.wait("list item", "Connect: On every network")
            desktop.wait("list item", "Blocked outside the tunnel: What is for the tunnel, while it is wanted")
            desktop.act("push button", "Add")
            desktop.gone("label", "Add this profile?")
            wait_until(lambda number=number: len(profiles(desktop)) == number, 10, "it is added")
        desktop.wait("list item", "Office, Not connected")
        desktop.wait("list item", "Office (copy), Not connected")
        one, two = (read(desktop, name) for name in profiles(desktop))
        expect(one.split("UUID=")[1][:36] != two.split("UUID=")[1][:36], "both have one UUID")
        with open(path, "wb") as file:
            file.write(b"\x7fELF\0" * 10)
        desktop.open(path)
        desktop.wait("label", "This is no profile that can be used")


@service_case("four questions make a profile that connects", seconds=180, connection=WITHOUT)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice, GTK_THEME="Adwaita:dark") as desktop:
        desktop.act("push button", "Add a Profile…")
        desktop.act("push button", "By answering four questions")
        desktop.wait("push button", "Next", sensitive=False)
        desktop.type("text", "Address", "203.0.113.2")
        desktop.type("text", "Your identity", "192.0.2.77")
        desktop.screenshot("questions-dark.png")
        desktop.wait("push button", "Next", sensitive=False)
        desktop.type("text", "Your identity", "alice@example.com")
        desktop.type("text", "User name", "carol")
        desktop.type("password text", "Preshared key", "0x123")
        desktop.wait("push button", "Next", sensitive=False)
        desktop.type("password text", "Preshared key", "secret")
        wait_until(lambda: any(text.startswith("Warning: ") for text in desktop.names("label")), 10, "it is weak")
        desktop.type("password text", "Preshared key", KEY)
        desktop.act("toggle button", "Show: Preshared key")
        expect(desktop.text("Preshared key") == KEY, "what is typed can't be seen")
        desktop.act("toggle button", "Show: Preshared key")
        desktop.wait("password text", "Preshared key")
        desktop.act("push button", "Next")
        desktop.wait("list item", "You: alice@example.com")
        expect(not any(KEY in name for role in ("label", "list item") for name in desktop.names(role)), "it is shown")
        desktop.screenshot("review-dark.png")
        desktop.act("push button", "Add")
        desktop.wait("list item", "203.0.113.2, Not connected")
        text = read(desktop, profiles(desktop)[0])
        expect(KEY not in text, "the key is on the disk")
        kept = desktop.run("secret-tool", "lookup", "profile", text.split("UUID=")[1][:36], "kind", "psk")
        expect(kept == KEY, "it is not in the keyring")
        desktop.act("toggle button", "Connect 203.0.113.2")
        desktop.type("password text", "Password", PASSWORD)
        expect(not desktop.has("password text", "Preshared key"), "it is asked for what it was told")
        desktop.act("push button", "Sign In")
        desktop.wait("list item", "203.0.113.2, Connected", 30)
        desktop.act("toggle button", "Connect 203.0.113.2")
        desktop.wait("list item", "203.0.113.2, Not connected")
        desktop.lock()
        desktop.act("push button", "New Profile")
        desktop.act("push button", "By answering four questions")
        desktop.type("text", "Address", "203.0.113.2")
        desktop.type("text", "Your identity", "alice@example.com")
        desktop.type("password text", "Preshared key", KEY)
        desktop.act("push button", "Next")
        desktop.act("push button", "Add")
        desktop.wait("label", "The keyring is locked, and was not opened. Nothing was added yet. Try again, or go "
                     "back and leave the secret out: it is asked for when you connect.")
        expect(len(profiles(desktop)) == 1, "it was added without its key")
        desktop.act("push button", "Back")
        desktop.type("password text", "Preshared key", "")
        desktop.act("push button", "Next")
        desktop.act("push button", "Add")
        desktop.wait("list item", "203.0.113.2 (copy), Not connected")


main()

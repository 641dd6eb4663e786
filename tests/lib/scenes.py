# SPDX-License-Identifier: GPL-2.0-or-later
"""Every page and dialog of dialtone-gtk, one behind the other, as a person comes to them: a scene brings
some of them up, yields the name of each while it is in front, and leaves the desktop as it was.

    for name in walk(Stage(lab, bus, alice, desktop, language)):
        ...look at it...

Names of what is pressed are English here; Words says what stands there in another language."""

import os
import signal

from certificates import Pki, make_token, own, p12
from client import binary, profile, profile_text
from desktop import machine_knows_the_key
from gateway import Connection, Gateway
from lab import wait_until
from served import Served
from service_kit import NAME, text_of
from words import Words

KEY, PASSWORD, PASSPHRASE = "correct horse battery staple", "carol-password", "open sesame"
PASTED = """# from the help desk
[Profile]
Name=Branch office
[Gateway]
Address=203.0.113.2
[Identity]
ID=alice@example.com
Auth=psk
[UserAuth]
User=alice
[Rules]
Connect=untrusted
"""
# Of the editor, and what stands on top of each and on no other.
PAGES = {"general": "Description", "proof": "Gateway’s identity", "encryption": "Lifetime",
         "network": "Excluded networks", "automation": "Trusted networks", "compatibility": "Wrap packets in UDP",
         "administration": "UUID"}


class Stage:
    """A desktop before a service, and what the scenes need to do there."""

    def __init__(self, lab, bus, alice, desktop, language=None):
        self.lab, self.bus, self.alice, self.desktop = lab, bus, alice, desktop
        self.words = Words(language)
        desktop.told()  # whoever shows notifications is there

    def press(self, name, role="push button"):
        self.desktop.act(role, self.words[name])

    def wait(self, role, name):
        self.desktop.wait(role, self.words[name])

    def gone(self, role, name):
        self.desktop.gone(role, self.words[name])

    def type(self, name, text, role="text"):
        self.desktop.type(role, self.words[name], text)

    def is_told(self, name, state, seconds=60):
        """In the list of profiles."""
        self.desktop.wait("list item", f"{name}, {self.words[state]}", seconds)

    def choose(self, name, state="Not connected"):
        self.desktop.choose("list item", f"{name}, {self.words[state]}")
        self.desktop.wait("toggle button", self.words["Connect %s"].replace("%s", name))

    def toggle(self):
        self.desktop.activate("win.toggle")

    def escape(self, role, name):
        """Whatever has that in it is closed by that key."""
        self.desktop.key("Escape")
        self.gone(role, name)

    def browse(self, name):
        """The button beside the field of that name."""
        names = self.words[name]
        self.desktop.act("push button", [self.words["Browse: %s"].replace("%s", each)
                                         for each in (names if isinstance(names, list) else [names])])

    def keep(self, kind, secret):
        """In the keyring, of the profile Office."""
        self.desktop.run("secret-tool", "store", "--label=test", "xdg:schema", "org.dialtone.Dialtone", "profile",
                         "Office", "kind", kind, given=secret)


# ---- a first profile ----
def empty(stage):
    stage.wait("label", "No profiles yet")
    yield "window-empty"


def menus(stage):
    for name, shown in (("Menu", "Preferences"), ("Profile", "Edit…")):
        stage.press(name, "toggle button")
        stage.wait("push button", shown)
        yield f"menu-{name.lower()}"
        stage.escape("push button", shown)


def assistant(stage):
    stage.desktop.activate("win.new-profile")
    stage.wait("push button", "From a file")
    yield "assistant-start"
    stage.press("From a text")
    stage.type("Text of the profile", PASTED)
    yield "assistant-text"
    stage.press("Next")
    stage.wait("label", "Add this profile?")
    yield "assistant-review"
    stage.press("Back")
    stage.type("Text of the profile", PASTED.replace("203.0.113.2", "300.0.113.2"))
    stage.press("Next")
    stage.wait("label", "This is no profile that can be used")
    yield "assistant-refused"
    stage.escape("push button", "Back")


def questions(stage):
    stage.desktop.activate("win.new-profile")
    stage.press("By answering four questions")
    stage.wait("text", "Address")
    yield "questions-empty"
    stage.type("Address", "vpn.example.com")
    stage.type("Your identity", "alice@example.com")
    stage.type("User name", "alice")
    yield "questions"
    stage.press("Next")
    stage.wait("label", "Add this profile?")
    yield "questions-review"
    stage.escape("push button", "Back")


# ---- profiles ----
def idle(stage):
    """From here on there are two that can be used, and one that can not."""
    machine_knows_the_key(stage.bus)
    stage.is_told("Corp", "Not connected")
    stage.desktop.profile("office", profile_text(profile(
        Profile__Name="Office", Profile__Description="Through the branch's firewall", Secrets__PSK="keyring",
        Secrets__Password="keyring", UserAuth__User="carol", UserAuth__XAuth="required",
        Phase1__Proposals="aes256-sha256-modp2048;aes128-sha1-modp1024", Phase2__Networks="10.10.0.0/24")))
    stage.desktop.profile("wrong", profile_text(profile(proposals="aes512-sha1-modp1024", Profile__Name="Wrong")))
    stage.is_told("Office", "Not connected")
    stage.is_told("Wrong", "Has mistakes")
    stage.choose("Corp")
    yield "window-idle"
    stage.choose("Wrong", "Has mistakes")
    yield "window-mistakes"
    stage.choose("Office")


def editor(stage):
    stage.desktop.activate("win.edit-profile")
    stage.wait("push button", "Save and Test")
    for page, label in PAGES.items():
        stage.wait("label", label)
        yield f"editor-{page}"
        stage.desktop.key("ctrl+Page_Down")
    stage.escape("push button", "Save and Test")


def editor_in_trouble(stage):
    stage.desktop.activate("win.edit-profile")
    stage.type("Address", "300.1.2.3")
    stage.type("Your identity", "")
    yield "editor-wrong"
    stage.desktop.key("Escape")
    stage.wait("push button", "Discard")
    yield "editor-discard"
    stage.escape("push button", "Discard")
    stage.type("Address", "203.0.113.2")
    stage.type("Your identity", "alice@example.com")
    stage.type("Description", "Another")
    with open(os.path.join(stage.desktop.profiles, "office.dialtone"), "a", encoding="utf-8") as file:
        file.write("# written meanwhile\n")
    stage.press("Save")
    stage.wait("push button", "Replace It")
    yield "editor-replace"
    stage.escape("push button", "Replace It")
    stage.press("Cancel")
    stage.press("Discard")
    stage.gone("push button", "Save and Test")


def editor_of_the_system(stage):
    stage.choose("Corp")
    stage.desktop.activate("win.edit-profile")
    stage.wait("push button", "Save and Test")
    yield "editor-system"
    stage.escape("push button", "Save and Test")
    stage.choose("Office")


# ---- a certificate ----
class Card:
    """A profile with a certificate, while a scene looks at it in the editor."""

    def __init__(self, stage, certificate):
        self.stage, self.certificate = stage, certificate

    def __enter__(self):
        desktop = self.stage.desktop
        desktop.profile("card", profile_text(profile(
            Profile__Name="Card", Identity__Auth="certificate", Identity__Certificate=self.certificate,
            Gateway__RemoteID="fqdn:gw.example.com")))
        self.stage.is_told("Card", "Not connected")
        self.stage.choose("Card")
        desktop.activate("win.edit-profile")
        self.stage.wait("push button", "Save and Test")

    def __exit__(self, kind, *unused):
        if kind is None:
            self.stage.desktop.key("Escape")  # unless it is closed already
            self.stage.gone("push button", "Save and Test")
            os.remove(os.path.join(self.stage.desktop.profiles, "card.dialtone"))
            self.stage.desktop.gone("list item", f"Card, {self.stage.words['Not connected']}")
            self.stage.choose("Office")


def certificate(stage):
    mine = Pki(intermediate=False).client("email:alice@example.com")
    # A row far down: where a page has scrolled, GTK takes the first rows of a list for hidden ones.
    shown = f"{stage.words['Key']}: RSA 2048"
    with Card(stage, "file:" + own(stage.lab, stage.alice, "mine.p12", p12(mine, PASSPHRASE))):
        stage.wait("password text", "Passphrase")
        yield "certificate-locked"
        stage.type("Passphrase", "another", "password text")
        stage.press("Open the Key")
        stage.wait("label", "The passphrase does not open the private key.")
        yield "certificate-refused"
        stage.type("Passphrase", PASSPHRASE, "password text")
        stage.press("Open the Key")
        stage.desktop.wait("list item", shown)
        yield "certificate-shown"
        stage.press("Cancel")
        stage.press("Discard")


def token(stage):
    nothing = "No certificate was found on a smart card or token. Insert it, and look again."
    with Card(stage, "pkcs11:token=Card"):
        stage.browse("Certificate")
        stage.wait("label", nothing)
        yield "token-none"
        make_token(stage.lab, stage.alice, Pki(intermediate=False).client("email:alice@example.com"))
        stage.press("Try Again")
        stage.desktop.wait("list item", "CN=Client,O=Example, Card", focused=True)
        yield "token"
        stage.escape("push button", "Choose")


def questions_about_a_profile(stage):
    for action, button in (("rename-profile", "Rename"), ("forget-secrets", "Forget"), ("delete-profile", "Delete")):
        stage.desktop.activate(f"win.{action}")
        stage.wait("push button", button)
        yield action
        stage.escape("push button", button)
    stage.desktop.activate("win.rename-profile")
    stage.type("New name", "Corp")
    stage.press("Rename")
    stage.wait("label", "The profile can’t be called that.")
    yield "rename-taken"
    stage.escape("label", "The profile can’t be called that.")


def windows_beside(stage):
    for action, name in (("preferences", "Preferences"), ("log", "Log"), ("bug-report", "Bug Report")):
        stage.desktop.activate(action)
        stage.wait("dialog", name)
        if action != "preferences":
            stage.wait("label", "Done.")
        yield action
        stage.escape("dialog", name)
    stage.desktop.activate("about")
    wait_until(lambda: any("Dialtone" in name for name in stage.desktop.names("dialog")), 30, "it is told about")
    yield "about"
    stage.desktop.key("Escape")
    wait_until(lambda: not stage.desktop.names("dialog"), 30, "it is closed")


# ---- the gateway asks ----
def connecting(stage):
    """There is no gateway yet."""
    stage.choose("Corp")
    stage.toggle()
    stage.wait("label", "Agreeing on keys…")
    yield "window-connecting"
    stage.toggle()
    stage.is_told("Corp", "Not connected")
    stage.choose("Office")


def prompts(stage):
    with Served(stage.lab, "fortitoken"):
        stage.toggle()
        stage.wait("password text", "Preshared key")
        yield "sign-in"
        stage.type("Preshared key", KEY, "password text")
        stage.type("Password", PASSWORD, "password text")
        stage.press("Sign In")
        stage.wait("password text", "One-time code")
        yield "sign-in-code"
        stage.type("One-time code", "000000", "password text")
        stage.press("Sign In")
        stage.wait("label", "The gateway did not accept that. Try once more.")
        yield "sign-in-again"
        stage.escape("password text", "One-time code")
        stage.is_told("Office", "Could not connect")
        yield "window-cancelled"
    stage.keep("psk", KEY)
    stage.keep("password", PASSWORD)


def warned(stage):
    with Served(stage.lab, "fortitoken", "--gateway-id", "other.example.com"):
        stage.toggle()
        stage.wait("password text", "One-time code")
        yield "sign-in-warned"
        stage.escape("password text", "One-time code")
        stage.is_told("Office", "Could not connect")


def pins(stage):
    with Served(stage.lab, "securid"):
        stage.toggle()
        stage.wait("password text", "Passcode")
        yield "sign-in-passcode"
        stage.type("Passcode", "123456", "password text")
        stage.press("Sign In")
        stage.wait("password text", "New PIN")
        yield "sign-in-pin"
        stage.type("New PIN", "1234", "password text")
        stage.press("Sign In")
        stage.wait("label", "The gateway did not accept that. Try once more.")
        yield "sign-in-pin-again"
        stage.escape("password text", "New PIN")
        stage.is_told("Office", "Could not connect")


def locked(stage):
    with Served(stage.lab, "fortitoken"):
        stage.desktop.lock()
        stage.toggle()
        stage.wait("label", "The keyring is locked, so what it keeps is asked for.")
        yield "sign-in-locked"
        stage.escape("password text", "Preshared key")
        stage.is_told("Office", "Could not connect")


# ---- connected, or not ----
def traffic(stage):
    host = stage.lab.sites[0].host
    for size, pause in ((200, 0.1), (1200, 0.02), (600, 0.05)):
        stage.lab.run("client", "ping", "-q", "-c", round(1.5 / pause), "-i", pause, "-s", size, host)


def connection(stage):
    stage.choose("Corp")
    with Gateway(stage.lab, Connection("alice@example.com")):
        stage.toggle()
        stage.is_told("Corp", "Connected")
        traffic(stage)
        yield "window-connected"
        stage.desktop.activate("win.close")
        stage.wait("push button", "Quit Dialtone")
        yield "quit"
        stage.escape("push button", "Quit Dialtone")
        stage.toggle()
        stage.is_told("Corp", "Not connected")
        stage.lab.run("client", binary(), "connect", "Corp")
        stage.is_told("Corp", "In use by another user")
        yield "window-others"
        stage.lab.run("client", binary(), "disconnect", "Corp")
        stage.is_told("Corp", "Not connected")
        machine_knows_the_key(stage.bus, proposals="aes256-sha512-ecp521")
        wait_until(lambda: "ecp521" in text_of(stage.bus, stage.alice), 10, "the service has read the profile")
        stage.toggle()
        stage.is_told("Corp", "Could not connect")
        yield "window-failed"
        stage.press("For the Gateway’s Administrator", "toggle button")
        yield "window-administrator"
        stage.desktop.activate("win.diagnose")
        stage.wait("label", "Please wait…")
        yield "diagnosis-running"
        stage.wait("label", "Something is wrong; what to do stands above.")
        yield "diagnosis"
        stage.escape("label", "Something is wrong; what to do stands above.")


def missing(stage):
    activation = f"/usr/share/dbus-1/system-services/{NAME}.service"
    os.rename(activation, activation + ".away")
    try:
        stage.bus.reload()
        os.kill(stage.bus.owner_pid(NAME), signal.SIGTERM)
        stage.wait("label", "The service is not there.")
        yield "window-missing"
    finally:
        os.rename(activation + ".away", activation)
        stage.bus.reload()
    stage.press("Try Again")
    stage.is_told("Office", "Not connected")


SCENES = (empty, assistant, questions, idle, menus, editor, editor_in_trouble, editor_of_the_system,
          certificate, token, questions_about_a_profile, connecting, prompts, warned, pins, locked, connection,
          windows_beside, missing)


def walk(stage):
    for scene in SCENES:
        yield from scene(stage)

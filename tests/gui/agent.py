#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 240 s, full: 240 s
"""What dialtone-gtk asks a person, and what its keyring keeps, in front of a real service and gateways."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import Bus  # noqa: E402
from cases import case, main  # noqa: E402
from certificates import GATEWAY_ID, Pki  # noqa: E402
from client import profile, profile_text  # noqa: E402
from desktop import Desktop  # noqa: E402
from gateway import Connection  # noqa: E402
from gateways.pki import pem  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from served import Served  # noqa: E402
from service_kit import ALLOW, Person, service_case, system_profile  # noqa: E402

KEY, PASSWORD = "correct horse battery staple", "carol's password"
PKI = Pki()
ALICE = Connection("alice@example.com", users={"carol": PASSWORD})
HYBRID = Connection("carol@example.com", auth="hybrid", users={"carol": PASSWORD}, **PKI.gateway())


def office(desktop, **more):
    settings = {"Secrets__PSK": "keyring", "Secrets__Password": "keyring", "UserAuth__User": "carol", **more}
    desktop.profile("office", profile_text(profile(**settings)))
    desktop.wait("list item", "Office, Not connected")


def kept(desktop, kind):
    """What the keyring has."""
    try:
        return desktop.run("secret-tool", "lookup", "profile", "Office", "kind", kind)
    except RuntimeError:
        return None


def keep(desktop, kind, secret):
    desktop.run("secret-tool", "store", "--label=test", "xdg:schema", "org.dialtone.Dialtone", "profile", "Office",
                "kind", kind, given=secret)


def switch(desktop):
    desktop.act("toggle button", "Connect Office")


@service_case("a key and a password are asked for once, and kept when the gateway has taken them",
              seconds=120, connection=ALICE)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        office(desktop)
        switch(desktop)
        desktop.wait("label", "Sign in to Office")
        expect(desktop.has("push button", "Sign In", sensitive=False), "an empty answer can be given")
        desktop.type("password text", "Preshared key", KEY)
        desktop.type("password text", "Password", PASSWORD)
        desktop.screenshot("sign-in.png")
        expect(kept(desktop, "psk") is None, "it was kept before it had served")
        desktop.act("push button", "Sign In")
        desktop.wait("list item", "Office, Connected", 30)
        expect(any(text.startswith("Warning: the preshared key is weak") for text in desktop.names("label")),
               f"nobody is warned of the weak key: {desktop.names('label')}")
        wait_until(lambda: kept(desktop, "psk") == KEY and kept(desktop, "password") == PASSWORD, 10, "both are kept")
        expect_ping(lab, lab.sites[0].host)
        switch(desktop)
        desktop.wait("list item", "Office, Not connected")
        switch(desktop)
        desktop.wait("list item", "Office, Connected", 30)
        switch(desktop)
        desktop.wait("list item", "Office, Not connected")


@service_case("a wrong password is told, and the keyring's is not sent a second time", seconds=120, connection=ALICE)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        keep(desktop, "psk", KEY)
        keep(desktop, "password", "an old password")
        office(desktop)
        switch(desktop)
        desktop.wait("list item", "Office, Could not connect", 30)
        expect(any("carol" in text or "password" in text for text in desktop.names("label")),
               f"the reason is not told: {desktop.names('label')}")
        desktop.screenshot("wrong-password.png")
        desktop.act("push button", "Try Again")
        desktop.type("password text", "Password", PASSWORD)
        desktop.act("push button", "Sign In")
        desktop.wait("list item", "Office, Connected", 30)
        wait_until(lambda: kept(desktop, "password") == PASSWORD, 10, "the right one is kept")
        switch(desktop)
        desktop.wait("list item", "Office, Not connected")


@case("a one-time code is asked for with the gateway's words, and again when it was wrong", seconds=120)
def _(lab):
    with Served(lab, "fortitoken"), Bus(("ip", "netns", "exec", lab.ns("client"))) as bus:
        bus.polkit(ALLOW)
        with Desktop(lab, Person(lab, bus, "alice"), GTK_THEME="Adwaita:dark") as desktop:
            keep(desktop, "psk", KEY)
            keep(desktop, "password", "carol-password")
            office(desktop, Phase2__Networks="10.10.0.0/24", UserAuth__XAuth="required")
            switch(desktop)
            desktop.type("password text", "One-time code", "000000")
            expect(any("Enter your token" in text for text in desktop.names("label")),
                   f"the gateway's words are missing: {desktop.names('label')}")
            expect(not desktop.has("check box", "Remember in the keyring"), "a code can be kept")
            desktop.screenshot("code-dark.png")
            desktop.act("push button", "Sign In")
            desktop.wait("label", "The gateway did not accept that. Try once more.")
            desktop.type("password text", "One-time code", "123456")
            desktop.act("push button", "Sign In")
            desktop.wait("list item", "Office, Connected", 30)
            switch(desktop)
            desktop.wait("list item", "Office, Not connected")


@case("a password that the gateway asks for once more is not kept, and the keyring's is not sent again", seconds=120)
def _(lab):
    with Served(lab, "fortitoken"), Bus(("ip", "netns", "exec", lab.ns("client"))) as bus:
        bus.polkit(ALLOW)
        with Desktop(lab, Person(lab, bus, "alice")) as desktop:
            keep(desktop, "psk", KEY)
            office(desktop, Phase2__Networks="10.10.0.0/24", UserAuth__XAuth="required")
            for typed_first in (True, False):
                switch(desktop)
                if typed_first:
                    desktop.wait("check box", "Remember in the keyring", checked=True)
                    desktop.type("password text", "Password", "a wrong password")
                    desktop.act("push button", "Sign In")
                desktop.wait("label", "The gateway did not accept that. Try once more.")
                desktop.act("check box", "Remember in the keyring")
                desktop.wait("check box", "Remember in the keyring", checked=False)
                desktop.type("password text", "Password", "carol-password")
                desktop.act("push button", "Sign In")
                desktop.type("password text", "One-time code", "123456")
                desktop.act("push button", "Sign In")
                desktop.wait("list item", "Office, Connected", 30)
                if typed_first:
                    expect(kept(desktop, "password") is None, "the wrong password was kept")
                    keep(desktop, "password", "an old password")
                switch(desktop)
                desktop.wait("list item", "Office, Not connected")
            switch(desktop)
            desktop.wait("label", "You sign in as carol.")
            desktop.act("push button", "Cancel")


@case("a gateway that is not the one it was is told where its question is answered", seconds=120)
def _(lab):
    with Bus(("ip", "netns", "exec", lab.ns("client"))) as bus:
        bus.polkit(ALLOW)
        alice = Person(lab, bus, "alice")
        with Desktop(lab, alice, XDG_STATE_HOME=f"{alice.folder}/state") as desktop:
            keep(desktop, "psk", KEY)
            keep(desktop, "password", "carol-password")
            office(desktop, Phase2__Networks="10.10.0.0/24", UserAuth__XAuth="required")
            for name, warned in (("gw.example.com", False), ("other.example.com", True)):
                with Served(lab, "fortitoken", "--gateway-id", name):
                    switch(desktop)
                    desktop.wait("password text", "One-time code")
                    told = [text for text in desktop.names("label") if "is not the one it was" in text]
                    expect(len(told) == (2 if warned else 0), f"{name}: {told}")  # the page tells it as well
                    desktop.screenshot(f"asked-by-{name}.png")
                    desktop.act("push button", "Cancel")
                    desktop.wait("list item", "Office, Could not connect")


@service_case("a password is asked for where the service has what belongs to certificates", seconds=60,
              connection=HYBRID)
def _(lab, bus, alice, bob):
    os.makedirs("/etc/dialtone", exist_ok=True)
    root = "/etc/dialtone/root.pem"
    with open(root, "wb") as file:
        file.write(pem(PKI.root.certificate))
    system_profile("Office", Access__Users="alice", Identity__Auth="hybrid", Identity__CA=f"file:{root}",
                   Gateway__RemoteID=f"fqdn:{GATEWAY_ID}", UserAuth__User="carol", Secrets__Password="keyring")
    with Desktop(lab, alice) as desktop:
        desktop.wait("list item", "Office, Not connected")
        switch(desktop)
        desktop.type("password text", "Password", PASSWORD)
        desktop.act("push button", "Sign In")
        desktop.wait("list item", "Office, Connected", 30)
        wait_until(lambda: kept(desktop, "password") == PASSWORD, 10, "it is kept")
        switch(desktop)
        desktop.wait("list item", "Office, Not connected")


@service_case("a keyring that is locked, or does not answer, leads to a question that can be given up", seconds=120,
              connection=ALICE)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        keep(desktop, "psk", KEY)
        desktop.lock()
        office(desktop)
        switch(desktop)
        desktop.wait("label", "The keyring is locked, so what it keeps is asked for.")
        desktop.wait("toggle button", "Connect Office", checked=True)
        desktop.act("push button", "Cancel")
        desktop.wait("list item", "Office, Could not connect")
        desktop.wait("label", "Try again, and answer what you are asked for.")
        desktop.stop_keyring()
        desktop.act("push button", "Try Again")
        desktop.wait("password text", "Preshared key")
        switch(desktop)
        desktop.gone("password text", "Preshared key")
        desktop.wait("list item", "Office, Not connected")


main()

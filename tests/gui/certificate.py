#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 600 s, full: 600 s
"""The user's certificate in dialtone-gtk: what is told of a file or token that somebody chooses, what opens it, and
connecting with it."""

import datetime
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from certificates import Pki, make_token, own, p12, put, slow_to_forget, use_keypad  # noqa: E402
from client import profile, profile_text  # noqa: E402
from desktop import Desktop  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import service_case  # noqa: E402
from session import PASSWORD  # noqa: E402

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b22"
DAY = datetime.timedelta(days=1)
PASSPHRASE = "open <b>sesame"
TEXT = f"""[Profile]
Name=Office
UUID={UUID}
[Gateway]
Address=203.0.113.2
RemoteID=fqdn:gw.example.com
[Identity]
ID=alice@example.com
Auth=certificate
"""


def edit(desktop, certificate):
    desktop.profile("office", f"{TEXT}Certificate={certificate}\n")
    desktop.wait("list item", "Office, Not connected")
    desktop.act("toggle button", "Profile")
    desktop.act("push button", "Edit…")


def said(desktop, words):
    wait_until(lambda: any(words in text for text in desktop.names("label")), 30, f"{words!r} is said")


def holds(certificate, mark=""):
    """The row of its dates."""
    return f"Holds: {certificate.not_valid_before:%Y-%m-%d} – {certificate.not_valid_after:%Y-%m-%d}{mark}"


def kept(desktop, kind):
    try:
        return desktop.run("secret-tool", "lookup", "profile", UUID, "kind", kind)
    except RuntimeError:
        return None


@service_case("a file that is chosen is shown with what is wrong with it, and its passphrase is kept with the profile",
              seconds=200)
def _(lab, bus, alice, bob):
    pki = Pki(intermediate=False)
    mine, other = pki.client("email:alice@example.com"), pki.client("email:bob@example.com")
    mallory = pki.root.issue("Example,<b>Mallory", "email:alice@example.com", ends=10 * DAY)
    old = pki.client("email:alice@example.com", begins=-20 * DAY, ends=-DAY)
    early = pki.client("email:alice@example.com", begins=10 * DAY, ends=300 * DAY, kind="ecp256")
    good = own(lab, alice, "good.pem", mine.pem())
    unreadable = put(lab, "root.pem", mine.pem())
    os.chown(unreadable, 0, 0)
    wrong = {
        own(lab, alice, "garbage.p12", os.urandom(3000)):
            "Neither a certificate nor a key is in it, as PEM or as PKCS #12.",
        own(lab, alice, "large.pem", b"x" * (1024 * 1024 + 1)): "It is larger than a megabyte.",
        own(lab, alice, "alone.pem", mine.pem(private=False)): "No private key is in the file; write it there, or",
        own(lab, alice, "open.pem", mine.pem(), 0o644): "It holds a private key and has mode 0644; run: chmod 600 ",
        own(lab, alice, "bob.pem", other.pem()):
            "alice@example.com: does not stand in your certificate (CN=Client,O=Example), where most gateways look",
        unreadable: "Permission denied.",
    }
    with Desktop(lab, alice) as desktop:
        edit(desktop, f"file:{good}")
        desktop.wait("list item", "Issued to: CN=Client,O=Example")
        desktop.wait("list item", "Issued by: CN=Root,O=Example")
        desktop.wait("list item", holds(mine.certificate))
        desktop.wait("list item", "Key: RSA 2048")
        desktop.screenshot("certificate.png")
        for path, words in wrong.items():
            desktop.type("text", "Certificate", path)
            said(desktop, words)
            desktop.wait("push button", "Save", sensitive=True)
        for name, credential, mark in (("old", old, ", ended"), ("early", early, ", not valid yet"),
                                       ("mallory", mallory, ", ends soon")):
            desktop.type("text", "Certificate", own(lab, alice, f"{name}.pem", credential.pem()))
            desktop.wait("list item", holds(credential.certificate, mark))
        desktop.wait("list item", "Issued to: CN=\\<b\\>Mallory,O=Example")
        desktop.screenshot("certificate-ends.png")
        desktop.type("text", "Certificate", own(lab, alice, "mine.p12", p12(mine, PASSPHRASE)))
        desktop.wait("password text", "Passphrase")
        expect(not any(name.startswith("Issued to") for name in desktop.names("list item")), "it is shown unopened")
        desktop.key("alt+h")
        desktop.wait("password text", "Passphrase", focused=True)
        desktop.run("xdotool", "type", "another")
        desktop.key("Return")
        said(desktop, "The passphrase does not open the private key.")
        desktop.wait("password text", "Passphrase", focused=True)
        desktop.screenshot("certificate-locked.png")
        desktop.type("password text", "Passphrase", PASSPHRASE)
        desktop.act("push button", "Open the Key")
        desktop.wait("list item", "Issued to: CN=Client,O=Example")
        desktop.gone("password text", "Passphrase")
        expect(kept(desktop, "passphrase") is None, "it is kept before the profile is")
        desktop.stop_keyring()
        desktop.act("push button", "Save")
        desktop.wait("push button", "Save", sensitive=False)
        desktop.type("text", "Description", "Typed meanwhile")
        desktop.continue_keyring()
        desktop.wait("push button", "Save", sensitive=True)
        desktop.act("push button", "Save")
        wait_until(lambda: kept(desktop, "passphrase") == PASSPHRASE, 20, "it is kept with the profile")
        with open(os.path.join(desktop.profiles, "office.dialtone"), encoding="utf-8") as file:
            expect("mine.p12\n" in file.read(), "another file is in the profile")
        desktop.gone("push button", "Save")
        with open(os.path.join(desktop.profiles, "office.dialtone"), encoding="utf-8") as file:
            expect("Description=Typed meanwhile\n" in file.read(), "what was typed meanwhile is lost")
        desktop.act("toggle button", "Profile")
        desktop.act("push button", "Edit…")
        desktop.wait("list item", "Issued to: CN=Client,O=Example")
        expect(not desktop.has("password text", "Passphrase"), "the keyring is not asked")
        gone = own(lab, alice, "gone.p12", p12(mine, "another"))
        desktop.type("text", "Certificate", gone)
        desktop.type("password text", "Passphrase", "wrong")
        os.remove(gone)
        desktop.act("push button", "Open the Key")
        desktop.gone("password text", "Passphrase")
        desktop.act("push button", "Save")
        desktop.gone("push button", "Save")
        expect(kept(desktop, "passphrase") == PASSPHRASE, "what opened nothing is kept")


@service_case("a certificate on a token is picked from a list by keyboard", seconds=120)
def _(lab, bus, alice, bob):
    mine = Pki(intermediate=False).client("email:alice@example.com")
    make_token(lab, alice, mine)
    with Desktop(lab, alice) as desktop:
        edit(desktop, "pkcs11:token=Nobody%27s")
        said(desktop, "The token pkcs11:token=Nobody%27s: ")
        desktop.act("push button", "Browse: Certificate")
        desktop.wait("list item", "CN=Client,O=Example, Card", focused=True)
        desktop.screenshot("certificate-token.png")
        desktop.key("Return")
        desktop.gone("list item", "CN=Client,O=Example, Card")
        desktop.wait("list item", "Issued to: CN=Client,O=Example")
        expect("token=Card" in desktop.text("Certificate") and "id=%01" in desktop.text("Certificate"),
               f"another address: {desktop.text('Certificate')}")
        desktop.act("push button", "Cancel")
        desktop.act("push button", "Discard")
        desktop.gone("push button", "Discard")


# ---- connecting ----
PKI = Pki()
ALICE = PKI.client("email:alice@example.com")
OFFICE = Connection("alice@example.com", auth="certificate", **PKI.gateway())
HYBRID = Connection("carol@example.com", auth="hybrid", users={"carol": "carol's password"}, **PKI.gateway())


def write(desktop, lab, certificate, **more):
    """A profile of the user's own, with this certificate."""
    settings = {"Profile__UUID": UUID, **PKI.settings(lab), "Identity__Auth": "certificate",
                "Identity__Certificate": certificate, **more}
    os.chmod(lab.folder, 0o755)
    desktop.profile("office", profile_text(profile(**settings)))


def provide(desktop, lab, certificate):
    write(desktop, lab, certificate)
    desktop.wait("list item", "Office, Not connected")


def switch(desktop):
    desktop.act("toggle button", "Connect Office")


def connected(desktop, lab):
    desktop.wait("list item", "Office, Connected", 40)
    expect_ping(lab, lab.sites[0].host)


def disconnect(desktop):
    switch(desktop)
    desktop.wait("list item", "Office, Not connected")


def keep(desktop, kind, secret):
    desktop.run("secret-tool", "store", "--label=test", "xdg:schema", "org.dialtone.Dialtone", "profile", UUID,
                "kind", kind, given=secret)


def processes(program, verb):
    """Their numbers: of the program or of a script that stands for it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if any(os.path.basename(word) == program for word in words[:2]) and verb in words:
            found.append(int(pid))
    return found


def signers():
    """The processes that have a key, or wait for what opens it."""
    return processes("dialtone-certificate", "sign")


@service_case("a passphrase is asked for, again when it was wrong, and not when it was kept", 200, connection=OFFICE)
def _(lab, bus, alice, bob):
    path = own(lab, alice, "mine.p12", p12(ALICE, PASSPHRASE))
    with Desktop(lab, alice) as desktop:
        provide(desktop, lab, f"file:{path}")
        switch(desktop)
        desktop.wait("label", f"The private key of {path} is locked.")
        desktop.wait("list item", "Office, Waiting for the passphrase")
        expect(desktop.has("push button", "Sign In", sensitive=False), "nothing can be given")
        desktop.screenshot("passphrase.png")
        desktop.type("password text", "Passphrase", "another")
        desktop.act("push button", "Sign In")
        desktop.wait("label", "The passphrase does not open the private key.")
        desktop.wait("list item", "Office, Waiting for the passphrase")
        desktop.wait("check box", "Remember in the keyring", checked=True)
        desktop.screenshot("passphrase-again.png")
        desktop.type("password text", "Passphrase", PASSPHRASE)
        desktop.act("push button", "Sign In")
        connected(desktop, lab)
        wait_until(lambda: kept(desktop, "passphrase") == PASSPHRASE, 10, "it is kept")
        expect(len(signers()) == 1, f"who has the key? {signers()}")
        disconnect(desktop)
        wait_until(lambda: not signers(), 10, "the key has gone with the connection")
        switch(desktop)
        connected(desktop, lab)
        disconnect(desktop)
        keep(desktop, "passphrase", "an old one")
        switch(desktop)
        desktop.wait("label", "The passphrase does not open the private key.")
        desktop.act("push button", "Cancel")
        desktop.wait("list item", "Office, Could not connect")


@service_case("keys are renewed with a new signature while the window is there", 120, connection=OFFICE)
def _(lab, bus, alice, bob):
    path = own(lab, alice, "mine.pem", ALICE.pem())
    with Desktop(lab, alice) as desktop:
        provide(desktop, lab, f"file:{path}")
        switch(desktop)
        connected(desktop, lab)
        before = lab.gateway.text().count("authentication of 'alice@example.com' with RSA")
        alice.dialtone("renegotiate", "Office")
        wait_until(lambda: lab.gateway.text().count("authentication of 'alice@example.com' with RSA") > before, 15,
                   "the gateway verified another signature")
        connected(desktop, lab)
        disconnect(desktop)


@service_case("a prompt for a passphrase that is given up, by Cancel or by the switch, fails or ends the attempt", 120,
              connection=OFFICE)
def _(lab, bus, alice, bob):
    path = own(lab, alice, "mine.p12", p12(ALICE, PASSPHRASE))
    with Desktop(lab, alice) as desktop:
        provide(desktop, lab, f"file:{path}")
        switch(desktop)
        desktop.wait("password text", "Passphrase")
        desktop.act("push button", "Cancel")
        desktop.wait("list item", "Office, Could not connect")
        said(desktop, "The private key is locked, and nobody gave what opens it.")
        wait_until(lambda: not signers(), 10, "nobody waits for it any more")
        desktop.screenshot("passphrase-cancelled.png")
        desktop.act("push button", "Try Again")
        desktop.wait("password text", "Passphrase")
        switch(desktop)
        desktop.gone("password text", "Passphrase")
        desktop.wait("list item", "Office, Not connected")
        wait_until(lambda: not signers(), 10, "nobody waits for it any more")
        switch(desktop)
        desktop.wait("password text", "Passphrase")
        os.kill(*signers(), signal.SIGKILL)
        desktop.gone("password text", "Passphrase")
        desktop.wait("list item", "Office, Could not connect")
        said(desktop, "The program that opens private keys has ended unexpectedly.")


@service_case("a file that is gone, or that others can read, is told in a sentence", 120, connection=OFFICE)
def _(lab, bus, alice, bob):
    gone = os.path.join(lab.folder, "gone.p12")
    shared = own(lab, alice, "open.pem", ALICE.pem(), 0o644)
    with Desktop(lab, alice) as desktop:
        provide(desktop, lab, f"file:{gone}")
        switch(desktop)
        desktop.wait("list item", "Office, Could not connect")
        said(desktop, f"{gone}: No such file or directory.")
        desktop.screenshot("certificate-gone.png")
        write(desktop, lab, f"file:{shared}", Profile__Description="Another file")
        desktop.wait("label", "Another file")
        desktop.act("push button", "Try Again")
        said(desktop, f"{shared}: it holds a private key and has mode 0644; run: chmod 600 {shared}.")


@service_case("a token's PIN is asked for, a wrong one is told, and one of the keyring that is wrong is given once", 200,
              connection=OFFICE)
def _(lab, bus, alice, bob):
    make_token(lab, alice, ALICE)
    with Desktop(lab, alice) as desktop:
        provide(desktop, lab, "pkcs11:token=Card;object=vpn")
        switch(desktop)
        desktop.wait("label", "The token Card wants its PIN.")
        desktop.wait("list item", "Office, Waiting for the PIN")
        desktop.wait("check box", "Remember in the keyring", checked=False)
        desktop.screenshot("pin.png")
        desktop.type("password text", "PIN", "4321")
        desktop.act("push button", "Sign In")
        said(desktop, "The token Card refused the PIN")
        desktop.screenshot("pin-again.png")
        desktop.type("password text", "PIN", "1234")
        desktop.act("push button", "Sign In")
        connected(desktop, lab)
        expect(kept(desktop, "pin") is None, "a PIN is kept that nobody wanted to be")
        disconnect(desktop)
        keep(desktop, "pin", "9876")
        switch(desktop)
        said(desktop, "The token Card refused the PIN")
        expect(kept(desktop, "pin") is None, "a wrong PIN stays where it will be given again")
        desktop.act("check box", "Remember in the keyring")
        desktop.type("password text", "PIN", "1234")
        desktop.act("push button", "Sign In")
        connected(desktop, lab)
        wait_until(lambda: kept(desktop, "pin") == "1234", 10, "it is kept now")
        disconnect(desktop)
        switch(desktop)
        connected(desktop, lab)
        disconnect(desktop)


@service_case("a keyring that is locked is told, and unlocked in its own window", 200, connection=OFFICE)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice, services=["org.gnome.keyring.SystemPrompter"]) as desktop:
        desktop.run("dbus-update-activation-environment", *(f"{name}={desktop.env[name]}" for name in
                                                            ("DISPLAY", "GDK_BACKEND", "HOME")))
        provide(desktop, lab, "keyring")
        keep(desktop, "certificate", ALICE.pem().decode())
        desktop.lock()
        desktop.act("toggle button", "Profile")
        desktop.act("push button", "Edit…")
        said(desktop, "The keyring is locked, so the certificate in it can't be read.")
        desktop.key("Escape")
        switch(desktop)
        desktop.window_of("gcr-prompter")
        desktop.screenshot("keyring-unlock.png")
        desktop.key("Escape")
        desktop.wait("list item", "Office, Could not connect")
        said(desktop, "The keyring is locked, so the certificate in it can't be read.")
        said(desktop, "Unlock it and connect again")
        desktop.screenshot("keyring-locked.png")
        desktop.act("push button", "Try Again")
        desktop.window_of("gcr-prompter")
        desktop.run("xdotool", "type", PASSWORD)
        desktop.key("Return")
        connected(desktop, lab)
        disconnect(desktop)


@service_case("a wrong PIN is taken out of the keyring though the connection ends meanwhile", 120, connection=OFFICE)
def _(lab, bus, alice, bob):
    make_token(lab, alice, ALICE)
    with slow_to_forget(lab) as hold, Desktop(lab, alice) as desktop:
        provide(desktop, lab, "pkcs11:token=Card;object=vpn")
        keep(desktop, "pin", "9876")
        switch(desktop)
        wait_until(lambda: processes("dialtone-keyring", "forget"), 20, "it is being forgotten")
        disconnect(desktop)
        wait_until(lambda: not signers(), 10, "the connection has ended")
        expect(kept(desktop, "pin") == "9876", "it was forgotten already")
        os.remove(hold)
        wait_until(lambda: kept(desktop, "pin") is None, 10, "the wrong PIN is forgotten")


@service_case("a wrong PIN that can't be taken out of the keyring is told of before somebody is asked", 120,
              connection=OFFICE)
def _(lab, bus, alice, bob):
    make_token(lab, alice, ALICE)
    with slow_to_forget(lab), Desktop(lab, alice) as desktop:
        provide(desktop, lab, "pkcs11:token=Card;object=vpn")
        keep(desktop, "pin", "9876")
        switch(desktop)
        said(desktop, "The token Card refused the PIN")
        said(desktop, "The PIN in the keyring is wrong, and could not be removed from there;")
        desktop.screenshot("pin-stays.png")
        desktop.act("push button", "Cancel")
        desktop.wait("list item", "Office, Could not connect")


@service_case("a PIN that is typed on the reader's keypad is waited for in words, and can be given up", 120,
              connection=OFFICE)
def _(lab, bus, alice, bob):
    make_token(lab, alice, ALICE)
    words = "Enter the PIN of the token Card on the reader's keypad."
    typed, env = os.path.join(alice.folder, "typed"), {}
    use_keypad(env, typed)
    with Desktop(lab, alice, **env) as desktop:
        provide(desktop, lab, "pkcs11:token=Card;object=vpn")
        switch(desktop)
        desktop.wait("label", words)
        desktop.wait("list item", "Office, Waiting for the PIN on the reader’s keypad")
        expect(not desktop.has("password text", "PIN"), "there is something to type into")
        expect(not desktop.has("push button", "Sign In"), "there is something to send")
        desktop.screenshot("keypad.png")
        desktop.act("push button", "Cancel")
        desktop.wait("list item", "Office, Could not connect")
        wait_until(lambda: not signers(), 10, "nobody waits for it any more")
        desktop.act("push button", "Try Again")
        desktop.wait("label", words)
        alice.file("typed", "1234")
        desktop.gone("label", words)
        connected(desktop, lab)
        disconnect(desktop)
        switch(desktop)
        desktop.wait("label", words)
        alice.file("typed", "LOCKED")
        desktop.wait("list item", "Office, Could not connect")
        said(desktop, "The PIN of the token Card is locked")
        said(desktop, "Unlock it with the PUK")
        desktop.screenshot("pin-locked.png")


@service_case("the user's own authorities and password are enough for a gateway that alone has a certificate", 120,
              connection=HYBRID)
def _(lab, bus, alice, bob):
    with Desktop(lab, alice) as desktop:
        os.chmod(lab.folder, 0o755)
        desktop.profile("office", profile_text(profile(**{
            "Profile__UUID": UUID, **PKI.settings(lab), "Identity__ID": "carol@example.com",
            "UserAuth__User": "carol", "Secrets__Password": "keyring"})))
        desktop.wait("list item", "Office, Not connected")
        switch(desktop)
        desktop.type("password text", "Password", "carol's password")
        desktop.act("push button", "Sign In")
        connected(desktop, lab)
        disconnect(desktop)


main()

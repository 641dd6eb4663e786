#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""Certificates of a profile of the system: keys that users use, and can't read. And of users' own, whose keys
`dialtone connect` opens."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from bus import BusError, Caller, Gio, GLib, call, connection  # noqa: E402
from cases import main  # noqa: E402
from certificates import GATEWAY_ID, Pki, make_token, own, p12, slow_to_forget, token_settings  # noqa: E402
from client import binary, check_failed, profile, profile_text  # noqa: E402
from gateway import Connection  # noqa: E402
from gateways import pki as made  # noqa: E402
from lab import ROOT, Failure, expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import (CONNECTION, MANAGER, NAME, PROFILE, TOP, objects, remember,  # noqa: E402
                         service_case, system_profile, system_secret)
from session import Session  # noqa: E402
from terminal import Terminal  # noqa: E402

UUID = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
PKI = Pki()
CLIENT = PKI.client("email:alice@example.com")
KEY = made.pem_of_key(CLIENT.key)
OFFICE = Connection("alice@example.com", auth="certificate", **PKI.gateway())
FOLDER = "/etc/dialtone/keys"


def put(bus, name, content, mode=0o640, group=None, folder=FOLDER):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    os.chown(path, 0, bus.service if group is None else group)
    os.chmod(path, mode)
    return path


def provide(bus, certificate=None, ca=None, **more):
    """The profile Corp of the system, its certificate with the key, and the authority."""
    own = certificate or put(bus, "corp.pem", CLIENT.pem(private=False) + KEY)
    root = ca or put(bus, "root.pem", made.pem(PKI.root.certificate), 0o644)
    settings = {"Profile__UUID": UUID, "Identity__Auth": "certificate", "Identity__Certificate": f"file:{own}",
                "Identity__CA": f"file:{root}", "Gateway__RemoteID": f"fqdn:{GATEWAY_ID}", **more}
    system_profile("Corp", **settings)
    return own


def connect(user, *words, code=0):
    done = user.dialtone("connect", "--json", *words, "Corp", code=code)
    return json.loads(done.stdout.splitlines()[-1])


def phase1_negotiations(lab):
    return lab.read_log(f"{lab.sites[0].name}.log").count("established between")


@service_case("a key of the system is used by whom the profile names, and read by nobody", 90, connection=OFFICE)
def _(lab, bus, alice, bob):
    remember(bus)
    own = provide(bus, Access__Users="alice")
    for user in (alice, bob):
        seen = bus.as_user(user.uid, lambda: os.access(own, os.R_OK))
        expect(not seen, f"{user.name} can read the key")
    check_failed(connect(bob, code=10), "not-permitted")
    for verb in ("check", "show"):
        said = alice.dialtone(verb, "Corp").stderr
        expect("denied" not in said and "chmod" not in said, f"dialtone {verb} says {said}")
    event = connect(alice)
    expect(event["state"] == "connected" and event["phase1"]["auth"] == "certificate", f"connected: {event}")
    expect_ping(lab, lab.sites[0].host)
    # The program that asked for it has left, so a new Phase 1 is signed without anybody.
    before = phase1_negotiations(lab)
    alice.dialtone("renegotiate", "Corp")
    wait_until(lambda: phase1_negotiations(lab) > before, 10, "there is a new Phase 1")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["connected"], 10, "it is connected")
    expect_ping(lab, lab.sites[0].host)
    # And after the service itself has died.
    pid = bus.owner_pid(NAME)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: bus.owner_pid(NAME) != pid, 10, "the service has gone")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["connected"], 15,
               f"it is connected again: {objects(bus, CONNECTION)}")
    told = str(alice.call(bus, f"{TOP}/manager", MANAGER, "GetLog", "(u)", 1000))
    expect("PRIVATE KEY" not in told and own not in told, f"the log: {told}")
    alice.dialtone("disconnect")


@service_case("a locked key of the system opens with the machine's passphrase, also for nobody", connection=OFFICE)
def _(lab, bus, alice, bob):
    locked = CLIENT.pem(private=False) + made.pem_of_key(CLIENT.key, b"open sesame")
    provide(bus, certificate=put(bus, "locked.pem", locked))
    event = connect(alice, code=4)
    check_failed(event, "secret-missing")
    expect("/etc/dialtone/secrets" in event["advice"], f"where? {event}")
    system_secret(bus, UUID, "[Secrets]\nPassphrase=open sesamE\n")
    check_failed(connect(alice, code=3), "profile-invalid")
    system_secret(bus, UUID, "[Secrets]\nPassphrase=open sesame\n")
    provide(bus, certificate=os.path.join(FOLDER, "locked.pem"), Network__Autoconnect="yes")
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] == ["connected"], 10,
               f"it connects by itself: {objects(bus, CONNECTION)}")
    connection, = objects(bus, CONNECTION)
    bus.as_user(0, lambda: call(NAME, connection, CONNECTION, "Disconnect"))


@service_case("files of a profile of the system stand where root alone can put them", 90, connection=OFFICE)
def _(lab, bus, alice, bob):
    both = CLIENT.pem(private=False) + KEY
    os.makedirs("/etc/dialtone/alices", exist_ok=True)
    os.symlink(put(bus, "elsewhere.pem", both, folder="/etc/elsewhere"), "/etc/dialtone/link.pem")
    os.symlink("/etc/elsewhere", "/etc/dialtone/folder")
    for path, words in (
            (put(bus, "corp.pem", both, folder="/etc/elsewhere"), "below /etc/dialtone"),
            ("/etc/dialtone/../elsewhere/elsewhere.pem", "/etc/elsewhere/elsewhere.pem"),
            ("/etc/dialtonekeys/corp.pem", "below /etc/dialtone"), ("/etc/dialtone/link.pem", "it is a link"),
            ("/etc/dialtone/folder/elsewhere.pem", "is a link"), ("/etc/dialtone/keys", "directory"),
            ("/etc/dialtone/none.pem", "not there"), (put(bus, "open.pem", both, 0o644), "chmod 0640"),
            (put(bus, "wide.pem", both, 0o660), "others than its owner can write"),
            (put(bus, "staff.pem", both, 0o640, group=bob.uid), "group dialtone"),
            (alice_owns(alice, put(bus, "hers.pem", both, folder="/etc/dialtone/alices")), "does not belong to root")):
        provide(bus, certificate=path)
        wait_until(lambda p=path: asked_for(bus, p), 5, f"the profile names {path}")
        event = connect(alice, code=3)
        expect(event["reason"] == "profile-invalid" and words in event["message"], f"{path}: {event}")
        expect("corp.dialtone:" in event["message"], f"which line? {event}")
    provide(bus, ca=put(bus, "root.pem", made.pem(PKI.root.certificate), 0o644, folder="/etc/elsewhere"))
    wait_until(lambda: asked_for(bus, "/etc/elsewhere/root.pem"), 5, "the profile names it")
    expect("] CA: " in connect(alice, code=3)["message"], "an authority is taken from anywhere")


def alice_owns(alice, path):
    os.chown(path, alice.uid, alice.uid)
    os.chmod(path, 0o644)
    return path


def asked_for(bus, path):
    """The service has the profile as it stands in its file by now."""
    try:
        return any(f"file:{path}\n" in bus.as_user(0, lambda o=o: call(NAME, o, PROFILE, "GetText"))[0]
                   for o in objects(bus, PROFILE))
    except BusError:
        return False  # one object is taking the place of another


@service_case("who uses a key of the system does not choose what it is used for", connection=OFFICE)
def _(lab, bus, alice, bob):
    provide(bus)
    os.makedirs(os.path.join(alice.folder, ".config/dialtone/overrides"), exist_ok=True)
    for part in (".config", ".config/dialtone", ".config/dialtone/overrides"):
        os.chown(os.path.join(alice.folder, part), alice.uid, alice.uid)
    mine = alice.file("mine.pem", "none")
    for group, key, value in (("Gateway", "Address", "192.0.2.7"), ("Identity", "CA", f"file:{mine}"),
                              ("Identity", "Certificate", f"file:{mine}"), ("Gateway", "RemoteID", "fqdn:evil.example")):
        alice.file(f".config/dialtone/overrides/{UUID}.dialtone", f"[{group}]\n{key}={value}\n")
        done = alice.dialtone("connect", "--json", "Corp")
        expect(f"[{group}] {key}" in done.stderr, f"{key} was refused in silence: {done.stderr}")
        expect(json.loads(done.stdout.splitlines()[-1])["state"] == "connected", f"{key}: {done.stdout}")
        alice.dialtone("disconnect")


# ---- a certificate of the user's own ----
def own_profile(lab, user, certificate):
    """Its path."""
    settings = {**PKI.settings(lab), "Profile__UUID": UUID, "Identity__Auth": "certificate",
                "Identity__Certificate": certificate}
    return user.file("office.dialtone", profile_text(profile(**settings)))


def be_another_agent(say):
    """In a Caller: a program like the window, which is there for every connection of its user. It says when it is
    known, and each connection that it is asked to serve."""
    def on_call(_bus, _sender, _path, _interface, _method, arguments, invocation):
        say(arguments.unpack()[0])
        invocation.return_value(None)

    with open(os.path.join(ROOT, "data/dbus/org.dialtone.Agent1.xml"), encoding="utf-8") as file:
        agent = Gio.DBusNodeInfo.new_for_xml(file.read()).interfaces[0]
    connection().register_object("/agent", agent, on_call, None, None)
    call(NAME, f"{TOP}/manager", MANAGER, "RegisterAgent", "(oa{sv})", "/agent", {})
    say("known")
    GLib.MainLoop().run()


def silent(caller, seconds=1):
    try:
        said = caller.hear(seconds)
    except Failure as error:
        return str(error) == "the caller says nothing"
    raise AssertionError(f"the other agent was asked to serve {said}")


@service_case("a key that dialtone connect can't open ends the connection with the reason: no other agent is asked",
              connection=OFFICE)
def _(lab, bus, alice, bob):
    locked, gone = own(lab, alice, "locked.p12", p12(CLIENT, "sesame")), os.path.join(lab.folder, "gone.p12")
    wrong = alice.file("secrets", "[Secrets]\nPassphrase=another\n")
    window = Caller(alice.uid, be_another_agent)
    try:
        expect(window.hear() == "known", "no other agent is there")
        for path, words, code, reason, said in (
                (gone, [], 3, "profile-invalid", "No such file or directory"),
                (locked, [], 4, "secret-missing", "is locked"),
                (locked, ["--secrets", wrong], 3, "profile-invalid", "passphrase"),
                (locked, ["--no-wait"], 4, "secret-missing", "is locked")):
            office = own_profile(lab, alice, f"file:{path}")
            done = alice.dialtone("connect", "--json", *words, office, code=code)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            check_failed(events[-1], reason)
            expect(said in events[-1]["message"] and [e["state"] for e in events].count("failed") == 1, f"{events}")
            expect(silent(window), "somebody else took it over")
            status, = alice.status()
            expect((status["state"], status["reason"], status["message"]) ==
                   ("failed", reason, events[-1]["message"]), f"{status}")
    finally:
        window.kill()


@service_case("Ctrl-C where dialtone connect asks for a passphrase, or for a password, is the end: no other agent is asked",
              connection=OFFICE)
def _(lab, bus, alice, bob):
    locked = own(lab, alice, "locked.p12", p12(CLIENT, "sesame"))
    asks_for_psk = alice.file("psk.dialtone", profile_text(profile(Identity__Auth="psk")))
    window = Caller(alice.uid, be_another_agent)
    try:
        expect(window.hear() == "known", "no other agent is there")
        for path, prompt in ((own_profile(lab, alice, f"file:{locked}"), f"Passphrase of {locked}:"),
                             (asks_for_psk, "Preshared key of Office:")):
            terminal = Terminal(lab, "client", *alice.words("connect", path))
            terminal.wait_text(prompt)
            terminal.press("C-c")
            expect(terminal.wait_exit() == 0, f"the exit code is not 0: {terminal.text()}")
            expect("failed: " not in terminal.text(), f"a failure of nobody: {terminal.text()}")
            expect(silent(window), "somebody else took it over")
            wait_until(lambda: not objects(bus, CONNECTION), 5, "it is given up")
            terminal.close()
    finally:
        window.kill()


def in_keyring(session, kind):
    """What an item of the schema that the window shares has; None: there is none."""
    try:
        return session.run("secret-tool", "lookup", "xdg:schema", "org.dialtone.Dialtone", "profile", UUID, "kind", kind)
    except RuntimeError:
        return None


@service_case("a passphrase and a PIN are kept in the keyring, open the key without a question, and are forgotten", 90,
              connection=OFFICE)
def _(lab, bus, alice, bob):
    make_token(lab, alice, CLIENT)
    places = {"passphrase": ("file:" + own(lab, alice, "locked.p12", p12(CLIENT, "sesame")), "sesame"),
              "pin": ("pkcs11:token=Card;object=vpn", "1234")}
    with Session(lab, alice.uid) as session:
        alice.env.update(session.env, SOFTHSM2_CONF=token_settings(alice))
        for kind, (certificate, secret) in places.items():
            path = own_profile(lab, alice, certificate)
            session.run(binary(), "secret", "set", path, kind, given=secret + "\n")
            expect(in_keyring(session, kind) == secret, f"the keyring has {in_keyring(session, kind)}")
            alice.dialtone("connect", path)
            expect_ping(lab, lab.sites[0].host)
            alice.dialtone("disconnect")
            session.run(binary(), "secret", "forget", path, kind)
            expect(in_keyring(session, kind) is None, "it is there still")
            alice.dialtone("connect", path, code=4)


@service_case("a PIN of the keyring that is wrong is given once, and a person is asked instead", 90, connection=OFFICE)
def _(lab, bus, alice, bob):
    make_token(lab, alice, CLIENT)
    path = own_profile(lab, alice, "pkcs11:token=Card;object=vpn")
    with Session(lab, alice.uid) as session:
        alice.env.update(session.env, SOFTHSM2_CONF=token_settings(alice))
        keep = [binary(), "secret", "set", path, "pin"]
        session.run(*keep, given="9876\n")
        with slow_to_forget(lab):
            said = alice.dialtone("connect", path, code=3).stderr
        expect("The token Card refused the PIN" in said and "could not be removed" in said, said)
        said = alice.dialtone("connect", path, code=3).stderr
        expect("The token Card refused the PIN" in said and "was removed" in said, said)
        expect(in_keyring(session, "pin") is None, "it will be given again")
        session.run(*keep, given="9876\n")
        window = Terminal(lab, "client", *alice.words("connect", path))
        window.wait_text("The PIN in the keyring is wrong, and was removed from there.")
        window.wait_text("The token Card refused the PIN")
        window.wait_text("PIN of the token Card:")
        expect(in_keyring(session, "pin") is None, "it is there while somebody is asked")
        window.type("1234")
        expect(window.wait_exit() == 0, f"the exit code is not 0: {window.text()}")
        window.close()
        expect_ping(lab, lab.sites[0].host)
        alice.dialtone("disconnect")


main()

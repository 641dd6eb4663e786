#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 200 s
"""Secrets in the keyring of the user's session, a real gnome-keyring, reach the gateway."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))

from cases import case, main  # noqa: E402
from client import Dialtone, binary, profile, secrets_text  # noqa: E402
from gateway import Connection, Gateway  # noqa: E402
from lab import expect  # noqa: E402
from measure import expect_ping  # noqa: E402
from session import Session  # noqa: E402

PSK = 'a key with "quotes", \\ ; # = and ü'
PASSWORD = " spaces before and after "
USERS = {"carol": PASSWORD}
KEPT = {"Secrets__PSK": "keyring"}
USER = {**KEPT, "UserAuth__User": "carol"}


def keep(session, client, kind, secret):
    session.run(binary(), "secret", "set", client.profile, kind, given=secret + "\n")


def connects(lab, client, session, **more):
    client.start(env=session.env, **more)
    client.wait_state("connected", 10)
    expect_ping(lab, lab.sites[0].host)
    client.disconnect()


@case("a preshared key and a password from the keyring connect without a question")
def _(lab):
    lab.serve_office()
    client = Dialtone(lab, profile(**USER))
    with Gateway(lab, Connection("alice@example.com", psk=PSK, users=USERS)), Session(lab) as session:
        keep(session, client, "psk", PSK)
        keep(session, client, "password", PASSWORD)
        connects(lab, client, session, secrets=False)


@case("a key of bytes is kept as it is written, and a profile's UUID is what it is filed under")
def _(lab):
    lab.serve_office()
    uuid = "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
    client = Dialtone(lab, profile(Profile__UUID=uuid, **KEPT))
    with Gateway(lab, Connection("alice@example.com", psk=b"\x01\x02\xff")), Session(lab) as session:
        keep(session, client, "psk", "0x0102ff")
        found = session.run("secret-tool", "lookup", "profile", uuid, "kind", "psk")
        expect(found.strip() == "0x0102ff", f"the keyring has {found!r}")
        connects(lab, client, session, secrets=False)


@case("the secrets file wins over the keyring")
def _(lab):
    lab.serve_office()
    client = Dialtone(lab, profile(**USER), secrets_text(PSK, Password=PASSWORD))
    with Gateway(lab, Connection("alice@example.com", psk=PSK, users=USERS)), Session(lab) as session:
        keep(session, client, "psk", "another key")
        keep(session, client, "password", "another password")
        connects(lab, client, session)


def ends_without_secret(client, session, *words):
    client.start(env=session.env, secrets=False)
    ended = client.wait_exit(10)
    said = client.stderr()
    expect(ended == 4, f"it ended with {ended}: {said}")
    expect(all(word in said for word in words), f"it said {said}")


@case("a locked keyring ends with 4, and says what to do")
def _(lab):
    client = Dialtone(lab, profile(**KEPT))
    with Gateway(lab, Connection("alice@example.com", psk=PSK)), Session(lab) as session:
        keep(session, client, "psk", PSK)
        session.lock()
        ends_without_secret(client, session, "keyring is locked", "--secrets")


@case("a secret that was forgotten is not there any more")
def _(lab):
    client = Dialtone(lab, profile(**KEPT))
    with Gateway(lab, Connection("alice@example.com", psk=PSK)), Session(lab) as session:
        keep(session, client, "psk", PSK)
        session.run(binary(), "secret", "forget", client.profile, "psk")
        ends_without_secret(client, session, "--secrets")


@case("a keyring that never answers is not waited for longer than a few seconds")
def _(lab):
    client = Dialtone(lab, profile(**KEPT))
    with Gateway(lab, Connection("alice@example.com", psk=PSK)), Session(lab) as session:
        session.stop_keyring()
        ends_without_secret(client, session, "--secrets")


@case("without a session there is no keyring, and nothing is started to have one")
def _(lab):
    client = Dialtone(lab, profile(**KEPT))
    with Gateway(lab, Connection("alice@example.com", psk=PSK)):
        client.start(secrets=False, env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"})
        expect(client.wait_exit(10) == 4, f"it said {client.stderr()}")


main()

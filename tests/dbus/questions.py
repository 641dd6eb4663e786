#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 120 s, full: 120 s
"""Whoever sits at a terminal is asked by the command line, on behalf of the service: keys, passwords,
and what a gateway wants to know once more."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from client import profile, profile_text, secrets_text  # noqa: E402
from gateway import Connection  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import ADMINISTRATOR, CONNECTION, PASSWORD, give_password, objects, service_case  # noqa: E402
from terminal import Terminal  # noqa: E402

KEY = "correct horse battery staple"
ALICE = Connection("alice@example.com", users={"carol": "carol's password"})


def sits(lab, user, *words):
    """A person at a terminal of their own."""
    return Terminal(lab, "client", *user.words(*words))


def connect(lab, user, *words, **more):
    path = user.file("office.dialtone", profile_text(profile(Identity__Auth="psk", UserAuth__User="carol", **more)))
    return sits(lab, user, "connect", *words, path)


@service_case("a person types the key and the password, and neither is seen", connection=ALICE)
def _(lab, bus, alice, bob):
    window = connect(lab, alice)
    window.wait_text("Preshared key of Office:")
    window.type(KEY)
    window.wait_text("Password of carol:")
    window.type("carol's password")
    expect(window.wait_exit() == 0, f"the exit code is not 0: {window.text()}")
    expect(KEY not in window.text() and "carol's" not in window.text(), "it was shown while it was typed")
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")
    window.close()


@service_case("a wrong password ends with 8, and the key of a prompt that is given up with 4", connection=ALICE)
def _(lab, bus, alice, bob):
    window = connect(lab, alice)
    window.wait_text("Preshared key of Office:")
    window.type(KEY)
    window.wait_text("Password of carol:")
    window.type("wrong")
    expect(window.wait_exit(20) == 8, f"the exit code is not 8: {window.text()}")
    window.close()
    window = connect(lab, alice)
    window.wait_text("Preshared key of Office:")
    window.press("C-d")
    expect(window.wait_exit() == 4, f"the exit code is not 4: {window.text()}")
    window.close()


@service_case("who stays is told once that somebody else has ended it, at a prompt too", connection=ALICE)
def _(lab, bus, alice, bob):
    window = connect(lab, alice, "--stay")
    window.wait_text("Preshared key of Office:")
    window.type(KEY)
    window.wait_text("Password of carol:")
    alice.dialtone("disconnect")
    expect(window.wait_exit() == 0, f"the exit code is not 0: {window.text()}")
    expect(window.text().count("idle: ") == 1, window.text())
    window.close()


@service_case("Ctrl-C at a prompt gives up what was begun, and leaves the terminal as it was", connection=ALICE)
def _(lab, bus, alice, bob):
    window = connect(lab, alice)
    window.wait_text("Preshared key of Office:")
    expect([c["State"] for c in objects(bus, CONNECTION).values()] == ["needs-secrets"], f"{objects(bus, CONNECTION)}")
    window.press("C-c")
    window.wait_exit()
    wait_until(lambda: not objects(bus, CONNECTION), 5, "it is given up")
    window.type("is this seen?")
    window.wait_text("is this seen?")
    window.close()


@service_case("a second agent is asked when the first goes away with the question", connection=ALICE)
def _(lab, bus, alice, bob):
    first = connect(lab, alice)
    first.wait_text("Preshared key of Office:")
    first.close()
    wait_until(lambda: [c["State"] for c in objects(bus, CONNECTION).values()] in ([], ["needs-secrets"]), 5, "it waits")
    second = connect(lab, alice)
    second.wait_text("Preshared key of Office:")
    second.type(KEY)
    second.wait_text("Password of carol:")
    second.type("carol's password")
    expect(second.wait_exit() == 0, f"the exit code is not 0: {second.text()}")
    alice.dialtone("disconnect")
    second.close()


@service_case("an administrator's password is asked for on the terminal: a wrong one is a no, the right one connects",
              rule=ADMINISTRATOR)
def _(lab, bus, alice, bob):
    give_password()
    path = alice.file("office.dialtone", profile_text(profile()))
    given = alice.file("secrets", secrets_text())
    for word, code in (("a guess", 10), (PASSWORD, 0)):
        window = sits(lab, alice, "connect", "--secrets", given, path)
        window.wait_text("Authentication is required to connect", 20)
        window.wait_text("Password:", 20)
        expect(not objects(bus, CONNECTION), "it connects before it is allowed")
        window.type(word)
        expect(window.wait_exit(30) == code, f"the exit code is not {code}: {window.text()}")
        expect(word not in window.text(), "it was shown while it was typed")
        window.close()
    expect_ping(lab, lab.sites[0].host)
    alice.dialtone("disconnect")


@service_case("Ctrl-C at an administrator's prompt connects nothing, and leaves the terminal as it was",
              rule=ADMINISTRATOR)
def _(lab, bus, alice, bob):
    path = alice.file("office.dialtone", profile_text(profile()))
    given = alice.file("secrets", secrets_text())
    window = sits(lab, alice, "connect", "--secrets", given, path)
    window.wait_text("Password:", 20)
    window.press("C-c")
    expect(window.wait_exit(30) == 0, f"the exit code is not 0: {window.text()}")
    expect(not objects(bus, CONNECTION), "it connects")
    window.type("is this seen?")
    window.wait_text("is this seen?")
    window.close()


main()

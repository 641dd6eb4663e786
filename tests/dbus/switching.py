#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# allowed: 60 s, full: 60 s
"""Two people at one seat, one of them active at a time. What polkit makes of sessions is its own
(data/polkit-1, tests/dbus/files.py); here a rule of its says who is active, and the password of an
administrator is real."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cases import main  # noqa: E402
from client import check_failed, profile_text, profile  # noqa: E402
from lab import expect, wait_until  # noqa: E402
from measure import expect_ping  # noqa: E402
from service_kit import (ADMINISTRATOR, CONNECTION, PASSWORD, give_password, objects, service_case,  # noqa: E402
                         system_profile)
from terminal import Terminal  # noqa: E402
from user import ServiceClient  # noqa: E402


def active(name):
    """As org.dialtone.policy has it: who is active connects, others are asked for a password."""
    return ADMINISTRATOR + f"""
polkit.addRule(function(action, subject) {{
    if (action.id.indexOf("org.dialtone.connect-") == 0 && subject.user == "{name}")
        return polkit.Result.YES;
}});"""


def owners(bus):
    return [c["Owner"] for c in objects(bus, CONNECTION).values() if c["State"] == "connected"]


def asked(lab, user, *words):
    """A person at a terminal who is asked for an administrator's password."""
    window = Terminal(lab, "client", *user.words(*words))
    window.wait_text("Password:", 20)
    return window


def answer(window, word, code):
    window.type(word)
    expect(window.wait_exit(30) == code, f"the exit code is not {code}: {window.text()}")
    window.close()


@service_case("fast user switching: who leaves the seat keeps the tunnel, who comes sees it and takes it over only with "
              "an administrator's password", 90, rule=active("alice"))
def _(lab, bus, alice, bob):
    give_password()
    system_profile("Corp", Access__Users="alice;bob")
    secrets = bob.file("secrets", "[Secrets]\nPSK=correct horse battery staple\n")
    check_failed(bob.connect(what="Corp", code=10)[-1], "not-permitted")
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "alice is not connected")

    bus.polkit(active("bob"))
    expect_ping(lab, lab.sites[0].host)
    said = bob.connect(what="Corp", code=10)[-1]
    expect(f"in use by another user (uid {alice.uid})" in said["message"], f"{said}")
    expect("Corp" in bob.dialtone("status").stdout, "bob does not see it")
    answer(asked(lab, bob, "connect", "--take-over", "--secrets", secrets, "Corp"), "a guess", 10)
    answer(asked(lab, bob, "disconnect", "Corp"), "a guess", 10)
    expect(owners(bus) == [alice.uid], f"it went to {owners(bus)}")
    expect_ping(lab, lab.sites[0].host)
    answer(asked(lab, bob, "connect", "--take-over", "--secrets", secrets, "Corp"), PASSWORD, 0)
    expect(owners(bus) == [bob.uid], f"it went to {owners(bus)}")
    expect_ping(lab, lab.sites[0].host)

    # What was hers is his: coming back makes it no more hers than it was his.
    bus.polkit(active("alice"))
    said = alice.connect(what="Corp", code=10)[-1]
    expect(f"in use by another user (uid {bob.uid})" in said["message"], f"{said}")
    bob.dialtone("disconnect")
    expect(alice.connect(what="Corp")[-1]["state"] == "connected", "alice does not get it when it is free")
    alice.dialtone("disconnect")


@service_case("fast user switching: a user's own tunnel is seen and not taken, and ended only with an administrator's "
              "password", 90, rule=active("alice"))
def _(lab, bus, alice, bob):
    give_password()
    client = ServiceClient(alice, profile(Phase2__Networks="0.0.0.0/0"))
    client.connect()
    bus.polkit(active("bob"))
    mine = bob.file("mine.dialtone", profile_text(profile(Profile__Name="Mine", Phase2__Networks="0.0.0.0/0")))
    said = bob.connect(what=mine, code=10)[-1]
    expect(owners(bus) == [alice.uid] and 'the tunnel "Office"' in said["message"], f"{said}")
    known = len(client.events)
    answer(asked(lab, bob, "disconnect", "Office"), PASSWORD, 0)
    wait_until(lambda: alice.uid not in owners(bus), 5, "it is ended")
    client.wait_state("idle", 5, after=known)
    expect(bob.connect(what=mine)[-1]["state"] == "connected", "there is no room for bob's")
    bob.dialtone("disconnect")


main()
